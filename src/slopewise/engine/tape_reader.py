"""Reading the eager tape: its nodes in order, forward with their values and backward with their gradients.

For a lab or a debugger that walks a computation step by step; training does not use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.aval import Aval
from slopewise.engine.errors import GradientError
from slopewise.engine.mode import changed_mode
from slopewise.engine.primitives.elementwise import alias
from slopewise.engine.pullback import input_gradients
from slopewise.engine.tape import Leaf, Node, Ref, reachable_nodes
from slopewise.engine.tensor import Tensor


@dataclass
class Entry:
    """One line of the tape: a leaf, a constant, or the result of an operation.

    Attributes
    ----------
    number : int
        Its place on the tape, counted from 0; inputs come before what is made of them.
    operation : str
        The primitive's name, "leaf" for a tensor that requires a gradient, "constant" for one that does not.
    inputs : tuple of int
        The entries that it was computed from.
    value : Tensor
    params : dict
        The primitive's parameters, such as the axes of a sum.
    name : str
        The name given to it, or "".
    """

    number: int
    operation: str
    inputs: tuple[int, ...]
    value: Tensor
    params: dict[str, Any] = field(default_factory=dict)
    name: str = ""


@dataclass
class Contribution:
    """What one edge of the tape carries back.

    Attributes
    ----------
    source, target : int
        From the entry of a result to the entry of one of its inputs.
    incoming : Tensor
        The gradient that arrives at the result.
    local_derivative : Tensor or None
        How each element of the result changes with the element of the input at its place, for elementwise
        operations; None where the derivative is no such number (a matrix product, a sum).
    gradient : Tensor
        What the edge adds to the input's gradient.
    total : Tensor
        The input's gradient after the addition.
    accumulates : bool
        Whether something had been added before: the input is used more than once.
    """

    source: int
    target: int
    incoming: Tensor
    local_derivative: Tensor | None
    gradient: Tensor
    total: Tensor
    accumulates: bool


@dataclass
class Tape:
    """A tape that was read: `entries` in forward order, `contributions` in backward order."""

    entries: list[Entry]
    contributions: list[Contribution]
    gradients: dict[int, Tensor]  # of each entry that the backward pass reached

    def to_svg(self) -> str:
        """Draw the tape; see `slopewise.engine.tape_drawing`."""
        from slopewise.engine.tape_drawing import draw_tape

        return draw_tape(self)

    def __str__(self) -> str:
        lines = []
        for entry in self.entries:
            inputs = ", ".join(self._label(i) for i in entry.inputs)
            text = f"{self._label(entry.number)} = {entry.operation}({inputs})  value {_short(entry.value)}"
            if entry.number in self.gradients:
                text += f"  gradient {_short(self.gradients[entry.number])}"
            lines.append(text)
        return "\n".join(lines)

    def _label(self, number: int) -> str:
        return self.entries[number].name or f"v{number}"


def _short(value: Tensor) -> str:
    return np.array2string(value.numpy(), precision=4, threshold=6, separator=", ").replace("\n", "")


def read_tape(
    output: Tensor, names: Mapping[str, Tensor] | None = None, gradient: Tensor | None = None
) -> Tape:
    """Return the tape behind a tensor: how it was computed, and how gradients flow back through it.

    The tape must have kept its values: record inside of `GradientTape(keep_values=True)`. Reading does not
    use it up.

    Parameters
    ----------
    output : Tensor
        A tracked tensor, of one element unless `gradient` is given.
    names : mapping of name to Tensor, optional
        Names for leaves, watched tensors and intermediate results.
    gradient : Tensor, optional
        The gradient to start from; 1 by default.

    Returns
    -------
    Tape

    Raises
    ------
    GradientError
        If the tensor is not tracked, or the tape did not keep its values.

    Examples
    --------
    >>> import slopewise as sw
    >>> w = sw.tensor(3.0, requires_grad=True)
    >>> with sw.GradientTape(keep_values=True):
    ...     loss = w * w + 2.0 * w
    >>> print(read_tape(loss, {"w": w}))
    w = leaf()  value 3.  gradient 8.
    v1 = mul(w, w)  value 9.  gradient 1.
    v2 = constant()  value 2.
    v3 = mul(v2, w)  value 6.  gradient 1.
    v4 = add(v1, v3)  value 15.  gradient 1.
    """
    if output._ref.node is None:
        raise GradientError("this tensor is not on a tape: it depends on nothing that requires a gradient")
    seed = output._seed(gradient)
    reader = _Reader({} if names is None else dict(names))
    nodes = reachable_nodes([output._ref])
    for node in nodes:
        reader.add_node(node)
    contributions, gradients = reader.walk_back(output._ref, seed, nodes)
    return Tape(reader.entries, contributions, gradients)


Key = tuple[int, int]  # a node's identity and an output's index; or a constant buffer's identity and -1


class _Reader:
    """Numbers the values of a tape in forward order."""

    def __init__(self, names: dict[str, Tensor]) -> None:
        self.entries: list[Entry] = []
        self._numbers: dict[Key, int] = {}
        # a tensor that a GradientTape watched has its unmarked value back by now: it is known by its buffer
        self._names = {_key(tensor._ref): name for name, tensor in names.items()}
        self._names |= {(id(tensor._ref.buffer), -1): name for name, tensor in names.items()}

    def add_node(self, node: Node | Leaf) -> None:
        if isinstance(node, Leaf):
            return  # entered with its value, by the first node that uses it
        assert node.inputs is not None
        if node.primitive is alias and node.inputs[0].node is None:
            self._enter(Ref(node.outputs[0], node), "leaf", (), {})  # a watched tensor
            return
        inputs = tuple(self._number(ref) for ref in node.inputs)
        for index, buffer in enumerate(node.outputs):
            if isinstance(buffer, Aval):
                raise GradientError(
                    "the tape did not keep its values; record inside of sw.GradientTape(keep_values=True)"
                )
            self._enter(Ref(buffer, node, index), node.primitive.name, inputs, node.params)

    def _number(self, ref: Ref) -> int:
        key = _key(ref)
        if key in self._numbers:
            return self._numbers[key]
        if isinstance(ref.buffer, Aval):
            raise GradientError(
                "the tape did not keep its values; record inside of sw.GradientTape(keep_values=True)"
            )
        return self._enter(ref, "constant" if ref.node is None else "leaf", (), {})

    def _enter(self, ref: Ref, operation: str, inputs: tuple[int, ...], params: dict[str, Any]) -> int:
        key = _key(ref)
        number = self._numbers[key] = len(self.entries)
        value = Tensor._from_ref(Ref(ref.buffer))
        name = self._names.get(key, "")
        if not name and operation == "leaf":
            name = self._names.get((id(ref.buffer), -1), "")
        self.entries.append(Entry(number, operation, inputs, value, dict(params), name))
        return number

    def walk_back(
        self, output: Ref, seed: Tensor, nodes: list[Node | Leaf]
    ) -> tuple[list[Contribution], dict[int, Tensor]]:
        """Carry the gradient back node by node, and note what each edge adds."""
        totals: dict[int, Tensor] = {self._numbers[_key(output)]: seed}
        contributions: list[Contribution] = []
        useful = set(nodes)
        with changed_mode(recording=0), np.errstate(all="ignore"):
            for node in reversed(nodes):
                if isinstance(node, Leaf):
                    continue
                numbers = [self._numbers[id(node), index] for index in range(len(node.outputs))]
                cotangents = {i: totals[n] for i, n in enumerate(numbers) if n in totals}
                if not cotangents:
                    continue
                contributions += self._node_contributions(node, cotangents, useful, totals)
        return contributions, totals

    def _node_contributions(
        self,
        node: Node,
        cotangents: dict[int, Tensor],
        useful: set[Node | Leaf],
        totals: dict[int, Tensor],
    ) -> list[Contribution]:
        assert node.inputs is not None
        made = []
        incoming = next(iter(cotangents.values()))
        locals_ = _local_derivatives(node, useful)
        gradients = input_gradients(node, cotangents, useful)
        for ref, gradient, local in zip(node.inputs, gradients, locals_, strict=True):
            if gradient is None:
                continue
            target = self._numbers[_key(ref)]
            before = totals.get(target)
            totals[target] = gradient if before is None else before + gradient
            source = self._numbers[id(node), next(iter(cotangents))]
            made.append(
                Contribution(source, target, incoming, local, gradient, totals[target], before is not None)
            )
        return made


def _key(ref: Ref) -> Key:
    return (id(ref.buffer), -1) if ref.node is None else (id(ref.node), ref.index)


def _local_derivatives(node: Node, useful: set[Node | Leaf]) -> list[Tensor | None]:
    """Return dy/dx element by element for elementwise operations, None for others."""
    assert node.inputs is not None
    nothing: list[Tensor | None] = [None] * len(node.inputs)
    if node.primitive.outputs != 1 or not is_elementwise(node):
        return nothing
    shape = node.outputs[0].shape
    ones = ops.ones(shape, node.outputs[0].dtype)
    rules = node.primitive.vjp
    if rules is None or callable(rules):
        return nothing
    result = Tensor._from_ref(Ref(node.outputs[0]))
    operands = [Tensor._from_ref(Ref(ref.buffer)) for ref in node.inputs]
    derivatives: list[Tensor | None] = []
    for ref, rule in zip(node.inputs, rules, strict=True):
        if ref.node is None or ref.node not in useful or rule is None:
            derivatives.append(None)
            continue
        value = rule(ones, result, *operands, **node.params)
        derivatives.append(ops.zeros(shape, ones.dtype) if value is None else value)
    return derivatives


def is_elementwise(node: Node) -> bool:
    """Tell whether each element of a node's result depends only on the elements at its place."""
    from slopewise.engine.primitives import elementwise

    return any(node.primitive is row for row in vars(elementwise).values())
