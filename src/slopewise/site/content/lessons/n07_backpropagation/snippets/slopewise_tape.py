# needs: slopewise
import slopewise as sw

w = sw.tensor(0.5, requires_grad=True)
b = sw.tensor(1.0, requires_grad=True)
x, y = 3.0, 1.0

with sw.GradientTape(keep_values=True):
    error = w * x + b - y
    loss = error * error

print(sw.read_tape(loss, {"w": w, "b": b, "error": error, "loss": loss}))

loss.backward()
print("dL/dw =", w.grad.item(), " dL/db =", b.grad.item())
