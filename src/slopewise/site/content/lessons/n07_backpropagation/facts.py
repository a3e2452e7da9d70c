"""The numbers, formulas and the figure of this lesson, computed on the engine."""

from __future__ import annotations

from typing import Any

import slopewise as sw
from slopewise.engine.tape_reader import Tape
from slopewise.site.content.lesson import Formula
from slopewise.site.content.lessons.n07_backpropagation.expression import parse
from slopewise.site.content.lessons.n07_backpropagation.lab import NUDGE, TapeWalk, record
from slopewise.site.content.typed_numbers import Typed
from slopewise.site.drawing import brief, draw_tape_graph
from slopewise.site.labs import Figure

BY_HAND = "(w*x + b - y)^2"
INPUTS = {"w": 0.5, "x": 3.0, "b": 1.0, "y": 1.0}
FAN_OUT = "x*x + x"


def _named(tape: Tape, name: str) -> float:
    number = next(entry.number for entry in tape.entries if entry.name == name)
    return float(tape.gradients[number].item())


def _results(tape: Tape) -> list[float]:
    return [float(entry.value.item()) for entry in tape.entries if entry.inputs]


def facts() -> dict[str, Any]:
    """Return what the text calls by name."""
    tape = record(parse(BY_HAND), INPUTS)
    product, prediction, error, loss = _results(tape)
    fan_out = record(parse(FAN_OUT), {"x": 3.0})
    to_x = [
        float(made.gradient.item())
        for made in fan_out.contributions
        if fan_out.entries[made.target].name == "x"
    ]
    network = sw.nn.Sequential(sw.nn.Linear(4, 32), sw.nn.ReLU(), sw.nn.Linear(32, 3))
    parameters = sum(parameter.size for parameter in network.parameters())
    sigmoid = sw.grad(sw.sigmoid)
    steepest = sigmoid(sw.tensor(0.0, dtype=sw.float64)).item()
    return {
        **INPUTS,
        "product": product,
        "prediction": prediction,
        "error": error,
        "loss": loss,
        "to_prediction": 2 * error,
        "to_w": _named(tape, "w"),
        "to_b": _named(tape, "b"),
        "to_x": _named(tape, "x"),
        "to_y": _named(tape, "y"),
        "contributions": to_x,
        "fan_out": sum(to_x),
        "parameters": parameters,
        "passes": parameters + 1,
        "steepest": steepest,
        "ten_sigmoids": steepest**10,
    }


def by_hand() -> Figure:
    """The graph of the example, forward and backward pass done."""
    walk = TapeWalk(parse(BY_HAND), INPUTS)
    values = {entry.number: brief(entry.value.item()) for entry in walk.entries}
    gradients = {number: brief(gradient.item()) for number, gradient in walk.tape.gradients.items()}
    svg = draw_tape_graph(
        walk.entries,
        names=walk.names,
        values=values,
        gradients=gradients,
        backward={(made.target, made.source) for made in walk.tape.contributions},
        title="The graph of the example, with values and gradients",
        description=str(walk.tape),
    )
    return Figure("The example as a graph: values in blue, gradients in rust", svg)


FIGURES = {"by-hand": by_hand}


def _chain() -> tuple[Any, Any]:
    """The gradient by the engine, and the product of the three local derivatives."""
    tape = record(parse(BY_HAND), INPUTS)
    error = _results(tape)[2]
    return _named(tape, "w"), (2 * error) * 1.0 * INPUTS["x"]


def _sum_of_ways() -> tuple[Any, Any]:
    """The derivative of a function that uses x three times, and the sum over the ways back."""
    tape = record(parse(FAN_OUT), {"x": 3.0})
    added = sum(
        made.incoming.item() * made.local_derivative.item()
        for made in tape.contributions
        if made.local_derivative is not None and tape.entries[made.target].name == "x"
    )
    slope = sw.grad(lambda x: x * x + x)(sw.tensor(3.0, dtype=sw.float64)).item()
    return added, slope


