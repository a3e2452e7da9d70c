"""The lab of the loss: row by row from input to prediction, error and loss, and what its slope does."""

from __future__ import annotations

import numpy as np

import slopewise as sw
from slopewise.site.content.lessons.n03_forward_pass_and_loss.models import (
    KINDS,
    Floats,
    Kind,
    Pass,
    X,
    descend,
)
from slopewise.site.drawing import Plot, Scale, brief, linear, signed
from slopewise.site.drawing.scale import covering
from slopewise.site.labs import Choice, Figure, Frame, Lab, Number, Prediction, Table, Values

UPDATES = 6
ROWS = len(X)
_WAYS = (("right", "ŷ − y"), ("turned", "y − ŷ: a mistake"))
_DRAWN = 0.5  # pulls on numbers are drawn half as long: a squared error's then ends at the target
_ASKED = 2  # after this row it is asked which row will add most
_BAR = 0.3  # half the width of a bar
_ROW_SCALE = Scale(
    0.4,
    ROWS + 0.6,
    tuple((float(row), str(row)) for row in range(1, ROWS + 1)),
    lambda row: (row - 0.4) / (ROWS + 0.2),
)


def run(values: Values) -> list[Frame]:
    """Go through the rows, take the mean, send the slope back, and make some updates."""
    return _Show(
        KINDS[str(values["loss"])],
        float(values["w"]),
        float(values["b"]),
        float(values["lr"]),
        turned=values["way"] == "turned",
    ).frames()


