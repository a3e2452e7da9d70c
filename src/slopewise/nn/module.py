"""Module: parameters, buffers and other modules, with a function of them called `forward`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from slopewise.engine.aval import Dtype, aval_of
from slopewise.engine.creation import DEFAULT_FLOAT
from slopewise.engine.errors import ArgumentError, DtypeError, SlopewiseError, TraceError
from slopewise.engine.mode import current_mode
from slopewise.engine.tensor import Tensor
from slopewise.nn.calls import current_observer, name_place
from slopewise.nn.inputs import is_batched
from slopewise.nn.parameter import Parameter, set_value
from slopewise.nn.state import LoadResult, load_into

_NO_BUFFERS: Mapping[str, bool] = MappingProxyType({})


class Module:
    """The base class of all parts of a model.

    Subclass it, make parameters and modules attributes, and define `forward`. Whatever is a `Parameter` or
    `Module` among the attributes is found, also inside of lists, tuples and dicts. Call the module itself,
    not `forward`.

    Examples
    --------
    >>> import slopewise as sw
    >>> class Classifier(sw.nn.Module):
    ...     def __init__(self):
    ...         self.hidden = sw.nn.Linear(4, 8)
    ...         self.output = sw.nn.Linear(8, 3)
    ...     def forward(self, x):
    ...         return self.output(sw.nn.relu(self.hidden(x)))
    >>> model = Classifier()
    >>> [name for name, _ in model.named_parameters()]
    ['hidden.weight', 'hidden.bias', 'output.weight', 'output.bias']
    >>> model(sw.tensor([[1.0, 2.0, 3.0, 4.0]])).shape
    (1, 3)
    """

    # Class attributes, so that a subclass need not call super().__init__().
    _training: bool = True
    _version: int = 0  # counts changes of Python attributes: a trace holds only while it is the same
    _buffers: Mapping[str, bool] = _NO_BUFFERS  # name -> whether it is part of the state dict
    optional_state: frozenset[str] = frozenset()  # buffers that a state dict made elsewhere may lack

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the module's result; subclasses define it."""
        raise ArgumentError(f"{type(self).__name__} defines no forward(); write what it computes there")

    def _say_that_it_changed(self, _before: int, _now: int) -> str:
        return f"an attribute of {type(self).__name__} has been set since"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        trace = current_mode().trace
        if trace is not None:
            trace.note_read(self, "_version", self._version, self._say_that_it_changed)
        try:
            result = self.forward(*args, **kwargs)
        except SlopewiseError as error:
            name_place(error, self)
            raise
        observer = current_observer()
        if observer is not None:
            observer(self, args, result)
        return result

    # ---- attributes

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._buffers:
            self._assign_buffer(name, value)
            return
        if name in _METHODS:
            raise ArgumentError(
                f"{type(self).__name__}.{name} would hide a method of Module; choose another name"
            )
        if isinstance(getattr(type(self), name, None), property):
            super().__setattr__(name, value)
            return
        current = self.__dict__.get(name)
        if isinstance(current, Parameter) and not (value is None or isinstance(value, Parameter)):
            raise ArgumentError(
                f"{type(self).__name__}.{name} is a parameter, it cannot become a {type(value).__name__}; "
                f"write values with `.{name}.copy_(...)` under sw.no_grad(), or assign a Parameter or None"
            )
        if current_mode().trace is None and _is_static_change(current, value):
            self._note_change()
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if name in self._buffers:
            self.__dict__["_buffers"] = {k: v for k, v in self._buffers.items() if k != name}
        self._note_change()
        super().__delattr__(name)

    def _note_change(self) -> None:
        self.__dict__["_version"] = self._version + 1

    def register_buffer(self, name: str, value: Tensor | None, persistent: bool = True) -> None:
        """Make an attribute of a tensor that is state but not trained, such as running statistics.

        Assigning to it later (`self.name = value`) writes the value into the buffer, outside of any gradient,
        so that `sw.compile` keeps it as state.

        Parameters
        ----------
        name : the attribute, a Python name
        value : Tensor, or None for a buffer that is not in use
        persistent : whether it is part of the state dict

        Raises
        ------
        ArgumentError
            If the name is taken or not a name, or the value is not a tensor.
        """
        if not name.isidentifier():
            raise ArgumentError(f"a buffer's name must be a Python name, not {name!r}")
        if name not in self._buffers and hasattr(self, name):
            raise ArgumentError(f"{type(self).__name__} already has an attribute '{name}'")
        if value is not None and (not isinstance(value, Tensor) or isinstance(value, Parameter)):
            raise ArgumentError(f"buffer '{name}' must be a Tensor or None, not {type(value).__name__}")
        self.__dict__["_buffers"] = {**self._buffers, name: persistent}
        self.__dict__[name] = value
        self._note_change()

    def _assign_buffer(self, name: str, value: Any) -> None:
        """Write a value into the tensor that is there, as traces and others hold that one."""
        if value is not None and (not isinstance(value, Tensor) or isinstance(value, Parameter)):
            raise ArgumentError(
                f"{type(self).__name__}.{name} is a buffer, it cannot become a {type(value).__name__}"
            )
        if value is not None and is_batched(value):
            raise ArgumentError(
                f"{type(self).__name__}.{name} is a buffer of the whole module, but under vmap each example "
                "has a value of its own; return it instead"
            )
        current: Tensor | None = self.__dict__.get(name)
        if value is None or current is None:
            if value is not current:
                self._note_change()
            self.__dict__[name] = value
            return
        if current_mode().trace is not None and aval_of(value) != aval_of(current):
            raise TraceError(
                f"a compiled function cannot turn buffer {type(self).__name__}.{name}, {aval_of(current)}, "
                f"into {aval_of(value)}; a buffer keeps its shape and dtype there"
            )
        set_value(current, value.detach())

    # ---- what the module is made of

    def _members(self) -> Iterator[tuple[str, Parameter | Module]]:
        for name, value in self.__dict__.items():
            yield from _find_members(name, value, ())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Iterate over the modules that are directly part of this one, with their names."""
        return ((name, member) for name, member in self._members() if isinstance(member, Module))

    def children(self) -> Iterator[Module]:
        """Iterate over the modules that are directly part of this one."""
        return (child for _, child in self.named_children())

    def _walk(self, prefix: str, ancestors: tuple[Module, ...]) -> Iterator[tuple[str, Module]]:
        """Iterate over all paths to modules: one that is shared comes up on each of its paths."""
        yield prefix, self
        for name, child in self.named_children():
            if child is not self and child not in ancestors:
                yield from child._walk(f"{prefix}.{name}" if prefix else name, (*ancestors, self))

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """Iterate over this module (whose name is empty) and all inside it, each once, with their paths."""
        return _unique(self._walk("", ()))

    def modules(self) -> Iterator[Module]:
        """Iterate over this module and all inside it, each once."""
        return (module for _, module in self.named_modules())

    def _named_tensors(self, select: Callable[[Module], Iterator[tuple[str, Any]]]) -> Iterator[Any]:
        for path, module in self._walk("", ()):
            for name, value in select(module):
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Iterate over all parameters with their paths; a shared one comes once, under its first path."""
        return _unique(self._named_tensors(_own_parameters))

    def parameters(self) -> Iterator[Parameter]:
        """Iterate over all parameters, each once."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """Iterate over all buffers with their paths, each once."""
        return _unique(self._named_tensors(_own_buffers))

    def buffers(self) -> Iterator[Tensor]:
        """Iterate over all buffers, each once."""
        return (buffer for _, buffer in self.named_buffers())

    def apply(self, function: Callable[[Module], Any]) -> Self:
        """Call a function with each module, the innermost first; returns this module."""
        for module in reversed(list(self.modules())):
            function(module)
        return self

    # ---- training or not

    @property
    def training(self) -> bool:
        """Whether the module is in training mode, which Dropout and batch normalization look at."""
        trace = current_mode().trace
        if trace is not None:
            trace.note_read(self, "_training", self._training)
        return self._training

    @training.setter
    def training(self, value: bool) -> None:
        trace = current_mode().trace
        if trace is not None:
            trace.note_read(self, "_training", self._training)
            if not trace.once and bool(value) != self._training:
                raise TraceError(
                    "a compiled function cannot switch between train() and eval(); do it before the call"
                )
        self.__dict__["_training"] = bool(value)

    def train(self, mode: bool = True) -> Self:
        """Put this module and all inside it in training mode (or out of it); returns this module."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Put this module and all inside it in evaluation mode; returns this module."""
        return self.train(False)

    # ---- gradients and dtype

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freeze all parameters with False, or make them trainable again; returns this module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self) -> None:
        """Set the `.grad` of all parameters to None."""
        for parameter in self.parameters():
            if parameter.requires_grad:
                parameter.grad = None

    def astype(self, dtype: DTypeLike) -> Self:
        """Convert all floating parameters and buffers in place, and drop gradients; returns this module.

        Raises
        ------
        DtypeError
            If the dtype is not a floating one.
        """
        wanted = np.dtype(dtype)
        if wanted.kind != "f":
            raise DtypeError(f"a module is converted to floating dtypes only, not to {wanted}")
        if current_mode().trace is not None:
            raise TraceError("a compiled function cannot convert a module; do it before the call")
        for tensor in (*self.parameters(), *self.buffers()):
            if tensor.dtype.kind == "f" and tensor.dtype != wanted:
                set_value(tensor, tensor.detach().astype(wanted))
        return self

    def floating_dtype(self) -> Dtype:
        """Return the dtype of the first floating parameter or buffer: what floating inputs should have."""
        for tensor in (*self.parameters(), *self.buffers()):
            if tensor.dtype.kind == "f":
                return tensor.dtype
        return DEFAULT_FLOAT

    # ---- state

    def _named_state(self) -> Iterator[tuple[str, Tensor]]:
        """Iterate over parameters and persistent buffers, shared ones under each of their paths."""
        return self._named_tensors(_own_state)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the values of all parameters and persistent buffers, by path.

        They are values, not views: training on does not change them.
        """
        return {name: tensor.detach() for name, tensor in self._named_state()}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> LoadResult:
        """Write the values of a state dict into parameters and buffers: all, or none if any does not fit.

        Parameters
        ----------
        state : tensors or arrays by path; names and layouts are PyTorch's, so that its state dicts fit
        strict : whether missing and unexpected names are an error

        Returns
        -------
        LoadResult, with `missing_keys` and `unexpected_keys`

        Raises
        ------
        ArgumentError
            If names are missing or unexpected; the message lists them.
        ShapeError, DtypeError
            If a value's shape or dtype is another.

        Examples
        --------
        >>> import slopewise as sw
        >>> model = sw.nn.Linear(2, 1)
        >>> model.load_state_dict({"weight": [[1.0, 2.0]], "bias": [0.5]})
        LoadResult(missing_keys=[], unexpected_keys=[])
        >>> model(sw.tensor([[1.0, 1.0]]))
        tensor([[3.5]], made_by=add)
        """
        optional = {
            f"{path}.{name}" if path else name
            for path, module in self._walk("", ())
            for name in module.optional_state
        }
        return load_into(type(self).__name__, dict(self._named_state()), optional, state, strict)

    # ---- text

    def extra_repr(self) -> str:
        """Return the settings to show in the module's text; subclasses define it."""
        return ""

    def _title(self) -> str:
        """Return a short name for error messages, such as "Linear(4, 32)"."""
        return type(self).__name__

    def __repr__(self) -> str:
        name = type(self).__name__
        parts = [f"({child}): {module!r}".replace("\n", "\n  ") for child, module in self.named_children()]
        extra = self.extra_repr()
        if not parts:
            return f"{name}({extra})"
        return f"{name}(\n  " + "\n  ".join([*([extra] if extra else []), *parts]) + "\n)"


