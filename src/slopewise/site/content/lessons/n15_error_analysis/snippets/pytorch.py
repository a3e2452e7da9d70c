# needs: torch
import torch

generator = torch.Generator().manual_seed(0)
X = torch.randn(200, 2, generator=generator)
y = (X[:, 0] > X[:, 1]).long()
spoiled = torch.tensor([17, 140])
y[spoiled] = 1 - y[spoiled]  # two wrong labels

torch.manual_seed(0)
model = torch.nn.Linear(2, 2)
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
for update in range(100):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(X), y).backward()
    optimizer.step()

model.eval()
with torch.no_grad():
    losses = torch.nn.functional.cross_entropy(model(X), y, reduction="none")
worst = losses.argsort(descending=True)[:5]
for row in worst.tolist():
    mark = "  wrong label" if row in spoiled.tolist() else ""
    print(f"row {row:3}: loss {losses[row]:.2f}{mark}")
