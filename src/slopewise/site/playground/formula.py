"""The network, its loss and its update as formulas: statements that a test computes, set as MathML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slopewise.site.playground import plan
from slopewise.site.playground.design import FEATURES, Design
from slopewise.site.playground.layers import ACTIVATIONS, Layer
from slopewise.site.playground.statements import Definition, Statement, number, symbol
from slopewise.site.playground.update_rules import Rule, plateau_rule, rate_rule, rule_of

MOST_NAMED = 8  # inputs
_LOSSES = {
    "cross_entropy": "mean_i(-log(p_of_target))",
    "binary_cross_entropy_with_logits": "mean_i(-(y_i * log(p_hat_i) + (1 - y_i) * log(1 - p_hat_i)))",
    "squared_error": "mean_i((y_hat_i - y_i) ** 2)",
    "absolute_error": "mean_i(abs(y_hat_i - y_i))",
    "huber": "mean_i(huber(y_hat_i - y_i))",
}
_HUBER = Definition("huber", "e", "e ** 2 / 2 if abs(e) <= 1 else abs(e) - 1 / 2")
_SOFTMAX = "exp(z_j) / sum_j(exp(z_j))"
_SIGMOID = "1 / (1 + exp(-z))"
# kind -> letter, and what the activation is; a question mark is the layer's number
_ACTIVATIONS = {
    "relu": ("z", "max(z, 0)"),
    "tanh": ("z", "(exp(z) - exp(-z)) / (exp(z) + exp(-z))"),
    "sigmoid": ("z", _SIGMOID),
    "leaky_relu": ("z", "z if z > 0 else ? * z"),
    "elu": ("z", "z if z > 0 else ? * (exp(z) - 1)"),
    "selu": ("z", "1.0507009874 * z if z > 0 else 1.0507009874 * 1.6732632424 * (exp(z) - 1)"),
    "gelu": ("z", "z / 2 * (1 + erf(z / sqrt(2)))"),
    "gelu_tanh": ("z", "z / 2 * (1 + tanh(sqrt(2 / pi) * (z + 0.044715 * z ** 3)))"),
    "silu": ("z", "z / (1 + exp(-z))"),
    "mish": ("z", "z * tanh(log(1 + exp(z)))"),
    "softplus": ("z", "log(1 + exp(? * z)) / ?"),
    "softmax": ("z_j", _SOFTMAX),
    "log_softmax": ("z_j", "z_j - log(sum_j(exp(z_j)))"),
    "step": ("z", "1 if z > 0 else 0"),
}
_NAMES = {kind: known.function for kind, known in ACTIVATIONS.items()} | {
    "sigmoid": "sigmoid",
    "softmax": "softmax",
    "tanh": "tanh",
}


Line = Statement | Definition


@dataclass(frozen=True)
class Section:
    """A part of the formula: the network, the loss, or the update.

    Attributes
    ----------
    title, note : str
    lines : sequence of Statement and Definition
    symbols : mapping
        From names to the numbers that they stand for.
    starts : mapping
        From names to what they begin with.
    """

    title: str
    lines: Sequence[Line]
    note: str = ""
    symbols: Mapping[str, float] | None = None
    starts: Mapping[str, float] | None = None

    @property
    def rows(self) -> list[tuple[str, str]]:
        """LaTeX and a note for each line, the numbers last."""
        made = [(line.latex(), getattr(line, "note", "")) for line in self.lines]
        if self.symbols:
            made.append((_numbers(self.symbols), ""))
        if self.starts:
            made.append((_numbers(self.starts), "at the start"))
        return made


def formula(design: Design) -> list[Section]:
    """Return the whole formula of a design."""
    lines, definitions = _network(design)
    loss: list[Line] = [Statement("L", _LOSSES[design.loss]), *([_HUBER] if design.loss == "huber" else [])]
    return [
        Section("The network", [_inputs(design), *lines, *definitions], _about_inputs(design)),
        Section(
            "The loss",
            [*loss, *([_HUBER] if design.loss == "huber" else [])],
            "The mean is over the m rows of a batch.",
        ),
        _update(design),
    ]


def _numbers(values: Mapping[str, float]) -> str:
    return r", \quad ".join(f"{symbol(name)} = {number(value)}" for name, value in values.items())


@dataclass(frozen=True)
class Inputs(Statement):
    """The first line: the inputs of a row."""

    def latex(self) -> str:
        """Return the line as LaTeX."""
        if self.name == "h_0":
            return rf"h_0 = \left({self.text}\right)"
        return rf"x = \left({self.text}\right), \quad h_0 = \frac{{x - \bar{{x}}}}{{\sigma_x}}"


def _inputs(design: Design) -> Inputs:
    names = [
        FEATURES[name][1] if name in FEATURES else f"x_{{{k}}}" for k, name in enumerate(design.features, 1)
    ]
    if len(names) > MOST_NAMED:
        names = [*names[:3], r"\ldots", names[-1]]
    return Inputs("x" if design.is_standardised else "h_0", ", ".join(names))


def _about_inputs(design: Design) -> str:
    if not design.is_standardised:
        return ""
    return "x̄ and σₓ are the mean and the standard deviation of each input over the training rows."


def _network(design: Design) -> tuple[list[Statement], list[Definition]]:
    """Return a statement for each layer, the answer's last, and what their functions are."""
    lines, definitions = [], {}
    before, counts = "h_0", {"linear": 0, "residual": 0, "norm": 0}
    for place, layer in enumerate(design.layers, 1):
        group = "norm" if layer.kind.endswith("_norm") else layer.kind
        counts[group] = counts.get(group, 0) + 1
        name = _function_name(design, layer)
        lines.append(_layer(f"h_{place}", layer, before, counts[group], name))
        before = f"h_{place}"
        for definition in _definitions(layer, name):
            definitions[definition.name] = definition
    last = counts["linear"] + 1
    lines.append(Statement("z", f"W_{last} @ {before} + b_{last}"))
    if not design.has_classes:
        lines[-1] = Statement("y_hat", lines[-1].text)
    elif design.outputs > 1:
        lines.append(Statement("p_hat", "softmax(z)"))
        definitions["softmax"] = Definition("softmax", "z_j", _SOFTMAX)
    else:
        lines.append(Statement("p_hat", "sigmoid(z)"))
        definitions["sigmoid"] = Definition("sigmoid", "z", _SIGMOID)
    return lines, list(definitions.values())