def _nudged() -> tuple[Any, Any]:
    """The gradient by finite differences, and by the tape."""
    expression = parse(BY_HAND)

    def loss(w: float) -> float:
        return _results(record(expression, {**INPUTS, "w": w}))[-1]

    w = INPUTS["w"]
    return (loss(w + NUDGE) - loss(w - NUDGE)) / (2 * NUDGE), _named(record(expression, INPUTS), "w")


def _whole() -> tuple[Any, Any]:
    """The loss that the tape holds, and by hand."""
    made = INPUTS["w"] * INPUTS["x"] + INPUTS["b"] - INPUTS["y"]
    return _results(record(parse(BY_HAND), INPUTS))[-1], made**2


def _to_the_error() -> tuple[Any, Any]:
    """The gradient that reaches the error on the tape, and twice the error."""
    tape = record(parse(BY_HAND), INPUTS)
    error = [entry for entry in tape.entries if entry.inputs][2]
    return tape.gradients[error.number].item(), 2 * error.value.item()


def _to_the_weight() -> tuple[Any, Any]:
    tape = record(parse(BY_HAND), INPUTS)
    return _named(tape, "w"), 2 * _results(tape)[2] * INPUTS["x"]


FORMULAS = (
    Formula(
        "chain",
        r"\frac{\partial L}{\partial w} = \frac{\partial L}{\partial e} \cdot "
        r"\frac{\partial e}{\partial \hat{y}} \cdot \frac{\partial \hat{y}}{\partial w} = 2 e \cdot 1 "
        r"\cdot x",
        _chain,
    ),
    Formula(
        "ways",
        r"\frac{\partial L}{\partial x} = \sum_{j} \frac{\partial L}{\partial v_j} \cdot "
        r"\frac{\partial v_j}{\partial x}",
        _sum_of_ways,
    ),
    Formula("nudge", r"\frac{\partial L}{\partial w} \approx \frac{L(w + h) - L(w - h)}{2 h}", _nudged),
    Formula("whole", "L = (wx + b - y)^2", _whole),
    Formula("to_the_error", "2e = {{ to_prediction | digits }}", _to_the_error),
    Formula(
        "to_the_weight",
        r"2e \cdot x = {{ to_prediction | digits }} \cdot {{ x | digits }} = {{ to_w | digits }}",
        _to_the_weight,
    ),
    Formula("start", r"\partial L / \partial L = 1", lambda: (_seed(), [1.0])),
)
GIVEN = (r"\hat{y} = wx + b", r"e = \hat{y} - y", "L = e^2", r"v = w \cdot x")


# ---- numbers that texts type


def _seed() -> list[float]:
    """Return the gradient that the loss starts with."""
    tape = record(parse(BY_HAND), INPUTS)
    return [float(tape.gradients[tape.entries[-1].number].item())]


def _of_a_sum() -> list[float]:
    """Return the local derivatives of a sum."""
    return [
        made.item() for made in sw.grad(lambda a, b: a + b, argnums=(0, 1))(sw.tensor(0.3), sw.tensor(2.0))
    ]


def _backward_passes() -> list[float]:
    """Return how many numbers the parameters hold for each that one backward pass fills."""
    network = sw.nn.Sequential(sw.nn.Linear(4, 32), sw.nn.Tanh(), sw.nn.Linear(32, 3))
    network(sw.ones((2, 4))).sum().backward()
    parameters = list(network.parameters())
    filled = [parameter.grad.size for parameter in parameters if parameter.grad is not None]
    return [sum(parameter.size for parameter in parameters) / sum(filled)]


TYPED = {
    # the slope of e² for each unit of e
    "text/by-hand-on-a-small-graph": Typed(
        shows=lambda: [*_seed(), sw.grad(lambda e: e * e)(sw.tensor(1.0)).item()]
    ),
    "question/sum": Typed(shows=_of_a_sum),
    "question/cost": Typed(shows=_backward_passes),
    "card/sum-rule": Typed(shows=_of_a_sum),
    "card/relu-rule": Typed(shows=lambda: [sw.grad(sw.relu)(sw.tensor(0.0)).item()]),
    "card/seed": Typed(shows=_seed),
}
