"""Norms, updates and loops: small runs, each with one fault."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

import slopewise as sw
import slopewise.array as xp
from pro.decks.sides import Sides, double
from slopewise.engine.tensor import Tensor
from slopewise.optim.schedules import CosineDecay
from slopewise.site.content.lesson import Formula

GAIN, DEEP = 1.5, 20  # of linear layers
SIGMOIDS = 8
RATE, DECAY, STEEP = 0.1, 0.1, 5.0
GATHERED, BATCHES = 10, 32  # batches of an update, and of an epoch
DROPPED = 0.75


def _leaf(value: Any) -> Tensor:
    made: Tensor = sw.tensor(np.array(value, float), requires_grad=True)
    return made


def _gradient(leaf: Tensor) -> np.ndarray[Any, Any]:
    assert leaf.grad is not None
    return np.asarray(leaf.grad.numpy())


def _norm(values: Any) -> float:
    return float(np.linalg.norm(np.asarray(values)))


def _rows(n: int = 64) -> tuple[Tensor, Tensor]:
    """Points of a plane, and whether both coordinates have the same sign: no line separates them."""
    draw = np.random.Generator(np.random.Philox(7))
    x = draw.normal(size=(n, 2))
    return sw.tensor(x), sw.tensor((x[:, 0] * x[:, 1] > 0).astype(np.int64))


def _net(w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor, x: Tensor) -> Tensor:
    made: Tensor = xp.tanh(x @ w1 + b1) @ w2 + b2
    return made


def _zero_weights() -> tuple[float, float, float]:
    """Gradient norms of hidden weights, output weights and output bias when all weights are zero."""
    x, y = _rows(60)
    leaves = [_leaf(np.zeros(shape)) for shape in ((2, 8), (8,), (8, 2), (2,))]
    sw.losses.cross_entropy(_net(*leaves, x), y).backward()
    hidden, _, output, bias = (_norm(_gradient(leaf)) for leaf in leaves)
    return hidden, output, bias


def _twins() -> int:
    """How many different hidden units there are after 200 updates from equal weights."""
    x, y = _rows()
    leaves = [_leaf(np.full(shape, 0.3)) for shape in ((2, 8), (8,))] + [
        _leaf(np.repeat([[0.2, -0.1]], 8, axis=0)),
        _leaf(np.zeros(2)),
    ]
    optimizer = sw.optim.SGD(leaves, lr=0.2)
    for _ in range(200):
        optimizer.zero_grad()
        sw.losses.cross_entropy(_net(*leaves, x), y).backward()
        optimizer.step()
    return len(np.unique(np.round(leaves[0].numpy(), 6), axis=1).T)


def _chain_norms(
    depth: int, width: int, layer: Callable[[Tensor, Tensor], Tensor], scale: float
) -> list[float]:
    """Gradient norms of the weights of a chain of layers, first layer first."""
    draw = np.random.Generator(np.random.Philox(3))
    weights = [_leaf(draw.normal(size=(width, width)) * scale / math.sqrt(width)) for _ in range(depth)]
    h = sw.tensor(draw.normal(size=(32, width)))
    for w in weights:
        h = layer(h, w)
    xp.mean(h * h).backward()
    return [_norm(_gradient(w)) for w in weights]


def _growth() -> float:
    """How much a chain of 20 linear layers, each of gain 1.5, multiplies a gradient on its way."""
    x = _leaf(1.0)
    h = x
    for _ in range(DEEP):
        h = GAIN * h
    h.backward()
    return float(_gradient(x))


def _update_ratio(rate: float) -> float:
    """The length of an update over the length of the weights, for a fresh layer."""
    draw = np.random.Generator(np.random.Philox(5))
    x, w = sw.tensor(draw.normal(size=(64, 16))), _leaf(draw.normal(size=(16, 1)) / 4)
    before = w.numpy().copy()
    optimizer = sw.optim.SGD([w], lr=rate)
    xp.mean((x @ w - 1.0) ** 2).backward()
    optimizer.step()
    return _norm(w.numpy() - before) / _norm(before)


def _clipped() -> tuple[float, float]:
    w = _leaf([0.0, 0.0])
    (30.0 * w[0] + 40.0 * w[1]).backward()
    before = sw.optim.clip_grad_norm([w], 1.0).item()
    return before, _norm(_gradient(w))


def _turned() -> float:
    """By how many degrees clipping each entry turns a gradient (10, 1)."""
    w = _leaf([0.0, 0.0])
    (10.0 * w[0] + w[1]).backward()
    before = _gradient(w).copy()
    sw.optim.clip_grad_value([w], 1.0)
    after = _gradient(w)
    return math.degrees(math.acos(float(before @ after) / _norm(before) / _norm(after)))


def _descent(rate: float, curvature: float, steps: int, **more: Any) -> list[float]:
    """The losses of gradient descent on a bowl."""
    w = _leaf(1.0)
    optimizer = sw.optim.SGD([w], lr=rate, **more)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = 0.5 * curvature * w * w
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    return losses


def _curvature_read() -> tuple[float, float]:
    """The curvature of a bowl, read from two losses of a run that diverges."""
    rate, curvature = 0.09, 25.0
    losses = _descent(rate, curvature, 2)
    return (1 + math.sqrt(losses[1] / losses[0])) / rate, curvature


def _left_of_slow(kappa: float, steps: int = 100) -> float:
    """What is left of the distance in the flat direction of a valley, at the largest safe learning rate."""
    w = _leaf([1.0, 1.0])
    optimizer = sw.optim.SGD([w], lr=1.0 / kappa)
    scale = sw.tensor([1.0, kappa])
    for _ in range(steps):
        optimizer.zero_grad()
        (0.5 * xp.sum(scale * w * w)).backward()
        optimizer.step()
    return float(w.numpy()[0])


def _frozen_head() -> tuple[float, float]:
    """Gradient norm and movement of a layer that the optimizer does not hold."""
    x, y = _rows()
    draw = np.random.Generator(np.random.Philox(1))
    leaves = [_leaf(draw.normal(size=shape)) for shape in ((2, 8), (8,), (8, 2), (2,))]
    before = leaves[0].numpy().copy()
    optimizer = sw.optim.SGD(leaves[2:], lr=0.5)
    for _ in range(50):
        for leaf in leaves:
            leaf.grad = None
        sw.losses.cross_entropy(_net(*leaves, x), y).backward()
        optimizer.step()
    return _norm(_gradient(leaves[0])), _norm(leaves[0].numpy() - before)


def _leaking_rows() -> tuple[int, int]:
    """How many rows of inputs the first output depends on, with a transpose and with a reshape instead."""

    def count(arrange: Callable[[Tensor], Tensor]) -> int:
        x = _leaf(np.ones((4, 2, 3)))
        arrange(x)[0].sum().backward()
        return int(np.any(_gradient(x) != 0, axis=(1, 2)).sum())

    right = count(lambda x: xp.sum(xp.permute_dims(x, (0, 2, 1)), axis=2))
    wrong = count(lambda x: xp.sum(xp.reshape(xp.permute_dims(x, (1, 0, 2)), (4, 6)), axis=1))
    return right, wrong


def _future() -> tuple[int, int]:
    """How many later inputs output 2 of 6 depends on, with running means and with means of all."""

    def later(outputs: Callable[[Tensor], Tensor]) -> int:
        x = _leaf(np.arange(6.0))
        outputs(x)[2].backward()
        return int((_gradient(x)[3:] != 0).sum())

    counts = sw.tensor(np.arange(1.0, 7.0))
    return later(lambda x: xp.cumulative_sum(x) / counts), later(lambda x: x - xp.mean(x))


def _order(*moves: str, steps: int = 3, decay: float = 0.0) -> list[float]:
    """The places of a weight on w² from 1 when a loop makes its moves in some order."""
    w = _leaf(1.0)
    optimizer = sw.optim.SGD([w], lr=RATE, weight_decay=decay)
    w.grad = sw.tensor(np.array(0.0))
    places = [w.item()]
    for _ in range(steps):
        for move in moves:
            if move == "backward":
                (w * w).backward()
            elif move == "zero":
                w.grad = sw.tensor(np.array(0.0))
            else:
                optimizer.step()
        places.append(w.item())
    return places


def _accumulated() -> float:
    """The gradient of four equal micro-batches whose mean losses are added, over that of the whole batch."""
    x = sw.tensor(np.linspace(1, 2, 32))
    w = _leaf(0.0)
    for start in range(0, 32, 8):
        xp.mean((w * x[start : start + 8] - 3.0) ** 2).backward()
    added = float(_gradient(w))
    w.grad = None
    xp.mean((w * x - 3.0) ** 2).backward()
    return added / float(_gradient(w))


def _leftover() -> float:
    """The gradient at the first update of the second epoch, over that at the next: nobody erased the rest."""
    w = _leaf(0.0)
    optimizer = sw.optim.SGD([w], lr=0.01)
    lengths = []
    for _ in range(2):
        for batch in range(1, BATCHES + 1):
            (3.0 * w).backward()
            if batch % GATHERED == 0:
                lengths.append(float(_gradient(w)))
                optimizer.step()
                optimizer.zero_grad()
    first = BATCHES // GATHERED
    return lengths[first] / lengths[first + 1]


def _step_of_adam(gradients: list[float], eps: float = 1e-8, fresh_at: int | None = None) -> float:
    """The length of Adam's last step with learning rate 1 over given gradients."""
    w = _leaf(0.0)
    optimizer = sw.optim.Adam([w], lr=1.0, eps=eps)
    before = 0.0
    for position, gradient in enumerate(gradients):
        if position == fresh_at:
            optimizer = sw.optim.Adam([w], lr=1.0, eps=eps)
        before = w.item()
        optimizer.zero_grad()
        (gradient * w).backward()
        optimizer.step()
    return abs(w.item() - before)