class _Show:
    """One run, and the pictures of it."""

    def __init__(self, kind: Kind, w: float, b: float, rate: float, *, turned: bool) -> None:
        self.kind, self.rate, self.turned = kind, rate, turned
        self.passes = descend(kind, w, b, rate, UPDATES, turned=turned)
        self.first = self.passes[0]
        self.errors = self.first.predictions - kind.targets
        self.hat = "p" if kind.is_class else r"\hat{y}"

    def frames(self) -> list[Frame]:
        return [
            self._start(),
            *(self._row(row) for row in range(ROWS)),
            self._mean(),
            self._slopes(),
            self._parameters(),
            *(self._update(number) for number in range(1, UPDATES + 1)),
        ]

    # ---- frames

    def _start(self) -> Frame:
        w, b = self.first.w, self.first.b
        above = self.errors[0] > 0
        model = r"p = \sigma(w x + b)" if self.kind.is_class else r"\hat{y} = w x + b"
        what = (
            "Each row has an input x and a class, 0 or 1. The model says how probable class 1 is."
            if self.kind.is_class
            else "Each row has an input x and a target y. The model says a number."
        )
        return Frame(
            "Before the forward pass",
            f"{what} Its weight is {brief(w)} and its bias {brief(b)}. Nothing is computed yet.",
            formula=model,
            figures=self._figures(0),
            table=self._table(0),
            prediction=Prediction(
                f"Row 1 has x = {brief(X[0])} and the target {brief(self.kind.targets[0])}. Will the "
                "prediction lie above or below the target?",
                ("Above: ŷ − y is positive", "Below: ŷ − y is negative", "On it, to the last digit"),
                2 if self.errors[0] == 0 else 0 if above else 1,
                f"The prediction is {brief(self.first.predictions[0])}, the error "
                f"{signed(self.errors[0], 3)}.",
            ),
        )

    def _row(self, row: int) -> Frame:
        said, target = float(self.first.predictions[row]), float(self.kind.targets[row])
        error, loss = float(self.errors[row]), float(self.first.losses[row])
        return Frame(
            f"Row {row + 1}: forward, error, loss",
            f"The input {brief(X[row])} becomes {brief(said)}; the target is {brief(target)}. The error is "
            f"{signed(error, 3)}: {self._sign_words(error)} The loss of this row is {brief(loss)}.",
            formula=self._row_formula(row),
            figures=self._figures(row + 1, current=row),
            table=self._table(row + 1, current=row),
            prediction=self._largest_question() if row == _ASKED else None,
        )

    def _sign_words(self, error: float) -> str:
        if error == 0:
            return "the prediction is right."
        if self.kind.is_class:
            return "the probability is too " + ("high." if error > 0 else "low.")
        return "the prediction is too " + ("high." if error > 0 else "low.")

    def _row_formula(self, row: int) -> str:
        w, b, x, score = (
            _tex(value) for value in (self.first.w, self.first.b, X[row], self.first.scores[row])
        )
        target, said = _tex(self.kind.targets[row]), _tex(self.first.predictions[row])
        forward = rf"{_in(w)} \cdot {_in(x)} + {_in(b)} = {score}"
        if self.kind.is_class:
            forward += rf" \qquad p = \sigma({score}) = {said}"
        return rf"{forward} \qquad {self.hat} - y = {said} - {_in(target)} = {_tex(self.errors[row])}"

    def _largest_question(self) -> Prediction:
        order = np.argsort(-self.first.losses)
        chosen = sorted(order[:3].tolist())
        share = self.first.losses[order[0]] / max(self.first.losses.sum(), 1e-300)
        return Prediction(
            "Look at the filled dots and at the model's curve. Which row will add most to the loss?",
            tuple(f"Row {row + 1}, at x = {brief(X[row])}" for row in chosen),
            chosen.index(int(order[0])),
            f"Its error is {signed(self.errors[order[0]], 2)}. It adds {brief(100 * share, 3)}% of all.",
        )

    def _mean(self) -> Frame:
        row = int(np.argmax(np.abs(self.errors)))
        error = float(self.errors[row])
        terms = " + ".join(_in(_tex(value)) for value in self.first.losses)
        ask = Prediction(
            f"Row {row + 1} has the error {signed(error, 2)}. If its {self._score_name()} grew a little, its "
            "loss would then",
            ("Grow", "Shrink", "Stay the same"),
            0 if error > 0 else 1 if error < 0 else 2,
            f"The slope of its loss is {brief(self._row_slope(row))}: it has the sign of the error.",
        )
        return Frame(
            "One number: the mean",
            f"The mean of the {ROWS} losses is {brief(self.first.loss)}. This one number is what training "
            "lowers. It knows nothing of signs any more; its slope does.",
            formula=rf"L = \frac{{1}}{{{ROWS}}} ({terms}) = {_tex(self.first.loss)}",
            figures=self._figures(ROWS),
            table=self._table(ROWS),
            prediction=ask,
        )

    def _score_name(self) -> str:
        return "logit" if self.kind.is_class else "prediction"

    def _row_slope(self, row: int) -> float:
        return float(self.first.slopes[row]) * ROWS

    def _slopes(self) -> Frame:
        pull = {
            "squared": "The pull is proportional to the error: the far row pulls hardest.",
            "absolute": "Only the sign of the error counts: each row pulls alike, however far it is.",
            "cross": "The slope is prediction minus target and nothing else: whoever is confidently wrong "
            "pulls hardest.",
            "class": "The slope holds the factor p (1 − p): whoever is confidently *wrong* hardly pulls.",
        }[next(key for key, kind in KINDS.items() if kind is self.kind)]
        return Frame(
            "The slope of the loss in each prediction",
            "The engine's slopes have the signs of the errors. The blue arrows go *against* them: down where "
            f"the prediction is too high, up where it is too low. {pull}",
            formula=rf"\frac{{\partial}}{{\partial {'z' if self.kind.is_class else self.hat}}} \, "
            rf"{self.kind.loss_latex} = {self.kind.slope_latex}",
            figures=self._figures(ROWS, arrows=True),
            table=self._table(ROWS, slopes=True),
        )

    def _parameters(self) -> Frame:
        dw, db = self.first.gradient
        after = self.passes[1]
        change = (after.loss - self.first.loss) / max(abs(self.first.loss), 1e-300)
        answer = 2 if abs(change) < 1e-3 else 0 if change < 0 else 1
        way = (
            "the error written as y − ŷ, and the minus sign of the update kept"
            if self.turned
            else "a step against the gradient"
        )
        return Frame(
            "The slope in weight and bias",
            f"The bias moves all scores by as much, so its slope is the sum of theirs: {brief(db)}. "
            f"The weight moves each by its x, so its slope is the sum of theirs times x: {brief(dw)}. "
            "These two numbers are the gradient.",
            formula=r"\frac{\partial L}{\partial b} = \sum_i \frac{\partial L}{\partial z_i} = "
            rf"{_tex(db)} \qquad \frac{{\partial L}}{{\partial w}} = "
            rf"\sum_i \frac{{\partial L}}{{\partial z_i}} \, x_i = {_tex(dw)}",
            figures=self._figures(ROWS, arrows=True),
            table=self._table(ROWS, slopes=True),
            prediction=Prediction(
                f"Now an update: {way}. What will the loss do?",
                ("Fall", "Rise", "Change by less than a thousandth"),
                answer,
                f"It goes from {brief(self.first.loss)} to {brief(after.loss)}."
                + (" Turning the sign of the error turns descent into ascent." if self.turned else ""),
            ),
        )

    def _update(self, number: int) -> Frame:
        before, after = self.passes[number - 1], self.passes[number]
        sign = "+" if self.turned else "-"
        words = (
            f"The weight went from {brief(before.w)} to {brief(after.w)}, the bias from {brief(before.b)} to "
            f"{brief(after.b)}. {self._change(before.loss, after.loss)}"
        )
        if number == UPDATES:
            words += f" {self._ending()}"
        return Frame(
            f"Update {number}",
            words,
            formula=rf"w \leftarrow {_tex(before.w)} {sign} {_tex(self.rate)} \cdot "
            rf"{_in(_tex(before.gradient[0]))} = {_tex(after.w)} \qquad b \leftarrow {_tex(before.b)} {sign} "
            rf"{_tex(self.rate)} \cdot {_in(_tex(before.gradient[1]))} = {_tex(after.b)}",
            figures=(
                Figure(
                    "The model now; dashed: before the first update", self._data(ROWS, after, arrows=False)
                ),
                Figure("Mean loss, by update", self._history(number)),
            ),
            table=self._history_table(number),
        )

    def _change(self, before: float, after: float) -> str:
        if brief(before) == brief(after):
            return f"The loss hardly changes any more: {brief(after)}."
        went = "fell" if after < before else "**rose**"
        return f"The loss {went}: {brief(before)} to {brief(after)}."

    def _ending(self) -> str:
        if self.turned:
            return (
                "With y − ŷ in place of ŷ − y and the same minus sign, each update makes the errors larger."
            )
        start, end = self.passes[0].loss, self.passes[-1].loss
        if end > start:
            return "The loss ended higher than it began: the learning rate is too large for this start."
        return f"Of the first loss, {brief(100 * end / start, 3)}% is left." if start > 0 else ""

    # ---- pictures

    def _figures(self, done: int, *, current: int | None = None, arrows: bool = False) -> tuple[Figure, ...]:
        caption = "Rows (filled), predictions (rings) and errors (rust)"
        if arrows:
            half = "" if self.kind.is_class else ", at half length"
            caption = f"Blue: how each row pulls, against the slope of its loss{half}"
        figures = [Figure(caption, self._data(done, self.first, arrows=arrows))]
        if done:
            figures.append(Figure(self._curve_title(), self._curve(done, current)))
            figures.append(Figure("Loss of each row, and the mean", self._bars(done)))
        return tuple(figures)

    def _data(self, done: int, made: Pass, *, arrows: bool) -> str:
        inside = [*self.kind.targets.tolist(), *self.first.predictions.tolist()]
        plot = Plot(
            linear(-2.4, 2.4),
            linear(-0.12, 1.12) if self.kind.is_class else covering(inside, 0.1),
            x_title="x",
            y_title="probability of class 1" if self.kind.is_class else "y",
            title="Rows, predictions and errors",
            description=self._told(done),
            size=(560, 430),
        )
        along = np.linspace(-2.4, 2.4, 61)
        if made is not self.first:
            plot.line(_points(along, self.kind.predict(self.first.w * along + self.first.b)), "dashed")
        if done:
            plot.line(_points(along, self.kind.predict(made.w * along + made.b)), "forward")
        for row in range(done):
            x, y, said = float(X[row]), float(self.kind.targets[row]), float(made.predictions[row])
            plot.line([(x, y), (x, said)], "backward")
            if arrows:
                plot.arrow((x, said), (x, self._pull(row)), "forward")
        plot.dots(_points(X, self.kind.targets), "ink", 4.5)
        plot.dots(_points(X[:done], made.predictions[:done]), "ring", 4.5)
        return plot.svg()

    def _pull(self, row: int) -> float:
        """Return where the arrow of a row's pull ends: against its slope."""
        length = 1.0 if self.kind.is_class else _DRAWN
        return float(self.first.predictions[row]) - length * self._row_slope(row)

    def _told(self, done: int) -> str:
        rows = (
            f"row {row + 1}: target {brief(self.kind.targets[row])}, prediction "
            f"{brief(self.first.predictions[row])}"
            for row in range(done)
        )
        return "; ".join(rows) or "No prediction is made yet."

    def _curve_title(self) -> str:
        if self.kind.is_class:
            return "Loss of a row by its logit in favour of the right class"
        return "Loss of a row by its error"

    def _places(self) -> Floats:
        """Return where each row lies on the loss curve."""
        if self.kind.is_class:
            return np.where(self.kind.targets == 1, self.first.scores, -self.first.scores)
        return self.errors

    def _curve(self, done: int, current: int | None) -> str:
        places = self._places()
        reach = max(2.0, float(np.abs(places).max()) * 1.1)
        along = np.linspace(-reach, reach, 81)
        target = np.ones_like(along) if self.kind.is_class else np.zeros_like(along)
        heights = self.kind.losses(sw.tensor(along), sw.tensor(target)).numpy()
        plot = Plot(
            linear(-reach, reach),
            linear(0, max(float(heights.max()), float(self.first.losses.max())) * 1.05, 4),
            x_title="logit for the right class" if self.kind.is_class else "ŷ − y",
            y_title="loss",
            title=self._curve_title(),
            description=self._told_losses(done),
            size=(420, 210),
        )
        plot.line(_points(along, heights), "ink")
        if current is not None:
            at = float(places[current])
            side = -1.0 if self.kind.is_class and self.kind.targets[current] == 0 else 1.0
            slope = side * self._row_slope(current)
            tangent = [(at + d, float(self.first.losses[current]) + slope * d) for d in (-reach, reach)]
            plot.line(tangent, "backward dashed")
        plot.dots(_points(places[:done], self.first.losses[:done]), "ink", 3.2)
        if current is not None:
            plot.dots([(float(places[current]), float(self.first.losses[current]))], "ring", 5)
        return plot.svg()

    def _bars(self, done: int) -> str:
        plot = Plot(
            _ROW_SCALE,
            linear(0, max(float(self.first.losses.max()) * 1.12, 1e-6), 4),
            x_title="row",
            y_title="loss",
            title="Loss of each row",
            description=self._told_losses(done),
            size=(420, 210),
        )
        for row in range(done):
            left, right, top = row + 1 - _BAR, row + 1 + _BAR, float(self.first.losses[row])
            plot.area([(left, 0.0), (right, 0.0)], [(left, top), (right, top)], "forward")
            plot.line([(left, 0.0), (left, top), (right, top), (right, 0.0)], "forward")
        if done == ROWS:
            plot.rule("backward", y=self.first.loss, label=f"mean {brief(self.first.loss, 3)}")
        return plot.svg()

    def _told_losses(self, done: int) -> str:
        return "; ".join(f"row {row + 1}: {brief(self.first.losses[row])}" for row in range(done))

    def _history(self, number: int) -> str:
        losses = [made.loss for made in self.passes]
        plot = Plot(
            linear(0, UPDATES, UPDATES),
            linear(0, max(losses) * 1.1 or 1.0, 4),
            x_title="update",
            y_title="mean loss",
            title="Mean loss by update",
            description=", ".join(brief(loss) for loss in losses[: number + 1]),
            size=(420, 300),
        )
        path = [(float(k), loss) for k, loss in enumerate(losses[: number + 1])]
        plot.line(path, "forward")
        plot.dots(path[:-1], "forward", 3)
        plot.dots(path[-1:], "ring", 4.5)
        return plot.svg()

    # ---- tables

    def _table(self, done: int, *, current: int | None = None, slopes: bool = False) -> Table:
        rows = []
        by_hand = self.kind.slope(self.first.scores, self.kind.targets) / ROWS
        for row in range(ROWS):
            known = row < done
            cells = [
                str(row + 1),
                brief(X[row]),
                brief(self.kind.targets[row]),
                brief(self.first.predictions[row]) if known else "not yet",
                signed(self.errors[row], 3) if known else "not yet",
                brief(self.first.losses[row]) if known else "not yet",
            ]
            if slopes:
                cells += [brief(self.first.slopes[row]), brief(by_hand[row])]
            rows.append(tuple(cells))
        columns = ["Row", "x", "Target y", "Prediction ŷ", "Error ŷ − y", "Loss"]
        if slopes:
            columns += ["Slope by the engine", "By the formula"]
        return Table("The rows", columns, rows, current=current)

    def _history_table(self, number: int) -> Table:
        rows = [
            (str(k), brief(made.w), brief(made.b), brief(made.loss))
            for k, made in enumerate(self.passes[: number + 1])
        ]
        return Table("The updates", ("Update", "Weight", "Bias", "Mean loss"), rows, current=number)


