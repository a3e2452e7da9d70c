"""Why a compiled function was traced again: what of a call, or around it, no earlier trace was made for."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Collection, Hashable, Iterator, Sequence
from typing import Any, NamedTuple

from slopewise.compiler import debug
from slopewise.engine.trace import CaptureGuard, Guard, NoGradGuard, TracedFunction
from slopewise.engine.tree import Structure

MANY = 8
"""After so many traces in addition to the first, a warning says why."""


class RetraceWarning(UserWarning):
    """A compiled function is traced again and again, which costs more than it saves."""


class Signature(NamedTuple):
    """What a trace was made for, as far as the call itself shows it.

    Attributes
    ----------
    structure : of (positional arguments, keyword arguments)
    recording : whether gradients are recorded
    transform : whether a transform such as `grad` runs
    repetitions : which tensors among the arguments are one; None if all are different
    leaves : for a tensor (shape, dtype, whether it is tracked); for others (type, value)
    """

    structure: Structure
    recording: bool
    transform: bool
    repetitions: Hashable
    leaves: tuple[tuple[Any, ...], ...]


def reason(
    signature: Signature, known: Collection[Signature], outdated: Sequence[TracedFunction]
) -> str | None:
    """Return why a call needs a new trace; None if it is the first.

    Parameters
    ----------
    signature : of the call
    known : of all traces that there are
    outdated : the traces of the same signature; what they read of the outside has changed
    """
    if outdated:
        failing = [[guard for guard in traced.guards if not guard.holds()] for traced in outdated]
        return _changed_outside(min(failing, key=lambda guards: len(guards))[0])
    alike = [other for other in known if other.structure == signature.structure]
    if alike:
        found = [list(_differences(signature, other)) for other in alike]
        found.sort(key=len)
        return "; ".join(found[0])
    return "the arguments are nested or named in another way" if known else None


def tell(name: str, reasons: Sequence[str]) -> None:
    """Say that a function was traced again: each time with SLOPEWISE_DEBUG, else once when it is often."""
    latest = f"{name} was traced again: {reasons[-1]}"
    if debug.level():
        print(latest, file=sys.stderr, flush=True)
    elif len(reasons) == MANY:
        advice = "call it with few shapes, and pass Python numbers that change as tensors"
        warnings.warn(
            f"{latest}; this was the {MANY}th time, and each costs more than many calls: {advice}",
            RetraceWarning,
            stacklevel=4,  # at the call of the compiled function
        )


# ---- what differs between two calls


def _differences(new: Signature, old: Signature) -> Iterator[str]:
    """Return what differs between two calls of one structure."""
    places = _places(new.structure)
    for place, leaf, before in zip(places, new.leaves, old.leaves, strict=True):
        if leaf != before:
            yield f"{place} {_leaf_difference(leaf, before)}"
    if new.repetitions != old.repetitions:
        yield "other arguments are one and the same tensor"
    if new.recording != old.recording:
        yield f"gradients are {'' if new.recording else 'not '}recorded now"
    if new.transform != old.transform:
        yield f"it runs {'inside' if new.transform else 'outside'} of a transform such as grad now"


def _leaf_difference(leaf: tuple[Any, ...], before: tuple[Any, ...]) -> str:
    if len(leaf) != len(before):
        return f"is {_leaf_kind(leaf)}, before {_leaf_kind(before)}"
    if len(leaf) == 2:
        return f"is {_python_value(leaf)}, before {_python_value(before)}"
    parts = []
    if leaf[0] != before[0]:
        parts.append(f"has shape {leaf[0]}, before {before[0]}")
    if leaf[1] != before[1]:
        parts.append(f"is {leaf[1]}, before {before[1]}")
    if leaf[2] != before[2]:
        parts.append("is tracked for gradients now" if leaf[2] else "is no longer tracked for gradients")
    return " and ".join(parts)


def _leaf_kind(leaf: tuple[Any, ...]) -> str:
    return "a tensor" if len(leaf) == 3 else _python_value(leaf)


def _python_value(leaf: tuple[Any, ...]) -> str:
    kind, value = leaf
    return str(value) if kind in (float, complex) else repr(value)  # those two are kept as text


def _places(structure: Any) -> list[str]:
    """Return what to call each leaf of (positional arguments, keyword arguments)."""
    _, _, (positional, keywords) = structure
    places = []
    for number, child in enumerate(positional[2], 1):
        places += [f"argument {number}{path}" for path in _paths(child)]
    for name, child in zip(keywords[1], keywords[2], strict=True):
        places += [f"argument {name}{path}" for path in _paths(child)]
    return places


def _paths(structure: Any) -> Iterator[str]:
    if isinstance(structure, str):  # a leaf
        yield ""
        return
    kind, keys, children = structure
    for key, child in zip(keys if kind is dict else range(len(children)), children, strict=True):
        yield from (f"[{key!r}]{path}" for path in _paths(child))


# ---- what differs outside of the call


def _changed_outside(guard: Guard) -> str:
    if isinstance(guard, NoGradGuard):
        now, before = ("is no longer None", "None") if guard.value else ("is None", "a gradient")
        return f"the .grad of a tensor that it reaches {now}, before {before}"
    if isinstance(guard, CaptureGuard):
        buffer = guard.owner._ref.buffer
        shape, dtype = guard.value
        if (buffer.shape, buffer.dtype) != (shape, dtype):
            return f"a tensor that it reaches is {buffer.dtype}{buffer.shape}, before {dtype}{shape}"
        return "a tensor that it reaches is tracked for gradients in another way"
    name, current = guard.attribute.lstrip("_"), getattr(guard.owner, guard.attribute)
    if guard.words is not None:
        return guard.words(guard.value, current)
    return f"{type(guard.owner).__name__}.{name} is {current!r}, before {guard.value!r}"
