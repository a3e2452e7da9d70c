"""A training in a worker process: made from a design, moved to any update, looked at."""

from __future__ import annotations

import base64
import math
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import slopewise as sw
from slopewise.site.labs.settings import Values
from slopewise.site.playground import plan
from slopewise.site.playground.by_hand import set_by_hand
from slopewise.site.playground.custom_trainer import CustomTrainer
from slopewise.site.playground.design import MOST_UPDATES, Design, check_design
from slopewise.site.playground.own import OwnTable
from slopewise.site.playground.rows import Rows, make_rows
from slopewise.site.playground.view import look
from slopewise.site.playground.words import in_words
from slopewise.train.snapshot import Snapshot
from slopewise.train.trainer import Trainer

RECENT = 80  # snapshots kept in the worker, so that a step back makes one update only
PARTS = ("train", "validation", "test")


class Training:
    """One design under training.

    Attributes
    ----------
    step : int
        How many updates have been made.
    """

    def __init__(self, design: Design) -> None:
        self.design = design
        self.rows: Rows = make_rows(design)
        sw.manual_seed(design.whole("seed"))
        self.model = plan.model_call(design).make()
        self._edits = plan.edits_of(design)
        set_by_hand(self.model, self._edits, 0)  # type: ignore[no-untyped-call]
        optimizer = plan.optimizer_call(design).make({"model.parameters()": list(self.model.parameters())})
        kind = CustomTrainer if design.has_custom_update else sw.Trainer
        self.trainer: Trainer = kind(self.model, optimizer=optimizer, **plan.trainer_keywords(design))
        if design.has_custom_update:
            self.trainer.l1 = design.number("l1")
        callback = plan.callback_call(design)
        X, y = self.rows.part("train")
        self.trainer.begin(
            X,
            y,
            validation=self.rows.part("validation") if callback else None,
            epochs=MOST_UPDATES,
            batch_size=plan.batch_size(design, len(y)),
            shuffle=bool(design.values["shuffle"]),
            callbacks=[callback.make()] if callback else [],
        )
        self.batch_loss = math.nan
        self.epochs = 0.0
        self._first = self.trainer.snapshot()
        self._recent: OrderedDict[int, Snapshot] = OrderedDict()

    @property
    def step(self) -> int:
        """How many updates have been made."""
        return self.trainer.step

    @property
    def has_diverged(self) -> bool:
        """Whether the loss is no longer a number."""
        return self.step > 0 and not math.isfinite(self.batch_loss)

    def advance_to(self, step: int, seconds: float) -> list[list[float | None]]:
        """Make updates up to a step or until the time has passed, at least one; return new points."""
        until = time.perf_counter() + seconds
        points = [self.point()] if self.step == 0 else []
        while self.step < step:
            self._advance()
            if is_point(self.step) or self.has_diverged:
                points.append(self.point())
            if self.has_diverged or time.perf_counter() >= until:
                break
        return points

    def go_back_to(self, step: int, snapshots: Mapping[int, Snapshot]) -> None:
        """Restore the nearest state before a step: an update is left to make, which makes gradients."""
        known = {0: self._first, **snapshots, **self._recent}
        start = max(at for at in known if at < step or at == 0)
        self.trainer.restore(known[start])
        self.batch_loss = math.nan
        for parameter in self.model.parameters():
            parameter.grad = None

    def snapshot(self) -> Snapshot:
        """Return the whole state."""
        return self.trainer.snapshot()

    def point(self) -> list[float | None]:
        """Return step, loss of the last batch, then loss and score of each part."""
        numbers: list[float | None] = [self.step, _number(self.batch_loss)]
        for part in PARTS:
            scores = self.trainer.evaluate(*self.rows.part(part))
            numbers += [_number(scores["loss"]), _number(scores[self.design.metric])]
        return numbers

    def view(self) -> dict[str, Any]:
        """Return what the page draws of this state."""
        seen = {
            "step": self.step,
            "epoch": round(self.trainer.epochs_done, 4),
            "lr": float(self.trainer.optimizer.lr),
            "scores": self.point(),
            **look(self.design, self.rows, self.trainer),
        }
        counts = {part: len(places) for part, places in self.rows.places.items()}
        return seen | {"words": in_words(self.design, seen, counts)}

    def _advance(self) -> None:
        before = _sums(self.trainer)
        if not self.trainer.advance():
            self.trainer.finish_epoch()
            self.trainer._current_run().history.records.clear()  # the curve is kept elsewhere
            self.trainer.stop_reason = ""
            before = (0.0, 0.0)
            self.trainer.advance()
        after = _sums(self.trainer)
        self.batch_loss = (after[0] - before[0]) / (after[1] - before[1])
        set_by_hand(self.model, self._edits, self.step)  # type: ignore[no-untyped-call]
        self._keep()

    def _keep(self) -> None:
        self._recent[self.step] = self.trainer.snapshot()
        self._recent.move_to_end(self.step)
        while len(self._recent) > RECENT:
            self._recent.popitem(last=False)


def is_point(step: int) -> bool:
    """Tell whether the curve has a point at a step: at each of the first ones, then ever more seldom."""
    every = 1 if step <= 60 else 5 if step <= 500 else 20 if step <= 3000 else 100
    return step % every == 0


def _sums(trainer: Any) -> tuple[float, float]:
    running = trainer.run.running
    return (float(running["loss"][0]), float(running["loss"][1])) if running else (0.0, 0.0)


def _number(value: float) -> float | None:
    return float(f"{value:.7g}") if math.isfinite(value) else None


# ---- what crosses the pipe


def write_snapshot(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot as JSON holds it."""
    tensors = {
        name: [
            str(array.dtype),
            list(array.shape),
            base64.b64encode(np.ascontiguousarray(array).tobytes()).decode(),
        ]
        for name, array in snapshot.tensors.items()
    }
    return {"tensors": tensors, "state": snapshot.state}


def read_snapshot(value: Mapping[str, Any]) -> Snapshot:
    """Return what `write_snapshot` wrote."""
    tensors = {name: _array(*parts) for name, parts in value["tensors"].items()}
    return Snapshot(tensors, value["state"])


def _array(dtype: str, shape: list[int], text: str) -> NDArray[Any]:
    return np.frombuffer(base64.b64decode(text), dtype=dtype).reshape(shape).copy()


_last: tuple[str, str, Training] | None = None  # the worker's last job: its next slice needs no new start


def answer_training(request: Mapping[str, Any]) -> dict[str, Any]:
    """Serve one slice of a job: go to a step, or as far as the time allows."""
    global _last
    values: Values = request["values"]
    key = (str(request["job"]), repr(sorted(values.items())))
    step, start = int(request["until"]), int(request["step"])
    if _last is not None and _last[:2] == key:
        training = _last[2]
    else:
        own = OwnTable.from_json(request["own"]) if request.get("own") else None
        training = Training(check_design(values, own))
        _last = (*key, training)
    given = {int(at): read_snapshot(value) for at, value in request["snapshots"].items()}
    if training.step != start or step <= start:
        if step <= start or start not in given:
            training.go_back_to(step, given)
        else:
            training.trainer.restore(given[start])
    points = training.advance_to(step, float(request["seconds"]))
    return {
        "step": training.step,
        "points": points,
        "diverged": training.has_diverged,
        "view": training.view(),
        "snapshot": write_snapshot(training.snapshot()),
    }
