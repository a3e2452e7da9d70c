"""The lab of the split: a sealed envelope, opened once, or dealt again, or opened until the score is good."""

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
    noise,
)
from slopewise.site.drawing import Plot, Scale, linear
from slopewise.site.labs import Choice, Figure, Frame, Lab, Number, Prediction, Table, Values, Whole

DEALS = 16
_CLOSE = 0.04  # scores that differ by less count as alike
_EDGE = 3.6  # the map shows -3.6 to 3.6
_GRID = 49


def run(values: Values) -> list[Frame]:
    """Tell the story that the settings ask for."""
    story = {"once": _Once, "deals": _Deals, "peek": _Peek}[str(values["story"])]
    frames: list[Frame] = story(values).frames()
    return frames


def percent(share: float) -> str:
    """Return a share as a whole number of percent."""
    return f"{100 * share:.0f}%"


def _points(share: float) -> str:
    return f"{100 * share:.0f} points"


def _shares(low: float, high: float) -> Scale:
    """Return a scale whose ticks are percent."""
    plain = linear(low, high)
    return replace(plain, ticks=tuple((value, percent(value)) for value, _ in plain.ticks))


class _Story:
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
            _shares(low, 1.02),
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


_LEARNED = "Filled: sweet; hollow: sour. Shaded: where the network says sweet"
_OPENED = "Blue rings: judged right; rust: judged wrong; small: learned from"


class _Once(_Story):
    """Split, learn, open once."""

    def frames(self) -> list[Frame]:
        learned, size = len(self.learned[0]), self.size
        test, true = self.scores[0], self.true[0]
        return [
            self._frame(
                "The file",
                self.file_words(),
                self.scene(all_rows=True),
                0,
                prediction=self._ask(),
            ),
            self._frame(
                "Seal the envelope",
                f"Before anything is learned, {size} apples drawn by lot go into an envelope, sweet and sour "
                f"in the same shares. It is sealed: {learned} are left to learn from.",
                self.scene(),
                1,
            ),
            self._frame(
                "Learn from the rest",
                f"A network of {self.units} units learns from the {learned} rows and is right on "
                f"{percent(self.learned_score)} of them. That number says how well it fits rows that it has "
                "seen. It may simply remember them.",
                self.scene(learned=True),
                2,
            ),
            self._frame(
                "Open the envelope, once",
                f"Of the {size} sealed apples it judges {round(test * size)} right: a test score of "
                f"{percent(test)}. On so few rows luck alone moves such a score by about "
                f"{_points(noise(true, size))} up or down.",
                self.scene(learned=True, opened=True),
                3,
            ),
            self._frame(
                "What is true",
                f"We made this world, so we can measure 10,000 more apples: {percent(true)}. The training "
                f"score was off by {_points(abs(self.learned_score - true))}, the test score by "
                f"{_points(abs(test - true))}. {self._verdict()}",
                self.scene(learned=True, opened=True),
                4,
            ),
        ]

    def _ask(self) -> Prediction:
        gap = self.learned_score - self.true[0]
        return Prediction(
            "A network will learn from most of these apples. How will its score on the apples that it "
            "learned compare with its score on 10,000 new ones?",
            ("Clearly higher", f"Within {_points(_CLOSE)}", "Clearly lower"),
            1 if abs(gap) < _CLOSE else 0 if gap > 0 else 2,
            f"It is {percent(self.learned_score)} on what it learned, and {percent(self.true[0])} on new "
            "apples.",
        )

    def _verdict(self) -> str:
        inside = abs(self.scores[0] - self.true[0]) <= 2 * noise(self.true[0], self.size)
        if inside:
            return "The test score is not exact, but nothing bends it to one side: it is off by luck alone."
        luck = "lucky" if self.scores[0] > self.true[0] else "unlucky"
        return f"This deal was {luck}, by more than twice the usual: that happens about once in twenty deals."

    def _frame(
        self, title: str, words: str, picture: str, stage: int, prediction: Prediction | None = None
    ) -> Frame:
        key = "Filled: sweet; hollow: sour"
        figures = [
            Figure(_OPENED if stage >= 3 else _LEARNED if stage == 2 else key, picture),
            Figure(
                "Accuracy, with the usual luck as a bar" if stage >= 3 else "Accuracy", self._scores(stage)
            ),
        ]
        return Frame(title, words, figures=figures, table=self._table(stage), prediction=prediction)

    def _scores(self, stage: int) -> str:
        """Draw the three scores, as far as they are known."""
        names = ("training", "test", "10,000 new apples")
        known = [
            (2, self.learned_score, "ink"),
            (3, self.scores[0], "forward"),
            (4, self.true[0], "backward"),
        ]
        low = min(0.5, *(score for _, score, _ in known)) - 0.06
        ticks = tuple((place + 1.0, name) for place, name in enumerate(names))
        plot = Plot(
            Scale(0.4, 3.6, ticks, lambda value: (value - 0.4) / 3.2),
            _shares(low, 1.04),
            x_title="",
            y_title="accuracy",
            title="Accuracy by rows",
            description=", ".join(
                f"{name} {percent(score)}" for name, (since, score, _) in zip(names, known) if stage >= since
            )
            or "nothing is learned yet",
            size=(440, 380),
        )
        if stage >= 4:
            plot.rule("backward", y=self.true[0])
        for place, (since, score, kind) in enumerate(known, start=1):
            if stage >= since:
                if kind == "forward":
                    luck = noise(self.true[0], self.size)
                    plot.line([(place, score - luck), (place, min(score + luck, 1.0))], kind)
                plot.dots([(place, score)], kind, 6)
                plot.label(place, score, percent(score), kind, dx=11, dy=18 if score < self.true[0] else -9)
        return plot.svg()

    def _table(self, stage: int) -> Table:
        """The log of the envelope."""
        learned, size = len(self.learned[0]), self.size
        events = [
            ("apples measured", str(len(self.apples)), "", "0"),
            ("envelope sealed", str(size), "", "0"),
            ("network learned", str(learned), percent(self.learned_score), "0"),
            ("envelope opened", str(size), percent(self.scores[0]), "1"),
            ("new apples measured", "10,000", percent(self.true[0]), "1"),
        ]
        return Table(
            "Log of the envelope",
            ("Event", "Rows", "Accuracy on them", "Openings so far"),
            events[: stage + 1],
            current=stage,
        )


