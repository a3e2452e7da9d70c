# needs: jax
import jax
import jax.numpy as jnp

z = jnp.array([-5.0, -1.0, 0.0, 1.0, 5.0])
for name, activation in {
    "step": lambda z: jnp.heaviside(z, 0.0),
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
}.items():
    slopes = jax.vmap(jax.grad(activation))(z)
    print(f"{name:8}", [round(float(s), 4) for s in slopes])
