"""Modules made of modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

from slopewise.engine.errors import ArgumentError, ShapeError
from slopewise.engine.tensor import Tensor
from slopewise.nn.module import Module


def _checked(owner: str, value: Any) -> Module:
    if isinstance(value, Module):
        return value
    if isinstance(value, type) and issubclass(value, Module):
        raise ArgumentError(f"{owner} takes modules, not classes: write {value.__name__}(...)")
    name = getattr(value, "__name__", type(value).__name__)
    raise ArgumentError(f"{owner} takes modules, not '{name}'; call functions in the forward of a Module")


class _Row(Module):
    """Modules in a row; their names are numbers unless others are given."""

    def _extend(self, named: Iterable[tuple[str, Any]]) -> None:
        for name, module in named:
            checked = _checked(type(self).__name__, module)
            if hasattr(self, name):
                raise ArgumentError(
                    f"{type(self).__name__} cannot name a module '{name}': that name is taken"
                )
            setattr(self, name, checked)

    def append(self, module: Module) -> Self:
        """Add a module at the end; returns this container."""
        self._extend([(str(len(self)), module)])
        return self

    def __len__(self) -> int:
        return sum(1 for _ in self.children())

    def __iter__(self) -> Iterator[Module]:
        return self.children()

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Module | Self:
        modules = list(self.children())
        if isinstance(index, slice):
            part = type(self)()
            part._extend((str(i), module) for i, module in enumerate(modules[index]))
            return part
        self._check_number(index)
        return modules[index]

    def __setitem__(self, index: int, module: Module) -> None:
        """Put another module in the place of one, such as a new last layer."""
        self._check_number(index)
        name, _ = list(self.named_children())[index]
        setattr(self, name, _checked(type(self).__name__, module))

    def _check_number(self, index: int) -> None:
        if not -len(self) <= index < len(self):
            raise IndexError(f"{type(self).__name__} has {len(self)} modules, there is no number {index}")


class Sequential(_Row):
    """Modules one after the other: the output of each is the input of the next.

    Parameters
    ----------
    modules : Modules; or one dict from names to Modules

    Examples
    --------
    >>> import slopewise as sw
    >>> model = sw.nn.Sequential(sw.nn.Linear(4, 8), sw.nn.ReLU(), sw.nn.Linear(8, 3))
    >>> model
    Sequential(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (1): ReLU()
      (2): Linear(in_features=8, out_features=3, bias=True)
    )
    >>> model(sw.tensor([[1.0, 2.0, 3.0, 4.0]])).shape
    (1, 3)
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            self._extend(modules[0].items())
        else:
            self._extend((str(i), module) for i, module in enumerate(modules))

    def forward(self, x: Any) -> Any:
        for module in self.children():
            x = module(x)
        return x


class ModuleList(_Row):
    """A list of modules. A plain list as an attribute does as well; this one can be a part by itself.

    Parameters
    ----------
    modules : iterable of Modules

    Examples
    --------
    >>> import slopewise as sw
    >>> layers = sw.nn.ModuleList([sw.nn.Linear(2, 2) for _ in range(3)])
    >>> len(layers), [name for name, _ in layers.named_parameters()][:2]
    (3, ['0.weight', '0.bias'])
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self._extend((str(i), module) for i, module in enumerate(modules))

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise ArgumentError("a ModuleList cannot be called; call the modules in it, or use Sequential")


class Residual(Module):
    """y = body(x) + shortcut(x): a residual block.

    Parameters
    ----------
    body : Module
    shortcut : Module, for a body that changes the shape; by default x itself

    Notes
    -----
    Source: K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", CVPR 2016,
    equations 1 and 2.

    Examples
    --------
    >>> import slopewise as sw
    >>> block = sw.nn.Residual(sw.nn.Sequential(sw.nn.Linear(4, 8), sw.nn.ReLU(), sw.nn.Linear(8, 4)))
    >>> block(sw.tensor([[1.0, 2.0, 3.0, 4.0]])).shape
    (1, 4)
    """

    def __init__(self, body: Module, shortcut: Module | None = None) -> None:
        self.body = _checked("Residual", body)
        self.shortcut = None if shortcut is None else _checked("Residual", shortcut)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x)
        across: Tensor = x if self.shortcut is None else self.shortcut(x)
        if y.shape != across.shape:
            raise ShapeError(
                f"Residual cannot add its body's result {y.shape} to its shortcut's {across.shape}; "
                "give it a shortcut module that changes the shape as the body does"
            )
        return y + across


class Identity(Module):
    """Return the input as it is.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.Identity()(sw.tensor([1.0]))
    tensor([1.])
    """

    def forward(self, x: Any) -> Any:
        return x


class Flatten(Module):
    """Join axes into one, by default all but the first, the batch.

    Parameters
    ----------
    start_axis, end_axis : the first and the last axis to join

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.Flatten()(sw.nn.initializers.zeros((2, 3, 4))).shape
    (2, 12)
    """

    def __init__(self, start_axis: int = 1, end_axis: int = -1) -> None:
        self.start_axis = start_axis
        self.end_axis = end_axis

    def forward(self, x: Tensor) -> Tensor:
        start, end = (axis + x.ndim if axis < 0 else axis for axis in (self.start_axis, self.end_axis))
        if not 0 <= start <= end < x.ndim:
            raise ShapeError(
                f"Flatten cannot join axes {self.start_axis} to {self.end_axis} of shape {x.shape}"
            )
        size = 1
        for length in x.shape[start : end + 1]:
            size *= length
        return x.reshape((*x.shape[:start], size, *x.shape[end + 1 :]))

    def extra_repr(self) -> str:
        return f"start_axis={self.start_axis}, end_axis={self.end_axis}"
