"""What stands in the formulas of lessons 1 to 9: the values of their pieces, most of them by the engine."""

import numpy as np

import slopewise as sw
from shown_formulas.reading import Matrix, Operator, entries

RELU = Operator(lambda z: Matrix(np.maximum(z.values, 0)) if isinstance(z, Matrix) else max(z, 0.0))


def number(value):
    return sw.tensor(value, dtype=sw.float64)


def slope(f, x):
    """Return a derivative or a gradient by the engine."""
    return sw.grad(f)(sw.tensor(np.asarray(x, float))).numpy()


def lesson_1():
    X, y = np.array([[1.0, 1.0], [2.0, 1.0], [4.0, 1.0]]), np.array([1.0, 3.0, 4.0])
    found = np.linalg.lstsq(X, y, rcond=None)[0]
    yield "solved", {r"\hat{w}": found, r"X^\top": Matrix(X.T), "X": Matrix(X), "y": Matrix(y)}
    yield (
        "count",
        {
            r"\lceil \text{rows} / \text{batch size} \rceil": len(sw.data.DataLoader((X,), batch_size=2)),
            r"\text{updates}": 12.0,
            r"\text{rounds}": 2.0,
            r"\text{epochs}": 3.0,
        },
    )


def lesson_2():
    def bowl(w):
        return 0.5 * w[0] ** 2 + w[1] ** 2

    w, u, step = np.array([1.5, 0.8]), np.array([0.6, 0.8]), np.array([2e-3, -1e-3])
    gradient, height = slope(bowl, w), bowl(w)
    length = np.linalg.norm(gradient)
    axes = {"w_1": w[0], "w_2": w[1]}
    yield (
        "limit",
        {
            r"\lim_{h \to 0}": 1.0,
            "f'(w)": slope(lambda x: x**3, 2.0),
            "f(w + h)": (2.0 + 1e-6) ** 3,
            "f(w)": 8.0,
            "h": 1e-6,
        },
    )
    yield "bowl", {r"\nabla L": gradient, **axes}
    parts = {
        rf"\partial L / \partial w_{i + 1}": slope(lambda at, i=i: bowl([*w[:i], at, *w[i + 1 :]]), w[i])
        for i in range(2)
    }
    yield "vector", {r"\nabla L": gradient, **parts}
    along = sw.jvp(bowl, (sw.tensor(w),), (sw.tensor(u),))[1].item()
    yield "along", {"D_u L": along, r"\nabla L \cdot u": gradient @ u}
    yield (
        "cosine",
        {
            r"\nabla L \cdot u": gradient @ u,
            r"\lVert \nabla L \rVert": length,
            r"\cos \varphi": np.cos(np.arctan2(*gradient[::-1]) - np.arctan2(*u[::-1])),
        },
    )
    yield (
        "small_step",
        {
            r"L(w + \Delta)": bowl(w + step),
            "L(w)": height,
            r"\nabla L \cdot \Delta": gradient @ step,
        },
    )
    yield "surface", {"L(w)": height, **axes}
    yield "surface_in_short", {"L": height, **axes}


