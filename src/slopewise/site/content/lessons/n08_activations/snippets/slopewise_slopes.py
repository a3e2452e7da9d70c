# needs: slopewise
import slopewise as sw

z = sw.tensor([-5.0, -1.0, 0.0, 1.0, 5.0])
for name in ("step", "sigmoid", "tanh", "relu"):
    slope = sw.jvp(getattr(sw.nn, name), (z,), (sw.ones_like(z),))[1]
    print(f"{name:8}", [round(s, 4) for s in slope.tolist()])


def first_to_last(activation, weights=None):
    """Return how large the gradient of the first of ten layers is, beside that of the last."""
    sw.manual_seed(0)
    layers = [sw.nn.Linear(16, 16) for _ in range(10)]
    if weights is not None:
        for layer in layers:
            layer.weight = sw.nn.Parameter(weights((16, 16)))
    h = sw.tensor([[(-1.0) ** (row * column % 7) for column in range(16)] for row in range(32)])
    for layer in layers:
        h = activation(layer(h))
    (h * h).mean().backward()
    first, last = ((layer.weight.grad**2).sum().item() ** 0.5 for layer in (layers[0], layers[-1]))
    return first / last


print(f"sigmoid: {first_to_last(sw.nn.sigmoid):.0e}")
print(f"ReLU, weights as Linear draws them: {first_to_last(sw.nn.relu):.0e}")
he = sw.nn.initializers.kaiming_normal
print(f"ReLU, weights as He et al. draw them: {first_to_last(sw.nn.relu, he):.1f}")
