# needs: slopewise
import slopewise as sw


def square(w):
    return w * w


def bowl(w):
    return 0.5 * w[0] ** 2 + w[1] ** 2


w = sw.tensor([1.5, 0.8])
u = sw.tensor([0.6, 0.8])  # a direction of length 1

print("derivative:", sw.grad(square)(sw.tensor(3.0)).item())
print("gradient:  ", [round(g, 4) for g in sw.grad(bowl)(w).tolist()])
height, slope = sw.jvp(bowl, (w,), (u,))
print(f"slope along u: {slope.item():.4f}")