# What no attribute may hide: the module would not be found, trained or saved rightly.
_METHODS = frozenset(name for name, value in vars(Module).items() if callable(value) and name[0] != "_")
_METHODS -= {"forward", "extra_repr"}


# ---- finding members


def _find_members(name: str, value: Any, around: tuple[Any, ...]) -> Iterator[tuple[str, Parameter | Module]]:
    """Find modules and parameters in an attribute, through nested lists, tuples and dicts."""
    if isinstance(value, Parameter | Module):
        yield name, value
    elif isinstance(value, list | tuple | dict) and not any(value is outer for outer in around):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _find_members(f"{name}.{key}", item, (*around, value))


def _own_parameters(module: Module) -> Iterator[tuple[str, Parameter]]:
    return ((name, member) for name, member in module._members() if isinstance(member, Parameter))


def _own_buffers(module: Module) -> Iterator[tuple[str, Tensor]]:
    values = ((name, module.__dict__.get(name)) for name in module._buffers)
    return ((name, value) for name, value in values if value is not None)


def _own_state(module: Module) -> Iterator[tuple[str, Tensor]]:
    yield from _own_parameters(module)
    yield from ((name, value) for name, value in _own_buffers(module) if module._buffers[name])


def _unique(pairs: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    seen: set[int] = set()
    for name, value in pairs:
        if id(value) not in seen:
            seen.add(id(value))
            yield name, value


# ---- what a trace depends on

_PLAIN = (bool, int, float, str, bytes, frozenset, np.dtype, type(None))


def _is_plain(value: Any) -> bool:
    return isinstance(value, _PLAIN) or (isinstance(value, tuple) and all(map(_is_plain, value)))


def _is_static_change(current: Any, value: Any) -> bool:
    """Tell whether replacing an attribute may change what `forward` does, apart from values of tensors.

    Only parts and plain settings count: a module that keeps its last activations does not invalidate the
    traces that use it.
    """
    if current is value:
        return False
    if isinstance(current, Parameter | Module) or isinstance(value, Parameter | Module):
        return True
    if _is_plain(current) and _is_plain(value):
        return type(current) is not type(value) or bool(current != value)
    return callable(current) or callable(value)
