"""What stands in the formulas of lessons 10 to 17: the values of their pieces, most of them by the engine."""

import math
from itertools import product

import numpy as np

import slopewise as sw
from shown_formulas.reading import Function, Gradient, Operator, entries
from slopewise.data.folds import KFold
from slopewise.optim.schedules import CosineDecay


def stepped(optimizer, gradients, start=0.0, **settings):
    """Return the places of a parameter that some gradients move, the first included, and each state."""
    w = sw.tensor(np.array(start), requires_grad=True)
    made, places, states = optimizer([w], **settings), [start], []
    for gradient in gradients:
        made.zero_grad()
        (gradient * w).backward()
        made.step()
        places.append(w.item())
        state = made.param_groups[0].state[0]
        states.append({name: value.item() for name, value in state.items() if hasattr(value, "item")})
    return places, states


def lesson_10():
    p, x = 0.3, np.array([0.5, -2.0, 3.0])
    masks = np.array(list(product((0.0, 1.0), repeat=3)))
    chances = np.prod(np.where(masks == 1, 1 - p, p), axis=1)
    yield "expected", {"E": Operator(lambda values: chances @ values), "m": masks, "x": x, "p": p}
    rows = np.array([[1.0], [3.0], [8.0]], dtype=np.float32)
    made = sw.nn.BatchNorm1d(1, eps=0.7)(sw.tensor(rows)).numpy()
    yield (
        "normalised",
        {r"\hat{x}": made, "x": rows, r"\mu": rows.mean(), r"\sigma": rows.std(), r"\epsilon": 0.7},
    )
    layer, runs = sw.nn.BatchNorm1d(1, momentum=0.2), []
    for batch in ([1.0, 2.0], [4.0, 8.0]):
        layer(sw.tensor(np.array(batch, dtype=np.float32)[:, None]))
        runs.append(layer.running_mean.item())
    yield (
        "running",
        {
            r"\mu_{\text{run}} \leftarrow": runs[1],
            r"\mu_{\text{run}}": runs[0],
            r"\mu_{\text{batch}}": 6.0,
            r"\alpha": 0.2,
        },
    )


def spread_of_hits(p, n):
    """Return the standard deviation of the share of hits, over all numbers of hits with their chances."""
    hits = np.arange(n + 1)
    chances = np.array([math.comb(n, k) for k in hits]) * p**hits * (1 - p) ** (n - hits)
    return np.sqrt(chances @ (hits / n - p) ** 2)


def least_bound(log_tries, spread):
    """Return the least of the bounds on the mean of a maximum that each exponent gives (Chernoff's way)."""
    return min(log_tries / power + power * spread**2 / 2 for power in np.geomspace(0.1, 1000.0, 20_001))


def lesson_11():
    truth, said = np.array([1, 0, 1, 1, 0]), np.array([1, 1, 1, 0, 0])
    yield (
        "accuracy",
        {
            r"\text{accuracy}": sw.metrics.accuracy(truth, said),
            r"\text{rows judged right}": float((truth == said).sum()),
            r"\text{rows}": 5.0,
        },
    )
    yield "needed", {"n": 20.0, "p": 0.8, r"\mathrm{SE}": spread_of_hits(0.8, 20)}
    bound = 0.8 + least_bound(math.log(12), 0.1)
    yield (
        "luck",
        {r"E \left[ \max_{k \leq K} s_k \right]": bound, "p": 0.8, r"\mathrm{SE}": 0.1, "K": 12.0},
    )


def lesson_12():
    yield "noise", {r"\mathrm{SE}": spread_of_hits(0.9, 20), "p": 0.9, "n": 20.0}
    hits = np.array([1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0])
    folds = list(KFold(3).split(range(9)))
    scores = [hits[test].mean() for _, test in folds]
    yield "mean", {r"\bar{s}": hits.mean(), "k": 3.0, **entries("s_i", scores)}
    yield "learned", {r"n_{\text{learned}}": float(len(folds[0][0])), "n": 9.0, "k": 3.0}


def lesson_13():
    said, target, noise = np.array([1.0, 2.0, 2.5, 0.3]), 0.9, np.array([-0.4, 0.4])
    yield (
        "parts",
        {
            r"\text{error}": np.mean((said[:, None] - (target + noise)) ** 2),  # every model, every target
            r"\text{noise}": np.mean(noise**2),
            r"\text{bias}": said.mean() - target,
            r"\text{variance}": sw.var(sw.tensor(said)).item(),
        },
    )
    places, _ = stepped(sw.optim.SGD, [3.0], start=2.0, lr=0.1, weight_decay=0.5)
    yield (
        "decay",
        {
            r"w \leftarrow": places[1],
            "w": 2.0,
            r"\nabla L(w)": 3.0,
            r"\eta": 0.1,
            r"\lambda": 0.5,
        },
    )
    bound = least_bound(math.log(2 * 30), 1 / math.sqrt(40))
    yield "chance", {r"\max_{j \leq m} \lvert r_j \rvert": bound, "m": 30.0, "n": 40.0}


