# needs: jax
import jax
import jax.numpy as jnp


def f(x):
    return jnp.sin(x * x) + x


print("grad  ", round(float(jax.grad(f)(0.8)), 6))
value, along = jax.jvp(f, (0.8,), (1.0,))
print("jvp   ", round(float(along), 6))


# Three outputs of one input: forward mode needs one pass, reverse mode three.
def curve(t):
    return jnp.array([jnp.sin(t), jnp.cos(t), t])


print("jacfwd", [round(float(v), 4) for v in jax.jacfwd(curve)(0.8)])
print("jacrev", [round(float(v), 4) for v in jax.jacrev(curve)(0.8)])
print("dead branch", jax.grad(lambda z: jnp.where(z > 0, jnp.sqrt(z), 0.0))(0.0))
print(jax.make_jaxpr(jax.grad(f))(0.8))
