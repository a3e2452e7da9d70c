"""The run folder: all that is needed to repeat, resume and explain a run.

::

    run.json            data fingerprint, columns, split settings, model, optimizer, seed, versions,
                        openings of the test rows
    split.json          which rows are train, validation, test
    metrics.jsonl       a line per epoch
    checkpoints/        step-NNNNNNNN.safetensors and .json; torn ones are ignored
    model.safetensors   the best weights
    model.json          the model, the preprocessing and the classes
    evaluation.json     scores and error analysis, as shown in the report
    report.html         one self-contained file

No file holds code. Each is written aside, brought to the disk and renamed, so a run killed at any moment
leaves whole files (metrics.jsonl alone is appended to; a torn last line is dropped when it is read).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slopewise._version import __version__
from slopewise.engine.errors import RunError
from slopewise.train.checkpoints import Checkpoint, latest_checkpoint, save_checkpoint
from slopewise.train.files import (
    Tensors,
    checksum,
    read_json,
    tensors_from_bytes,
    tensors_to_bytes,
    to_json,
    write_bytes,
    write_error,
    write_json,
)

FORMAT = 1

_RUN = "run.json"
_SPLIT = "split.json"
_METRICS = "metrics.jsonl"
_CHECKPOINTS = "checkpoints"
_MODEL = "model.json"
_WEIGHTS = "model.safetensors"
_EVALUATION = "evaluation.json"
_REPORT = "report.html"
_OURS = {_RUN, _SPLIT, _METRICS, _CHECKPOINTS, _MODEL, _WEIGHTS, _EVALUATION, _REPORT}


class RunFolder:
    """A folder that holds one run; `RunFolder.create` makes a new one, `RunFolder.open` opens one.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "run"
    >>> run = RunFolder.create(folder, {"task": "classification"}, split={"train": [0, 2], "test": [1]})
    >>> run.append_metrics({"epoch": 1, "loss": 0.5})
    >>> RunFolder.open(folder).metrics()
    [{'epoch': 1, 'loss': 0.5}]
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    # ---- making and opening ------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str] | None,
        record: dict[str, Any],
        *,
        split: Mapping[str, Sequence[int] | NDArray[np.int64]],
        stem: str = "run",
    ) -> RunFolder:
        """Make the folder of a new run; call it once all input has been checked.

        Parameters
        ----------
        path : path or None
            None makes `runs/<stem>-<n>` under the current folder, with the first free n.
        record : dict
            What run.json is to hold; format, version and time are added. `record["data"]["name"]` and
            `record["target"]` tell whether an older run in the folder is a run of the same job.
        split : dict, name of a part -> row numbers
            What split.json is to hold.
        stem : str
            The name of the data, without suffix.

        Raises
        ------
        RunError
            If the folder holds a run of another job, a run of another format or foreign files, or cannot be
            written. The folder is then as it was.
        """
        made = _numbered_folder(stem) if path is None else _given_folder(Path(path), record)
        run = cls(made.path)
        heading = {"format": FORMAT, "slopewise": __version__, "created": _now(), "status": "training"}
        new_run, new_split = run.path / f"{_RUN}.new", run.path / f"{_SPLIT}.new"
        try:
            # Both are on the disk before anything older is removed: a full disk costs no older run.
            write_json(new_run, {**heading, **record, "test_openings": []})
            write_bytes(new_split, _line_per_part(split).encode())
            run._remove_older_files()
            os.replace(new_split, run.path / _SPLIT)
            os.replace(new_run, run.path / _RUN)
        except BaseException as error:
            new_run.unlink(missing_ok=True)
            new_split.unlink(missing_ok=True)
            if made.is_new:
                shutil.rmtree(run.path, ignore_errors=True)
            if isinstance(error, OSError):
                raise write_error(run.path, error) from error
            raise
        return run

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> RunFolder:
        """Open a run that exists.

        Raises
        ------
        RunError
            If there is no run in the folder, or one whose format this version does not read.
        """
        folder = Path(path)
        if not folder.is_dir():
            what = "is a file, not a run folder" if folder.exists() else "does not exist"
            raise RunError(f"{folder} {what}: give the folder that `slopewise fit` printed")
        if not (folder / _RUN).exists():
            raise RunError(
                f"{folder} holds no {_RUN}, so no run: give the folder that `slopewise fit` printed"
            )
        _check_format(folder)
        return cls(folder)

    def _remove_older_files(self) -> None:
        for name in sorted(_OURS - {_RUN}):
            path = self.path / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    # ---- run.json and split.json -------------------------------------------------------------------------

    @property
    def record(self) -> dict[str, Any]:
        """What run.json holds now."""
        record: dict[str, Any] = read_json(self.path / _RUN)
        return record

    def update(self, **changes: Any) -> None:
        """Replace entries of run.json."""
        write_json(self.path / _RUN, {**self.record, **changes})

    def record_opening(self, why: str, rows: int) -> None:
        """Write down that the test rows are about to be looked at; call it before looking."""
        opening = {"when": _now(), "why": why, "rows": rows}
        self.update(test_openings=[*self.record["test_openings"], opening])

    def split(self) -> dict[str, Any]:
        """Return what split.json holds."""
        split: dict[str, Any] = read_json(self.path / _SPLIT)
        return split

    def data_path(self) -> Path:
        """Return where the data of the run lies: as seen from the run folder, else as it was given to `fit`.

        Raises
        ------
        RunError
            If the run was made from a table in memory, or the file is no longer there.
        """
        data = self.record["data"]
        if data.get("path") is None:
            raise RunError(f"{self.path}: this run was fitted on a table in memory: pass the table itself")
        from_run = Path(os.path.normpath(self.path / data["path"]))
        for place in (from_run, Path(data["given"])):
            if place.is_file():
                return place
        raise RunError(f"the data of {self.path} is missing: put {data['name']} back at {from_run}")

    # ---- metrics.jsonl -----------------------------------------------------------------------------------

    def append_metrics(self, line: dict[str, Any]) -> None:
        """Add the line of an epoch to metrics.jsonl; NaN and infinities are written as null."""
        path = self.path / _METRICS
        try:
            with open(path, "a", encoding="utf-8") as file:
                file.write(to_json(line) + "\n")
        except OSError as error:
            raise write_error(path, error) from error

    def metrics(self) -> list[dict[str, Any]]:
        """Return the lines of metrics.jsonl; empty before the first epoch has ended."""
        path = self.path / _METRICS
        try:
            text = path.read_text("utf-8") if path.exists() else ""
        except OSError as error:
            raise RunError(f"cannot read {path}: {error.strerror}") from error
        whole, _, _torn = text.rpartition("\n")
        try:
            return [json.loads(line) for line in whole.splitlines()]
        except ValueError as error:
            raise RunError(f"{path} is damaged, a line is not JSON ({error}): fit again") from None

    def cut_metrics(self, epochs: int) -> None:
        """Drop the lines after `epochs`, as they will be made again when a run resumes from there."""
        lines = [to_json(line) + "\n" for line in self.metrics() if line["epoch"] <= epochs]
        write_bytes(self.path / _METRICS, "".join(lines).encode())

    # ---- checkpoints -------------------------------------------------------------------------------------

    def save_checkpoint(self, step: int, tensors: Tensors, state: dict[str, Any]) -> None:
        """Save a moment of training; see `save_checkpoint`."""
        save_checkpoint(self.path / _CHECKPOINTS, step, tensors, state)

    def latest_checkpoint(self) -> Checkpoint | None:
        """Return the newest whole checkpoint, or None; torn and damaged ones are passed over."""
        return latest_checkpoint(self.path / _CHECKPOINTS)

    # ---- the model ---------------------------------------------------------------------------------------

    def save_model(self, description: dict[str, Any], weights: Tensors) -> None:
        """Save the best weights and, in model.json, all that is needed to use them on a new table."""
        content = tensors_to_bytes(weights)
        write_bytes(self.path / _WEIGHTS, content)
        heading = {"format": FORMAT, "slopewise": __version__, "weights": checksum(content)}
        write_bytes(self.path / _MODEL, (json.dumps({**heading, **description}, indent=2) + "\n").encode())

    def load_model(self) -> tuple[dict[str, Any], Tensors]:
        """Return the description and the best weights.

        Raises
        ------
        RunError
            If the run has no model yet, or its files are damaged.
        """
        if not (self.path / _MODEL).exists():
            raise RunError(f"{self.path} holds no trained model yet: run `slopewise resume {self.path}`")
        description: dict[str, Any] = read_json(self.path / _MODEL)
        try:
            content = (self.path / _WEIGHTS).read_bytes()
        except OSError as error:
            raise RunError(f"cannot read {self.path / _WEIGHTS}: {error.strerror}") from error
        if checksum(content) != description["weights"]:
            raise RunError(
                f"{self.path / _WEIGHTS} is damaged, its checksum differs from {_MODEL}: fit again"
            )
        return description, tensors_from_bytes(content)

    # ---- results -----------------------------------------------------------------------------------------

    def save_evaluation(self, evaluation: dict[str, Any]) -> None:
        """Write evaluation.json: the scores and the error analysis that the report shows."""
        write_json(self.path / _EVALUATION, evaluation)

    def evaluation(self) -> dict[str, Any] | None:
        """Return what evaluation.json holds, or None while the run has not been evaluated."""
        path = self.path / _EVALUATION
        return read_json(path) if path.exists() else None

    @property
    def report_path(self) -> Path:
        """Where the report is, or will be."""
        return self.path / _REPORT

    def save_report(self, html: str) -> None:
        """Write report.html."""
        write_bytes(self.report_path, html.encode())


