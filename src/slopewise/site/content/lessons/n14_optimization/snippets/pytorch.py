# needs: torch
import torch

w = torch.tensor([-3.0, 1.0], requires_grad=True)
optimizer = torch.optim.AdamW([w], lr=0.22, weight_decay=0.01)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=40)

for update in range(40):
    optimizer.zero_grad()
    loss = 0.5 * (w[0] ** 2 + 25 * w[1] ** 2)
    loss.backward()
    optimizer.step()  # first the optimizer,
    scheduler.step()  # then the schedule
    if update % 10 == 9:
        print(f"update {update + 1}: loss {loss.item():.4f}, next rate {scheduler.get_last_lr()[0]:.4f}")

# Decay the weights of a model, and leave its biases alone.
model = torch.nn.Linear(4, 2)
optimizer = torch.optim.AdamW(
    [
        {"params": [model.weight], "weight_decay": 0.01},
        {"params": [model.bias], "weight_decay": 0.0},
    ],
    lr=1e-3,
)
print("decays:", [group["weight_decay"] for group in optimizer.param_groups])
