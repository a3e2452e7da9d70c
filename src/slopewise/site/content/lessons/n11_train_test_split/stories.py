"""The stories of the lab: the envelope opened once, dealt again, or opened until the score is good."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from slopewise.site.content.lessons.n11_train_test_split.apples import noise
from slopewise.site.content.lessons.n11_train_test_split.envelope import (
    LEARNED,
    OPENED,
    Story,
    percent,
    percents,
    points,
)
from slopewise.site.drawing import Plot, Scale
from slopewise.site.labs import Figure, Frame, Prediction, Table, Values

DEALS = 16
CLOSE = 0.04  # scores that differ by less count as alike


class Once(Story):
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
                f"{points(noise(true, size))} up or down.",
                self.scene(learned=True, opened=True),
                3,
            ),
            self._frame(
                "What is true",
                f"We made this world, so we can measure 10,000 more apples: {percent(true)}. The training "
                f"score was off by {points(abs(self.learned_score - true))}, the test score by "
                f"{points(abs(test - true))}. {self._verdict()}",
                self.scene(learned=True, opened=True),
                4,
            ),
        ]

    def _ask(self) -> Prediction:
        gap = self.learned_score - self.true[0]
        return Prediction(
            "A network will learn from most of these apples. How will its score on the apples that it "
            "learned compare with its score on 10,000 new ones?",
            ("Clearly higher", f"Within {points(CLOSE)}", "Clearly lower"),
            1 if abs(gap) < CLOSE else 0 if gap > 0 else 2,
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
            Figure(OPENED if stage >= 3 else LEARNED if stage == 2 else key, picture),
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
            percents(low, 1.04),
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


class Deals(Story):
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
            (
                f"Less than {points(bounds[0])}",
                *(f"{100 * low:.0f} to {points(high)}" for low, high in pairwise(bounds)),
                f"{points(bounds[-1])} or more",
            ),
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
                Figure(OPENED if deal else "Filled: sweet; hollow: sour", scene),
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


class Peek(Story):
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
            ("Clearly higher", f"Within {points(CLOSE)}", "Clearly lower"),
            1 if abs(gap) < CLOSE else 0 if gap > 0 else 2,
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
                Figure(OPENED if opening else "Filled: sweet; hollow: sour", scene),
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
