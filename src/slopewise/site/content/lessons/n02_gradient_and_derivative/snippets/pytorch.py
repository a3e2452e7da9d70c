# needs: torch
import torch

w = torch.tensor([1.5, 0.8], requires_grad=True)
u = torch.tensor([0.6, 0.8])

loss = 0.5 * w[0] ** 2 + w[1] ** 2
loss.backward()

print("gradient:  ", [round(g, 4) for g in w.grad.tolist()])
print(f"slope along u: {torch.dot(w.grad, u).item():.4f}")
with torch.no_grad():
    w -= 0.3 * w.grad  # the step: against the gradient
print("after a step:", [round(value, 4) for value in w.tolist()])
