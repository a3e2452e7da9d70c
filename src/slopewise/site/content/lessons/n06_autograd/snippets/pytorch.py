# needs: torch
import torch


def f(x):
    return torch.sin(x * x) + x


x = torch.tensor(0.8, requires_grad=True)
y = f(x)
print("made by     ", y.grad_fn.name())
y.backward()
print("x.grad      ", round(x.grad.item(), 6))

f(x).backward()  # adds to x.grad
print("once more   ", round(x.grad.item(), 6))

with torch.no_grad():  # nothing is recorded
    print("no_grad     ", f(x).requires_grad)
print("detach      ", (x.detach() * 2).requires_grad)  # the value of x, cut off from the tape

try:
    y.backward()  # the tape of y was freed
except RuntimeError as error:
    print("again       ", str(error)[:52])

gradient = torch.func.grad(f)(torch.tensor(0.8))  # JAX's habit, in PyTorch
print("func.grad   ", round(gradient.item(), 6))

z = torch.tensor(0.0, requires_grad=True)
torch.where(z > 0, torch.sqrt(z), 0.0).backward()  # the root is not used, and poisons the gradient
print("dead branch ", z.grad.item())
