"""What surrounds a call of a module: who looks on, and errors that say where they arose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from slopewise.engine.errors import SlopewiseError

if TYPE_CHECKING:
    from slopewise.nn.module import Module

    Observer = Callable[[Module, tuple[Any, ...], Any], None]

_observer: ContextVar[Observer | None] = ContextVar("slopewise_module_observer", default=None)
current_observer = _observer.get


@contextmanager
def observe_calls(observer: Observer) -> Iterator[None]:
    """Call `observer(module, args, result)` after each call of a module inside of the block."""
    token = _observer.set(observer)
    try:
        yield
    finally:
        _observer.reset(token)


def name_place(error: SlopewiseError, module: Module) -> None:
    """Put the path of the module where an error arose, as each caller in turn sees it, before its message."""
    notes = vars(error)
    if "module" not in notes:
        notes["module"], notes["message"] = module, str(error)
    origin, message = notes["module"], notes["message"]
    path = next((path for path, inner in module.named_modules() if inner is origin), None)
    if path is None:  # called from here, but not part of this module
        return
    if path or not message.startswith(origin._title()):
        place = f"{type(module).__name__}.{path}" if path else type(module).__name__
        error.args = (f"at {place}: {message}",)