def _fading() -> list[float]:
    """Gradients of a run that is nearly done: they fade, and the last is a hundredth of the first."""
    return [100.0 ** (-k / 200) for k in range(201)]


def _never_seen() -> float:
    """The share of rows that three starts, each ended after 40% of the first epoch, never see."""
    from slopewise.engine.random import permutation

    n = 1000
    seen = set()
    for _ in range(3):
        seen |= set(np.asarray(permutation(n, 0, 0, 0))[: n * 4 // 10].tolist())
    return 1 - len(seen) / n


def _last_class() -> float:
    """The share of rows that get the class of the last rows, after an epoch over rows sorted by class."""
    draw = np.random.Generator(np.random.Philox(2))
    y = np.repeat([0, 1, 2], 200)
    x = draw.normal(size=(600, 2)) + np.array([[0.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])[y]
    w, b = _leaf(np.zeros((2, 3))), _leaf(np.zeros(3))
    optimizer = sw.optim.SGD([w, b], lr=0.5)
    for start in range(0, 600, 20):
        optimizer.zero_grad()
        rows = slice(start, start + 20)
        sw.losses.cross_entropy(sw.tensor(x[rows]) @ w + b, sw.tensor(y[rows])).backward()
        optimizer.step()
    scores = x @ w.numpy() + b.numpy()
    return float((scores.argmax(axis=1) == 2).mean())


def _shrunk(decay: float) -> float:
    """Where a slope of 1 ends that weight decay pulls at, on inputs of variance 1."""
    x = sw.tensor(np.array([-1.0, 1.0]))
    w = _leaf(0.0)
    optimizer = sw.optim.SGD([w], lr=0.1, weight_decay=decay)
    for _ in range(300):
        optimizer.zero_grad()
        (0.5 * xp.mean((w * x - x) ** 2)).backward()
        optimizer.step()
    return w.item()


def _tape_lengths() -> tuple[int, int]:
    """How many operations hang on a running total of ten losses, kept as tensors and as numbers."""

    def nodes(keep: Callable[[Tensor], Any]) -> int:
        w = _leaf(1.0)
        with sw.GradientTape(keep_values=True):
            total: Any = sw.tensor(np.array(0.0))
            for _ in range(10):
                total = total + keep(w * w)
            if not isinstance(total, Tensor) or not total.requires_grad:
                return 0
            return sum(bool(entry.inputs) for entry in sw.read_tape(total).entries)

    return nodes(lambda loss: loss), nodes(lambda loss: loss.item())


def _too_large(p: float) -> float:
    """The mean output of dropout without its factor in evaluation, over that in training: over all masks."""
    x = sw.tensor(np.array([2.0, -1.0, 5.0]))
    training = 0.0
    for mask in product([0.0, 1.0], repeat=3):
        chance = math.prod(1 - p if kept else p for kept in mask)
        training += chance * xp.mean(x * sw.tensor(np.array(mask))).item()
    return xp.mean(x).item() / training


def _young_norm(batches: int = 5) -> float:
    """The running mean of batch norm after a few batches whose mean is 1."""
    layer = sw.nn.BatchNorm1d(1)
    layer.train()
    for _ in range(batches):
        layer(sw.tensor([[0.0], [2.0]]))
    return float(np.asarray(layer.running_mean.numpy())[0])


def _pair() -> list[float]:
    layer = sw.nn.BatchNorm1d(1)
    layer.train()
    return [float(v) for v in np.asarray(layer(sw.tensor([[3.0], [900.0]])).numpy()).ravel()]


def _variance_after_dropout(p: float = 0.5) -> float:
    """The variance of inverted dropout's output in training, over that in evaluation."""
    sw.manual_seed(0)
    layer = sw.nn.Dropout(p)
    x = sw.tensor(np.random.Generator(np.random.Philox(4)).normal(size=200_000).astype(np.float32))
    layer.train()
    training = float(np.var(layer(x).numpy()))
    layer.eval()
    return training / float(np.var(layer(x).numpy()))


def _constant_feature() -> float:
    """What batch norm makes in evaluation of a step of 1 in a feature that was constant in training."""
    layer = sw.nn.BatchNorm1d(1)
    layer.train()
    for _ in range(400):
        layer(sw.tensor([[5.0], [5.0]]))
    layer.eval()
    return float(np.asarray(layer(sw.tensor([[6.0]])).numpy())[0, 0])


def _effective_rate() -> tuple[float, float]:
    """How far momentum moves in the long run at a steady gradient of 1, and what the formula says."""
    beta = 0.99
    w = _leaf(0.0)
    optimizer = sw.optim.SGD([w], lr=0.01, momentum=beta)
    before = 0.0
    for _ in range(2500):
        before = w.item()
        optimizer.zero_grad()
        w.backward()
        optimizer.step()
    return before - w.item(), 0.01 / (1 - beta)


def _ridge_both_ways() -> tuple[float, float]:
    return _shrunk(1.0), 1 / (1 + 1.0)


def _mirrored() -> Sides:
    """The loss and the place after a step at the limit, on a curvature of 3."""
    h, w = 3.0, 0.7
    after = w - 2 / h * sw.grad(lambda v: 0.5 * h * v**2)(double(w)).item()
    return [after, after**2], [-w, w**2]


FORMULAS = (
    Formula("read_curvature", r"h = \frac{1 + \sqrt{L_{t+1} / L_t}}{\eta}", _curvature_read),
    Formula("effective", r"\eta_{\mathrm{eff}} = \frac{\eta}{1 - \beta}", _effective_rate),
    Formula("shrunk", r"w = \frac{h}{h + \lambda} \, w^{*}", _ridge_both_ways),
    Formula("mirrored", r"\eta = 2/h", _mirrored),
)


def facts() -> dict[str, Any]:
    """Return what the cards call by name."""
    hidden, output, bias = _zero_weights()
    sigmoid = _chain_norms(SIGMOIDS, 16, lambda h, w: sw.sigmoid(h @ w), 1.0)
    before, after = _clipped()
    frozen_norm, frozen_moved = _frozen_head()
    rows_right, rows_wrong = _leaking_rows()
    future_right, future_wrong = _future()
    diverging = _descent(0.09, 25.0, 2)
    cosine = CosineDecay(0.1, 1000)
    kept, dropped = _tape_lengths()
    shrinking = _order("backward", "zero", "step", steps=100, decay=DECAY)
    return {
        "zero_hidden": hidden,
        "zero_output": output,
        "zero_bias": bias,
        "twins": _twins(),
        "sigmoids": SIGMOIDS,
        "sigmoid_ratio": sigmoid[-1] / sigmoid[0],
        "gain": GAIN,
        "deep": DEEP,
        "growth": _growth(),
        "ratio_fine": _update_ratio(1e-3),
        "ratio_tiny": _update_ratio(1e-6),
        "clip_before": before,
        "clip_after": after,
        "turned": _turned(),
        "diverging": diverging,
        "cycle": _descent(2 / STEEP, STEEP, 6)[-1] / _descent(2 / STEEP, STEEP, 1)[0],
        "slow_left": _left_of_slow(1e4),
        "slow_left_scaled": _left_of_slow(1.5),
        "frozen_norm": frozen_norm,
        "frozen_moved": frozen_moved,
        "rows_right": rows_right,
        "rows_wrong": rows_wrong,
        "future_right": future_right,
        "future_wrong": future_wrong,
        "late": _order("step", "zero", "backward"),
        "right_order": _order("zero", "backward", "step"),
        "gathered": GATHERED,
        "batches": BATCHES,
        "rest": BATCHES % GATHERED,
        "leftover": _leftover(),
        "shrinking": shrinking[-1],
        "accumulated": _accumulated(),
        "diverging_rate": 0.09,
        "rate": RATE,
        "decay": DECAY,
        "beta": 0.99,
        "tiny": 1e-4,
        "scaled_kappa": 1.5,
        "eff_plain": 0.01,
        "eff": _effective_rate()[1],
        "adam_eps": _step_of_adam([1e-4] * 50, eps=1.0),
        "adam_noise": _step_of_adam([1e-6]),
        "resume_kept": _step_of_adam(_fading()),
        "resume_fresh": _step_of_adam(_fading(), fresh_at=200),
        "cosine_late": float(np.asarray(cosine(sw.tensor(900)).numpy())),
        "cosine_start": float(np.asarray(cosine(sw.tensor(0)).numpy())),
        "never_seen": _never_seen(),
        "last_class": _last_class(),
        "shrunk": _shrunk(1.0),
        "tape_kept": kept,
        "tape_dropped": dropped,
        "dropped": DROPPED,
        "too_large": _too_large(DROPPED),
        "young": _young_norm(),
        "pair": _pair(),
        "dropout_variance": _variance_after_dropout(),
        "constant_step": _constant_feature(),
    }
