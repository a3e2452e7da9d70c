"""The numbers, formulas and figures of this lesson, computed on the engine."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import slopewise as sw
from slopewise.engine.tensor import Tensor
from slopewise.site.content.lesson import Formula
from slopewise.site.content.lessons.n06_autograd.symbolic import derivative, parse_of_x, value_of, written
from slopewise.site.content.lessons.n06_autograd.ways import EPSILON, by_tape, nests, nudges
from slopewise.site.content.typed_numbers import Typed
from slopewise.site.drawing import brief, draw_tape_graph
from slopewise.site.drawing.tape_graph import sign_of
from slopewise.site.labs import Figure

F, AT, DEPTH = "sin(x*x) + x", 0.8, 7
_SHOWN = (1, 3, 5, 8, 11, 14)  # powers of ten in the table of nudges
INPUTS, OUTPUTS = 1000, 1


def facts() -> dict[str, Any]:
    """Return what the text calls by name."""
    f = parse_of_x(F)
    value, slope, tape = by_tape(f, AT)
    quotients = nudges(f, AT, "float64")
    single = nudges(f, AT, "float32")
    forward = [abs(each.forward - slope) for each in quotients]
    central = [abs(each.central - slope) for each in quotients]
    grown = nests(F, AT, DEPTH)
    turns, looped = _until_large(sw.tensor(3.0, dtype=sw.float64))
    return {
        "at": AT,
        "value": value,
        "slope": slope,
        "rules": value_of(derivative(f), _number(AT)).item(),
        "rewritten": written(derivative(f)),
        "taped": sum(bool(entry.inputs) for entry in tape.entries),
        "table": [(power, forward[power], central[power]) for power in _SHOWN],
        "best_forward": int(np.argmin(forward)),
        "best_central": int(np.argmin(central)),
        "best_single": int(np.argmin([abs(each.forward - slope) for each in single])),
        "single_error": min(abs(each.forward - slope) for each in single),
        "forward_error": min(forward),
        "central_error": min(central),
        "smallest_error": forward[-1],
        "epsilon": EPSILON["float64"],
        "root": round(math.log10(EPSILON["float64"]) / 2),
        "depth": DEPTH,
        "on_paper": grown[-1].written,
        "once_on_paper": grown[0].written,
        "with_sharing": grown[-1].shared,
        "on_tape": grown[-1].taped,
        "back": grown[-1].back,
        "turns": turns,
        "looped": looped.item(),
        "loop_slope": sw.grad(lambda x: _until_large(x)[1])(_number(3.0)).item(),
        "branch_slope": sw.grad(_nine_at_three)(_number(3.0)).item(),
        "square_slope": sw.grad(_square)(_number(3.0)).item(),
        "where_slope": sw.grad(lambda x: sw.where(x > 0, sw.sqrt(x), 0.0 * x))(_number(0.0)).item(),
        "where_mended": sw.grad(_mended)(_number(0.0)).item(),
        "cut_slope": sw.grad(lambda x: x.detach() * x)(_number(3.0)).item(),
        "inputs": INPUTS,
        "nudged_passes": INPUTS + 1,
        **_accumulated(),
    }


def _number(value: float) -> Tensor:
    made: Tensor = sw.tensor(value, dtype=sw.float64)
    return made


def _example(x: Tensor) -> Tensor:
    made: Tensor = sw.sin(x * x) + x
    return made


def _square(x: Tensor) -> Tensor:
    return x * x


def _cube(x: Tensor) -> Tensor:
    return x * x * x


def _until_large(x: Tensor) -> tuple[int, Tensor]:
    """Square until 100 is passed, as in the text; also return how often."""
    turns = 0
    while x.item() < 100:
        x, turns = x * x, turns + 1
    return turns, x


def _nine_at_three(x: Tensor) -> Tensor:
    return _number(9.0) if x.item() == 3 else x * x


def _mended(x: Tensor) -> Tensor:
    """The square root of positive numbers, and 0 elsewhere, with a gradient that stays finite."""
    safe = sw.where(x > 0, x, sw.ones_like(x))
    made: Tensor = sw.where(x > 0, sw.sqrt(safe), 0.0 * x)
    return made


def _accumulated() -> dict[str, float]:
    x = sw.tensor(AT, dtype=sw.float64, requires_grad=True)
    found = []
    for _ in range(2):
        _example(x).backward()
        assert x.grad is not None
        found.append(x.grad.item())
    return {"first_call": found[0], "second_call": found[1]}


# ---- figures


def tape() -> Figure:
    """The tape of the example, forward and backward pass done."""
    _, _, read = by_tape(parse_of_x(F), AT)
    names, made = {}, 0
    for entry in read.entries:
        made += bool(entry.inputs)
        names[entry.number] = f"v{made}" if entry.inputs else entry.name
    last = read.entries[-1].number
    names[last] = "f"
    described = "; ".join(
        f"{names[e.number]} is {sign_of(e.operation)} of {' and '.join(names[i] for i in e.inputs)}"
        for e in read.entries
        if e.inputs
    )
    svg = draw_tape_graph(
        read.entries,
        names=names,
        values={entry.number: brief(entry.value.item()) for entry in read.entries},
        gradients={number: brief(gradient.item()) for number, gradient in read.gradients.items()},
        backward={(each.target, each.source) for each in read.contributions},
        title="The tape of sin(x x) + x at 0.8",
        description=described,
    )
    return Figure("What the tape holds: values in blue, gradients in rust. x is used three times", svg)


FIGURES = {"tape": tape}


# ---- checks of the formulas


def _forward() -> tuple[Any, Any]:
    """On a square, where the next terms are 0 and h a power of two: exact."""
    x, h = _number(3.0), 2.0**-10
    quotient = (_square(x + h) - _square(x)) / h
    second = sw.grad(sw.grad(_square))(x)
    return quotient.item(), (sw.grad(_square)(x) + h / 2 * second).item()


def _central() -> tuple[Any, Any]:
    """On a cube, where the next terms are 0."""
    x, h = _number(3.0), 2.0**-4
    quotient = (_cube(x + h) - _cube(x - h)) / (2 * h)
    third = sw.grad(sw.grad(sw.grad(_cube)))(x)
    return quotient.item(), (sw.grad(_cube)(x) + h * h / 6 * third).item()


def _best() -> tuple[Any, Any]:
    """The nudge where truncation and rounding together are least: by the formula, and by trying many."""
    value = abs(_example(_number(AT)).item())
    bend = abs(sw.grad(sw.grad(_example))(_number(AT)).item())
    tried = np.geomspace(1e-9, 1e-6, 2_000_001)
    errors = tried / 2 * bend + 2 * EPSILON["float64"] * value / tried
    return 2 * math.sqrt(EPSILON["float64"] * value / bend), float(tried[errors.argmin()])


def _dual() -> tuple[Any, Any]:
    """The pair that forward mode carries along, by arithmetic with ε² = 0, and what the tape finds."""
    x = (AT, 1.0)
    square = (x[0] * x[0], x[0] * x[1] + x[1] * x[0])
    sine = (math.sin(square[0]), math.cos(square[0]) * square[1])
    found, slope, _ = by_tape(parse_of_x(F), AT)
    return [sine[0] + x[0], sine[1] + x[1]], [found, slope]


def _three(x: Tensor) -> Tensor:
    made: Tensor = sw.stack([x[0] * x[1], sw.sin(x[2]), x[0] + x[1] * x[2]])
    return made


def _two_orders() -> tuple[Any, Any]:
    """The product of J with a direction from the right, and with weights from the left."""
    x, v, u = (sw.tensor(np.array(part)) for part in ([0.5, -1.0, 2.0], [1.0, 0.3, -0.7], [0.2, 2.0, -1.0]))
    _, along = sw.jvp(_three, (x,), (v,))
    _, back = sw.vjp(_three, x)
    (gathered,) = back(u) if isinstance(back(u), tuple) else (back(u),)
    return (u * along).sum().item(), (gathered * v).sum().item()


def _rewritten() -> tuple[Any, Any]:
    """What the rules of calculus write down, computed, and the engine's gradient."""
    rewritten, places = derivative(parse_of_x(F)), [_number(x) for x in (-1.3, 0.2, AT, 2.0)]
    return [value_of(rewritten, x).item() for x in places], [sw.grad(_example)(x).item() for x in places]


