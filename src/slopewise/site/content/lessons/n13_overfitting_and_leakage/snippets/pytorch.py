# needs: torch
import copy
import math

import torch

torch.manual_seed(0)
x = torch.rand(16, 1) * 12 - 6
y = torch.sin(math.pi * x / 6) + 0.4 * torch.randn(16, 1)
x_val = torch.rand(200, 1) * 12 - 6
y_val = torch.sin(math.pi * x_val / 6) + 0.4 * torch.randn(200, 1)

model = torch.nn.Sequential(
    torch.nn.Linear(1, 32), torch.nn.Tanh(), torch.nn.Linear(32, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1)
)
optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
mse = torch.nn.functional.mse_loss
lowest, kept, alias = math.inf, None, None

for update in range(300):
    optimizer.zero_grad()
    mse(model(x), y).backward()
    optimizer.step()
    with torch.no_grad():
        validation = mse(model(x_val), y_val).item()
    if validation < lowest:
        lowest, best_update = validation, update + 1
        alias = model.state_dict()  # not a copy: it goes on changing with the model
        kept = copy.deepcopy(model.state_dict())

print(f"lowest validation loss {lowest:.2f}, after {best_update} updates")
for name, weights in (("last weights", model.state_dict()), ("kept, no copy", alias), ("kept, copied", kept)):
    model.load_state_dict(weights) if name != "last weights" else None
    with torch.no_grad():
        print(f"{name:14} {mse(model(x_val), y_val).item():.2f}")
