"""GradientTape: TensorFlow's habit of marking tensors inside of a `with` block."""

from __future__ import annotations

from typing import Any

from slopewise.engine import ops
from slopewise.engine.errors import GradientError
from slopewise.engine.mode import Mode, _current, current_mode
from slopewise.engine.pullback import pullback
from slopewise.engine.tape import Ref, others_may_differentiate
from slopewise.engine.tensor import Tensor
from slopewise.engine.transforms import as_cotangent, mark
from slopewise.engine.tree import flatten, unflatten


class GradientTape:
    """Record what happens to watched tensors inside of a `with` block, and differentiate it afterwards.

    Tensors with `requires_grad=True` are watched of themselves.

    Parameters
    ----------
    persistent : allow more than one call of `gradient`
    keep_values : keep every intermediate value, so that `slopewise.read_tape` can show it

    Examples
    --------
    >>> import slopewise as sw
    >>> w = sw.tensor(3.0)
    >>> with sw.GradientTape() as tape:
    ...     tape.watch(w)
    ...     loss = w * w
    >>> tape.gradient(loss, w)
    tensor(6.)
    """

    def __init__(self, persistent: bool = False, *, keep_values: bool = False) -> None:
        self.persistent = persistent
        self._keep_values = keep_values
        # by handle: its ref before, and under the mark
        self._watched: dict[int, tuple[Tensor, Ref, Ref]] = {}
        self._outer: list[Mode] = []
        self._used = False

    def __enter__(self) -> GradientTape:
        mode = current_mode()
        self._outer.append(mode)
        _current.set(mode._replace(recording=-1, keep_values=mode.keep_values or self._keep_values))
        return self

    def __exit__(self, *exc_info: object) -> None:
        _current.set(self._outer.pop())
        for tensor, before, marked in self._watched.values():
            if tensor._ref is marked:
                tensor._ref = before

    def watch(self, *tensors: Any) -> None:
        """Mark tensors (nested in lists, tuples and dicts too), so that what happens to them is recorded."""
        if not self._outer:
            raise GradientError("watch() must be called inside of the tape's `with` block")
        for tensor in flatten(tensors)[0]:
            if not isinstance(tensor, Tensor):
                raise GradientError(f"only tensors can be watched, not {type(tensor).__name__}")
            if id(tensor) not in self._watched:
                before = tensor._ref
                tensor._ref = mark(tensor)._ref
                self._watched[id(tensor)] = (tensor, before, tensor._ref)

    def gradient(self, target: Tensor, sources: Any, output_gradient: Tensor | None = None) -> Any:
        """Return the gradient of a tensor with respect to tensors.

        Parameters
        ----------
        target : what to differentiate; where it has several elements, their sum is meant (TensorFlow's
            convention)
        sources : a tensor, or tensors nested in lists, tuples and dicts
        output_gradient : weights of the target's elements, ones by default

        Returns
        -------
        the gradients in the structure of `sources`; zeros where the target does not depend on a source

        Raises
        ------
        GradientError
            If a source was not watched, or on a second call without `persistent=True`.
        """
        if self._used and not self.persistent:
            raise GradientError(
                "this tape has been used; make it GradientTape(persistent=True) to ask for more gradients"
            )
        leaves, structure = flatten(sources)
        for tensor in (target, *leaves):
            if not isinstance(tensor, Tensor):
                raise GradientError(
                    f"a tape gives gradients of a tensor by tensors, not {type(tensor).__name__}"
                )
        self._used = True
        refs = [self._source_ref(leaf) for leaf in leaves]
        seed = ops.ones(target.shape, target.dtype)
        if output_gradient is not None:
            seed = as_cotangent(output_gradient, target, "output_gradient")
        pairs = [] if target._ref.node is None else [(target._ref, seed)]
        # recorded if someone may differentiate the result: inside of another tape or of this one, still open
        outer = bool(self._outer) or others_may_differentiate([target._ref], refs)
        found = pullback(pairs, refs, create_graph=outer, retain_graph=self.persistent or outer)
        gradients = []
        for ref in refs:
            gradient = found.get((ref.node, ref.index)) if ref.node is not None else None
            gradients.append(ops.zeros(ref.buffer.shape, ref.buffer.dtype) if gradient is None else gradient)
        return unflatten(structure, gradients)

    def _source_ref(self, tensor: Tensor) -> Ref:
        known = self._watched.get(id(tensor))
        ref = tensor._ref if known is None else known[2]
        if ref.node is None:
            raise GradientError(
                "the tape was asked for the gradient of a tensor that it did not watch; "
                "call tape.watch(tensor) before using it, or make it with requires_grad=True"
            )
        return ref