def lesson_3():
    W1, b1, W2 = np.array([[1.0, -1.0], [-1.0, 0.5]]), np.array([0.5, 1.0]), np.array([[0.5, 2.0]])
    x, b2 = np.array([3.0, 1.0]), np.array([-0.2])
    h = sw.relu(sw.tensor(W1) @ sw.tensor(x) + sw.tensor(b1)).numpy()
    layers = {"W_1": Matrix(W1), "W_2": Matrix(W2), "b_1": Matrix(b1), "b_2": Matrix(b2), "x": Matrix(x)}
    yield "two_layers", {r"\hat{y}": W2 @ h + b2, "h": Matrix(h), r"\mathrm{relu}": RELU, **layers}
    yield "collapse", layers
    yield "error", {"e": slope(lambda p: (p - 1.5) ** 2, 0.8) / 2, r"\hat{y}": 0.8, "y": 1.5}
    yield (
        "both_signs",
        {
            r"\frac{\partial}{\partial \hat{y}} (\hat{y} - y)^2": slope(lambda p: (p - 1.5) ** 2, 0.8),
            r"\frac{\partial}{\partial \hat{y}} (y - \hat{y})^2": slope(lambda p: (1.5 - p) ** 2, 0.8),
            r"\hat{y}": 0.8,
            "y": 1.5,
        },
    )
    said, y, z = np.array([1.0, 3.0, -2.0]), np.array([0.5, 1.0, 0.0]), np.array([2.0, -1.0, 0.5])
    loss = sw.losses.mse(sw.tensor(said), sw.tensor(y)).item()
    yield "mean", {"L": loss, "n": 3.0, **entries(r"\hat{y}_i", said), **entries("y_i", y)}

    def entropy(logits):
        return sw.losses.cross_entropy(logits.reshape((1, 3)), sw.tensor(np.array([2])))

    shares = sw.softmax(sw.tensor(z)).numpy()
    yield (
        "cross_entropy",
        {
            "L": entropy(sw.tensor(z)).item(),
            r"\log p_{\text{right}}": np.log(shares[2]),
            "p_k": shares[1],
            "z_k": z[1],
            r"\sum_j": (1, 2, 3),
            **entries("z_j", z, "j"),
        },
    )
    yield (
        "p_minus_y",
        {r"\frac{\partial L}{\partial z_k}": slope(entropy, z), "p_k": shares, "y_k": [0, 0, 1]},
    )


def lesson_4():
    valley = np.array([1.0, 25.0])

    def loss(w):
        return 0.5 * (sw.tensor(valley) * w * w).sum()

    w, rate = sw.tensor(np.array([2.0, 1.0]), requires_grad=True), 1e-5
    gradient, before = slope(loss, [2.0, 1.0]), loss(w)
    optimizer = sw.optim.SGD([w], lr=rate)
    before.backward()
    optimizer.step()
    yield (
        "update",
        {"w_{t+1}": w.numpy(), r"\nabla L(w_t)": gradient, "w_t": np.array([2.0, 1.0]), r"\eta": rate},
    )
    yield (
        "promise",
        {
            r"L(w - \eta \nabla L)": loss(w).item(),
            "L(w)": before.item(),
            r"{\lVert \nabla L \rVert}": np.linalg.norm(gradient),
            r"\eta": rate,
        },
    )
    yield (
        "factor",
        {"w_{t+1}": 3 - 0.1 * slope(lambda x: x**2, 3.0), "w_t": 3.0, r"\eta": 0.1, r"\lambda": 2.0},
    )
    yield "slope", {"{{ gradient | digits }}": slope(lambda x: x**2, 3.0), "w": 3.0}
    curved = sw.hessian(loss)(sw.tensor(np.zeros(2))).numpy()
    yield "limit", {r"\eta": 0.08, r"\lambda_{\max}": np.linalg.eigvalsh(curved).max()}


