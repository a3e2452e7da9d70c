# needs: jax
import jax

x, y = 3.0, 1.0


def loss(w, b):
    error = w * x + b - y
    return error * error


# JAX has no backward() and no .grad: it makes a function that returns the gradients.
gradient_w, gradient_b = jax.grad(loss, argnums=(0, 1))(0.5, 1.0)
print("dL/dw =", float(gradient_w), " dL/db =", float(gradient_b))