class _Deals(_Story):
    """The same file, dealt again and again: how much of a test score is luck."""

    def __init__(self, values: Values) -> None:
        super().__init__(values, deals=DEALS)

    def frames(self) -> list[Frame]:
        made = [self._frame("The file", f"{self.file_words()} We deal it {DEALS} times.", 0, self._ask())]
        for deal in range(1, DEALS + 1):
            score = self.scores[deal - 1]
            made.append(
                self._frame(
                    f"Deal {deal} of {DEALS}",
                    f"Another {self.size} apples are sealed, and a network learns from the others: "
                    f"{percent(score)} of the sealed ones are judged right. So far the scores run from "
                    f"{percent(min(self.scores[:deal]))} to {percent(max(self.scores[:deal]))}.",
                    deal,
                )
            )
        made.append(self._frame("What is true", self._ending(), DEALS + 1))
        return made

    @property
    def _range(self) -> float:
        return max(self.scores) - min(self.scores)

    def _ask(self) -> Prediction:
        bounds = (0.05, 0.15, 0.25)
        return Prediction(
            f"The file stays; only the lot decides which {self.size} apples are sealed. How far apart will "
            f"the lowest and the highest of {DEALS} test scores lie?",
            ("Less than 5 points", "5 to 15 points", "15 to 25 points", "25 points or more"),
            sum(self._range >= bound for bound in bounds),
            f"They run from {percent(min(self.scores))} to {percent(max(self.scores))}.",
        )

    def _ending(self) -> str:
        mean = float(np.mean(self.true))
        return (
            f"On 10,000 new apples the {DEALS} networks are right in {percent(mean)} of cases on average, "
            f"and hardly differ: from {percent(min(self.true))} to {percent(max(self.true))}. Their test "
            f"scores were spread by {100 * float(np.std(self.scores)):.1f} points (one standard deviation), "
            f"and the formula for {self.size} separate rows says {100 * noise(mean, self.size):.1f}. Whoever "
            "reports the best deal reports luck."
        )

    def _frame(self, title: str, words: str, deal: int, prediction: Prediction | None = None) -> Frame:
        ended = deal > DEALS
        shown = min(deal, DEALS)
        mean = float(np.mean(self.true))
        rules = [(f"new apples {percent(mean)}", mean, "backward")] if ended else []
        number = max(shown - 1, 0)
        scene = self.scene(number, learned=deal > 0, opened=deal > 0, all_rows=deal == 0)
        return Frame(
            title,
            words,
            figures=(
                Figure(_OPENED if deal else "Filled: sweet; hollow: sour", scene),
                Figure("Test score of each deal", self.openings(shown, DEALS, x_title="deal", rules=rules)),
            ),
            table=Table(
                "The deals",
                ("Deal", "Sealed apples", "Test score", "On new apples"),
                [
                    (
                        str(k + 1),
                        str(self.size),
                        percent(self.scores[k]),
                        percent(self.true[k]) if ended else "not yet",
                    )
                    for k in range(shown)
                ]
                or [("none yet", str(self.size), "not yet", "not yet")],
                current=shown - 1 if 1 <= deal <= DEALS else None,
            ),
            prediction=prediction,
        )