def lesson_5():
    each = np.array([[1.0, -2.0], [3.0, 0.5], [-0.5, 4.0]])  # gradients of rows
    w, mean = np.array([0.3, -0.2]), each.mean(axis=0)
    moved = sw.tensor(w, requires_grad=True)
    optimizer = sw.optim.SGD([moved], lr=0.1)
    (sw.tensor(each) @ moved).mean().backward()
    optimizer.step()
    yield (
        "update",
        {
            "w_{t+1}": moved.numpy(),
            "w_t": w,
            r"\eta": 0.1,
            "B": 3.0,
            r"\sum_i": (1, 2, 3),
            **entries(r"\nabla \ell_i(w_t)", each),
        },
    )
    pairs = np.array([each[[i, j]].mean(axis=0) for i, j in ((0, 1), (0, 2), (1, 2))])

    def spread(values):
        return np.sqrt(((values - mean) ** 2).sum(axis=1).mean())

    yield "unbiased", {r"\operatorname{E}[g_B]": pairs.mean(axis=0), r"\nabla L": mean}
    sizes = {"N": 3.0, "B": 2.0}
    yield "noise", {r"\operatorname{std}(g_B)": spread(pairs), r"\sigma": spread(each), **sizes}
    yield (
        "count",
        {
            r"\text{updates in an epoch}": len(sw.data.DataLoader((each,), batch_size=2)),
            r"\lceil N / B \rceil": np.ceil(3 / 2),
        },
    )
    rows, counts = np.array([1.0, 4.0, 2.0, 5.0, 9.0]), np.array([2.0, 2.0, 1.0])
    losses = np.array([part.mean() for part in np.split(rows, [2, 4])])
    each_batch = {**entries("n_b", counts, "b"), **entries("L_b", losses, "b")}
    yield "weighted", {"L": rows.mean(), "N": 5.0, r"\sum_b": (1, 2, 3), **each_batch}
    tiny, first, second = 1e-7, np.array([1.0, -2.0]), np.array([3.0, 0.5])
    yield (
        "scaling",
        {
            "w_t": w / tiny,
            "g_1(w_t)": first / tiny,
            "g_2(w_{t+1})": (second - tiny * first) / tiny,
            r"g_{1 \cup 2}(w_t)": (first + second) / 2 / tiny,
            r"\eta": tiny,
        },
    )


def lesson_6():
    x, h = 0.8, 0.5
    slopes = {"f'(x)": slope(lambda t: t**5, x), "f''(x)": 20 * x**3, "f'''(x)": 60 * x**2}
    values = {"f(x + h)": (x + h) ** 5, "f(x - h)": (x - h) ** 5, "f(x)": x**5, "h": h}
    yield "forward", {**slopes, **values, r"\dots": 10 * x**2 * h**2 + 5 * x * h**3 + h**4}
    yield "central", {**slopes, **values, r"\dots": h**4}
    J, u, v = (
        np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]),
        np.array([0.3, -1.0, 2.0]),
        np.array([1.0, -2.0]),
    )
    yield "orders", {r"u^\top": Matrix(u), "J": Matrix(J), "v": Matrix(v)}
    pair = np.array([[0.0, 1.0], [0.0, 0.0]])  # its square is zero
    yield (
        "dual",
        {
            "f": Operator(lambda z: z**3),
            "f'(x)": Matrix(slope(lambda t: t**3, x) * np.eye(2)),
            "x": Matrix(x * np.eye(2)),
            "v": Matrix(-1.5 * np.eye(2)),
            r"\varepsilon": Matrix(pair),
        },
    )
    best = min(np.geomspace(0.1, 1.0, 20_001), key=lambda h: h / 2 * 3.0 + 2 * 0.01 * 5.0 / h)
    yield "best", {"h^*": best, r"\epsilon": 0.01, "|f(x)|": 5.0, "|f''(x)|": 3.0}


def lesson_7():
    w, x, b, y, h = 0.5, 3.0, 1.0, 1.0, 1e-5

    def loss(at):
        return (at * x + b - y) ** 2

    e, whole = w * x + b - y, slope(loss, w)
    yield (
        "chain",
        {
            r"\frac{\partial L}{\partial w}": whole,
            r"\frac{\partial L}{\partial e}": slope(lambda t: t**2, e),
            r"\frac{\partial e}{\partial \hat{y}}": slope(lambda t: t - y, 2.5),
            r"\frac{\partial \hat{y}}{\partial w}": slope(lambda t: t * x + b, w),
            "e": e,
            "x": x,
        },
    )
    yield (
        "ways",
        {
            r"\frac{\partial L}{\partial x}": slope(lambda t: t * (t * t - 7.0), 3.0),
            r"\sum_j": (1, 2),
            **entries(r"\frac{\partial L}{\partial v_j}", slope(lambda v: v[0] * v[1], [3.0, 2.0]), "j"),
            **entries(r"\frac{\partial v_j}{\partial x}", (1.0, slope(lambda t: t * t - 7.0, 3.0)), "j"),
        },
    )
    nudged = {"L(w + h)": loss(w + h), "L(w - h)": loss(w - h), "h": h}
    yield "nudge", {r"\frac{\partial L}{\partial w}": whole, **nudged}
    to_prediction = slope(lambda t: (t - y) ** 2, 2.5)
    yield "to_the_error", {"{{ to_prediction | digits }}": to_prediction, "e": e}
    said = {
        "{{ to_prediction | digits }}": to_prediction,
        "{{ x | digits }}": x,
        "{{ to_w | digits }}": whole,
    }
    yield "to_the_weight", {**said, "e": e, "x": x}
    yield "start", {r"\partial L / \partial L": slope(lambda t: t, 2.25)}
    yield "whole", {"L": loss(w), "wx": w * x, "b": b, "y": y}


