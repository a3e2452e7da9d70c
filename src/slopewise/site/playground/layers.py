"""The list of layers that a learner edits: read from one line of text, made into calls of the library.

A line such as ``linear:8,tanh,dropout:0.2,residual:8`` names the hidden layers; the last Linear, which makes
the outputs, is added by itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from slopewise.engine.errors import ArgumentError
from slopewise.site.playground.calls import Call

MOST_LAYERS = 12
WIDEST = 64


@dataclass(frozen=True)
class Kind:
    """A kind of layer: its name on the page, and the number that it has, if any.

    Attributes
    ----------
    label, number : str
        What the page calls the layer, and its number; "" has none.
    low, high, usual : float
        Limits of the number, and the one of a new layer.
    is_whole, may_be_left_out : bool
        Whether the number is whole, and whether the layer can be named without it: then it is the usual one.
    function : str
        The class of `slopewise.nn` for activations.
    """

    label: str
    number: str = ""
    low: float = 0.0
    high: float = 0.0
    usual: float = 0.0
    is_whole: bool = False
    may_be_left_out: bool = False
    function: str = ""

    def read(self, text: str) -> float | None:
        """Return the number that a text holds, or None if it is out of the limits."""
        if not text and self.may_be_left_out:
            return self.usual
        if (
            not re.fullmatch(r"[0-9]{1,3}" if self.is_whole else r"[0-9]{0,3}(\.[0-9]{1,6})?", text)
            or not text
        ):
            return None
        return float(text) if self.low <= float(text) <= self.high else None


def _activation(name: str, *number: str | float) -> Kind:
    if not number:
        return Kind(name, function=name)
    what, low, high, usual = number
    return Kind(name, str(what), float(low), float(high), float(usual), False, True, name)


ACTIVATIONS = {
    "relu": _activation("ReLU"),
    "tanh": _activation("Tanh"),
    "sigmoid": _activation("Sigmoid"),
    "leaky_relu": _activation("LeakyReLU", "slope below 0", 0, 2, 0.01),
    "elu": _activation("ELU", "α", 0.01, 10, 1),
    "selu": _activation("SELU"),
    "gelu": _activation("GELU"),
    "gelu_tanh": Kind("GELU by tanh", function="GELU"),
    "silu": _activation("SiLU"),
    "mish": _activation("Mish"),
    "softplus": _activation("Softplus", "β", 0.01, 50, 1),
    "softmax": _activation("Softmax"),
    "log_softmax": _activation("LogSoftmax"),
    "step": _activation("Step"),
}
KINDS = {
    "linear": Kind("Linear", "units", 1, WIDEST, 8, True),
    "residual": Kind("Residual block", "units inside", 1, WIDEST, 8, True),
    "batch_norm": Kind("BatchNorm"),
    "layer_norm": Kind("LayerNorm"),
    "dropout": Kind("Dropout", "share set to 0", 0, 0.95, 0.2),
    "identity": Kind("Identity"),
    **ACTIVATIONS,
}


@dataclass(frozen=True)
class Layer:
    """One entry of the list: its kind, and its number if it has one."""

    kind: str
    number: float = 0.0

    def width_after(self, width: int) -> int:
        """Return how many numbers a row has after this layer."""
        return int(self.number) if self.kind == "linear" else width

    def text(self) -> str:
        """Return what `read_layers` reads."""
        kind = KINDS[self.kind]
        if not kind.number or (kind.may_be_left_out and self.number == kind.usual):
            return self.kind
        return f"{self.kind}:{self.number:g}"

    def size(self, width: int) -> int:
        """Return how many parameters it has for rows of some width."""
        inside = int(self.number)
        if self.kind == "linear":
            return (width + 1) * inside
        if self.kind == "residual":
            return (width + 1) * inside + (inside + 1) * width
        return 2 * width if self.kind in ("batch_norm", "layer_norm") else 0

    def call(self, width: int) -> Call:
        """Return the call that makes this layer for rows of some width."""
        if self.kind == "linear":
            return Call("nn.Linear", (width, int(self.number)))
        if self.kind == "residual":
            inside = int(self.number)
            body = (Call("nn.Linear", (width, inside)), Call("nn.ReLU"), Call("nn.Linear", (inside, width)))
            return Call("nn.Residual", (Call("nn.Sequential", body),))
        if self.kind == "batch_norm":
            return Call("nn.BatchNorm1d", (width,))
        if self.kind == "layer_norm":
            return Call("nn.LayerNorm", (width,))
        if self.kind == "dropout":
            return Call("nn.Dropout", (self.number,))
        if self.kind == "identity":
            return Call("nn.Identity")
        if self.kind == "gelu_tanh":
            return Call("nn.GELU", ("tanh",))
        kind = ACTIVATIONS[self.kind]
        has_number = kind.number and self.number != kind.usual
        return Call(f"nn.{kind.function}", (self.number,) if has_number else ())


def read_layers(text: str) -> tuple[Layer, ...]:
    """Return the layers that a line names; none at all is a linear model.

    Raises
    ------
    ArgumentError
        If a layer or its number is not known; the message names the layer by its place.

    Examples
    --------
    >>> [layer.text() for layer in read_layers("linear:8,tanh")]
    ['linear:8', 'tanh']
    """
    entries = [entry for entry in re.split(r"[,\s]+", text.strip()) if entry and entry != "none"]
    if len(entries) > MOST_LAYERS:
        raise ArgumentError(f"a network here has at most {MOST_LAYERS} layers, not {len(entries)}")
    return tuple(_read(entry, place) for place, entry in enumerate(entries, 1))


def _read(entry: str, place: int) -> Layer:
    kind, _, number = entry.partition(":")
    if kind not in KINDS:
        raise ArgumentError(f"layer {place} is {entry[:30]!r}; known are {', '.join(KINDS)}")
    known = KINDS[kind]
    if not known.number:
        if number:
            raise ArgumentError(f"layer {place}, {kind}, has no number; write {kind}")
        return Layer(kind)
    value = known.read(number)
    if value is None:
        limits = f"{known.low:g} to {known.high:g}"
        raise ArgumentError(
            f"layer {place}: {kind} has {limits} {known.number}, such as {kind}:{known.usual:g}"
            if known.is_whole
            else f"layer {place}: {kind} has a number from {limits} ({known.number}), such as "
            f"{kind}:{known.usual:g}"
        )
    return Layer(kind, value)


def write_layers(layers: Sequence[Layer]) -> str:
    """Return the line that `read_layers` reads."""
    return ",".join(layer.text() for layer in layers) or "none"
