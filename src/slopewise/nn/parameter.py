"""Parameter: a tensor that belongs to a module and is trained."""

from __future__ import annotations

from typing import Any

from numpy.typing import DTypeLike

from slopewise.engine.aval import Array
from slopewise.engine.creation import tensor
from slopewise.engine.tape import Leaf, Ref
from slopewise.engine.tensor import Tensor


class Parameter(Tensor):
    """A tensor that a module owns and an optimizer updates: a leaf that requires a gradient.

    Results of operations on it are plain tensors.

    Parameters
    ----------
    data : Tensor, NumPy array, nested sequence or number, of a floating dtype; copied
    dtype : data type; by default that of the data
    requires_grad : False makes a frozen parameter: saved with its module, but not trained

    Raises
    ------
    DtypeError
        If the data is not floating, and so cannot be trained.

    Examples
    --------
    >>> import slopewise as sw
    >>> w = sw.nn.Parameter([1.0, 2.0])
    >>> w
    Parameter(tensor([1., 2.], requires_grad=True))
    >>> (w * w).sum().backward()
    >>> w.grad
    tensor([2., 4.])
    """

    __slots__ = ()

    def __init__(self, data: Any, dtype: DTypeLike | None = None, *, requires_grad: bool = True) -> None:
        self._ref = tensor(data, dtype)._ref
        if requires_grad:
            self.requires_grad_()

    def __repr__(self) -> str:
        return f"Parameter({super().__repr__()})"

    def __reduce__(self) -> tuple[Any, ...]:
        _, state = super().__reduce__()
        return _restore_parameter, state


def _restore_parameter(array: Array, requires_grad: bool, grad: Array | None) -> Parameter:
    result = Parameter(array, requires_grad=requires_grad)
    if grad is not None:
        result.grad = tensor(grad)
    return result


def set_value(target: Tensor, value: Tensor) -> None:
    """Let a parameter or buffer stand for another value, of any shape and dtype.

    Whoever holds the tensor sees the new value. A gradient belongs to the old value: it is dropped.
    """
    node = target._ref.node
    if isinstance(node, Leaf):
        node.grad = None
        target._rebind(Ref(value._ref.buffer, node))
    else:
        target._rebind(Ref(value._ref.buffer))
