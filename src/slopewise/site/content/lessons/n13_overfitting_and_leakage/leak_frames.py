"""The frames of the leaks: the file, what is done to it, the score, and the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slopewise.site.content.lessons.n13_overfitting_and_leakage.leaks import (
    COLUMNS,
    FILES,
    KEPT,
    LEAKS,
    NEW,
    PATIENTS,
    ROWS_EACH,
    TRIED,
    TRIES,
    Floats,
    Outcome,
)
from slopewise.site.drawing import Plot, Scale, linear
from slopewise.site.drawing.scale import covering
from slopewise.site.labs import Figure, Frame, Prediction, Table, Values

_CLOSE, _FAR = 0.04, 0.15  # mean scores that differ by less count as alike; by more, as far apart
Point = tuple[float, float]


@dataclass(frozen=True)
class _Story:
    """What is told of a leak: the file, the wrong way and the right one, and the reason.

    `opened` is the log of the envelope with the test rows, if it leaks.
    """

    file: str
    wrong: str
    right: str
    reason: str
    caption: str
    opened: str


_STORIES = {
    "columns": _Story(
        f"60 rows, {COLUMNS} columns, and a target by toss of a coin. Nothing in this file says anything "
        "about the target: the best possible score is 50%.",
        f"We look for the {KEPT} columns that go with the target best, **over all rows**. Then we split.",
        f"We split first. Then we look for the {KEPT} columns that go with the target best, over the "
        "training rows.",
        f"Among {COLUMNS} columns of noise, some go with the target by chance. Chosen over all rows, they go "
        "with it on the test rows as well, since those had a say. On new rows the chance is gone.",
        "A dot is a column: its correlation with the target on training rows (across) and test rows (up). "
        "Blue: kept",
        "twice: to choose columns, to judge",
    ),
    "scale": _Story(
        "32 rows of two columns. The two classes overlap.",
        "We subtract the mean and divide by the spread **of all rows**. Then we split.",
        "We split first. Mean and spread come from the training rows.",
        "It is a leak in principle, and here it moves next to nothing: the mean hardly depends on a few "
        "rows, and knows nothing of their target. Do it right all the same: it costs nothing, and other "
        "scalers and small groups are less kind.",
        "Filled: training rows; rust rings: test rows. Blue ring: mean of the training rows; blue dot: of "
        "all",
        "twice: for mean and spread, to judge",
    ),
    "peek": _Story(
        f"60 rows of 12 columns, each of which says a little about the target. We will train {TRIES} models, "
        f"each on {TRIED} columns drawn by lot, and keep one.",
        f"We look at the score of all {TRIES} **on the test rows**, keep the best, and report its score.",
        f"We look at the score of all {TRIES} on validation rows, keep the best, and open the test rows for "
        "it alone.",
        f"The {TRIES} models are about alike. The best of so many scores is mostly the luckiest, and luck "
        "does not come along to new rows. Whatever chooses, flatters: so the rows that choose may not judge.",
        "A dot is a model, by its score on the rows that choose. Blue: kept",
        f"{TRIES} times, once for each model",
    ),
    "groups": _Story(
        f"{PATIENTS} patients, {ROWS_EACH} rows each. Rows of one patient lie near each other. The model is "
        "a memory: it answers with the class of the nearest row that it learned.",
        f"We split the {PATIENTS * ROWS_EACH} rows **by lot**, whoever they belong to.",
        "We split by patient: all rows of one are on the same side.",
        "By lot, nearly every test row has a row of the same patient among the training rows. The model "
        "recognises the patient and need not know the illness. New rows belong to new patients.",
        "Small: training rows. Rust: test rows whose patient was learned; blue rings: test rows of others",
        "once; but its patients were known",
    ),
    "copies": _Story(
        "40 rows. Two exports were merged, and each row is in the file twice. The model is a memory: it "
        "answers with the class of the nearest row that it learned.",
        "We split the 80 rows **as they lie**, by lot.",
        "We remove the copies. Then we split the 40 rows that are left.",
        "Most test rows have their twin among the training rows, with the answer. Copying rare rows to "
        "balance the classes before the split is the same mistake.",
        "Small: training rows. Rust: test rows whose twin was learned; blue rings: test rows without a twin",
        "once; but copies of its rows lay outside",
    ),
    "later": _Story(
        "60 patients, a measurement, and a column that says who was treated. In the file nearly all the ill "
        "were treated, and nearly nobody else.",
        "We learn from both columns. **Treatment comes after the diagnosis**; in the file all is long over.",
        "We ask of each column when it is known. Treatment is known too late: we leave it out.",
        "For who comes in new, nobody has decided on a treatment: the column says no for all. The split "
        "could not see it, because training and test rows come from the same finished file.",
        "Across: the measurement; up: treated or not. Filled: ill; hollow: healthy",
        "once; it holds the answer as well",
    ),
}


class LeakFrames:
    """One leak in many files, with and without."""

    def __init__(self, values: Values) -> None:
        self.name, seed = str(values["trap"]), int(values["seed"])
        self.mended = bool(values["mended"])
        self.story = _STORIES[self.name]
        leak = LEAKS[self.name]
        self.both: dict[bool, Outcome] = {way: leak(seed, way) for way in (False, True)}
        self.outcome = self.both[self.mended]

    def frames(self) -> list[Frame]:
        """Return the stages: the file, the work, the score, the truth, and many files."""
        outcome, story = self.outcome, self.story
        test, new = float(outcome.reported[0]), float(outcome.true[0])
        return [
            self._frame("The file", story.file, 0, self._ask()),
            self._frame("What is done to it", story.right if self.mended else story.wrong, 1),
            self._frame(
                "Learn, and open the test rows",
                f"The model learns from the training rows and judges {_percent(test)} of the test rows "
                "right. The log of their envelope says: opened "
                f"{'once: to judge' if self.mended else story.opened}.",
                2,
            ),
            self._frame(
                "What is true",
                f"On {NEW:,} new rows, as they come in daily use, it is right in {_percent(new)} of cases.",
                3,
            ),
            self._frame(f"The same with {FILES} files", self._ending(), 4),
        ]

    def _ask(self) -> Prediction:
        gap, outcome = self.outcome.gap, self.outcome
        way = "The leak is mended" if self.mended else "Look at what will be done to this file"
        return Prediction(
            f"{way}: {self.story.right if self.mended else self.story.wrong} Over {FILES} such files, how "
            "will the mean test score compare with the score on new rows?",
            (
                f"More than {100 * _FAR:.0f} points too high",
                f"{100 * _CLOSE:.0f} to {100 * _FAR:.0f} points too high",
                f"Within {100 * _CLOSE:.0f} points",
                f"More than {100 * _CLOSE:.0f} points too low",
            ),
            0 if gap > _FAR else 1 if gap > _CLOSE else 2 if gap >= -_CLOSE else 3,
            f"The tests say {_percent(float(outcome.reported.mean()))}, new rows "
            f"{_percent(float(outcome.true.mean()))}.",
        )

    def _ending(self) -> str:
        leaking, mended = self.both[False], self.both[True]
        return (
            f"One file is luck, {FILES} are not. With the leak, tests say "
            f"{_percent(float(leaking.reported.mean()))} and new rows "
            f"{_percent(float(leaking.true.mean()))}. Done right, tests say "
            f"{_percent(float(mended.reported.mean()))} and new rows {_percent(float(mended.true.mean()))}. "
            f"{self.story.reason}"
        )

    def _frame(self, title: str, words: str, stage: int, prediction: Prediction | None = None) -> Frame:
        right = Figure("Accuracy on this file", self._scores(stage))
        if stage == 4:
            right = Figure(f"Mean accuracy over {FILES} files. Rust: leak; blue: done right", self._means())
        figures = (Figure(self.story.caption, self._scene(stage)), right)
        return Frame(title, words, figures=figures, table=self._table(stage), prediction=prediction)

    # ---- pictures

    def _scene(self, stage: int) -> str:
        draw = {
            "columns": self._columns,
            "scale": self._scale,
            "peek": self._peek,
            "copies": self._copies,
            "groups": self._copies,
            "later": self._later,
        }[self.name]
        return draw(stage)

    def _plot(self, xs: Floats, ys: Floats, x_title: str, y_title: str) -> Plot:
        return Plot(
            covering(xs.tolist()),
            covering(ys.tolist()),
            x_title=x_title,
            y_title=y_title,
            title="The file",
            description=self.story.caption,
            size=(480, 380),
        )

    def _columns(self, stage: int) -> str:
        shown = self.outcome.shown
        plot = self._plot(shown["learned"], shown["test"], "correlation on training rows", "on test rows")
        points = _points(np.stack([shown["learned"], shown["test"]], axis=1))
        kept = {int(number) for number in shown["kept"]} if stage else set()
        plot.rule("muted", y=0.0)
        plot.rule("muted", x=0.0)
        plot.dots([point for number, point in enumerate(points) if number not in kept], "", 2.4)
        plot.dots([points[number] for number in sorted(kept)], "forward", 5)
        return plot.svg()

    def _peek(self, stage: int) -> str:
        """Draw the models by the score that chooses: piled up, and from stage 3 on by what is true."""
        chose, true = self.outcome.shown["learned"], self.outcome.shown["test"]
        piled = np.array([1.0 + float((chose[:k] == score).sum()) for k, score in enumerate(chose)])
        is_open = stage >= 3
        plot = Plot(
            _shares(chose),
            _shares(true) if is_open else linear(0, float(piled.max()) + 1, 4),
            x_title="score on validation rows" if self.mended else "score on test rows",
            y_title="score on new rows" if is_open else "models",
            title="The models",
            description=f"{TRIES} models by their score" if stage else "Nothing is trained yet.",
            size=(480, 380),
        )
        if stage:
            kept = int(self.outcome.shown["kept"][0])
            points = _points(np.stack([chose, true if is_open else piled], axis=1))
            plot.dots([point for number, point in enumerate(points) if number != kept], "hollow", 4)
            plot.dots([points[kept]], "forward", 6)
        return plot.svg()

    def _scale(self, stage: int) -> str:
        shown = self.outcome.shown
        rows = np.concatenate([shown["learned"], shown["test"]])
        plot = self._plot(rows[:, 0], rows[:, 1], "first column", "second column")
        plot.dots(_points(shown["learned"]), "ink", 3.5)
        plot.dots(_points(shown["test"]), "validation", 4)
        if stage:
            plot.dots(_points(shown["all mean"][None]), "forward", 5)
            plot.dots(_points(shown["learned mean"][None]), "ring", 7 if not self.mended else 6)
        return plot.svg()

    def _copies(self, stage: int) -> str:
        shown = self.outcome.shown
        rows = np.concatenate([shown["learned"], shown["test"]])
        plot = self._plot(rows[:, 0], rows[:, 1], "first column", "second column")
        plot.dots(_points(shown["learned"]), "hollow" if stage else "ink", 3)
        twins = shown["twins"] > 0
        if stage:
            plot.dots(_points(shown["test"][~twins]), "ring", 5)
            plot.dots(_points(shown["test"][twins]), "backward", 4.5)
        else:
            plot.dots(_points(shown["test"]), "ink", 3)
        return plot.svg()

    def _later(self, stage: int) -> str:
        shown = self.outcome.shown
        rows = np.concatenate([shown["learned"], shown["test"]])
        ill = rows[:, 1] > 0.5
        plot = Plot(
            covering(rows[:, 0].tolist()),
            Scale(-0.4, 1.4, ((0.0, "no"), (1.0, "yes")), lambda value: (value + 0.4) / 1.8),
            x_title="measurement",
            y_title="treated",
            title="The file",
            description=f"{int(ill.sum())} of {len(rows)} patients were treated.",
            size=(480, 380),
        )
        # Spread a little upwards and downwards, since all lie on two lines.
        jitter = 0.09 * np.sin(7.0 * np.arange(len(rows)))
        placed = np.stack([rows[:, 0], rows[:, 1] + jitter], axis=1)
        classes = np.concatenate([shown["learned ill"], shown["test ill"]]) > 0
        plot.dots(_points(placed[~classes]), "hollow", 4)
        plot.dots(_points(placed[classes]), "ink", 4)
        if stage >= 3:
            plot.rule("backward", y=0.0, label="all new rows lie here")
        return plot.svg()

    def _scores(self, stage: int) -> str:
        test, new = float(self.outcome.reported[0]), float(self.outcome.true[0])
        told = [f"test {_percent(test)}", f"new rows {_percent(new)}"][: max(stage - 1, 0)]
        plot = _accuracies(min(test, new), ", ".join(told) or "nothing is learned yet")
        for place, (since, score, kind) in enumerate(((2, test, "forward"), (3, new, "backward")), start=1):
            if stage >= since:
                plot.dots([(place, score)], kind, 6)
                plot.label(place, score, _percent(score), kind, dx=11, dy=5)
        return plot.svg()

    def _means(self) -> str:
        """Draw for both ways a line from what the tests say to what new rows say."""
        means = {
            way: (float(outcome.reported.mean()), float(outcome.true.mean()))
            for way, outcome in self.both.items()
        }
        told = "; ".join(
            f"{'done right' if way else 'with the leak'}: test {_percent(test)}, new {_percent(new)}"
            for way, (test, new) in means.items()
        )
        plot = _accuracies(min(min(pair) for pair in means.values()), told)
        lower = {place: min(means[way][place] for way in means) for place in (0, 1)}
        for way, kind in ((False, "backward"), (True, "forward")):
            ends = [(place + 1.0, score) for place, score in enumerate(means[way])]
            plot.line(ends, kind)
            plot.dots(ends, kind, 5)
            for place, (x, score) in enumerate(ends):
                # The two labels of a place stand above and below their dots, so that they never meet.
                below = score == lower[place] and (score < means[not way][place] or way)
                plot.label(x, score, _percent(score), kind, dx=8, dy=16 if below else -8)
        return plot.svg()

    def _table(self, stage: int) -> Table:
        rows = []
        for way, name in ((False, "with the leak"), (True, "done right")):
            outcome, opened = self.both[way], "once: to judge" if way else self.story.opened
            if stage >= 4:
                test, new = (_percent(float(share.mean())) for share in (outcome.reported, outcome.true))
                rows.append((name, opened, test, new))
            elif way == self.mended:
                test, new = _percent(float(outcome.reported[0])), _percent(float(outcome.true[0]))
                known = (opened, test) if stage >= 2 else ("sealed", "not yet")
                rows.append((name, *known, new if stage >= 3 else "not yet"))
        caption = f"Means over {FILES} files" if stage >= 4 else "This file"
        return Table(caption, ("Way", "Envelope opened", "Test score", f"On {NEW:,} new rows"), rows)


def _accuracies(lowest: float, description: str) -> Plot:
    """Return an empty plot of accuracies on test rows and on new rows."""
    ticks = ((1.0, "test rows"), (2.0, f"{NEW:,} new rows"))
    shares = linear(min(0.4, lowest) - 0.05, 1.04)
    plot = Plot(
        Scale(0.3, 2.7, ticks, lambda value: (value - 0.3) / 2.4),
        Scale(shares.low, shares.high, tuple((v, _percent(v)) for v, _ in shares.ticks), shares.place),
        x_title="",
        y_title="accuracy",
        title="Accuracy",
        description=description,
        size=(480, 380),
    )
    plot.rule("muted", y=0.5, label="a coin")
    return plot


def _shares(values: Floats) -> Scale:
    """Return a scale in percent around some shares."""
    low, high = float(values.min()) - 0.04, float(values.max()) + 0.04
    scale = linear(low, high)
    return Scale(low, high, tuple((value, _percent(value)) for value, _ in scale.ticks), scale.place)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"


def _points(values: Floats) -> Sequence[Point]:
    return [(float(x), float(y)) for x, y in values]
