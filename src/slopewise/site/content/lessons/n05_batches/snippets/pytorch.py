# needs: torch
import torch
from torch.utils.data import DataLoader, TensorDataset

X = torch.arange(1000.0).reshape(-1, 1) / 1000
rows = TensorDataset(X, 3 * X - 1)

for batch_size in (1000, 32, 1):
    loader = DataLoader(rows, batch_size=batch_size, shuffle=True)
    sizes = [len(xb) for xb, yb in loader]
    print(f"batch size {batch_size:4}: {len(loader):4} updates an epoch, the last on {sizes[-1]} rows")

# Not shuffled unless you say so, and drop_last=True leaves rows out of every epoch.
loader = DataLoader(rows, batch_size=32, drop_last=True)
print(f"drop_last: {len(loader)} updates, {sum(len(xb) for xb, yb in loader)} of 1000 rows")
