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

ACTIVATIONS = {
    "relu": ("ReLU", r"\operatorname{ReLU}"),
    "tanh": ("Tanh", r"\tanh"),
    "sigmoid": ("Sigmoid", r"\sigma"),
    "leaky_relu": ("LeakyReLU", r"\operatorname{LeakyReLU}"),
    "elu": ("ELU", r"\operatorname{ELU}"),
    "selu": ("SELU", r"\operatorname{SELU}"),
    "gelu": ("GELU", r"\operatorname{GELU}"),
    "silu": ("SiLU", r"\operatorname{SiLU}"),
    "mish": ("Mish", r"\operatorname{Mish}"),
    "softplus": ("Softplus", r"\operatorname{softplus}"),
    "step": ("Step", r"\operatorname{step}"),
}
# kind -> what the dialogue calls it, and what its number is
KINDS = {
    "linear": ("Linear", "units"),
    "residual": ("Residual block", "units inside"),
    "batch_norm": ("BatchNorm", ""),
    "layer_norm": ("LayerNorm", ""),
    "dropout": ("Dropout", "share set to 0"),
    **{kind: (name, "") for kind, (name, _) in ACTIVATIONS.items()},
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
        return f"{self.kind}:{self.number:g}" if KINDS[self.kind][1] else self.kind

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
        return Call(f"nn.{ACTIVATIONS[self.kind][0]}")


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
    if not KINDS[kind][1]:
        if number:
            raise ArgumentError(f"layer {place}, {kind}, has no number; write {kind}")
        return Layer(kind)
    if kind == "dropout":
        if not re.fullmatch(r"0?\.[0-9]{1,4}|0", number):
            raise ArgumentError(f"layer {place}: dropout has a share from 0 to below 1, such as dropout:0.2")
        return Layer(kind, float(number))
    if not re.fullmatch(r"[0-9]{1,3}", number) or not 1 <= int(number) <= WIDEST:
        raise ArgumentError(f"layer {place}: {kind} has 1 to {WIDEST} units, such as {kind}:8")
    return Layer(kind, float(number))


def write_layers(layers: Sequence[Layer]) -> str:
    """Return the line that `read_layers` reads."""
    return ",".join(layer.text() for layer in layers) or "none"
