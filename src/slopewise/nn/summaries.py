"""A table of a model's modules, with output shapes and parameter counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from slopewise.engine.aval import Aval, Shape
from slopewise.engine.errors import ArgumentError
from slopewise.engine.tape import Ref
from slopewise.engine.tensor import Tensor
from slopewise.engine.trace import trace_function
from slopewise.engine.tree import flatten
from slopewise.nn.calls import observe_calls
from slopewise.nn.module import Module


@dataclass(frozen=True)
class SummaryRow:
    """A module of a model.

    Attributes
    ----------
    path : its path, empty for the model itself
    kind : its class
    output_shapes : the shapes of the tensors that it returned, one tuple for each call
    parameters : how many parameters it has itself, without the modules in it
    """

    path: str
    kind: str
    output_shapes: tuple[tuple[Shape, ...], ...]
    parameters: int


@dataclass(frozen=True)
class Summary:
    """What `summary` returns: rows, and a table as text.

    Attributes
    ----------
    rows : a SummaryRow for each module, in the order of `named_modules`
    parameters : how many parameters the model has, shared ones once
    trainable : how many of them require a gradient
    """

    rows: tuple[SummaryRow, ...]
    parameters: int
    trainable: int

    def __repr__(self) -> str:
        cells = [("module", "output shape", "parameters")]
        paths = {row.path for row in self.rows}
        for row in self.rows:
            count = f"{row.parameters:,}" if row.parameters else "-"
            cells.append((_label(row, paths), _shapes_text(row.output_shapes), count))
        widths = [max(len(cell[i]) for cell in cells) for i in range(3)]
        lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}" for a, b, c in cells]
        total = f"{self.parameters:,} parameters, {self.trainable:,} of them trainable"
        return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:], "-" * len(lines[0]), total])


def _label(row: SummaryRow, paths: set[str]) -> str:
    """Return the name of a module within the one that holds it, indented by how many do, and its class."""
    parts = row.path.split(".")
    prefixes = [".".join(parts[:i]) for i in range(1, len(parts))]
    around = [prefix for prefix in prefixes if prefix in paths]
    name = row.path.removeprefix(f"{around[-1]}.") if around else row.path
    return "  " * (len(around) + 1) + f"{name}: {row.kind}" if name else row.kind


def _shapes_text(calls: tuple[tuple[Shape, ...], ...]) -> str:
    if not calls:
        return "not called"
    text = ", ".join(map(str, calls[0])) or "no tensor"
    return text if len(calls) == 1 else f"{text} ({len(calls)} calls)"


def summary(model: Module, input_shape: Shape | list[Shape], dtype: DTypeLike | None = None) -> Summary:
    """Return a table of a model's modules with the shapes that they return and their parameter counts.

    The model is traced, so that nothing is computed and no state changes.

    Parameters
    ----------
    model : Module
    input_shape : the shape of the input, the batch included; or a list of shapes, for a model of several
        inputs
    dtype : of the inputs; by default that of the model. An Embedding wants "int64"

    Raises
    ------
    ArgumentError
        If the input shape is not one.
    TraceError
        If the model looks at values; the message names the line.

    Examples
    --------
    >>> import slopewise as sw
    >>> model = sw.nn.Sequential(sw.nn.Linear(4, 32), sw.nn.ReLU(), sw.nn.Linear(32, 3))
    >>> sw.nn.summary(model, (8, 4))
    module       output shape  parameters
    -------------------------------------
    Sequential   (8, 3)                 -
      0: Linear  (8, 32)              160
      1: ReLU    (8, 32)                -
      2: Linear  (8, 3)                99
    -------------------------------------
    259 parameters, 259 of them trainable
    """
    wanted = model.floating_dtype() if dtype is None else np.dtype(dtype)
    inputs = tuple(Tensor._from_ref(Ref(Aval(shape, wanted))) for shape in _shapes(input_shape))
    calls: dict[int, list[tuple[Shape, ...]]] = {}

    def note(module: Module, args: tuple[Any, ...], result: Any) -> None:
        tensors = [leaf for leaf in flatten(result)[0] if isinstance(leaf, Tensor)]
        calls.setdefault(id(module), []).append(tuple(tensor.shape for tensor in tensors))

    with observe_calls(note):
        trace_function(model, inputs)
    rows = tuple(
        SummaryRow(path, type(module).__name__, tuple(calls.get(id(module), ())), _own_count(module))
        for path, module in model.named_modules()
    )
    parameters = list(model.parameters())
    trainable = sum(parameter.size for parameter in parameters if parameter.requires_grad)
    return Summary(rows, sum(parameter.size for parameter in parameters), trainable)


def _own_count(module: Module) -> int:
    inner = {id(p) for child in module.children() for p in child.parameters()}
    return sum(p.size for p in module.parameters() if id(p) not in inner)


def _shapes(input_shape: Any) -> list[Shape]:
    """Return one shape for each input."""
    shapes = input_shape if isinstance(input_shape, list) else [input_shape]
    for shape in shapes:
        if not isinstance(shape, tuple) or not all(_is_size(size) for size in shape):
            raise ArgumentError(
                f"input_shape must be a tuple of sizes, or a list of those, not {input_shape!r}"
            )
    return [tuple(map(int, shape)) for shape in shapes]


def _is_size(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= 0)
