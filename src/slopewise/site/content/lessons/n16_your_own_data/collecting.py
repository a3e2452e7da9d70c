"""The story of a sample: what it says of itself, and what 10,000 fresh rows of the population say."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from slopewise.site.content.lessons.n16_your_own_data.orchards import (
    FRESH,
    HILL,
    Apples,
    Floats,
    Numbers,
    collect,
    fresh,
    learn,
    mislabel,
    split,
)
from slopewise.site.drawing import Plot, linear
from slopewise.site.drawing.scale import Scale
from slopewise.site.labs import Figure, Frame, Prediction, Table, Values

# how -> share of the hill in the sample, words
HOW = {
    "near": (0.0, "the nearer orchard"),
    "mostly": (0.1, "mostly the nearer"),
    "lot": (HILL, "by lot from both"),
}
CLOSE = 0.05  # scores that differ by less count as alike
_ACROSS, _UP = linear(-4.0, 4.0, 8), linear(-3.2, 3.2, 6)


@dataclass(frozen=True)
class Measured:
    """A sample, the network that learned from it, and what is measured of that."""

    apples: Apples
    labels: Numbers  # as they stand in the file
    wrong: np.ndarray
    train: Numbers
    test: Numbers
    reported: float  # accuracy on the test rows of the sample, against the labels of the file
    true: float  # on fresh rows of the population
    by_place: tuple[float, float]  # valley, hill
    by_class: tuple[float, float]  # sour, sweet
    always: float  # of the more frequent label of the file, on its test rows

    @property
    def twins(self) -> int:
        """How many test rows have a copy among the training rows."""
        learned = {tuple(row) for row in self.apples.X[self.train].tolist()}
        return sum(tuple(row) in learned for row in self.apples.X[self.test].tolist())

    @property
    def luck(self) -> float:
        """One standard error of the reported score."""
        rows = len(self.test)
        share = (self.reported * rows + 1) / (rows + 2)  # a score of 100% is not free of luck
        return math.sqrt(share * (1 - share) / rows)


def measure(values: Values) -> Measured:
    """Collect, label, split, learn, and measure."""
    seed, rows = int(values["seed"]), int(values["rows"])
    apples = collect(rows, seed, HOW[str(values["how"])][0], float(values["sweet"]))
    labels, wrong = mislabel(apples.y, float(values["wrong"]), seed)
    if values["copies"]:
        places = np.repeat(np.arange(len(apples)), 2)
        apples, labels, wrong = apples.take(places), labels[places], wrong[places]
    train, test = split(len(apples), labels, seed)
    say = learn(apples.X[train], labels[train], seed)
    new = fresh(seed)
    right = say(new.X) == new.y
    return Measured(
        apples,
        labels,
        wrong,
        train,
        test,
        float((say(apples.X[test]) == labels[test]).mean()),
        float(right.mean()),
        (float(right[~new.hill].mean()), float(right[new.hill].mean())),
        (float(right[new.y == 0].mean()), float(right[new.y == 1].mean())),
        float(max(labels[test].mean(), 1 - labels[test].mean())),
    )


def collecting(values: Values) -> list[Frame]:
    """Show the sample, its own test score, the truth, and a fair sample beside it."""
    made = measure(values)
    fair = measure({**values, "how": "lot", "sweet": 0.5, "copies": False, "wrong": 0.0})
    return [_sample(made, values), _reported(made), _true(made), _beside(made, fair, values)]


def _sample(made: Measured, values: Values) -> Frame:
    apples = made.apples
    words = [f"{len(apples)} apples, {percent(apples.hill.mean())} of them from the hill."]
    if abs(apples.hill.mean() - HILL) > 0.1:
        words.append(
            f"Of all apples that will be sold, {percent(HILL)} grow there. The file does not say so."
        )
    if apples.y.mean() < 0.4:
        words.append(f"{percent(apples.y.mean())} of them are sweet; in the orchards about half are.")
    if values["copies"]:
        words.append("Each row stands twice in it.")
    if made.wrong.any():
        words.append(f"{int(made.wrong.sum())} labels are wrong (ringed), and nobody knows which.")
    gap = made.reported - made.true
    ask = Prediction(
        "A quarter of these rows is held back, a network learns from the others. How will its score on the "
        "rows held back compare with its score on 10,000 fresh apples from both orchards?",
        ("Clearly higher than the truth", f"Within {points(CLOSE)} of it", "Clearly lower"),
        1 if abs(gap) < CLOSE else 0 if gap > 0 else 2,
        f"The file's own test rows say {percent(made.reported)}; fresh apples say {percent(made.true)}.",
    )
    return Frame(
        "The sample",
        " ".join(words),
        figures=[Figure("The sample. Filled: sweet; hollow: sour", _scatter(made)), _bars(made, 0)],
        table=_table(made, 0),
        prediction=ask,
    )


def _reported(made: Measured) -> Frame:
    words = (
        f"The network learned from {len(made.train)} rows and is right on {percent(made.reported)} of the "
        f"{len(made.test)} held back. Luck alone moves such a score by about {points(made.luck)}. Always "
        f"giving the more frequent label scores {percent(made.always)}. This is all that the file can tell."
    )
    return Frame(
        "What the file says of itself",
        words,
        figures=[Figure("The sample. Filled: sweet; hollow: sour", _scatter(made)), _bars(made, 1)],
        table=_table(made, 1),
    )


def _true(made: Measured) -> Frame:
    gap = made.reported - made.true
    valley, hill = made.by_place
    words = [
        f"We made this world, so we can pick {FRESH:,} more apples by lot: {percent(made.true)} right. "
        f"The file was off by {points(abs(gap))}."
    ]
    if abs(gap) > 2 * made.luck:
        words.append(
            "That is more than luck explains: more rows collected in the same way would not mend it."
        )
    else:
        words.append("That is within the luck of so few test rows.")
    if made.wrong.any():
        wrong = int(made.wrong[made.test].sum())
        words.append(
            f"Of the test rows {wrong} had a wrong label: there the file counts a right answer as an error."
        )
    if made.twins:
        words.append(f"Of {len(made.test)} test rows {made.twins} had their copy among the rows learned.")
    words.append(f"In the valley it is {percent(valley)}, on the hill {percent(hill)}.")
    words.append(
        f"Of the sour apples {percent(made.by_class[0])} are named right, of the sweet ones "
        f"{percent(made.by_class[1])}."
    )
    return Frame(
        f"{FRESH:,} fresh apples",
        " ".join(words),
        figures=[Figure("The sample. Filled: sweet; hollow: sour", _scatter(made)), _bars(made, 2)],
        table=_table(made, 2),
    )


def _beside(made: Measured, fair: Measured, values: Values) -> Frame:
    rows = len(fair.apples)
    better = fair.true - made.true
    words = [
        f"As many apples, {rows}, picked by lot from both orchards, labelled with care, each once: the file "
        f"says {percent(fair.reported)}, fresh apples say {percent(fair.true)}."
    ]
    if better > CLOSE:
        words.append(f"No other network, no more updates: other rows. They are worth {points(better)}.")
    elif better < -CLOSE:
        words.append("Here the fair sample had bad luck. Try other seeds.")
    else:
        words.append("Your sample was about as good.")
    said = Table(
        "Your sample beside a fair one",
        ("", "your sample", "by lot, with care"),
        [
            ("its own test rows", percent(made.reported), percent(fair.reported)),
            ("fresh apples", percent(made.true), percent(fair.true)),
            ("fresh, valley", percent(made.by_place[0]), percent(fair.by_place[0])),
            ("fresh, hill", percent(made.by_place[1]), percent(fair.by_place[1])),
        ],
    )
    return Frame(
        "The same work, other rows",
        " ".join(words),
        figures=[Figure("By lot from both orchards", _scatter(fair)), _bars(fair, 2)],
        table=said,
    )


# ---- pictures --------------------------------------------------------------------------------------------


def _scatter(made: Measured) -> str:
    plot = Plot(
        _ACROSS,
        _UP,
        x_title="softness   (valley on the left, hill on the right)",
        y_title="size",
        title="Apples of the sample by softness and size",
        description=f"{len(made.apples)} apples, {percent(made.apples.hill.mean())} of them from the hill",
        size=(440, 350),
    )
    plot.rule("", x=0.0)
    for value, look in ((1, "forward"), (0, "hollow")):
        plot.dots(_pairs(made.apples.X[made.labels == value]), look, 3.4)
    if made.wrong.any():
        plot.dots(_pairs(made.apples.X[made.wrong]), "circled", 6)
    return plot.svg()


def _pairs(X: Floats) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in X]


def _bars(made: Measured, stage: int) -> Figure:
    """Draw the scores that are known by now, with the luck of each as a line."""
    known = [
        ("own test rows", made.reported, made.luck, "forward", 1),
        ("fresh, all", made.true, 0.0, "ink", 2),
        ("valley", made.by_place[0], 0.0, "backward", 2),
        ("hill", made.by_place[1], 0.0, "backward", 2),
    ]
    ticks = tuple((place + 1.0, name) for place, (name, *_) in enumerate(known))
    plot = Plot(
        Scale(0.4, 4.6, ticks, lambda value: (value - 0.4) / 4.2),
        Scale(0.0, 1.06, tuple((k / 4, f"{25 * k}%") for k in range(5)), lambda value: value / 1.06),
        x_title="",
        y_title="accuracy",
        title="Accuracy by rows",
        description=", ".join(
            f"{name} {percent(score)}" for name, score, _, _, since in known if stage >= since
        )
        or "nothing is learned yet",
        size=(440, 350),
    )
    for place, (_, score, luck, look, since) in enumerate(known, start=1):
        if stage >= since:
            if luck:
                plot.line([(place, max(score - luck, 0)), (place, min(score + luck, 1))], look)
            plot.dots([(place, score)], look, 6)
            plot.label(place, score, percent(score), look, dx=10, dy=18)
    return Figure("Accuracy; the line is the luck of a few rows" if stage else "Accuracy", plot.svg())


def _table(made: Measured, stage: int) -> Table:
    apples = made.apples
    rows = [
        ("rows", str(len(apples))),
        ("from the hill", f"{percent(apples.hill.mean())} (all apples: {percent(HILL)})"),
        ("labelled sweet", percent(made.labels.mean())),
        ("rows that repeat another", str(len(apples) - len(np.unique(apples.X, axis=0)))),
        ("accuracy on its own test rows", percent(made.reported) if stage >= 1 else "–"),
        ("accuracy on fresh apples", percent(made.true) if stage >= 2 else "–"),
        (
            "of them in the valley, on the hill",
            " , ".join(map(percent, made.by_place)) if stage >= 2 else "–",
        ),
    ]
    return Table("The data set in numbers", ("", "value"), rows)


def percent(share: float) -> str:
    """Return a share as a whole percentage."""
    return f"{100 * float(share):.0f}%"


def points(difference: float) -> str:
    """Return a difference of shares in points."""
    amount = round(100 * float(difference))
    return f"{amount} point{'' if amount == 1 else 's'}"
