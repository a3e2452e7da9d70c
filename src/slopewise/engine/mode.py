"""What the current context is doing: recording or not, tracing or not, inside a transform or not.

A mode is an immutable record in a context variable, so threads and coroutines never see each other's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from slopewise.engine.trace import Trace


class Mode(NamedTuple):
    """The state of one context."""

    # a bit per vmap level: whether operations on tracked tensors there go on the tape; 0 is no_grad
    recording: int = -1
    trace: Trace | None = None  # the innermost graph under construction
    level: int = 0  # nesting depth of traces and vmaps; the innermost handles an operation first
    keep_values: bool = False  # tape nodes keep every value, so that the tape can be read
    quiet: bool = False  # NumPy's warnings are off already
    transform: str = ""  # the transform that runs, in which backward() is an error


_current: ContextVar[Mode] = ContextVar("slopewise_mode", default=Mode())  # noqa: B039 (a NamedTuple is immutable)
current_mode = _current.get


@contextmanager
def changed_mode(**changes: object) -> Iterator[Mode]:
    """Run a block in a copy of the current mode with some fields changed."""
    mode = current_mode()._replace(**changes)  # type: ignore[arg-type]
    token = _current.set(mode)
    try:
        yield mode
    finally:
        _current.reset(token)


class _Recording:
    """A context manager and decorator that turns recording on or off, and may be nested in itself."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled
        self._tokens: ContextVar[tuple[object, ...]] = ContextVar("tokens", default=())

    def __enter__(self) -> None:
        token = _current.set(current_mode()._replace(recording=-1 if self._enabled else 0))
        self._tokens.set((*self._tokens.get(), token))

    def __exit__(self, *exc_info: object) -> None:
        *rest, token = self._tokens.get()
        self._tokens.set(tuple(rest))
        _current.reset(token)  # type: ignore[arg-type]

    def __call__(self, function):  # type: ignore[no-untyped-def]
        @wraps(function)
        def wrapped(*args, **kwargs):  # type: ignore[no-untyped-def]
            with type(self)(self._enabled):
                return function(*args, **kwargs)

        return wrapped


def no_grad() -> _Recording:
    """Return a context manager (or decorator) inside of which nothing is recorded on the tape.

    Examples
    --------
    >>> import slopewise as sw
    >>> w = sw.tensor(2.0, requires_grad=True)
    >>> with sw.no_grad():
    ...     y = w * w
    >>> y.requires_grad
    False
    """
    return _Recording(False)


def enable_grad() -> _Recording:
    """Return a context manager (or decorator) that records again inside of `no_grad`.

    Examples
    --------
    >>> import slopewise as sw
    >>> w = sw.tensor(2.0, requires_grad=True)
    >>> with sw.no_grad(), sw.enable_grad():
    ...     y = w * w
    >>> y.requires_grad
    True
    """
    return _Recording(True)


def is_grad_enabled() -> bool:
    """Tell whether operations on tracked tensors are recorded in this context."""
    return current_mode().recording != 0
