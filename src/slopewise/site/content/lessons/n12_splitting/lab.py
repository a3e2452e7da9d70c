"""The lab of splitting: one small file, cut in several ways, and what each way reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from slopewise.site.content.lessons.n12_splitting.patients import (
    FRESH,
    FRESH_PATIENTS,
    ILL,
    PATIENTS,
    ROWS,
    ROWS_EACH,
    WAYS,
    Numbers,
    World,
    accuracy,
    collect,
    folds,
    fresh,
    one_split,
)
from slopewise.site.drawing import draw_strips
from slopewise.site.labs import Choice, Figure, Frame, Lab, Prediction, Table, Values, Whole

_CLOSE = 0.08  # scores that differ by less count as alike


def run(values: Values) -> list[Frame]:
    """Cut the file as the settings say, and show each stage."""
    seed, way = int(values["seed"]), str(values["way"])
    world = collect(seed)
    if values["scheme"] == "folds":
        return _Folds(world, way, seed, int(values["k"])).frames()
    return _Split(world, way, seed).frames()


def percent(share: float) -> str:
    """Return a share as a whole number of percent."""
    return f"{100 * share:.0f}%"


def _shared(world: World, part: Numbers, learned: Numbers) -> int:
    return len(set(world.patient[part].tolist()) & set(world.patient[learned].tolist()))


def _fate(reported: float, true: float, what: str) -> Prediction:
    gap = reported - true
    answer = 1 if abs(gap) < _CLOSE else 0 if gap > 0 else 2
    return Prediction(
        f"How will {what} compare with the score on {FRESH:,} rows of {FRESH_PATIENTS:,} "
        "patients whom nobody has seen?",
        ("Clearly higher", f"Within {100 * _CLOSE:.0f} points of it", "Clearly lower"),
        answer,
        f"It is {percent(reported)}, and on fresh patients {percent(true)}.",
    )


class _Split:
    """Training, validation and test, cut once."""

    def __init__(self, world: World, way: str, seed: int) -> None:
        self.world, self.way = world, way
        self.parts = one_split(world, way, seed)
        self.learned = self.parts["training"]
        self.scores = {
            name: accuracy(world, self.learned, world.X[rows], world.y[rows])
            for name, rows in self.parts.items()
        }
        new = fresh(seed)
        self.true = accuracy(world, self.learned, new.X, new.y)

    def frames(self) -> list[Frame]:
        return [
            self._frame(
                "The file",
                f"{ROWS} rows of {PATIENTS} patients, {ROWS_EACH} rows each; the last {ILL} patients are "
                "ill. The file lies in the order in which it was collected.",
                (),
                prediction=_fate(self.scores["test"], self.true, "the test score"),
            ),
            self._frame("First cut: the test rows", self._test_words(), ("test",)),
            self._frame(
                "Second cut: validation and training",
                f"Of the other rows, {len(self.parts['validation'])} become validation rows. The model "
                f"learns from the {len(self.learned)} that are left. {self._shared_words()}",
                ("test", "validation", "training"),
            ),
            self._frame(
                "Learn, and look at the validation rows",
                f"On the rows that it learned, the model scores {percent(self.scores['training'])}: it "
                f"remembers them. On the validation rows it scores {percent(self.scores['validation'])}. "
                "That number may be looked at often: it chooses between models.",
                ("test", "validation", "training"),
                shown=("training", "validation"),
            ),
            self._frame(
                "Open the test rows, once",
                f"The test score is {percent(self.scores['test'])}. It judges; it chooses nothing. "
                "Answering always “healthy” would score "
                f"{percent(1 - self.world.y[self.parts['test']].mean())} on these rows.",
                ("test", "validation", "training"),
                shown=("training", "validation", "test"),
            ),
            self._frame(
                "What is true",
                f"On {FRESH:,} rows of patients whom nobody has seen, the same model scores "
                f"{percent(self.true)}. {self._lesson()}",
                ("test", "validation", "training"),
                shown=("training", "validation", "test", "fresh"),
            ),
        ]

    def _test_words(self) -> str:
        test = self.parts["test"]
        ill = int(self.world.y[test].sum())
        return (
            f"{len(test)} rows are put into an envelope, {WAYS[self.way]}: {ill} of them are ill, "
            f"{percent(ill / len(test))}; in the whole file it is {percent(self.world.y.mean())}."
        )

    def _shared_words(self) -> str:
        shared = _shared(self.world, self.parts["test"], self.learned)
        return f"{shared} patients have rows both among the test rows and among those the model learns from."

    def _lesson(self) -> str:
        return {
            "order": "The file was sorted, so the parts are unlike each other: the test rows hold a class "
            "that training has hardly seen. Shuffle.",
            "shuffle": f"{self._verdict()} Shuffling cannot keep rows of one patient on one side.",
            "stratify": f"{self._verdict()} Stratifying makes the classes' shares alike, and nothing else.",
            "group": "No patient is on both sides, so the test rows are as new as fresh patients. The "
            "score of so few patients is noisy, but nothing flatters it.",
        }[self.way]

    def _verdict(self) -> str:
        if self.scores["test"] - self.true < _CLOSE:
            return "The test score happens to be near the truth, though rows of its patients were learned."
        return "The test score flatters: other rows of the same patients were learned."

    def _frame(
        self,
        title: str,
        words: str,
        lanes: Sequence[str],
        shown: Sequence[str] = (),
        prediction: Prediction | None = None,
    ) -> Frame:
        parts: Mapping[str, Numbers] = {name: self.parts[name] for name in ("training", "validation", "test")}
        cut = np.concatenate([self.parts[name] for name in lanes]) if lanes else np.array([], dtype=np.int64)
        rest = np.setdiff1d(np.arange(ROWS), cut)
        drawn = {name: parts[name] if name in lanes else np.array([], dtype=np.int64) for name in parts}
        if len(rest):
            drawn = {"the file": rest, **drawn}
        figures = [
            Figure(_KEY, draw_rows(self.world, drawn, current="test" if "test" in shown else ""), True)
        ]
        if shown:
            figures.append(Figure("Accuracy by part", self._scores(shown), True))
        return Frame(title, words, figures=figures, table=self._table(lanes, shown), prediction=prediction)

    def _scores(self, shown: Sequence[str]) -> str:
        shares = [
            (name, self.scores[name] if name in shown else None)
            for name in ("training", "validation", "test")
        ]
        rules = [("fresh patients " + percent(self.true), self.true, "backward")] if "fresh" in shown else []
        return draw_strips(shares, rules, title="Accuracy by part", current="test" if "test" in shown else "")

    def _table(self, lanes: Sequence[str], shown: Sequence[str]) -> Table:
        rows = []
        for name in ("training", "validation", "test"):
            if name in lanes:
                part = self.parts[name]
                rows.append(
                    (
                        name,
                        str(len(part)),
                        str(int(self.world.y[part].sum())),
                        percent(float(self.world.y[part].mean())),
                        str(_shared(self.world, part, self.learned)) if "training" in lanes else "not yet",
                        percent(self.scores[name]) if name in shown else "not yet",
                    )
                )
        if not rows:
            ill = int(self.world.y.sum())
            rows.append(("whole file", str(ROWS), str(ill), percent(ill / ROWS), "not yet", "not yet"))
        columns = ("Part", "Rows", "Ill", "Share ill", "Patients also in training", "Accuracy")
        return Table("The parts", columns, rows)


class _Folds:
    """k-fold cross-validation, one fold at a time."""

    def __init__(self, world: World, way: str, seed: int, k: int) -> None:
        self.world, self.way, self.k = world, way, k
        self.folds = folds(world, way, k, seed)
        self.scores = [accuracy(world, learned, world.X[test], world.y[test]) for learned, test in self.folds]
        new = fresh(seed)
        self.true = accuracy(world, np.arange(ROWS), new.X, new.y)
        self.mean, self.spread = float(np.mean(self.scores)), float(np.std(self.scores, ddof=1))

    def frames(self) -> list[Frame]:
        made = [
            self._frame(
                "The file, dealt into folds",
                f"{ROWS} rows of {PATIENTS} patients are dealt into {self.k} folds, {WAYS[self.way]}. Each "
                "fold will be the test part once, and the model learns from the others.",
                0,
                _fate(self.mean, self.true, "the mean over the folds"),
            )
        ]
        for number in range(1, self.k + 1):
            learned, test = self.folds[number - 1]
            made.append(
                self._frame(
                    f"Fold {number} of {self.k}",
                    f"The model learns from {len(learned)} rows and is judged on the {len(test)} of fold "
                    f"{number}: {percent(self.scores[number - 1])}. {_shared(self.world, test, learned)} "
                    "patients are on both sides.",
                    number,
                )
            )
        made.append(self._frame("Mean and spread", self._summary(), self.k + 1))
        made.append(
            self._frame(
                "What is true",
                f"On {FRESH:,} rows of patients whom nobody has seen, a model that learned all {ROWS} rows "
                f"scores {percent(self.true)}; the folds said {percent(self.mean)}. {self._lesson()}",
                self.k + 2,
            )
        )
        return made

    def _summary(self) -> str:
        low, high = min(self.scores), max(self.scores)
        return (
            f"The folds scored from {percent(low)} to {percent(high)}: mean {percent(self.mean)}, standard "
            f"deviation {percent(self.spread)}. One split alone would have shown you one of these numbers, "
            "and not how much it depends on luck."
        )

    def _lesson(self) -> str:
        if self.way == "group":
            return "No patient was on both sides, so each fold was as new as fresh patients are."
        if self.way == "order":
            return "The file was sorted: some folds hold a class that the model hardly saw. Shuffle first."
        return (
            "Averaging cannot mend a split: in every fold the model had learned other rows of the patients "
            "that it was judged on."
        )

    def _frame(self, title: str, words: str, stage: int, prediction: Prediction | None = None) -> Frame:
        lanes = {f"fold {number}": test for number, (_, test) in enumerate(self.folds, start=1)}
        current = f"fold {stage}" if 1 <= stage <= self.k else ""
        figures = [Figure(_KEY, draw_rows(self.world, lanes, current=current), True)]
        if stage:
            figures.append(Figure("Accuracy by fold", self._scores(stage), True))
        return Frame(title, words, figures=figures, table=self._table(stage), prediction=prediction)

    def _scores(self, stage: int) -> str:
        shares = [
            (f"fold {number}", score if number <= stage else None)
            for number, score in enumerate(self.scores, start=1)
        ]
        rules = []
        if stage == self.k + 1:
            rules.append((f"mean {percent(self.mean)}", self.mean, "forward"))
        if stage > self.k + 1:
            rules.append((f"fresh patients {percent(self.true)}", self.true, "backward"))
        return draw_strips(shares, rules, title="Accuracy by fold", current=f"fold {stage}")

    def _table(self, stage: int) -> Table:
        rows = []
        for number, (learned, test) in enumerate(self.folds, start=1):
            rows.append(
                (
                    str(number),
                    str(len(test)),
                    str(int(self.world.y[test].sum())),
                    str(_shared(self.world, test, learned)),
                    percent(self.scores[number - 1]) if number <= stage else "not yet",
                )
            )
        current = stage - 1 if 1 <= stage <= self.k else None
        return Table(
            "The folds",
            ("Fold", "Rows", "Ill", "Patients also in training", "Accuracy"),
            rows,
            current=current,
        )


_KEY = "Each square is a row, in the order of the file; filled is ill. Four squares are one patient"
_CELL, _GAP, _LEFT, _LANE = 9, 3, 84, 26


def draw_rows(world: World, lanes: Mapping[str, Numbers], current: str) -> str:
    """Return a picture of all rows: across by their place in the file, down by their part."""
    width = _LEFT + PATIENTS * (ROWS_EACH * _CELL + _GAP) + 4
    height = 24 + _LANE * len(lanes)
    marks = []
    for patient in range(PATIENTS):
        x = _LEFT + patient * (ROWS_EACH * _CELL + _GAP)
        middle = x + ROWS_EACH * _CELL / 2
        marks.append(f'<text class="patient" x="{middle:g}" y="13" text-anchor="middle">{patient + 1}</text>')
    for lane, (name, rows) in enumerate(lanes.items()):
        y = 20 + lane * _LANE
        kind = "lane current" if name == current else "lane"
        cells = []
        for row in rows.tolist():
            patient, within = divmod(row, ROWS_EACH)
            x = _LEFT + patient * (ROWS_EACH * _CELL + _GAP) + within * _CELL
            ill = "ill" if world.y[row] else "healthy"
            cells.append(
                f'<rect class="{ill}" x="{x}" y="{y + 5}" width="{_CELL - 2}" height="14" rx="1.5"/>'
            )
        marks.append(
            f'<g class="{kind}"><path d="M{_LEFT} {y + 12}H{width - 4}"/>'
            f'<text class="name" x="{_LEFT - 10}" y="{y + 16}" text-anchor="end">{escape(name)}</text>'
            + "".join(cells)
            + "</g>"
        )
    described = "; ".join(
        f"{name}: {len(rows)} rows, {int(world.y[rows].sum())} ill" for name, rows in lanes.items()
    )
    return (
        f'<svg class="rows-picture" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="Rows by part"><desc>{escape(described)}</desc>{"".join(marks)}</svg>'
    )


LAB = Lab(
    title="Cut one file in many ways",
    task="The model only remembers: it answers with the class of the nearest row that it has learned. "
    "Choose how to split, say what the score will be worth, and step.",
    settings=(
        Choice("way", "How rows are dealt", "shuffle", tuple(WAYS.items())),
        Choice("scheme", "Scheme", "split", (("split", "one split in three"), ("folds", "k folds"))),
        Whole("k", "Folds", 4, 2, 10, only_when=("scheme", ("folds",))),
        Whole("seed", "Seed", 1, 0, 99, note="other patients, another deal"),
    ),
    run=run,
    step_name="stage",
)