def lesson_8():
    loss = r"\left( -y \log \sigma(z) - (1 - y) \log (1 - \sigma(z)) \right)"
    for z in (-0.7, 0.0, 1.3):
        sigma, double = (sw.sigmoid(number(at)).item() for at in (z, 2 * z))
        yield "relu", {r"\operatorname{ReLU}(z)": sw.relu(number(z)).item(), "z": z}
        yield "sigmoid", {r"\sigma(z)": sigma, "z": z}
        yield "tanh", {r"\tanh(z)": sw.tanh(number(z)).item(), r"\sigma(2 z)": double}
        for y in (0.0, 1.0):
            sent = slope(lambda at, y=y: sw.losses.binary_cross_entropy_with_logits(at, number(y)), z)
            yield "cancels", {rf"\frac{{\partial}}{{\partial z}} {loss}": sent, r"\sigma(z)": sigma, "y": y}
    yield "slope", {r"\sigma'(z)": slope(sw.sigmoid, 0.0), r"\sigma(z)": 0.5}  # where it is a quarter
    W1, b1 = Matrix([[1.0, -1.0], [-1.0, 0.5]]), Matrix([0.5, 1.0])
    W2, b2, x = Matrix([[0.5, 2.0]]), Matrix([-0.2]), Matrix([3.0, 1.0])
    yield "collapse", {"W_1": W1, "b_1": b1, "W_2": W2, "b_2": b2, "x": x}
    for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)):
        units = {r"\operatorname{ReLU}": RELU, "a": float(a), "b": float(b)}
        yield "xor", {r"\operatorname{xor}(a, b)": a ^ b, **units}
    starts = (0.3, -0.4, 0.2)
    flat = [sw.sigmoid(number(at)) for at in starts]

    def chained(z1):
        z2 = 0.7 * (sw.sigmoid(z1) - flat[0]) + starts[1]
        return 3.0 * sw.sigmoid(-1.1 * (sw.sigmoid(z2) - flat[1]) + starts[2])

    yield (
        "chain",
        {
            r"\frac{\partial L}{\partial z_1}": slope(chained, starts[0]),
            r"\frac{\partial L}{\partial h_3}": 3.0,
            **{rf"\varphi'(z_{place})": slope(sw.sigmoid, at) for place, at in enumerate(starts, start=1)},
            "w_2": 0.7,
            "w_3": -1.1,
        },
    )
    y, said = np.array([0.0, 1.0, 0.0]), np.array([1.0, 1.0, 0.0])  # a 1 that should be a 0: up it goes
    rows = {r"\sum_i": (1, 2, 3), **entries("y_i", y), **entries(r"\hat{y}_i", said)}
    yield "rule", {"b_{t+1}": 0.5 + 0.3 / 3, "b_t": 0.5, r"\eta": 0.3, "n": 3.0, **rows}


def lesson_9():
    parts = np.array([1.0, 4.0, -2.0, 5.0])
    each = {rf"\nabla L_{name}": part for name, part in zip("12K", parts)}
    yield "mean", {r"\nabla L": parts.mean(), "K": 4.0, r"\dots": parts[3], **each}
    yield (
        "count",
        {
            r"\lceil \text{rows} / \text{batch size} \rceil": len(sw.data.DataLoader((parts,), batch_size=2)),
            r"\text{updates}": 6.0,
            r"\text{epochs}": 3.0,
        },
    )
