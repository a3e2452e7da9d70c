# needs: torch, numpy
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
y = 2 * x - 1 + 0.1 * np.sin(40 * x)

torch.manual_seed(0)
model = torch.nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
rows = TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
loader = DataLoader(rows, batch_size=16, shuffle=True)

for epoch in range(20):
    model.train()
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(xb), yb)
        loss.backward()
        optimizer.step()

model.eval()
with torch.no_grad():
    print(f"loss {torch.nn.functional.mse_loss(model(rows.tensors[0]), rows.tensors[1]).item():.4f}")
print(f"weight {model.weight.item():.3f}, bias {model.bias.item():.3f}")
