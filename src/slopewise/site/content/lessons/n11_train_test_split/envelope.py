"""What all stories of the lab share: apples, an envelope, networks, and the pictures of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from slopewise.site.content.lessons.n11_train_test_split.apples import (
    BEST,
    Apples,
    Floats,
    Networks,
    Numbers,
    collect,
    cut,
    fresh,
)
from slopewise.site.drawing import Plot, Scale, linear
from slopewise.site.labs import Values

LEARNED = "Filled: sweet; hollow: sour. Shaded: where the network says sweet"
OPENED = "Blue rings: judged right; rust: judged wrong; small: learned from"
_EDGE = 3.6  # the map shows -3.6 to 3.6
_GRID = 49


def percent(share: float) -> str:
    """Return a share as a whole number of percent."""
    return f"{100 * share:.0f}%"


def points(share: float) -> str:
    """Return a difference of shares as whole points."""
    return f"{100 * share:.0f} points"


def percents(low: float, high: float) -> Scale:
    """Return a scale whose ticks are percent."""
    plain = linear(low, high)
    return replace(plain, ticks=tuple((value, percent(value)) for value, _ in plain.ticks))


class Story:
    """A file of apples, some of them in an envelope, and networks that learn from the others."""

    def __init__(self, values: Values, deals: int = 1, networks: int = 1) -> None:
        rows, share, seed = int(values["rows"]), float(values["share"]), int(values["seed"])
        self.apples: Apples = collect(rows, seed)
        self.units = int(values["units"])
        cuts = [cut(self.apples, share, seed + 1000 * deal) for deal in range(deals)] * networks
        self.learned: list[Numbers] = [learned for learned, _ in cuts]
        self.sealed: list[Numbers] = [test for _, test in cuts]
        starts = [seed + 7 + number for number in range(networks) for _ in range(deals)]
        self.networks = Networks(self.apples, self.learned, starts, self.units)
        self.hits = self.networks.hits(self.apples)
        self.scores = [float(self.hits[k][test].mean()) for k, test in enumerate(self.sealed)]
        self.true = [float(right.mean()) for right in self.networks.hits(fresh(seed))]
        self.learned_score = float(self.hits[0][self.learned[0]].mean())
        side = np.linspace(-_EDGE, _EDGE, _GRID)
        self._side = side
        self._ground: Floats = self.networks.logits(
            np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
        ).reshape(-1, _GRID, _GRID)

    @property
    def size(self) -> int:
        """Rows in an envelope."""
        return len(self.sealed[0])

    def file_words(self) -> str:
        sweet = int(self.apples.y.sum())
        return (
            f"{len(self.apples)} apples were measured and tasted: {sweet} are sweet (filled), the others "
            f"sour (hollow). The two kinds overlap. No rule can be right in more than {percent(BEST)} of "
            "cases."
        )

    def scene(
        self, number: int = 0, *, learned: bool = False, opened: bool = False, all_rows: bool = False
    ) -> str:
        """Draw the apples outside of the envelope, what a network says where, and what came out of it."""
        test = self.sealed[number]
        shown = np.arange(len(self.apples)) if all_rows else self.learned[number]
        told = f"{len(shown)} apples"
        if opened:
            told += (
                f"; of {len(test)} from the envelope {int(self.hits[number][test].sum())} are judged right"
            )
        plot = Plot(
            linear(-_EDGE, _EDGE),
            linear(-_EDGE, _EDGE),
            x_title="softness",
            y_title="colour",
            title="Apples by softness and colour",
            description=told,
            size=(440, 380),
        )
        if learned:
            # Shaded is what lies below: so the sign is turned, for "sweet" to be the shaded side.
            plot.contours(self._side, self._side, -self._ground[number], [0.0])
        X, y = self.apples.X, self.apples.y
        size = 3.0 if opened else 4.0
        for kind, code in (("hollow", 0), ("ink", 1)):
            plot.dots([(float(a), float(b)) for a, b in X[shown[y[shown] == code]]], kind, size)
        if opened:
            right = self.hits[number][test]
            plot.dots([(float(a), float(b)) for a, b in X[test[right]]], "ring", 5.5)
            plot.dots([(float(a), float(b)) for a, b in X[test[~right]]], "backward", 5.5)
        return plot.svg()

    def openings(
        self,
        shown: int,
        total: int,
        *,
        x_title: str,
        rules: list[tuple[str, float, str]],
        marked: int | None = None,
    ) -> str:
        """Draw the test scores so far."""
        low = min(0.5, *self.scores) - 0.04
        plot = Plot(
            linear(0, total + 1, min(total + 1, 8)),
            percents(low, 1.02),
            x_title=x_title,
            y_title="test score",
            title="Test scores so far",
            description=", ".join(percent(score) for score in self.scores[:shown]) or "none yet",
            size=(440, 380),
        )
        for label, value, kind in rules:
            plot.rule(kind, y=value, label=label)
        dots = [(k + 1.0, score) for k, score in enumerate(self.scores[:shown])]
        plot.dots(dots, "forward", 4)
        if shown:
            plot.dots([dots[shown - 1 if marked is None else marked]], "ring", 6)
        return plot.svg()