class _Peek(_Story):
    """One envelope, opened again and again, until the score is good."""

    def __init__(self, values: Values) -> None:
        self.tries = int(values["tries"])
        super().__init__(values, networks=self.tries)

    def frames(self) -> list[Frame]:
        made = [
            self._frame(
                "The file, and one envelope",
                f"{self.file_words()} {self.size} apples are sealed, once. Now we try {self.tries} networks "
                "that differ only in their first, random weights. Each time we open the envelope, and keep "
                "the network if it scores better.",
                0,
                self._ask(),
            )
        ]
        for opening in range(1, self.tries + 1):
            made.append(self._frame(f"Opening {opening} of {self.tries}", self._opening(opening), opening))
        made.append(self._frame("What is true", self._ending(), self.tries + 1))
        return made

    @property
    def best(self) -> int:
        return int(np.argmax(self.scores))

    def _ask(self) -> Prediction:
        gap = self.scores[self.best] - self.true[self.best]
        return Prediction(
            f"We keep the best of {self.tries} networks by its test score. How will that score compare with "
            "its score on 10,000 new apples?",
            ("Clearly higher", f"Within {_points(_CLOSE)}", "Clearly lower"),
            1 if abs(gap) < _CLOSE else 0 if gap > 0 else 2,
            f"The best test score is {percent(self.scores[self.best])}; the same network scores "
            f"{percent(self.true[self.best])} on new apples.",
        )

    def _opening(self, opening: int) -> str:
        score = self.scores[opening - 1]
        best = max(self.scores[:opening])
        if opening == 1:
            news = "It is the first, so we keep it."
        elif score > max(self.scores[: opening - 1]):
            news = "**Better than all before:** we keep it."
        else:
            news = f"Not better than {percent(best)}: we throw it away."
        return f"This network judges {percent(score)} of the sealed apples right. {news}"

    def _ending(self) -> str:
        best, mean = self.best, float(np.mean(self.true))
        first = self.scores[0]
        return (
            f"The network that was kept promised {percent(self.scores[best])} and holds "
            f"{percent(self.true[best])}. On new apples all {self.tries} networks score {percent(mean)} on "
            f"average; the choice bought almost nothing. The first opening said {percent(first)}: that one "
            "was a fair test. From the second on the envelope chose, so it was a validation set, and there "
            "is no test set any more."
        )

    def _frame(self, title: str, words: str, opening: int, prediction: Prediction | None = None) -> Frame:
        ended = opening > self.tries
        shown = min(opening, self.tries)
        number = self.best if ended else max(shown - 1, 0)
        rules = []
        if shown:
            best = max(self.scores[:shown])
            rules.append((f"best so far {percent(best)}", best, "forward"))
        if ended:
            rules = [
                (f"promised {percent(self.scores[self.best])}", self.scores[self.best], "forward"),
                (f"new apples {percent(self.true[self.best])}", self.true[self.best], "backward"),
            ]
        scene = self.scene(number, learned=opening > 0, opened=opening > 0)
        return Frame(
            title,
            words,
            figures=(
                Figure(_OPENED if opening else "Filled: sweet; hollow: sour", scene),
                Figure(
                    "Test score at each opening",
                    self.openings(
                        shown, self.tries, x_title="opening", rules=rules, marked=self.best if ended else None
                    ),
                ),
            ),
            table=Table(
                "Log of the envelope",
                ("Opening", "Test score", "Best so far", "On new apples"),
                [
                    (
                        str(k + 1),
                        percent(self.scores[k]),
                        percent(max(self.scores[: k + 1])),
                        percent(self.true[k]) if ended else "not yet",
                    )
                    for k in range(shown)
                ]
                or [("none yet", "not yet", "not yet", "not yet")],
                current=shown - 1 if 1 <= opening <= self.tries else None,
            ),
            prediction=prediction,
        )


LAB = Lab(
    title="The sealed envelope",
    task="Open it once. Then deal the same file again and again, and see how much of a score is luck. Then "
    "open it until you like what you see.",
    settings=(
        Choice(
            "story",
            "What to do",
            "once",
            (
                ("once", "open it once"),
                ("deals", f"deal {DEALS} times"),
                ("peek", "open until it is good"),
            ),
        ),
        Whole("rows", "Apples", 60, 24, 200, 4),
        Number("share", "Share in the envelope", 0.25, 0.1, 0.6, 0.05),
        Whole("units", "Hidden units", 16, 1, 32, note="more can remember more"),
        Whole("tries", "Openings", 20, 2, 40, note="for opening again and again"),
        Whole("seed", "Seed", 0, 0, 99, note="other apples"),
    ),
    run=run,
    step_name="stage",
)