def slowest_factor(kappa, rate, beta):
    """Return what momentum leaves of a distance in the long run, per update, at curvatures 1, 5 and kappa."""
    factors = []
    for curvature in (1.0, 5.0, kappa):
        columns = []
        for place, memory in np.eye(2):
            settings = {
                "lr": sw.tensor(rate, dtype=sw.float64),
                "momentum": sw.tensor(beta, dtype=sw.float64),
            }
            optimizer = sw.optim.SGD([sw.tensor(0.0, requires_grad=True)], lr=1.0, momentum=0.5)
            moved, state = sw.optim.SGD.update(
                sw.tensor(np.array(place)),
                sw.tensor(np.array(curvature * place)),
                {"momentum_buffer": sw.tensor(np.array(memory))},
                settings,
                optimizer.param_groups[0].settings,
            )
            columns.append([moved.item(), state["momentum_buffer"].item()])
        factors.append(np.abs(np.linalg.eigvals(np.array(columns))).max())
    return max(factors)


def lesson_14():
    (_, before, after), states = stepped(sw.optim.SGD, [3.0, -1.0], lr=0.1, momentum=0.8)
    memory = [state["momentum_buffer"] for state in states]
    yield (
        "momentum",
        {
            "w_{t+1}": after,
            "w_t": before,
            "b_{t+1}": memory[1],
            "b_t": memory[0],
            "g_t": -1.0,
            r"\beta": 0.8,
            r"\eta": 0.1,
        },
    )
    rests = {}
    for name, sign in ((r"\text{steady:}", 1.0), (r"\text{swinging:}", -1.0)):
        _, states = stepped(sw.optim.SGD, [sign**k for k in range(80)], lr=0.1, momentum=0.8)
        long, short = (abs(states[k]["momentum_buffer"]) for k in (79, 2))
        rests[name] = {r"\dots": abs(long - short)}
    yield "long_run", {r"\beta": 0.8, **rests}
    kappa = 25.0
    yield "best_plain", {"": slowest_factor(kappa, 2 / (1 + kappa), 0.0), r"\kappa": kappa}
    rate, beta = 4 / (1 + math.sqrt(kappa)) ** 2, (1 - 2 / (1 + math.sqrt(kappa))) ** 2
    yield "best_momentum", {"": slowest_factor(kappa, rate, beta), r"\kappa": kappa}
    yield from adams()
    rate, curvature, noise = 0.5, 1.3, 2.0

    def moved(w, tilt):
        return w - rate * (curvature * w + tilt)

    kept, stirred = (
        slope.item()
        for slope in sw.grad(moved, argnums=(0, 1))(sw.tensor(np.array(0.7)), sw.tensor(np.array(0.2)))
    )
    settled = (stirred * noise) ** 2 / (1 - kept**2)  # a variance that an update leaves as it is
    yield (
        "hovering",
        {r"\mathrm{Var}(w)": settled, r"\eta": rate, r"\sigma": noise, r"\lambda": curvature},
    )
    rate = CosineDecay(0.6, steps=40)(13).item()
    yield "cosine", {r"\eta_t": rate, r"\eta": 0.6, r"\pi": np.pi, "t": 13.0, "T": 40.0}
    places, _ = stepped(sw.optim.SGD, [3.0], start=2.0, lr=0.1, weight_decay=0.5)
    yield "decay", {"": places[1], "w": 2.0, r"\nabla L": 3.0, r"\eta": 0.1, r"\alpha": 0.5}
    curvatures, lowest, alpha = np.array([1.0, 25.0]), np.array([2.0, -1.0]), 3.0

    def penalised(w):
        loss = (sw.tensor(curvatures) * (w - sw.tensor(lowest)) ** 2).sum()
        return 0.5 * (loss + alpha * (w**2).sum())

    flat = sw.tensor(np.zeros(2))
    settled = -np.linalg.solve(sw.hessian(penalised)(flat).numpy(), sw.grad(penalised)(flat).numpy())
    yield "ridge", {"w_i": settled, "w_i^{*}": lowest, r"\lambda_i": curvatures, r"\alpha": alpha}


