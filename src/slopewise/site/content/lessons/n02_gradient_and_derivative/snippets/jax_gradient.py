# needs: jax
import jax
import jax.numpy as jnp


def bowl(w):
    return 0.5 * w[0] ** 2 + w[1] ** 2


w = jnp.array([1.5, 0.8])
u = jnp.array([0.6, 0.8])

print("derivative:", float(jax.grad(lambda v: v * v)(3.0)))
print("gradient:  ", [round(float(g), 4) for g in jax.grad(bowl)(w)])
height, slope = jax.jvp(bowl, (w,), (u,))
print(f"slope along u: {float(slope):.4f}")
