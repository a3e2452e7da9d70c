"""One neuron that learns its threshold: its answers, its loss and its slopes at each update."""

from __future__ import annotations

import numpy as np

import slopewise as sw
from slopewise.engine.errors import ArgumentError
from slopewise.site.content.lessons.n08_activations.activations import (
    ACTIVATIONS,
    TARGETS,
    XS,
    Floats,
    Moment,
    Unit,
    slopes,
)
from slopewise.site.drawing import Plot, brief, fixed, linear
from slopewise.site.labs import Figure, Frame, Prediction, Table

UPDATES = 24
_LOW, _HIGH = -3.5, 3.5


def neuron_frames(unit: str, sharpness: float, loss: str, rate: float) -> list[Frame]:
    """Let the neuron learn, and show each update."""
    if unit != "sigmoid" and loss == "cross_entropy":
        raise ArgumentError(
            "the cross-entropy of a step is infinite as soon as one answer is wrong; choose mean squared "
            "error"
        )
    walk = _Walk(unit, sharpness, loss, rate)
    return [walk.frame(number) for number in range(UPDATES + 1)]


class _Walk:
    """An experiment that was run, and the pictures of it."""

    def __init__(self, unit: str, sharpness: float, loss: str, rate: float) -> None:
        self.kind, self.rate = unit, rate
        activation = "sigmoid" if unit == "sigmoid" else "step"
        self.unit = Unit(activation, sharpness if unit == "sigmoid" else 1.0, loss)
        self.moments = self.unit.walk(rate, UPDATES, "perceptron" if unit == "rule" else "gradient")
        self.across = np.linspace(_LOW, _HIGH, 281)
        self.along: Floats = self.unit.losses(sw.tensor(self.across[:, None])).numpy()

    def frame(self, number: int) -> Frame:
        moment = self.moments[number]
        return Frame(
            title="Start" if number == 0 else f"Update {number}",
            words=self._words(number),
            formula=self._formula(number),
            figures=(
                Figure("Targets, answers (blue) and errors (rust)", self._answers(moment)),
                Figure("The loss, wherever the threshold may stand", self._ground(number)),
                Figure("The neuron's slope at each row", self._slopes(moment)),
            ),
            table=self._table(moment),
            prediction=self._prediction(number),
        )

    # ---- words

    def _words(self, number: int) -> str:
        moment = self.moments[number]
        wrong = _wrong(moment)
        here = (
            f"The threshold stands at {fixed(moment.threshold)}, {len(wrong)} of {len(XS)} rows are "
            f"answered wrongly, and the loss is {brief(moment.loss)}."
        )
        if number == UPDATES:
            return f"{here} {self._ending()}"
        if self.kind == "rule":
            return f"{here} {self._rule_words(moment)}"
        awake = int((moment.local > 0.01 * _peak(self.unit)).sum())
        if moment.gradient == 0:
            return (
                f"{here} At every row the neuron is perfectly flat, so the gradient is exactly 0. No "
                "learning rate can make a step of it: the ground in the second picture is a staircase, "
                "and it stands on a tread."
            )
        return (
            f"{here} {awake} of {len(XS)} rows lie where the neuron is steeper than a hundredth of its "
            f"steepest; the others hardly count. The gradient is {brief(moment.gradient, 3)}, so the "
            f"threshold moves by {brief(-self.rate * moment.push, 3)}."
        )

    def _rule_words(self, moment: Moment) -> str:
        if moment.push == 0:
            return "No row is wrong, so the rule changes nothing: it has arrived."
        return (
            "The perceptron's rule asks for no slope. Each row answered 1 where it should be 0 pushes the "
            "threshold up, each answered 0 where it should be 1 pushes it down: "
            f"{brief(-self.rate * moment.push, 3)} together."
        )

    def _ending(self) -> str:
        first, last = self.moments[0], self.moments[-1]
        if self.kind == "rule":
            return (
                "One neuron can learn this way, without a derivative. But the rule needs to know which "
                "way each *answer* was wrong, and for a hidden neuron nobody knows."
            )
        if self.kind == "step":
            return (
                "Nothing has moved. A step is right or wrong, and never says in which direction less "
                "wrong lies."
            )
        left = f"{brief(100 * last.loss / first.loss, 3)}% of the first loss is left"
        if last.loss > first.loss:
            return f"The loss ended higher than it began: {left}. The steps overshoot."
        if last.loss < 0.1 * first.loss:
            return f"It has learned: {left}."
        return f"{left}. Sharpness {brief(self.unit.sharpness, 3)} {self._why()}"

    def _why(self) -> str:
        awake = int((self.moments[-1].local > 0.01 * _peak(self.unit)).sum())
        if awake <= 2:
            return "makes the neuron flat at nearly every row: where it is flat, no gradient arises."
        return "leaves it on its way: more updates would bring it further."

    def _formula(self, number: int) -> str:
        moment = self.moments[number]
        if number == UPDATES or abs(self.moments[number + 1].threshold) > 1e4:
            return ""
        name = r"\frac{\partial L}{\partial b}" if self.kind != "rule" else r"\frac{1}{n} \sum (y - \hat{y})"
        return (
            rf"b - \eta \, {name} = {_place(moment.threshold)} - {_tex(self.rate)} \cdot "
            f"{_factor(moment.push)} "
            rf"= {_place(self.moments[number + 1].threshold)}"
        )

    # ---- predictions

    def _prediction(self, number: int) -> Prediction | None:
        if number == 0:
            return self._fate()
        if number == 1 and self.kind == "sigmoid":
            return self._loudest(self.moments[1])
        return None

    def _fate(self) -> Prediction:
        first, last = self.moments[0].loss, self.moments[-1].loss
        share = last / first
        answer = 3 if share > 1 else 2 if share > 0.95 else 1 if share > 0.1 else 0
        what = f"sharpness {brief(self.unit.sharpness, 3)}" if self.kind == "sigmoid" else "a step"
        how = "the perceptron's rule" if self.kind == "rule" else "gradient descent"
        return Prediction(
            f"The loss is {brief(first)}. With {what} and {how}, how much of it will be left after "
            f"{UPDATES} updates?",
            (
                "Less than a tenth: it learns",
                "More than a tenth, though it falls",
                "Nearly all: it stalls",
                "It ends higher than it began",
            ),
            answer,
            f"It went from {brief(first)} to {brief(last)}; the threshold from "
            f"{fixed(self.moments[0].threshold)} to {fixed(self.moments[-1].threshold)}.",
        )

    def _loudest(self, moment: Moment) -> Prediction | None:
        """Ask which of the wrong rows has the largest part in the gradient."""
        wrong = _wrong(moment)
        if len(wrong) < 2:
            return None
        parts = np.abs(self._parts(moment))[wrong]
        far = np.abs(XS[wrong] - moment.threshold)
        near, distant = float(parts[far.argmin()]), float(parts[far.argmax()])
        answer = 2 if abs(near - distant) <= 0.1 * max(near, distant) else 0 if near > distant else 1
        left, right = (XS[wrong][far.argmin()], XS[wrong][far.argmax()])
        return Prediction(
            f"Two of the wrong rows lie at x = {brief(left)}, near the threshold, and at x = "
            f"{brief(right)}, far from it. Which has the larger part in the gradient?",
            ("The near one", "The far one, since it is more wrong", "Both the same, within a tenth"),
            answer,
            f"The parts are {brief(near, 2)} and {brief(distant, 2)}. "
            + (
                "With squared error each part is an error times the slope there, and far away there is no "
                "slope."
                if self.unit.loss == "mse"
                else "Cross-entropy divides the slope out again: what is left is the error itself."
            ),
        )

    def _parts(self, moment: Moment) -> Floats:
        """Return what each row adds to the gradient."""
        error = moment.answers - TARGETS
        if self.unit.loss == "mse":
            return -2 * error * moment.local / len(XS)
        return -self.unit.sharpness * error / len(XS)

    # ---- pictures

    def _answers(self, moment: Moment) -> str:
        plot = Plot(
            linear(_LOW, _HIGH),
            linear(-0.12, 1.12, 5),
            x_title="x",
            y_title="answer",
            title="The neuron's answer by x, with the targets",
            description=f"The threshold is at {fixed(moment.threshold)}; targets change from 0 to 1 at x = "
            "1.",
            size=(560, 440),
        )
        if plot.holds(moment.threshold, 0.5):
            plot.rule("", x=moment.threshold, label=f"threshold {fixed(moment.threshold)}")
        curve = self.unit.answer(self.across, sw.tensor(moment.threshold, dtype=sw.float64)).numpy()
        for x, answer, target in zip(XS, moment.answers, TARGETS):
            plot.line([(float(x), float(answer)), (float(x), float(target))], "backward thin")
        plot.line(_with_jump(self.across, curve, moment.threshold, self.kind), "forward")
        plot.dots([(float(x), float(y)) for x, y in zip(XS, TARGETS)], "hollow", 5)
        plot.dots([(float(x), float(a)) for x, a in zip(XS, moment.answers)], "forward", 3.2)
        return plot.svg()

    def _ground(self, number: int) -> str:
        moment = self.moments[number]
        top = float(self.along.max()) * 1.08
        plot = Plot(
            linear(_LOW, _HIGH),
            linear(0, top, 4),
            x_title="threshold b",
            y_title="loss",
            title="Loss by threshold",
            description=f"The walker stands at {fixed(moment.threshold)} with loss {brief(moment.loss)}.",
            size=(420, 220),
        )
        plot.line([(float(x), float(y)) for x, y in zip(self.across, self.along)], "ink")
        if number < UPDATES:
            reach = self.moments[number + 1].threshold
            plot.arrow((moment.threshold, moment.loss), (reach, moment.loss), "forward")
        plot.dots([(m.threshold, m.loss) for m in self.moments[:number]], "forward", 2.2)
        plot.dots([(moment.threshold, moment.loss)], "ring", 5)
        return plot.svg()

    def _slopes(self, moment: Moment) -> str:
        phi, k = ACTIVATIONS[self.unit.activation], self.unit.sharpness
        steep = k * slopes(phi, k * (self.across - moment.threshold))
        top = max(_peak(self.unit), 1.0) * 1.1
        plot = Plot(
            linear(_LOW, _HIGH),
            linear(-0.04 * top, top, 4),
            x_title="x",
            y_title="slope",
            title="Slope of the neuron at each row",
            description=", ".join(f"{brief(x)}: {brief(s, 2)}" for x, s in zip(XS, moment.local)),
            size=(420, 220),
        )
        plot.line([(float(x), float(s)) for x, s in zip(self.across, steep)], "")
        plot.dots([(float(x), float(s)) for x, s in zip(XS, moment.local)], "backward", 4)
        return plot.svg()

    def _table(self, moment: Moment) -> Table:
        rows = [
            (
                brief(float(x)),
                brief(float(y)),
                brief(float(answer), 3),
                brief(float(local), 3),
                brief(float(part), 3),
            )
            for x, y, answer, local, part in zip(
                XS, TARGETS, moment.answers, moment.local, self._parts(moment)
            )
        ]
        return Table(
            "The rows at this update", ("x", "Target", "Answer", "Slope there", "Part of the gradient"), rows
        )


def _wrong(moment: Moment) -> list[int]:
    return [int(row) for row in np.flatnonzero((moment.answers > 0.5) != (TARGETS > 0.5))]


def _peak(unit: Unit) -> float:
    """Return the largest slope that the neuron has anywhere."""
    return unit.sharpness * float(slopes(ACTIVATIONS[unit.activation], np.zeros(1))[0])


def _with_jump(xs: Floats, curve: Floats, threshold: float, kind: str) -> list[tuple[float, float]]:
    """Return a curve as points; a step gets an upright edge."""
    points = [(float(x), float(y)) for x, y in zip(xs, curve)]
    if kind == "sigmoid":
        return points
    before = [point for point in points if point[0] < threshold]
    after = [point for point in points if point[0] >= threshold]
    return [*before, (threshold, 0.0), (threshold, 1.0), *after]


def _tex(value: float) -> str:
    mantissa, _, exponent = brief(value, 3).replace("−", "-").partition("e")
    return rf"{mantissa} \cdot 10^{{{exponent}}}" if exponent else mantissa


def _place(value: float) -> str:
    return fixed(value, 3).replace("−", "-")


def _factor(value: float) -> str:
    return f"({_tex(value)})" if value < 0 else _tex(value)
