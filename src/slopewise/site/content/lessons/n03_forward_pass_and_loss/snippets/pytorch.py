# needs: torch
import warnings

import torch
from torch.nn import functional as F

logits, right = torch.tensor([[-6.0, 6.0]]), torch.tensor([0])
print(f"cross-entropy of logits:        {F.cross_entropy(logits, right).item():.3f}")
print(f"with softmax before it, too:    {F.cross_entropy(logits.softmax(dim=1), right).item():.3f}")

column, row = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([1.0, 2.0, 3.0])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    print(f"mse of right answers, unlike shapes: {F.mse_loss(column, row).item():.3f}")
print("warned:", len(caught) > 0)
