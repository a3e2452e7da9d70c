"""What a primitive is, and how one is applied: the recorder above, then batching, tracing or NumPy.

The rows themselves are in `slopewise.engine.primitives`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from slopewise.engine.aval import Array, Aval, aval_of
from slopewise.engine.errors import DtypeError, GradientError, ShapeError, SlopewiseError
from slopewise.engine.mode import Mode, current_mode
from slopewise.engine.tape import Node, Ref, saved_ref
from slopewise.engine.tensor import Tensor

if TYPE_CHECKING:
    from slopewise.engine.trace import Trace

Rule = Callable[..., Any]


@dataclass(frozen=True, eq=False, slots=True)
class Primitive:
    """One row of the table.

    Attributes
    ----------
    name : the name that graphs and errors show
    infer : (*avals, **params) -> Aval or tuple of Avals; raises ShapeError or DtypeError in the user's terms
    compute : (*arrays, **params) -> array or tuple of arrays, in NumPy
    vjp : one rule per operand, (g, y, *operands, **params) -> gradient, each written in tensors; or a single
        rule, which takes also `needs`, a tuple of bools, and returns a tuple with a gradient or None per
        operand; or None, no gradient
    batch : (operands, batched, size, **params) -> result with the batch on axis 0, where the operands that
        `batched` marks have it on axis 0
    outputs : 1, or None where a tuple comes back
    core : True if every target lowers it, False for a host primitive, which only the interpreter runs
    saves : which values the gradient rules look at: any of "x" (operands) and "y" (results)
    elementwise : True if each element of the result depends on the elements at its place alone
    seen : codes of the dtypes of the first operand that `infer` has allowed; eager calls ask it once for each
    """

    name: str
    infer: Rule
    compute: Rule
    vjp: Sequence[Rule | None] | Rule | None
    batch: Rule
    outputs: int | None = 1
    core: bool = True
    saves: str = "xy"
    elementwise: bool = False
    seen: set[str] = field(default_factory=set)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"


TABLE: dict[str, Primitive] = {}


def define(
    name: str,
    *,
    infer: Rule,
    compute: Rule,
    vjp: Sequence[Rule | None] | Rule | None,
    batch: Rule,
    outputs: int | None = 1,
    core: bool = True,
    saves: str = "xy",
    elementwise: bool = False,
) -> Primitive:
    """Add a row to the table and return it."""
    if name in TABLE:
        raise ValueError(f"primitive '{name}' is defined twice")
    primitive = Primitive(name, infer, compute, vjp, batch, outputs, core, saves, elementwise)
    TABLE[name] = primitive
    return primitive


def apply(primitive: Primitive, *operands: Tensor, **params: Any) -> Any:
    """Apply a primitive to tensors: evaluate it in the innermost level, and record it if anything is tracked.

    Returns
    -------
    Tensor, or tuple of Tensors where the primitive has several outputs
    """
    mode = current_mode()
    refs = [operand._ref for operand in operands]
    if mode.trace is None:
        buffers: list[Any] = []
        tracked = False
        for ref in refs:
            buffer = ref.buffer
            if type(buffer) is not np.ndarray:
                break
            buffers.append(buffer)
            if ref.node is not None:
                tracked = True
        else:
            result = _compute(primitive, buffers, params, mode.quiet)
            if tracked and mode.recording & 1:
                return _record(primitive, refs, result, params, mode)
            return _wrap(primitive, result)
    result, level = _apply_inside(primitive, operands, refs, params, mode)
    if mode.recording >> level & 1 and any(ref.node is not None for ref in refs):
        if mode.trace is not None:
            refs = [_traced_ref(operand, mode.trace) for operand in operands]
        return _record(primitive, refs, result, params, mode)
    return _wrap(primitive, result)


def _wrap(primitive: Primitive, result: Any) -> Any:
    """Wrap results in tensors that nothing is remembered of."""
    if primitive.outputs == 1:
        tensor = _new_tensor(Tensor)
        tensor._ref = Ref(result)
        return tensor
    return tuple(Tensor._from_ref(Ref(buffer)) for buffer in result)


_new_tensor = object.__new__


def is_recorded(operands: Sequence[Tensor]) -> bool:
    """Tell whether an operation on these tensors goes on the tape: one is tracked, and that is recorded."""
    level = max([getattr(operand._ref.buffer, "batch_level", 0) for operand in operands], default=0)
    recording = current_mode().recording >> level & 1
    return bool(recording) and any(operand._ref.node is not None for operand in operands)


def _apply_inside(
    primitive: Primitive, operands: Sequence[Tensor], refs: list[Ref], params: dict[str, Any], mode: Mode
) -> tuple[Any, int]:
    """Let the innermost vmap or trace handle an operation; return its buffers, and the vmap level or 0."""
    innermost = 0 if mode.trace is None else mode.trace.level
    level: int = max([getattr(ref.buffer, "batch_level", 0) for ref in refs], default=0)
    if level > innermost:
        from slopewise.engine.vmap import apply_batched

        return apply_batched(primitive, operands, level, params), level
    if mode.trace is None:
        raise _escaped(primitive, refs)
    return mode.trace.emit(primitive, operands, params, mode.recording != 0), level


def _traced_ref(operand: Tensor, trace: Trace) -> Ref:
    """Return a ref to an operand's symbol in the graph, not to the value that one from outside has today."""
    ref = operand._ref
    if getattr(ref.buffer, "batch_level", 0) > trace.level:
        return ref
    return Ref(trace.symbol_of(operand), ref.node, ref.index)


