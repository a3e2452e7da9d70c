"""Loading named values into named tensors: all of them, or none and an error that lists what does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from slopewise.engine.aval import Dtype
from slopewise.engine.creation import as_array, tensor
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError, SlopewiseError
from slopewise.engine.mode import no_grad
from slopewise.engine.tensor import Tensor

_LISTED = 6  # how many names an error lists


class LoadResult(NamedTuple):
    """What `load_state_dict(strict=False)` passed over."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def load_into(
    owner: str, targets: Mapping[str, Tensor], optional: set[str], state: Mapping[str, Any], strict: bool
) -> LoadResult:
    """Write `state` into `targets`; see `Module.load_state_dict`."""
    missing = [name for name in targets if name not in state and name not in optional]
    unexpected = [name for name in state if name not in targets]
    if strict and (missing or unexpected):
        raise ArgumentError(f"the state dict does not fit {owner}: " + _describe(missing, unexpected))
    values = {name: _as_tensor(name, state[name]) for name in targets if name in state}
    _check_values(owner, targets, values)
    with no_grad():
        for name, value in values.items():
            targets[name].copy_(value)
    return LoadResult(missing, unexpected)


def _describe(missing: list[str], unexpected: list[str]) -> str:
    parts = []
    if missing:
        parts.append(f"missing {_listed(missing)}")
    if unexpected:
        parts.append(f"unexpected {_listed([_with_guess(name, missing) for name in unexpected])}")
    return "; ".join(parts) + "; pass strict=False to load the names that both have"


def _with_guess(name: str, missing: list[str]) -> str:
    near = get_close_matches(name, missing, 1, cutoff=0.8)
    return f"'{name}' (is it '{near[0]}'?)" if near else f"'{name}'"


def _listed(names: Iterable[str]) -> str:
    quoted = [name if name.startswith("'") else f"'{name}'" for name in names]
    more = len(quoted) - _LISTED
    return ", ".join(quoted[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def _as_tensor(name: str, value: Any) -> Tensor:
    if hasattr(value, "detach"):  # a PyTorch parameter converts to an array only without its gradient
        value = value.detach()
    if isinstance(value, Tensor):
        return value
    try:
        return tensor(as_array(value))
    except SlopewiseError as error:
        raise type(error)(f"'{name}' in the state dict: {error}") from None


def _check_values(owner: str, targets: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    shapes = [
        f"'{name}' is {targets[name].shape} here and {value.shape} in the state dict"
        + (" (transposed?)" if value.ndim == 2 and value.shape == targets[name].shape[::-1] else "")
        for name, value in values.items()
        if value.shape != targets[name].shape
    ]
    if shapes:
        more = len(shapes) - _LISTED
        listed = "; ".join(shapes[:_LISTED]) + (f"; and {more} more" if more > 0 else "")
        raise ShapeError(f"the state dict does not fit {owner}: {listed}")
    for name, value in values.items():
        if not _fits(value.dtype, targets[name].dtype):
            raise DtypeError(
                f"the state dict does not fit {owner}: '{name}' is {targets[name].dtype} here "
                f"and {value.dtype} in the state dict"
            )


def _fits(given: Dtype, wanted: Dtype) -> bool:
    """Tell whether values may be converted: among floats, among integers, and from integers to floats."""
    return given == wanted or (wanted.kind in "iuf" and given.kind in "iu") or given.kind == wanted.kind
