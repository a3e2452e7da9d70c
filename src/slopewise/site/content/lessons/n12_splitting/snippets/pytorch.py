# needs: torch
import torch
from torch.utils.data import DataLoader, TensorDataset, random_split

X = torch.arange(128.0).reshape(64, 2)
y = torch.tensor([0] * 48 + [1] * 16)

generator = torch.Generator().manual_seed(0)
train, validation, test = random_split(TensorDataset(X, y), [35, 13, 16], generator=generator)
print(len(train), len(validation), len(test))

# random_split only shuffles: it knows neither classes nor patients.
for name, part in (("train", train), ("validation", validation), ("test", test)):
    print(f"{name:10} {y[part.indices].float().mean():.0%} ill")

loader = DataLoader(train, batch_size=16, shuffle=True)  # shuffle the training rows, each epoch anew
