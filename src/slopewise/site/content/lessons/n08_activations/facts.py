"""The numbers, formulas and figures of this lesson, computed on the engine."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import slopewise as sw
from slopewise.site.content.lesson import Formula
from slopewise.site.content.lessons.n08_activations.activations import (
    ACTIVATIONS,
    TARGETS,
    XS,
    Unit,
    slopes,
    stack,
)
from slopewise.site.content.lessons.n08_activations.neuron_view import UPDATES
from slopewise.site.content.typed_numbers import Typed
from slopewise.site.drawing import Plot, linear
from slopewise.site.labs import Figure

LAYERS, SEEDS = 10, 5
_PLACES = np.array([-5.0, -1.0, 0.0, 1.0, 5.0])


def _number(value: float) -> sw.Tensor:
    return sw.tensor(value, dtype=sw.float64)


def _left(sharpness: float) -> float:
    """Return the share of the loss that the lab's neuron has left at its end."""
    moments = Unit("sigmoid", sharpness).walk(1.0, UPDATES)
    return moments[-1].loss / moments[0].loss


def _arrives(activation: str, scale: float = 1.0) -> float:
    """Return what share of the last layer's gradient arrives at the first: the median over seeds."""
    shares = []
    for seed in range(SEEDS):
        layers = stack(activation, LAYERS, scale, seed)
        shares.append(layers[0].gradient / layers[-1].gradient)
    return float(np.median(shares))


def facts() -> dict[str, Any]:
    """Return what the text calls by name."""
    sigmoid = ACTIVATIONS["sigmoid"]
    steepest = float(slopes(sigmoid, np.zeros(1))[0])
    perceptron = Unit("step", 1.0).walk(1.0, UPDATES, "perceptron")
    return {
        "steepest": steepest,
        "at_five": float(slopes(sigmoid, np.array([5.0]))[0]),
        "sigmoid_five": sigmoid(_number(5.0)).item(),
        "tanh_steepest": float(slopes(ACTIVATIONS["tanh"], np.zeros(1))[0]),
        "layers": LAYERS,
        "seeds": SEEDS,
        "best_case": steepest**LAYERS,
        "table": [
            (name, [float(value) for value in slopes(ACTIVATIONS[key], _PLACES)])
            for name, key in (("step", "step"), ("sigmoid", "sigmoid"), ("tanh", "tanh"), ("ReLU", "relu"))
        ],
        "left": {k: _left(float(k)) for k in (4, 8, 20, 40)},
        "updates": UPDATES,
        "perceptron_updates": next(n for n, moment in enumerate(perceptron) if moment.loss == 0),
        "arrives": {name: _arrives(name) for name in ("sigmoid", "tanh", "relu", "none")},
        "relu_small": _arrives("relu", 0.5),
        "relu_at_zero": float(slopes(ACTIVATIONS["relu"], np.zeros(1))[0]),
        "xor": [(int(a), int(b), xor(float(a), float(b))) for a in (0, 1) for b in (0, 1)],
        "wrong_slope": _confident_and_wrong()[0],
        "wrong_together": _confident_and_wrong()[1],
    }


def xor(a: float, b: float) -> float:
    """Return a xor b by two ReLU units and one sum."""
    return float((sw.relu(_number(a + b)) - 2 * sw.relu(_number(a + b - 1))).item())


def _confident_and_wrong() -> tuple[float, float]:
    """Return the gradients that squared error and cross-entropy send to z = −5 where the target is 1."""
    z = _number(-5.0)
    squared = sw.grad(lambda at: (sw.sigmoid(at) - 1) ** 2)(z).item()
    together = sw.grad(lambda at: sw.nn.softplus(-at))(z).item()
    return float(squared), float(together)


# ---- figures


