# needs: torch
import torch
from torch import nn

torch.manual_seed(0)
row = torch.tensor([[1.0, -2.0, 0.5]])
model = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 1))

model.train()
try:
    model(row)
except ValueError as error:
    print("one row in training mode:", str(error).split(",")[0])

with torch.no_grad():  # no gradients, and still training mode
    model(torch.randn(64, 3) + 5)
print("running mean after one call under no_grad:", f"{model[1].running_mean[0]:.3f}")

model.eval()
print("eval:", [f"{model(row).item():.2f}" for _ in range(3)])
print("gradients in evaluation mode:", model(row).requires_grad)

# The function, unlike the module, does not know of modes: its default is training=True.
kept = nn.functional.dropout(torch.ones(1000), p=0.5)
print("zeros from functional.dropout:", f"{(kept == 0).float().mean().item():.0%}")
