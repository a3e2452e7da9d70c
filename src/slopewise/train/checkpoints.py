"""Checkpoints: moments of training in a folder, whole or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slopewise.train.files import (
    Tensors,
    checksum,
    tensors_from_bytes,
    tensors_to_bytes,
    write_bytes,
    write_error,
)

FORMAT = 1
CHECKPOINTS_KEPT = 2  # the newest and one older, should the newest be torn


@dataclass(frozen=True)
class Checkpoint:
    """A moment of training, as it was saved.

    Attributes
    ----------
    step : int
        The number of updates made.
    tensors : dict of read-only arrays
    state : dict
        The rest of the state, as plain values.
    """

    step: int
    tensors: Tensors
    state: dict[str, Any]


def save_checkpoint(
    folder: Path, step: int, tensors: Tensors, state: dict[str, Any], kept: int = CHECKPOINTS_KEPT
) -> None:
    """Write a checkpoint aside, bring it to the disk and rename it; remove the older ones beyond `kept`.

    Parameters
    ----------
    folder : Path
        Is made if it is not there.
    step : int
        The number of updates made.
    tensors : dict of arrays
    state : dict
        The rest, as JSON can hold it: it comes back equal, NaN and infinities included.

    Raises
    ------
    RunError
        If it cannot be written; what was there stays.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error
    weights = tensors_to_bytes(tensors)
    text = json.dumps(state)
    head = {"format": FORMAT, "step": step, "tensors": checksum(weights), "state": checksum(text.encode())}
    stem = folder / f"step-{step:08d}"
    # The weights first: a checkpoint counts once its .json, which holds their checksum, is there.
    write_bytes(stem.with_suffix(".safetensors"), weights)
    write_bytes(stem.with_suffix(".json"), (json.dumps(head) + "\n" + text + "\n").encode())
    for older in _stems(folder)[kept:]:
        older.with_suffix(".json").unlink(missing_ok=True)
        older.with_suffix(".safetensors").unlink(missing_ok=True)


def latest_checkpoint(folder: Path) -> Checkpoint | None:
    """Return the newest whole checkpoint of a folder, or None; torn and damaged ones are passed over."""
    for stem in _stems(folder):
        checkpoint = _read_checkpoint(stem)
        if checkpoint is not None:
            return checkpoint
    return None


def _stems(folder: Path) -> list[Path]:
    """The checkpoints that may be whole, newest first."""
    found = folder.glob("step-*.json")
    numbered = [path.with_suffix("") for path in found if path.stem.removeprefix("step-").isdecimal()]
    return sorted(numbered, key=lambda stem: int(stem.name.removeprefix("step-")), reverse=True)


def _read_checkpoint(stem: Path) -> Checkpoint | None:
    """Return the checkpoint, or None if any part of it is missing, cut short or changed."""
    try:
        head_text, _, text = stem.with_suffix(".json").read_text("utf-8").rstrip("\n").partition("\n")
        head = json.loads(head_text)
        weights = stem.with_suffix(".safetensors").read_bytes()
    except (OSError, ValueError):
        return None
    if not isinstance(head, dict) or head.get("format") != FORMAT or head.get("tensors") != checksum(weights):
        return None
    if head.get("state") != checksum(text.encode()):
        return None
    return Checkpoint(head["step"], tensors_from_bytes(weights), json.loads(text))