def adams():
    settings = {"lr": 0.1, "betas": (0.8, 0.6), "eps": 0.05}
    gradients = [3.0, -1.0, 2.0]
    for name, optimizer in (("adam", sw.optim.Adam), ("adamw", sw.optim.AdamW)):
        decay = {"weight_decay": 0.5} if name == "adamw" else {}
        places, states = stepped(optimizer, gradients, start=2.0, **settings, **decay)
        m, v = ([state[key] for state in states] for key in ("exp_avg", "exp_avg_sq"))
        powers = {r"\beta_1": 0.8, r"\beta_2": 0.6}
        averages = {"m_t": m[2], "v_t": v[2], "m_{t-1}": m[1], "v_{t-1}": v[1]}
        if name == "adam":
            yield "averages", {**powers, **averages, "g_t": 2.0}
        yield (
            name,
            {
                "w_t": places[3],
                "w_{t-1}": places[2],
                r"\hat m_t": m[2] / (1 - 0.8**3),
                r"\hat v_t": v[2] / (1 - 0.6**3),
                "m_t": m[2],
                "v_t": v[2],
                "t": 3.0,
                r"\eta": 0.1,
                r"\epsilon": 0.05,
                r"\alpha": 0.5,
                **powers,
            },
        )


def lesson_15():
    truth, said = np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 2]), np.array([0, 0, 0, 1, 2, 1, 1, 0, 2, 0])
    M, i, j = sw.metrics.confusion_matrix(truth, said), 1, 0  # classes, counted from zero
    yield (
        "rates",
        {
            r"\text{recall}_i": sw.metrics.recall(truth, said, average=None)[i],
            r"\text{precision}_j": sw.metrics.precision(truth, said, average=None)[j],
            "M_{ii}": M[i, i],
            "M_{jj}": M[j, j],
            r"\sum_j": (1, 2, 3),
            r"\sum_i": (1, 2, 3),
            **entries("M_{ij}", M[i], "j"),
            **entries("M_{ij}", M[:, j], "i"),
        },
    )
    tagged = np.arange(10) > 5
    mended = sw.metrics.accuracy(truth, np.where(tagged, truth, said))
    yield (
        "ceiling",
        {
            r"s_{\text{after}}": mended,
            "s": sw.metrics.accuracy(truth, said),
            r"e_{\text{tag}}": float((tagged & (truth != said)).sum()),
            "n": 10.0,
        },
    )
    change = sw.tensor(np.array([1.0] * 12 + [-1.0] * 5 + [0.0] * 30))
    yield "paired", {"z": (change.sum() / (change**2).sum() ** 0.5).item(), "m": 12.0, "b": 5.0}


def lesson_16():
    first, second = np.array([0, 0, 1, 1, 1, 2, 2, 0]), np.array([0, 1, 1, 1, 0, 2, 1, 0])
    differ, differ_blindly = (first != second).mean(), (first[:, None] != second).mean()
    yield "kappa", {r"\kappa": 1 - differ / differ_blindly, "p_o": 1 - differ, "p_e": 1 - differ_blindly}
    a, b = (np.bincount(labels) / 8 for labels in (first, second))
    shares = {**entries("a_k", a, "k"), **entries("b_k", b, "k")}
    yield "chance", {"p_e": 1 - differ_blindly, r"\sum_k": (1, 2, 3), **shares}
    said = np.array([0.9, 0.7, 0.4])
    yield (
        "errors",
        {
            "E": Operator(lambda values: values.mean()),
            r"\operatorname{Var}": Operator(lambda values: sw.var(sw.tensor(values)).item()),
            "s": said,
            "t": 0.8,
        },
    )


def lesson_17():
    first = sw.losses.cross_entropy(sw.zeros((1, 3)), sw.tensor([0])).item()
    yield "start", {"L_0": first, "K": 3.0}
    floor = sw.losses.cross_entropy(sw.tensor([[1.0, 0.0, 0.0]]), sw.tensor([0])).item()
    yield "floor", {"": floor, "e": math.e}
    losses = [Function(lambda w, x=x: (w * x - 1.0) ** 2) for x in (1.0, 2.0, -3.0)]
    at = sw.tensor(np.array(0.5))
    slope = Gradient(lambda function: sw.grad(function.of)(at).item())
    yield "summed", {r"\nabla": slope, "n": 3.0, **entries("L_i", losses)}
    p, y = np.array([0.3, -1.0, 2.0]), np.array([1.0, 0.0, -2.0])
    broadcast = ((sw.tensor(p[:, None]) - sw.tensor(y)) ** 2).mean().item()
    yield (
        "pairs",
        {
            "": broadcast,
            "n": 3.0,
            r"\operatorname{var}": Operator(lambda values: sw.var(sw.tensor(values)).item()),
            r"\bar p": p.mean(),
            r"\bar y": y.mean(),
            "p": p,
            "y": y,
            **entries("p_i", p),
            **entries("y_j", y, "j"),
        },
    )
    w = sw.tensor(np.array(0.5), requires_grad=True)
    for loss in losses:
        loss.of(w).backward()
    yield (
        "stored",
        {r"\mathrm{grad}_t": w.grad.item(), "t": 3.0, r"\nabla": slope, **entries("L_s", losses, "s")},
    )