@dataclass(frozen=True)
class _Made:
    path: Path
    is_new: bool


def _line_per_part(split: Mapping[str, Sequence[int] | NDArray[np.int64]]) -> str:
    """A million row numbers, each on a line of its own, would be no use to a reader."""
    lines = [f"{json.dumps(name)}: [{_listed(np.asarray(rows, np.int64))}]" for name, rows in split.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _listed(rows: NDArray[np.int64]) -> str:
    """Join numbers by commas, some at a time: a million of them take 40 MB as Python's."""
    some = (rows[start : start + 65536] for start in range(0, len(rows), 65536))
    return ", ".join(", ".join(map(str, part.tolist())) for part in some)


def _numbered_folder(stem: str) -> _Made:
    """Make runs/<stem>-<n> with the first free n; two processes never get the same one."""
    number = 1
    while True:
        path = Path("runs") / f"{stem}-{number}"
        try:
            path.parent.mkdir(exist_ok=True)
            path.mkdir()
        except FileExistsError:
            if not path.parent.is_dir():
                raise RunError("cannot make the folder runs: a file of that name is in the way") from None
            number += 1
        except OSError as error:
            raise write_error(path, error) from error
        else:
            return _Made(path, is_new=True)


def _given_folder(path: Path, record: dict[str, Any]) -> _Made:
    """Make the folder that the user chose, or take it if it is empty or holds a run of the same job."""
    try:
        if not path.exists():
            path.mkdir(parents=True)
            return _Made(path, is_new=True)
        if not path.is_dir():
            raise RunError(f"cannot write the run to {path}: it is a file, not a folder")
        names = {entry.name for entry in path.iterdir()}
    except OSError as error:
        raise write_error(path, error) from error
    foreign = sorted(name for name in names if name.removesuffix(".part").removesuffix(".new") not in _OURS)
    if _RUN not in names and foreign:
        raise RunError(f"{path} is not empty (it holds {foreign[0]}) and not a run: choose another folder")
    if _RUN not in names:  # empty, or the rest of a run that was killed before it began
        return _Made(path, is_new=False)
    _check_format(path)
    older = read_json(path / _RUN)
    mine, theirs = _job(record), _job(older)
    if mine != theirs:
        raise RunError(
            f"{path} holds a run of another job ({theirs[0]}, target {theirs[1]}): "
            "choose another folder, or remove that one"
        )
    return _Made(path, is_new=False)


def _job(record: dict[str, Any]) -> tuple[str | None, str | None]:
    """What makes two runs the same job: the data's name and the target."""
    return record.get("data", {}).get("name"), record.get("target")


def _check_format(folder: Path) -> None:
    record = read_json(folder / _RUN)
    if not isinstance(record, dict) or "format" not in record or "slopewise" not in record:
        raise RunError(f"{folder / _RUN} is not the record of a slopewise run: choose another folder")
    if record["format"] != FORMAT:
        raise RunError(
            f"{folder} is a run of format {record['format']}, made by slopewise {record['slopewise']}; "
            f"slopewise {__version__} reads format {FORMAT}: use that version, or fit again"
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
