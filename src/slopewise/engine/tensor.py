"""Tensor: a handle on an immutable value that may know how it came about."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from slopewise.engine.aval import Array, Dtype, Shape, aval_of
from slopewise.engine.errors import ArgumentError, DtypeError, GradientError, ShapeError, TraceError
from slopewise.engine.mode import current_mode
from slopewise.engine.tape import Leaf, Ref, reachable_nodes

Operand = Any  # a Tensor, a Python number, or anything that converts to an array
Axis = int | tuple[int, ...] | None


class Tensor:
    """An n-dimensional array that operations on it can be differentiated through.

    Make one with `slopewise.tensor`. A tensor is a handle on an immutable value: `x[k] = v` and `x += y` give
    the handle a new value, and nothing computed before sees the change.

    NumPy's functions of elements and its reductions (`np.sin(x)`, `np.mean(x)`) are for tensors those of
    `slopewise.array`; the others look at the value, and return arrays through which no gradient flows.
    """

    __slots__ = ("__weakref__", "_ref")
    __hash__ = object.__hash__

    _ref: Ref

    def __init__(self) -> None:
        raise TypeError("make a tensor with slopewise.tensor(data)")

    @classmethod
    def _from_ref(cls, ref: Ref) -> Tensor:
        tensor = _new(Tensor)
        tensor._ref = ref
        return tensor

    def _rebind(self, ref: Ref) -> None:
        """Let the handle stand for another value."""
        trace = current_mode().trace
        if trace is not None:
            trace.note_rebinding(self)
        self._ref = ref

    # ---- what is known without looking at the value

    @property
    def shape(self) -> Shape:
        """The size of each axis."""
        return self._ref.buffer.shape

    @property
    def dtype(self) -> Dtype:
        """The data type of the elements, a NumPy dtype."""
        return self._ref.buffer.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._ref.buffer.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        product = 1
        for length in self._ref.buffer.shape:
            product *= length
        return product

    @property
    def device(self) -> str:
        """Where the value lives: always "cpu" for now."""
        return "cpu"

    def to_device(self, device: str, /, *, stream: Any = None) -> Tensor:
        """Return the tensor itself; "cpu" is the only device."""
        if device != "cpu":
            raise ArgumentError(f"device must be 'cpu', not {device!r}")
        if stream is not None:
            raise ArgumentError("stream must be None on device 'cpu'")
        return self

    if not TYPE_CHECKING:  # a type checker is to know which attributes there are

        def __getattr__(self, name: str) -> Any:
            """Say what an attribute of other libraries is called here."""
            way_out = ""
            if not name.startswith("_"):
                from slopewise.engine import foreign_names

                exported = import_module("slopewise").__all__  # by name: the package is made of this room
                way_out = foreign_names.in_tensor(name, exported)
            raise AttributeError(f"a tensor has no attribute '{name}'{way_out}", name=name, obj=self)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a tensor with no axes has no length")
        return self.shape[0]

    # ---- gradients

    @property
    def requires_grad(self) -> bool:
        """Whether operations on this tensor are recorded, so that gradients can reach it."""
        return self._ref.node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Mark (or unmark) this tensor as one whose gradient `backward()` stores; returns itself."""
        trace = current_mode().trace
        if trace is not None and requires_grad != self.requires_grad and trace.is_from_outside(self):
            raise TraceError(
                "requires_grad of a tensor from outside cannot be changed in a compiled function; "
                "do it before"
            )
        ref = self._ref
        if not requires_grad:
            if ref.node is not None and not isinstance(ref.node, Leaf):
                raise GradientError("only a leaf can stop requiring a gradient; use .detach() for a copy")
            self._rebind(Ref(ref.buffer))
        elif ref.node is None:
            if ref.buffer.dtype.kind != "f":
                raise DtypeError(
                    f"only real floating tensors carry gradients, this one is {ref.buffer.dtype}; "
                    "convert it with .astype('float32') first"
                )
            self._rebind(Ref(ref.buffer, Leaf(aval_of(ref.buffer))))
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        return self._ref.node is None or isinstance(self._ref.node, Leaf)

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward()` has added up here, or None."""
        node = self._ref.node
        trace = current_mode().trace
        if trace is not None:
            trace.note_grad_of(self)
        return node.grad if isinstance(node, Leaf) else None

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        node = self._ref.node
        if not isinstance(node, Leaf):
            raise GradientError("only a leaf tensor with requires_grad=True has a .grad to set")
        if value is not None:
            if not isinstance(value, Tensor):
                raise DtypeError(f".grad must be a Tensor or None, not {type(value).__name__}")
            if aval_of(value) != aval_of(self):
                raise ShapeError(f".grad of a {aval_of(self)} tensor cannot be {aval_of(value)}")
        node.grad = value

    def backward(
        self, gradient: Operand | None = None, *, retain_graph: bool | None = None, create_graph: bool = False
    ) -> None:
        """Add the gradient of this tensor to the `.grad` of every leaf that it depends on.

        Parameters
        ----------
        gradient : Tensor of this tensor's shape; the gradient of the final quantity with respect to this
            tensor. May be left out for a tensor of one element, where it is 1.
        retain_graph : keep the tape for another backward pass; by default it is freed, unless `create_graph`
            is set
        create_graph : record the backward pass itself, for higher derivatives

        Raises
        ------
        GradientError
            If nothing tracked leads here, if the tape was freed, or inside of `grad`, `vjp` or `jvp`.

        Examples
        --------
        >>> import slopewise as sw
        >>> w = sw.tensor([1.0, 2.0], requires_grad=True)
        >>> (w * w).sum().backward()
        >>> w.grad
        tensor([2., 4.])
        """
        mode = current_mode()
        if mode.transform:
            raise GradientError(
                f"backward() cannot be called inside of {mode.transform}, which returns gradients itself"
            )
        if hasattr(self._ref.buffer, "batch_level"):
            raise GradientError(
                "backward() cannot be called inside of vmap, where .grad would be that of one example; "
                "use sw.grad there, or call backward() on what vmap returns"
            )
        if self._ref.node is None:
            raise GradientError(
                "backward() on a tensor that does not depend on any tensor with requires_grad=True"
                + ("" if mode.recording else ", or was computed inside of no_grad")
            )
        seed = self._seed(gradient)
        retain = create_graph if retain_graph is None else retain_graph
        for leaf, value in self._leaf_gradients(seed, create_graph, retain):
            previous = leaf.grad
            leaf.grad = value if previous is None else previous + value

    def _leaf_gradients(
        self, seed: Tensor, create_graph: bool, retain_graph: bool
    ) -> list[tuple[Leaf, Tensor]]:
        """Return the leaves behind this tensor with their gradients."""
        nodes = reachable_nodes([self._ref])
        if not create_graph and current_mode().trace is None:
            plan = backward_plan.plan_for(nodes, self._ref)
            if plan is not None:
                return plan.run(nodes, seed.numpy(), retain_graph)
        found = pullback(
            [(self._ref, seed)], None, create_graph=create_graph, retain_graph=retain_graph, nodes=nodes
        )
        return [
            (leaf, value if create_graph else value.detach())
            for (leaf, _), value in found.items()
            if isinstance(leaf, Leaf)
        ]

    def _seed(self, gradient: Operand | None) -> Tensor:
        """Check the gradient to start from, or make the default."""
        if gradient is None:
            if self.size != 1:
                raise GradientError(
                    f"backward() on a tensor of shape {self.shape} needs the argument `gradient`; "
                    "or reduce the tensor to one number first, for example with .sum() or .mean()"
                )
            return full(self.shape, 1, self.dtype)
        seed = ops.as_tensor(gradient)
        if seed.shape != self.shape:
            raise ShapeError(f"gradient has shape {seed.shape}, but the tensor has shape {self.shape}")
        return ops.astype(seed, self.dtype)

    def detach(self) -> Tensor:
        """Return a tensor with the same value through which no gradient flows."""
        buffer = self._ref.buffer
        if current_mode().trace is not None or type(buffer) is not np.ndarray:
            buffer = ops.detach(self)._ref.buffer  # gradients may flow in what a graph or a vmap makes of it
        return Tensor._from_ref(Ref(buffer))

    # ---- looking at the value

    def _array(self, purpose: str) -> Array:
        buffer = self._ref.buffer
        if type(buffer) is np.ndarray and current_mode().trace is None:
            return buffer
        from slopewise.engine.trace import concrete

        return concrete(buffer, purpose)

    def numpy(self) -> Array:
        """Return the value as a read-only NumPy array."""
        view = self._array(".numpy()").view()
        view.flags.writeable = False
        return view

    def item(self) -> Any:
        """Return the only element as a Python number."""
        if self.size != 1:
            raise ShapeError(f".item() needs a tensor of one element, this one has shape {self.shape}")
        return self._array(".item()").item()

    def tolist(self) -> Any:
        """Return the value as nested lists of Python numbers."""
        return self._array(".tolist()").tolist()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        array = self._array("conversion to NumPy")
        if copy is False and dtype is not None and np.dtype(dtype) != array.dtype:
            raise ValueError(f"cannot convert {array.dtype} to {np.dtype(dtype)} without a copy")
        if copy or (dtype is not None and np.dtype(dtype) != array.dtype):
            return np.array(array, dtype=dtype)
        return self.numpy()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        return numpy_protocols.apply_ufunc(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, args: tuple[Any, ...], options: Any) -> Any:
        return numpy_protocols.apply_function(function, args, options)

    def _scalar(self, purpose: str) -> Array:
        array = self._array(purpose)
        if array.size != 1:
            raise ShapeError(f"{purpose} needs a tensor of one element, this one has shape {self.shape}")
        return array.reshape(())

    def __bool__(self) -> bool:
        return bool(self._scalar("bool()"))

    def __int__(self) -> int:
        return int(self._scalar("int()"))

    def __float__(self) -> float:
        return float(self._scalar("float()"))

    def __complex__(self) -> complex:
        return complex(self._scalar("complex()"))

    def __index__(self) -> int:
        if self.dtype.kind not in "iu":
            raise TypeError(f"only an integer tensor can be an index, this one is {self.dtype}")
        return int(self._scalar("index()"))

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """Export the value: read-only to a consumer that knows DLPack 1.0, and as a copy to others."""
        array = self._array("DLPack export")
        read_only = max_version is not None and max_version >= (1, 0) and not copy
        options: dict[str, Any] = {"stream": stream, "max_version": max_version, "dl_device": dl_device}
        return (self.numpy() if read_only else array.copy()).__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        if api_version not in (None, "2021.12", "2022.12", "2023.12", "2024.12"):
            raise ArgumentError(
                f"array API version {api_version!r} is not supported; the newest here is '2024.12'"
            )
        return import_module("slopewise.array")  # by name: that room is made of this one

    def __repr__(self) -> str:
        buffer = self._ref.buffer
        if not isinstance(buffer, np.ndarray):
            return f"<traced tensor {aval_of(buffer)}>"
        text = np.array2string(buffer, separator=", ", prefix="tensor(", threshold=100)
        if buffer.dtype not in (DEFAULT_FLOAT, np.dtype(np.int64), np.dtype(np.bool_)):
            text += f", dtype={buffer.dtype}"
        if isinstance(self._ref.node, Leaf):
            text += ", requires_grad=True"
        elif self._ref.node is not None:
            text += f", made_by={self._ref.node.primitive.name}"
        return f"tensor({text})"

    def __reduce__(self) -> tuple[Any, ...]:
        if not self.is_leaf:
            raise GradientError(
                "only leaf tensors can be copied or pickled, this one was made by an operation; "
                "detach() it first"
            )
        grad = None if self.grad is None else self.grad.numpy()
        return _restore, (self._array("a copy"), self.requires_grad, grad)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.shape:
            raise TypeError("a tensor with no axes cannot be iterated over")
        return (self[index] for index in range(self.shape[0]))

    # ---- operators; what they do is in slopewise.engine.ops

    def __add__(self, other: Operand) -> Tensor:
        return ops.add(self, other)

    def __radd__(self, other: Operand) -> Tensor:
        return ops.add(other, self)

    def __sub__(self, other: Operand) -> Tensor:
        return ops.subtract(self, other)

    def __rsub__(self, other: Operand) -> Tensor:
        return ops.subtract(other, self)

    def __mul__(self, other: Operand) -> Tensor:
        return ops.multiply(self, other)

    def __rmul__(self, other: Operand) -> Tensor:
        return ops.multiply(other, self)

    def __truediv__(self, other: Operand) -> Tensor:
        return ops.divide(self, other)

    def __rtruediv__(self, other: Operand) -> Tensor:
        return ops.divide(other, self)

    def __floordiv__(self, other: Operand) -> Tensor:
        return ops.floor_divide(self, other)

    def __rfloordiv__(self, other: Operand) -> Tensor:
        return ops.floor_divide(other, self)

    def __mod__(self, other: Operand) -> Tensor:
        return ops.remainder(self, other)

    def __rmod__(self, other: Operand) -> Tensor:
        return ops.remainder(other, self)

    def __pow__(self, other: Operand) -> Tensor:
        return ops.power(self, other)

    def __rpow__(self, other: Operand) -> Tensor:
        return ops.power(other, self)

    def __matmul__(self, other: Operand) -> Tensor:
        return ops.matmul(self, other)

    def __rmatmul__(self, other: Operand) -> Tensor:
        return ops.matmul(other, self)

    def __and__(self, other: Operand) -> Tensor:
        return ops.bitwise_and(self, other)

    def __rand__(self, other: Operand) -> Tensor:
        return ops.bitwise_and(other, self)

    def __or__(self, other: Operand) -> Tensor:
        return ops.bitwise_or(self, other)

    def __ror__(self, other: Operand) -> Tensor:
        return ops.bitwise_or(other, self)

    def __xor__(self, other: Operand) -> Tensor:
        return ops.bitwise_xor(self, other)

    def __rxor__(self, other: Operand) -> Tensor:
        return ops.bitwise_xor(other, self)

    def __lshift__(self, other: Operand) -> Tensor:
        return ops.bitwise_left_shift(self, other)

    def __rlshift__(self, other: Operand) -> Tensor:
        return ops.bitwise_left_shift(other, self)

    def __rshift__(self, other: Operand) -> Tensor:
        return ops.bitwise_right_shift(self, other)

    def __rrshift__(self, other: Operand) -> Tensor:
        return ops.bitwise_right_shift(other, self)

    def __neg__(self) -> Tensor:
        return ops.negative(self)

    def __pos__(self) -> Tensor:
        return ops.positive(self)

    def __abs__(self) -> Tensor:
        return ops.absolute(self)

    def __invert__(self) -> Tensor:
        return ops.bitwise_invert(self)

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]
        return ops.equal(self, other)

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]
        return ops.not_equal(self, other)

    def __lt__(self, other: Operand) -> Tensor:
        return ops.less(self, other)

    def __le__(self, other: Operand) -> Tensor:
        return ops.less_equal(self, other)

    def __gt__(self, other: Operand) -> Tensor:
        return ops.greater(self, other)

    def __ge__(self, other: Operand) -> Tensor:
        return ops.greater_equal(self, other)

    # ---- in place: the handle gets a new value

    def _become(self, value: Tensor, operator: str) -> Tensor:
        """Rebind the handle to the result of an in-place operator, which keeps its shape and dtype."""
        if value.shape != self.shape:
            raise ShapeError(
                f"in-place {operator} cannot change the shape from {self.shape} to {value.shape}"
            )
        if value.dtype != self.dtype:
            if value.dtype.kind in "fc" and self.dtype.kind not in "fc":
                raise DtypeError(f"in-place {operator} cannot store {value.dtype} in a {self.dtype} tensor")
            value = value.astype(self.dtype)
        node = self._ref.node
        if isinstance(node, Leaf):
            if current_mode().recording:
                raise GradientError(
                    f"in-place {operator} on a leaf that requires a gradient; do it inside of sw.no_grad()"
                )
            self._rebind(Ref(value._ref.buffer, node))
        else:
            self._rebind(value._ref)
        return self

    def __iadd__(self, other: Operand) -> Tensor:
        return self._become(ops.add(self, other), "+=")

    def __isub__(self, other: Operand) -> Tensor:
        return self._become(ops.subtract(self, other), "-=")

    def __imul__(self, other: Operand) -> Tensor:
        return self._become(ops.multiply(self, other), "*=")

    def __itruediv__(self, other: Operand) -> Tensor:
        return self._become(ops.divide(self, other), "/=")

    def __ifloordiv__(self, other: Operand) -> Tensor:
        return self._become(ops.floor_divide(self, other), "//=")

    def __imod__(self, other: Operand) -> Tensor:
        return self._become(ops.remainder(self, other), "%=")

    def __ipow__(self, other: Operand) -> Tensor:
        return self._become(ops.power(self, other), "**=")

    def __imatmul__(self, other: Operand) -> Tensor:
        return self._become(ops.matmul(self, other), "@=")

    def __iand__(self, other: Operand) -> Tensor:
        return self._become(ops.bitwise_and(self, other), "&=")

    def __ior__(self, other: Operand) -> Tensor:
        return self._become(ops.bitwise_or(self, other), "|=")

    def __ixor__(self, other: Operand) -> Tensor:
        return self._become(ops.bitwise_xor(self, other), "^=")

    def __ilshift__(self, other: Operand) -> Tensor:
        return self._become(ops.bitwise_left_shift(self, other), "<<=")

    def __irshift__(self, other: Operand) -> Tensor:
        return self._become(ops.bitwise_right_shift(self, other), ">>=")

    def copy_(self, value: Operand) -> Tensor:
        """Give this tensor the value of another, broadcast to its shape; returns itself."""
        return self._become(ops.broadcast_to(ops.stored(value, self.dtype), self.shape), "copy")

    def __getitem__(self, key: Any) -> Tensor:
        return indexing.get(self, key)

    def __setitem__(self, key: Any, value: Operand) -> None:
        self._become(indexing.put(self, key, value), "assignment")

    # ---- the most used functions as methods

    def astype(self, dtype: DTypeLike, *, copy: bool = True) -> Tensor:
        """Return the tensor converted to another dtype; with copy=False, itself if it has that dtype."""
        result = ops.astype(self, dtype)
        return ops.positive(self) if copy and result is self else result

    def reshape(self, *shape: Any) -> Tensor:
        """Return the same elements in another shape; one size may be -1."""
        return ops.reshape(self, shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape)

    def transpose(self, *axes: Any) -> Tensor:
        """Return the tensor with its axes permuted, reversed if none are given."""
        return ops.transpose(
            self, axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
        )

    @property
    def T(self) -> Tensor:
        """The transpose of a matrix."""
        if self.ndim != 2:
            raise ShapeError(
                f".T is for matrices, this tensor has shape {self.shape}; use .mT or .transpose(...)"
            )
        return ops.transpose(self, (1, 0))

    @property
    def mT(self) -> Tensor:
        """The transpose of the last two axes, of a stack of matrices."""
        if self.ndim < 2:
            raise ShapeError(f".mT needs at least two axes, this tensor has shape {self.shape}")
        return ops.transpose(self, (*range(self.ndim - 2), self.ndim - 1, self.ndim - 2))

    def sum(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return the sum over axes, over all of them if none are given."""
        return ops.sum(self, axis, keepdims=keepdims)

    def mean(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return the mean over axes, over all of them if none are given."""
        return ops.mean(self, axis, keepdims=keepdims)

    def max(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return the maximum over axes; ties share the gradient equally."""
        return ops.max(self, axis, keepdims=keepdims)

    def min(self, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
        """Return the minimum over axes; ties share the gradient equally."""
        return ops.min(self, axis, keepdims=keepdims)


_new = object.__new__


def _restore(array: Array, requires_grad: bool, grad: Array | None) -> Tensor:
    result = tensor(array, requires_grad=requires_grad)
    if grad is not None:
        result.grad = tensor(grad)
    return result


from slopewise.engine.creation import DEFAULT_FLOAT, full, tensor  # noqa: E402

# isort: split
from slopewise.engine import indexing, ops  # noqa: E402  (ops need Tensor, and Tensor's methods need ops)
from slopewise.engine.pullback import pullback  # noqa: E402

# isort: split
from slopewise.engine import backward_plan, numpy_protocols  # noqa: E402  (stand on all of the above)

__all__ = ["Tensor"]