def _points(xs: Floats, ys: Floats) -> list[tuple[float, float]]:
    return list(zip(xs.tolist(), ys.tolist()))


def _tex(value: float, digits: int = 4) -> str:
    text = brief(float(value), digits).replace("−", "-")
    mantissa, _, exponent = text.partition("e")
    return rf"{mantissa} \cdot 10^{{{exponent}}}" if exponent else text


def _in(text: str) -> str:
    """Return a number as it stands inside of a product or a sum."""
    return f"({text})" if text.startswith("-") else text


LAB = Lab(
    title="From input to loss, row by row",
    task="Step through the rows: prediction, error, loss. Then see what the slope of the loss makes of the "
    "sign of the error. Turn the sign round and look; compare both losses for classes at w = −2.",
    settings=(
        Choice(
            "loss",
            "Loss",
            "squared",
            tuple((key, kind.name) for key, kind in KINDS.items()),
            note="The last two are for classes.",
        ),
        Number("w", "Weight w", 0.5, -3, 3, 0.1),
        Number("b", "Bias b", 0.5, -3, 3, 0.1),
        Number("lr", "Learning rate η", 0.3, 0.05, 1.0, 0.05),
        Choice("way", "Error in the update", "right", _WAYS),
    ),
    run=run,
    step_name="stage",
)
