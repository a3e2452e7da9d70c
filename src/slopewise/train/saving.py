"""`slopewise.save` and `slopewise.load`: states of model, optimizer and loader in a file without code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from slopewise._version import __version__
from slopewise.engine.errors import ArgumentError, RunError
from slopewise.train.files import write_bytes
from slopewise.train.snapshot import Snapshot, pack, unpack

_FORMAT = "slopewise state 1"


class Stateful(Protocol):
    """What can be saved: a module, an optimizer, a loader, or anything else with these two methods."""

    def state_dict(self) -> Any: ...
    def load_state_dict(self, state: Any) -> Any: ...


def save(path: str | PathLike[str], *unnamed: Any, **objects: Stateful) -> None:
    """Write the states of objects to one file: weights, optimizer state, the position in the data.

    The file is a safetensors one: arrays, and JSON for all else. It holds no code, and is written whole or
    not at all.

    Parameters
    ----------
    path : where to write; a file that is there is replaced
    *unnamed : nothing; what stands here, as in PyTorch, is refused with the way to say it
    **objects : modules, optimizers, loaders, by names of your choice

    Raises
    ------
    ArgumentError
        If nothing is given by name, or something has no state that a file can hold.
    RunError
        If the file cannot be written; an older one then stays as it was.

    Examples
    --------
    >>> import tempfile
    >>> import slopewise as sw
    >>> model, other = sw.nn.Linear(2, 1), sw.nn.Linear(2, 1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sw.save(f"{folder}/model.safetensors", model=model)
    ...     sw.load(f"{folder}/model.safetensors", model=other)
    >>> bool((model.weight == other.weight).numpy().all())
    True
    """
    _check_objects("save", path, unnamed, objects)
    write_bytes(Path(path), _to_bytes({name: item.state_dict() for name, item in objects.items()}))


def load(path: str | PathLike[str], *unnamed: Any, **objects: Stateful) -> None:
    """Give objects the states that `save` wrote under the same names; what else is in the file is left alone.

    A safetensors file of bare weights, by path, such as other libraries write, loads into a single object.

    Parameters
    ----------
    path : a file that `save` wrote
    *unnamed : nothing, as for `save`
    **objects : modules, optimizers, loaders, made as those that were saved

    Raises
    ------
    RunError
        If the file is missing, damaged, or another kind of file.
    ArgumentError, ShapeError, DtypeError
        If the file holds no state of that name, or one that does not fit. No object is changed then.

    Examples
    --------
    See `save`.
    """
    _check_objects("load", path, unnamed, objects)
    states = _read(Path(path), tuple(objects))
    missing = [name for name in objects if name not in states]
    if missing:
        raise ArgumentError(f"{path} holds the states of {_listed(states)}, not of {_listed(missing)}")
    before = {name: item.state_dict() for name, item in objects.items()}
    changed: list[str] = []
    try:
        for name, item in objects.items():
            changed.append(name)
            item.load_state_dict(states[name])
    except BaseException:
        for name in changed[:-1]:  # the last one refused, and each is changed wholly or not at all
            objects[name].load_state_dict(before[name])
        raise


def _listed(names: Any) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _check_objects(verb: str, path: Any, unnamed: tuple[Any, ...], objects: Mapping[str, Any]) -> None:
    example = f"{verb}(path, model=model)"
    if not isinstance(path, str | PathLike):
        raise ArgumentError(f"{verb}: the path comes first, but this is {_kind(path)}; write {example}")
    if unnamed:
        raise ArgumentError(f"{verb}: what follows the path needs a name; write {example}")
    if not objects:
        raise ArgumentError(f"{verb} needs something by name, such as {example}")
    for name, item in objects.items():
        if isinstance(item, Mapping):
            raise ArgumentError(
                f"{verb}: {name} is {_kind(item)}; give the object itself, not its state_dict()"
            )
        stateful = hasattr(item, "state_dict") and hasattr(item, "load_state_dict")
        if isinstance(item, type) or not stateful:
            raise ArgumentError(f"{verb}: {name} is {_kind(item)}, which has no state to {verb}")


def _kind(item: Any) -> str:
    return f"the class {item.__name__}" if isinstance(item, type) else f"of type {type(item).__name__}"


def _to_bytes(states: dict[str, Any]) -> bytes:
    from safetensors.numpy import save as to_safetensors

    snapshot = pack(states)
    try:
        text = json.dumps(snapshot.state)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"a state holds something that no file can: {error}") from None
    arrays = {name: np.asarray(value, order="C") for name, value in snapshot.tensors.items()}
    return to_safetensors(arrays, {"format": _FORMAT, "slopewise": __version__, "state": text})


def _read(path: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the states in a file; bare weights are those of the only name."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no iterator)
    except FileNotFoundError:
        raise RunError(f"{path} does not exist") from None
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}") from error
    except (SafetensorError, TypeError, ValueError) as error:
        raise RunError(f"{path} is damaged, or no file that slopewise.save wrote ({error})") from None
    if "state" not in metadata:
        if len(names) == 1:
            return {names[0]: arrays}
        raise RunError(
            f"{path} holds bare weights: load them into one object, such as load(path, model=model)"
        )
    if metadata.get("format") != _FORMAT:
        raise RunError(
            f"{path} has format {metadata.get('format')!r}, this version of slopewise reads {_FORMAT!r}"
        )
    return unpack(Snapshot(arrays, json.loads(metadata["state"])))
