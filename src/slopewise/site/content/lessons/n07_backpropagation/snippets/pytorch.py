# needs: torch
import torch

w = torch.tensor(0.5, requires_grad=True)
b = torch.tensor(1.0, requires_grad=True)
x, y = 3.0, 1.0

error = w * x + b - y
loss = error * error

# PyTorch's tape is a graph of functions, which can be followed by hand.
node = loss.grad_fn
while node is not None:
    print(node.name())
    node = node.next_functions[0][0] if node.next_functions else None

loss.backward()
print("dL/dw =", w.grad.item(), " dL/db =", b.grad.item())