def _function_name(design: Design, layer: Layer) -> str:
    """Return what an activation is called; with its number where a network has it with several."""
    if layer.kind not in ACTIVATIONS:
        return ""
    name = _NAMES[layer.kind]
    variants = sorted(
        {(other.kind, other.number) for other in design.layers if _NAMES.get(other.kind) == name}
    )
    return name if len(variants) == 1 else f"{name}_{variants.index((layer.kind, layer.number)) + 1}"


def _definitions(layer: Layer, name: str) -> list[Definition]:
    if layer.kind == "residual":
        return [Definition("ReLU", *_ACTIVATIONS["relu"])]
    if layer.kind not in _ACTIVATIONS:
        return []
    letter, text = _ACTIVATIONS[layer.kind]
    return [Definition(name, letter, text.replace("?", repr(layer.number)))]


def _layer(name: str, layer: Layer, before: str, count: int, function: str) -> Statement:
    """Return a layer's line; `count` counts the layers of its kind."""
    if layer.kind == "linear":
        return Statement(name, f"W_{count} @ {before} + b_{count}")
    if layer.kind == "residual":
        inside = f"ReLU(U_{count} @ {before} + c_{count})"
        return Statement(name, f"{before} + V_{count} @ {inside} + d_{count}")
    if layer.kind == "batch_norm":
        note = "mean and deviation over the batch; while judged, their running averages"
        return _normed(name, before, count, "batch", note)
    if layer.kind == "layer_norm":
        return _normed(name, before, count, "row", "mean and deviation over the numbers of a row")
    if layer.kind == "dropout":
        keep = f"{1 - layer.number:g}"
        note = f"q is 1 with probability {keep}, else 0, drawn anew for each number; while judged, all stay"
        return Statement(name, f"q * {before} / {keep}", note)
    return Statement(name, f"{function}({before})" if function else before)


def _normed(name: str, before: str, count: int, over: str, note: str) -> Statement:
    scaled = f"({before} - mu_{over}) / sqrt(sigma_{over} ** 2 + 0.00001)"
    return Statement(name, f"gamma_{count} * {scaled} + tau_{count}", note)


def _update(design: Design) -> Section:
    """Return the update: the gradient, what is clipped of it, the learning rate, and the optimizer's rule."""
    rule = rule_of(str(design.values["optimizer"]), plan.optimizer_settings(design))
    rate = rate_of(design)
    lines, symbols = gradient_lines(design)
    uses_t = any("t" in line.names for line in rule.lines)
    return Section(
        "The update",
        [
            *lines,
            *rate.lines,
            *([Statement("t", "k + 1")] if uses_t else []),
            *rule.lines,
        ],
        " ".join(
            filter(None, (_COUNTS if rate.lines or uses_t else "", rate.note, rule.note, _by_hand(design)))
        ),
        {**symbols, **rate.symbols, **rule.symbols},
        {**rate.starts, **rule.starts},
    )


def _by_hand(design: Design) -> str:
    text = "; ".join(edit.words for edit in design.edits)
    return f"By hand: {text}." if text else ""


_COUNTS = "k is how many updates have been made."


def rate_of(design: Design) -> Rule:
    """Return how the learning rate of a design follows from the updates made."""
    kind, lr = str(design.values["schedule"]), design.number("lr")
    if kind == "plateau":
        return plateau_rule(lr, design.number("factor"), design.whole("patience"))
    numbers = (design.whole("horizon"), design.number("factor"), design.number("power"))
    return rate_rule(kind, lr, *numbers, design.whole("warm_up"))


def gradient_lines(design: Design) -> tuple[list[Statement], dict[str, float]]:
    """Return the lines from the loss to the gradient that the optimizer gets, and their numbers."""
    lines, symbols = [], {}
    if design.number("l1"):
        symbols["lam_1"] = design.number("l1")
        lines.append(Statement("L", "L + lam_1 * sum_w(abs(w))", "over all weights, biases apart"))
    lines.append(Statement("g", "gradient(L)"))
    if design.number("clip_value"):
        symbols["c_value"] = design.number("clip_value")
        lines.append(Statement("g", "max(min(g, c_value), -c_value)", "each element by itself"))
    if design.number("clip"):
        symbols["c_norm"] = design.number("clip")
        lines.append(Statement("g", "min(c_norm / (norm(g) + 0.000001), 1) * g"))
    return lines, symbols