def curves() -> Figure:
    """Four activations in one picture."""
    across = np.linspace(-4, 4, 321)
    plot = Plot(
        linear(-4, 4),
        linear(-1.2, 2.2, 6),
        x_title="weighted sum z",
        y_title="answer",
        title="Step, sigmoid, tanh and ReLU",
        description="The step jumps from 0 to 1 at 0. Sigmoid rises smoothly from 0 to 1, tanh from -1 to 1. "
        "ReLU is 0 below 0 and z above.",
        size=(600, 320),
    )
    plot.line([(-4.0, 0.0), (0.0, 0.0), (0.0, 1.0), (4.0, 1.0)], "dashed")
    for name, kind in (("sigmoid", "forward"), ("tanh", ""), ("relu", "ink")):
        values = ACTIVATIONS[name](sw.tensor(across)).numpy()
        plot.line([(float(x), float(y)) for x, y in zip(across, values)], kind)
    plot.label(-2.2, 0.1, "sigmoid", "forward", dx=0, dy=-8)
    plot.label(-2.6, -0.98, "tanh", dx=0, dy=-8)
    plot.label(1.75, 1.75, "ReLU", "ink", dx=-44, dy=0)
    plot.label(0.0, 0.55, "step", dx=-36, dy=-30)
    return Figure("Four activations. The step is dashed: it jumps", plot.svg())


FIGURES = {"curves": curves}


# ---- checks of the formulas


def _step() -> tuple[Any, Any]:
    """The engine's step, and the definition."""
    return ACTIVATIONS["step"](sw.tensor(_PLACES)).numpy(), np.where(_PLACES > 0, 1.0, 0.0)


def _sigmoid() -> tuple[Any, Any]:
    return sw.sigmoid(sw.tensor(_PLACES)).numpy(), 1 / (1 + np.exp(-_PLACES))


def _slope() -> tuple[Any, Any]:
    """The engine's derivative, and the shortcut by the answer itself."""
    answer = sw.sigmoid(sw.tensor(_PLACES)).numpy()
    return slopes(ACTIVATIONS["sigmoid"], _PLACES), answer * (1 - answer)


def _relu() -> tuple[Any, Any]:
    return sw.relu(sw.tensor(_PLACES)).numpy(), np.maximum(0, _PLACES)


def _tanh() -> tuple[Any, Any]:
    return sw.tanh(sw.tensor(_PLACES)).numpy(), 2 * sw.sigmoid(sw.tensor(2 * _PLACES)).numpy() - 1


def _collapse() -> tuple[Any, Any]:
    """Two layers without an activation, and the one layer that they are."""
    sw.manual_seed(0)
    first, second = sw.nn.Linear(3, 5), sw.nn.Linear(5, 2)
    x = np.array([[1.0, -2.0, 0.5]], dtype=np.float32)
    w1, b1, w2, b2 = (p.numpy().astype(float) for layer in (first, second) for p in layer.parameters())
    return second(first(sw.tensor(x))).numpy(), x @ (w2 @ w1).T + (w2 @ b1 + b2)


def _chain() -> tuple[Any, Any]:
    """The gradient at the first of three narrow layers, and the product that it is."""
    w2, w3, z1, y = 1.5, -0.8, 0.4, 1.0

    def h3(z: sw.Tensor) -> sw.Tensor:
        return sw.sigmoid(w3 * sw.sigmoid(w2 * sw.sigmoid(z)))

    ours = sw.grad(lambda z: (h3(z) - y) ** 2)(_number(z1)).item()
    h1 = 1 / (1 + math.exp(-z1))
    z2 = w2 * h1
    h2 = 1 / (1 + math.exp(-z2))
    z3 = w3 * h2
    slope1, slope2, slope3 = slopes(ACTIVATIONS["sigmoid"], np.array([z1, z2, z3]))
    return ours, 2 * (h3(_number(z1)).item() - y) * slope3 * w3 * slope2 * w2 * slope1


def _cancels() -> tuple[Any, Any]:
    """The slope of cross-entropy after a sigmoid, and answer minus target."""
    pairs = [(z, y) for z in _PLACES for y in (0.0, 1.0)]

    def loss(z: sw.Tensor, y: float) -> sw.Tensor:
        answer = sw.sigmoid(z)
        return -(y * sw.log(answer) + (1 - y) * sw.log(1 - answer))

    ours = [sw.grad(lambda z: loss(z, y))(_number(z)).item() for z, y in pairs]  # noqa: B023
    return ours, [1 / (1 + math.exp(-z)) - y for z, y in pairs]


def _rule() -> tuple[Any, Any]:
    """The threshold after one update of the lab's perceptron, and by hand."""
    before, after = Unit("step", 1.0).walk(0.7, 1, "perceptron")
    answers = (before.threshold < XS).astype(float)
    return after.threshold, before.threshold - 0.7 * float((TARGETS - answers).mean())


