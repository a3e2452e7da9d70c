# needs: torch
import torch

z = torch.tensor([-5.0, -1.0, 0.0, 1.0, 5.0], requires_grad=True)
for name in ("sigmoid", "tanh", "relu"):
    (slope,) = torch.autograd.grad(getattr(torch, name)(z).sum(), z)
    print(f"{name:8}", [round(s, 4) for s in slope.tolist()])

# torch.heaviside is the step. PyTorch refuses to differentiate it.
try:
    torch.heaviside(z, torch.tensor(0.0)).sum().backward()
except RuntimeError as error:
    print("step    ", str(error).split(".")[0])

# A sigmoid and its cross-entropy belong together: give the loss the sum z, not the sigmoid of it.
target = torch.ones(5)
together = torch.nn.functional.binary_cross_entropy_with_logits(z, target, reduction="sum")
(slope,) = torch.autograd.grad(together, z)
print("loss    ", [round(s, 4) for s in slope.tolist()])