def _compute(primitive: Primitive, arrays: list[Array], params: dict[str, Any], quiet: bool) -> Any:
    if arrays and arrays[0].dtype.char not in primitive.seen:
        # NumPy takes dtypes that a row does not: eager and traced calls must refuse the same ones
        primitive.infer(*map(aval_of, arrays), **params)
        primitive.seen.add(arrays[0].dtype.char)
    try:
        if quiet:
            result = primitive.compute(*arrays, **params)
        else:
            with np.errstate(all="ignore"):
                result = primitive.compute(*arrays, **params)
    except SlopewiseError:
        raise
    except (ValueError, TypeError, IndexError, np.linalg.LinAlgError) as error:
        primitive.infer(*map(aval_of, arrays), **params)  # says what is wrong in the user's terms
        raise SlopewiseError(f"{primitive.name}: {error}") from error
    if primitive.outputs == 1:
        return result if type(result) is np.ndarray else np.asarray(result)
    return result


def _record(primitive: Primitive, refs: list[Ref], result: Any, params: dict[str, Any], mode: Mode) -> Any:
    """Wrap results in tensors that remember how they came about."""
    saves, keep = primitive.saves, mode.keep_values
    inputs = tuple(refs) if keep or "x" in saves else tuple(map(saved_ref, refs))
    if primitive.outputs == 1:
        if result.dtype.kind not in "fc":
            return Tensor._from_ref(Ref(result))
        node = Node(
            primitive, params, inputs, (result if keep or "y" in saves else aval_of(result),), mode.trace
        )
        return Tensor._from_ref(Ref(result, node, 0))
    buffers = tuple(result)
    outputs = buffers if keep or "y" in saves else tuple(map(aval_of, buffers))
    node = Node(primitive, params, inputs, outputs, mode.trace)
    return tuple(
        Tensor._from_ref(Ref(buffer, node if buffer.dtype.kind in "fc" else None, index))
        for index, buffer in enumerate(buffers)
    )


def _escaped(primitive: Primitive, refs: list[Ref]) -> SlopewiseError:
    from slopewise.engine.trace import escaped_error

    return escaped_error(primitive.name, [ref.buffer for ref in refs])


def gradient_rule(primitive: Primitive, position: int) -> Rule:
    """Return the rule for one operand, or raise an error that names the primitive."""
    rules = primitive.vjp
    rule = None if rules is None or callable(rules) else rules[position]
    if rule is None:
        raise GradientError(
            f"'{primitive.name}' has no gradient for its operand {position}; "
            "use .detach() on it if it is meant to be a constant"
        )
    return rule


__all__ = ["TABLE", "Aval", "DtypeError", "Primitive", "ShapeError", "apply", "define", "gradient_rule"]