def _xor() -> tuple[Any, Any]:
    pairs = [(a, b) for a in (0, 1) for b in (0, 1)]
    return [xor(a, b) for a, b in pairs], [a ^ b for a, b in pairs]


FORMULAS = (
    Formula("step", r"H(z) = \begin{cases} 1 & z > 0 \\ 0 & z \le 0 \end{cases}", _step),
    Formula("sigmoid", r"\sigma(z) = \frac{1}{1 + e^{-z}}", _sigmoid),
    Formula("slope", r"\sigma'(z) = \sigma(z) \, (1 - \sigma(z)) \le \frac{1}{4}", _slope),
    Formula("relu", r"\operatorname{ReLU}(z) = \max(0, z)", _relu),
    Formula("tanh", r"\tanh(z) = 2 \, \sigma(2 z) - 1", _tanh),
    Formula("collapse", r"W_2 (W_1 x + b_1) + b_2 = (W_2 W_1) \, x + (W_2 b_1 + b_2)", _collapse),
    Formula(
        "chain",
        r"\frac{\partial L}{\partial z_1} = \frac{\partial L}{\partial h_3} \cdot \varphi'(z_3) \, w_3 \cdot "
        r"\varphi'(z_2) \, w_2 \cdot \varphi'(z_1)",
        _chain,
    ),
    Formula(
        "cancels",
        r"\frac{\partial}{\partial z} \left( -y \log \sigma(z) - (1 - y) \log (1 - \sigma(z)) \right) "
        r"= \sigma(z) - y",
        _cancels,
    ),
    Formula("rule", r"b_{t+1} = b_t - \eta \cdot \frac{1}{n} \sum_i (y_i - \hat{y}_i)", _rule),
    Formula(
        "xor",
        r"\operatorname{xor}(a, b) = \operatorname{ReLU}(a + b) - 2 \operatorname{ReLU}(a + b - 1)",
        _xor,
    ),
)
GIVEN = (r"h = \varphi(z)", r"z = w \cdot x + b")


# ---- numbers that texts type


def _of_relu() -> list[float]:
    return list(slopes(ACTIVATIONS["relu"], np.array([-2.0, 0.0, 3.0])))


def _of_a_step() -> list[float]:
    """Return the gradients that gradient descent gets through a step."""
    return [moment.gradient for moment in Unit("step", 1.0).walk(1.0, 3)]


def _of_a_dead_unit() -> list[float]:
    """Return the gradient for the weight of a ReLU that answers 0 for all rows, and these answers."""
    x, bias = sw.tensor(np.array([0.5, 1.0, 2.0])), -9.0
    found = sw.grad(lambda w: (sw.relu(w * x + bias) ** 2).sum())(_number(0.5)).item()
    return [found, *sw.relu(0.5 * x + bias).numpy()]


TYPED = {
    "text/step-sigmoid-tanh-relu": Typed("-5 5 0", lambda: [sw.tanh(_number(z)).item() for z in (-20, 20)]),
    "text/why-a-step-cannot-go-downhill": Typed("4 20 40"),  # sharpnesses, as `facts` takes them
    "text/how-the-perceptron-learned-all-the-same": Typed("1", _of_a_step),
    "text/where-gradients-vanish": Typed(shows=_of_relu),
    "text/at-the-output-let-loss-and-sigmoid-meet": Typed("-5 1 8 0.1"),
    "prompt/vanish": Typed("1"),  # below 1 is what shrinks
    "snippet/jax_slopes": Typed(shows=_of_a_step),
    "question/flat": Typed(shows=_of_a_step),
    "question/sharper": Typed("4 20"),
    "question/best": Typed("1"),
    "question/relu": Typed(shows=lambda: _of_relu()[2:]),
    "question/pair": Typed("-5 1"),
    "card/sigmoid-steepest": Typed("5"),
    "card/tanh": Typed("0"),
    "card/relu": Typed(shows=_of_relu),
    "card/step-gradient": Typed(shows=_of_a_step),
    "card/vanishing": Typed("1"),
    "card/dead": Typed(shows=_of_a_dead_unit),
    "lab": Typed("4 8 20 40 30", lambda: [sw.grad(sw.sigmoid)(_number(0.0)).item()]),  # settings to try
}