FORMULAS = (
    Formula("forward", r"\frac{f(x + h) - f(x)}{h} = f'(x) + \frac{h}{2} f''(x) + \dots", _forward),
    Formula("central", r"\frac{f(x + h) - f(x - h)}{2 h} = f'(x) + \frac{h^2}{6} f'''(x) + \dots", _central),
    Formula("best", r"h^* \approx 2 \sqrt{\epsilon \cdot \frac{|f(x)|}{|f''(x)|}}", _best),
    Formula(
        "dual", r"f(x + \varepsilon v) = f(x) + \varepsilon \, f'(x) \, v, \qquad \varepsilon^2 = 0", _dual
    ),
    Formula("orders", r"u^\top (J v) = (u^\top J) \, v", _two_orders),
    Formula("rewritten", "f'(x) = {{ rewritten }}", _rewritten),
)
GIVEN = (r"f(x) = \sin(x \cdot x) + x",)


# ---- numbers that texts type


def _reverse_runs() -> list[float]:
    """Return how many parameters there are for each entry that one walk back fills."""
    w = sw.tensor(np.full(INPUTS, 0.5), requires_grad=True)
    (w * w).sum().backward()
    assert w.grad is not None
    return [INPUTS / int((w.grad.numpy() != 0).sum())]


def _step_slope() -> float:
    return float(sw.grad(sw.nn.step)(_number(0.7)).item())


TYPED = {
    # digits of a 64-bit number; and the gap that ε is
    "text/numeric-nudge-and-divide": Typed("64 32 1", lambda: [-math.log10(EPSILON["float64"])]),
    "text/automatic-note-what-was-done": Typed("3"),
    "text/forward-mode-and-reverse-mode": Typed("0", _reverse_runs),  # 0: what ε² is said to be
    "text/the-same-in-pytorch": Typed("3"),
    "text/what-the-tape-cannot-know": Typed("3", lambda: [_step_slope()]),
    "question/smaller": Typed("64"),
    "question/mode": Typed(shows=_reverse_runs),
    "question/branch": Typed("9 3", lambda: [sw.grad(_nine_at_three)(_number(3.0)).item()]),
    "card/best-nudge": Typed("64"),
    "card/branch": Typed("3"),
    "card/where": Typed("0"),
    "lab": Typed(shows=lambda: [AT]),
}
