# needs: jax, numpy
import jax
import numpy as np

x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
y = 2 * x - 1 + 0.1 * np.sin(40 * x)


def mse(parameters, xb, yb):
    weight, bias = parameters
    return ((xb * weight + bias - yb) ** 2).mean()


@jax.jit
def update(parameters, xb, yb):
    gradients = jax.grad(mse)(parameters, xb, yb)
    return jax.tree.map(lambda value, gradient: value - 0.1 * gradient, parameters, gradients)


parameters = (0.0, 0.0)
key = jax.random.key(0)
for epoch in range(20):
    key, shuffle = jax.random.split(key)
    for rows in jax.random.permutation(shuffle, 64).reshape(4, 16):
        parameters = update(parameters, x[rows], y[rows])

print(f"loss {float(mse(parameters, x, y)):.4f}")
print(f"weight {float(parameters[0]):.3f}, bias {float(parameters[1]):.3f}")
