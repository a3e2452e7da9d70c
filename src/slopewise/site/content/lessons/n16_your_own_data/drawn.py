"""The story of a file of one's own: drawn or pasted, looked at, made ready, learned, and taken along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from slopewise.data.generated import normal
from slopewise.engine.errors import ArgumentError
from slopewise.engine.random import GENERATE_STREAM, permutation
from slopewise.site.content.lessons.n16_your_own_data.collecting import percent
from slopewise.site.content.lessons.n16_your_own_data.orchards import Floats, Numbers, learn, mislabel, split
from slopewise.site.drawing import Plot, draw_strips, linear
from slopewise.site.labs import Figure, Frame, Points, Prediction, Table, Values

EDGE, MOST, FEWEST = 5.0, 80, 4  # of the sheet; rows in all; rows of a class, copies apart
CLASSES = ("a", "b")
SPLITS = 8  # how many times the rows are dealt again
BALANCE = {"leave": "as they are", "repeat": "repeat rare rows", "drop": "drop frequent rows"}
COPIES = {"keep": "kept", "remove": "removed", "double": "each row twice"}
_BALANCED_BY = {
    "repeat": "rows of the rarer class are repeated",
    "drop": "rows of the frequent class are dropped",
}
_MOVED, _BALANCED = 30, 31  # calls of the generator
_DRAWN = (
    "-3.2 1.1 a; -2.6 2.3 a; -2.1 0.4 a; -1.7 1.8 a; -1.2 2.9 a; -0.9 -0.9 a; -0.4 1.9 a; 0.2 2.6 a; "
    "0.6 1.2 a; 1.4 -0.9 a; 1.6 3 a; -2.9 -0.3 a; -1.4 -0.2 a; 0.1 0.2 a; 2.3 2.4 a; 2.3 2.4 a; "
    "1.2 -0.4 b; 1.9 -1.1 b; 0.4 0.8 b; 2.8 -0.6 b; 2.8 -0.6 b; -0.6 -1.6 b"
)
DRAWN = Points(
    "drawn",
    "Your points",
    MOST,
    (-EDGE, EDGE),
    (-EDGE, EDGE),
    CLASSES,
    default=_DRAWN,
    note="press on the plot, or Tab to it and use the keys. Or paste a table: `x1,x2,class`",
    only_when=("story", ("draw",)),
)


@dataclass(frozen=True)
class File:
    """Rows as they stand in a file: points, and 0 or 1 for the class."""

    X: Floats
    y: Numbers

    def __len__(self) -> int:
        return len(self.y)

    @property
    def counts(self) -> tuple[int, int]:
        """Rows of each class."""
        return int((self.y == 0).sum()), int(self.y.sum())

    def without_copies(self) -> File:
        """Return the first of all rows that are alike."""
        rows = np.column_stack([self.X, self.y])
        _, first = np.unique(rows, axis=0, return_index=True)
        return self.take(np.sort(first))

    def take(self, rows: Numbers) -> File:
        """Return some rows."""
        return File(self.X[rows], self.y[rows])


def drawn_story(values: Values) -> list[Frame]:
    """Show what was drawn; with enough rows of both classes, make it ready, learn it, and hand it out."""
    rows = DRAWN.rows(values["drawn"])
    X = np.array([row[:2] for row in rows], dtype=np.float64).reshape(-1, 2)
    drawn = File(X, np.array([CLASSES.index(row[2]) for row in rows], dtype=np.int64))
    if min(drawn.without_copies().counts) < FEWEST:
        return [_begin(drawn)]
    return _Story(drawn, values).frames()


def _begin(drawn: File) -> Frame:
    counts = drawn.without_copies().counts
    return Frame(
        "Draw on the sheet",
        f"{len(drawn)} rows: {counts[0]} of class a, {counts[1]} of class b, copies apart. Draw {FEWEST} of "
        "each at least, or paste a table of them: some rows must be held back, and some learned.",
        (Figure("The sheet. Filled: class a; hollow: class b", _sheet(drawn, draws=True)),),
        _balance(drawn),
    )


class _Story:
    """A file, what was made of it, and what a network learned from that."""

    def __init__(self, drawn: File, values: Values) -> None:
        self.drawn, self.seed = drawn, int(values["seed"])
        self.balance, self.copies = str(values["balance"]), str(values["twins"])
        self.blur, wrong = float(values["blur"]), float(values["wrong"])
        kept = drawn.without_copies() if self.copies == "remove" else drawn
        if self.copies == "double":
            kept = kept.take(np.repeat(np.arange(len(kept)), 2))
        _, self._alike = np.unique(np.column_stack([kept.X, kept.y]), axis=0, return_inverse=True)
        moved = self.blur * normal(2 * len(kept), self.seed, _MOVED).reshape(-1, 2)
        labels, self.wrong = mislabel(kept.y, wrong, self.seed)
        self.file = File(np.clip(np.round(kept.X + moved, 3), -EDGE, EDGE), labels)
        if min(self.file.counts) < 2:
            raise ArgumentError(
                "so many wrong labels (wrong) leave a class with fewer than two rows; draw more of it"
            )
        self.deals = [self._deal(self.seed + 1000 * deal) for deal in range(SPLITS)]
        self.scores = [self._score(*deal, self.seed) for deal in self.deals]
        self.train, self.test = self.deals[0]
        self.say = self._learn(self.train, self.seed)

    def _deal(self, seed: int) -> tuple[Numbers, Numbers]:
        """Return rows to learn from, balanced as asked for, and rows held back, which are left alone."""
        train, test = split(len(self.file), self.file.y, seed)
        parts = [train[self.file.y[train] == label] for label in (0, 1)]
        sizes = [len(part) for part in parts]
        if self.balance == "repeat":
            parts = [np.resize(part, max(sizes)) for part in parts]
        elif self.balance == "drop":
            order = [permutation(size, seed, GENERATE_STREAM, _BALANCED) for size in sizes]
            parts = [part[rows[: min(sizes)]] for part, rows in zip(parts, order)]
        return np.sort(np.concatenate(parts)), test

    def _learn(self, train: Numbers, seed: int) -> Callable[[Floats], Numbers]:
        rows = self.file.take(train)
        mean, spread = rows.X.mean(axis=0), np.maximum(rows.X.std(axis=0), 1e-3)
        say = learn((rows.X - mean) / spread, rows.y, seed)
        return lambda points: say((points - mean) / spread)

    def _score(self, train: Numbers, test: Numbers, seed: int) -> float:
        return float((self._learn(train, seed)(self.file.X[test]) == self.file.y[test]).mean())

    @property
    def always(self) -> float:
        """The score of the more frequent class of the rows held back."""
        share = float(self.file.y[self.test].mean())
        return max(share, 1 - share)

    # ---- frames

    def frames(self) -> list[Frame]:
        """Return the stages."""
        return [self._drawn(), self._ready(), self._learned(), self._dealt(), self._table()]

    def _drawn(self) -> Frame:
        drawn, copies = self.drawn, len(self.drawn) - len(self.drawn.without_copies())
        rarer = min(drawn.counts) / len(drawn)
        gap = self.scores[0] - self.always
        return Frame(
            "What you drew",
            f"{len(drawn)} rows: {drawn.counts[0]} of class a, {drawn.counts[1]} of class b. The rarer class "
            f"makes up {percent(rarer)}. {copies} rows are copies of another.",
            (Figure("The sheet. Filled: class a; hollow: class b", _sheet(drawn, draws=True)),),
            _balance(drawn),
            prediction=Prediction(
                "A quarter of the rows is held back, and a network learns from the others. How will its "
                "score on those held back compare with always naming the class that is more frequent there?",
                ("Higher", "The same", "Lower"),
                0 if gap > 1e-9 else 1 if gap > -1e-9 else 2,
                f"The network names {percent(self.scores[0])} right; the frequent class alone would be "
                f"{percent(self.always)}.",
            ),
        )

    def _ready(self) -> Frame:
        twins = int(np.isin(self._alike[self.test], self._alike[self.train]).sum())
        words = [f"Copies: {COPIES[self.copies]}. That makes {len(self.file)} rows."]
        if self.blur:
            words.append(f"Each was moved by chance, with a standard deviation of {self.blur:g}.")
        if self.wrong.any():
            words.append(f"{int(self.wrong.sum())} labels were made wrong.")
        words.append(f"{len(self.test)} rows are held back (ringed).")
        if self.balance != "leave":
            words.append(
                f"Then the classes are balanced, among the others alone: {_BALANCED_BY[self.balance]}."
            )
        words.append(f"The network learns from {len(self.train)} rows.")
        if twins:
            words.append(f"{twins} of the rows held back have a copy among these, so they are **no test**.")
        else:
            words.append("None of the rows held back has a copy among these.")
        rows = [
            (name, *(str(int((self.file.y[part] == label).sum())) for label in (0, 1)), str(len(part)))
            for name, part in (("learned", self.train), ("held back", self.test))
        ]
        return Frame(
            "Made ready",
            " ".join(words),
            (Figure("Filled: class a; hollow: class b; ringed: held back", self._plot(ringed=True)),),
            Table("Rows by part", ("Part", "class a", "class b", "Rows"), rows),
        )

    def _learned(self) -> Frame:
        said = self.say(self.file.X[self.test])
        truth = self.file.y[self.test]
        recall = [
            float((said[truth == label] == label).mean()) if (truth == label).any() else None
            for label in (0, 1)
        ]
        named = list(zip(("all", "class a", "class b"), (self.scores[0], *recall)))
        of_class = [
            f"{'none is there' if share is None else percent(share)} of class {name}"
            for name, share in zip(CLASSES, recall)
        ]
        return Frame(
            "What the network learned",
            f"It names {percent(self.scores[0])} of the {len(self.test)} rows held back right: "
            f"{', '.join(of_class)}. Always naming the frequent class would be {percent(self.always)} right, "
            "and of the other class it would find nothing.",
            (
                Figure("Shaded: where it says b. Ringed: held back", self._plot(ringed=True, regions=True)),
                Figure("Rows held back that it names right", draw_strips(named, title="Named right"), True),
            ),
            Table(
                "Rows held back that are named right",
                ("Rows", "Share"),
                [(name, "none" if share is None else percent(share)) for name, share in named],
            ),
        )

    def _dealt(self) -> Frame:
        named = [(f"deal {place}", score) for place, score in enumerate(self.scores, start=1)]
        mean = float(np.mean(self.scores))
        return Frame(
            f"The same rows, dealt {SPLITS} times",
            f"Which rows are held back is luck. Over {SPLITS} deals the score runs from "
            f"{percent(min(self.scores))} to {percent(max(self.scores))}, with a mean of {percent(mean)}. "
            f"The first deal was yours. {len(self.test)} rows cannot tell more: one of them is "
            f"{percent(1 / len(self.test))}.",
            (
                Figure(
                    "Score by deal",
                    draw_strips(
                        named, [(f"mean {percent(mean)}", mean, "forward")], title="Score", current="deal 1"
                    ),
                    True,
                ),
            ),
            Table("Score by deal", ("Deal", "Score"), [(name, percent(score)) for name, score in named]),
        )

    def _table(self) -> Frame:
        held = set(self.test.tolist())
        often = np.bincount(self.train, minlength=len(self.file))
        rows = [
            (
                str(row + 1),
                f"{self.file.X[row, 0]:g}",
                f"{self.file.X[row, 1]:g}",
                CLASSES[self.file.y[row]],
                "test" if row in held else "training",
                "0" if row in held else str(often[row]),
            )
            for row in range(len(self.file))
        ]
        return Frame(
            "The file, to take along",
            f"{len(rows)} rows as they were made ready, with the part of each and how often it was learned. "
            "Take the table as CSV, or keep the address: it holds every point.",
            table=Table("The file", ("Row", "x1", "x2", "class", "part", "learned"), rows, first=True),
            notes=(
                "For larger files there is [a sheet of its own](/data/draw), with trainings and reports.",
            ),
        )

    def _plot(self, *, ringed: bool, regions: bool = False) -> str:
        plot = _empty(f"{len(self.file)} rows, {len(self.test)} of them held back")
        if regions:
            grid = np.linspace(-EDGE, EDGE, 61)
            xs, ys = np.meshgrid(grid, grid)
            said = self.say(np.column_stack([xs.ravel(), ys.ravel()])).reshape(xs.shape)
            plot.contours(grid, grid, (1 - said).astype(np.float64), [0.5])
        _mark(plot, self.file)
        if ringed:
            held = [(float(x), float(y)) for x, y in self.file.X[self.test]]
            plot.dots(held, "circled", 7)
        return plot.svg()


# ---- pictures


def _empty(description: str, draws: bool = False) -> Plot:
    return Plot(
        linear(-EDGE, EDGE, 6),
        linear(-EDGE, EDGE, 6),
        x_title="x1",
        y_title="x2",
        title="Your points",
        description=description,
        size=(460, 420),
        draws="drawn" if draws else None,
    )


def _mark(plot: Plot, file: File) -> None:
    for label, look in ((0, "forward"), (1, "hollow")):
        plot.dots([(float(x), float(y)) for x, y in file.X[file.y == label]], look, 4.5)


def _sheet(file: File, *, draws: bool) -> str:
    plot = _empty(f"{len(file)} rows", draws)
    _mark(plot, file)
    return plot.svg()


def _balance(file: File) -> Table:
    alone = file.without_copies().counts
    rows = [
        (name, str(count), percent(count / max(1, len(file))), str(count - single))
        for name, count, single in zip(CLASSES, file.counts, alone)
    ]
    return Table("Rows by class", ("Class", "Rows", "Share", "Copies"), rows)
