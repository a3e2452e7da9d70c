"""The lab of the training loop: a loop that really runs, stopped at every line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

import slopewise as sw
from slopewise.engine.errors import ArgumentError
from slopewise.site.drawing import Plot, brief, fixed, linear
from slopewise.site.drawing.scale import covering
from slopewise.site.labs import (
    Choice,
    Code,
    Figure,
    Frame,
    Lab,
    Number,
    Prediction,
    Table,
    Values,
    Whole,
)

Floats = NDArray[np.float64]

ROWS = 12
LINES = (
    "for epoch in range(epochs):",
    "    for xb, yb in loader:",
    "        optimizer.zero_grad()",
    "        prediction = model(xb)",
    "        loss = mse(prediction, yb)",
    "        loss.backward()",
    "        optimizer.step()",
    "    score = evaluate(model, validation)",
)
EPOCH, BATCH, ZERO, FORWARD, LOSS, BACKWARD, STEP, SCORE = range(len(LINES))
_SAYS = {
    EPOCH: "An epoch begins: one pass over all training rows, in an order of its own.",
    BATCH: "The loader hands over the next rows. Only these take part in the coming update.",
    ZERO: "The gradients of the update before are set to zero. Without this line the new ones would be "
    "added to them.",
    FORWARD: "Forward pass: the model turns the inputs into predictions. The tape notes every operation.",
    LOSS: "One number says how wrong these predictions are: the mean of the squared errors of the batch.",
    BACKWARD: "Backward pass: each parameter's gradient is found and added to its `.grad`. "
    "No parameter has changed yet.",
    STEP: "Update: each parameter moves against its gradient, as far as the learning rate says.",
    SCORE: "The epoch is over. Rows that took no part in any update say how good the line is on what it "
    "has not seen.",
}


def rows() -> tuple[Floats, Floats, Floats, Floats]:
    """Return training inputs and targets, and validation inputs and targets: a noisy line."""
    X, y = sw.data.generate("linear", n=ROWS + 6, features=1, noise=0.4, seed=3)
    X, y = X.astype(np.float64), y.astype(np.float64)
    return X[:ROWS], y[:ROWS], X[ROWS:], y[ROWS:]


def _mse(prediction: sw.Tensor, target: sw.Tensor) -> sw.Tensor:
    return ((prediction - target) ** 2).mean()


@dataclass
class Moment:
    """What the loop's variables hold after a line was run."""

    line: int
    epoch: int
    update: int
    batch: list[int]
    weight: float
    bias: float
    gradient: tuple[float, float] | None
    prediction: list[float] | None
    loss: float | None
    validation: float | None
    losses: list[float]


def run_loop(rate: float, batch_size: int, epochs: int, fault: str) -> Iterator[Moment]:
    """Run the loop on the engine, and yield a moment after each line.

    Parameters
    ----------
    fault : "none", or the line that is left out: "zero", "step"
    """
    X, y, X_val, y_val = rows()
    weight = sw.tensor(np.array([[-0.5]]), requires_grad=True)
    bias = sw.tensor(np.array([0.0]), requires_grad=True)
    optimizer = sw.optim.SGD([weight, bias], lr=rate)
    numbers = np.arange(ROWS)
    loader = sw.data.DataLoader((X, y, numbers), batch_size=batch_size, shuffle=True, seed=0)
    update = 0
    losses: list[float] = []
    batch: list[int] = []
    prediction: sw.Tensor | None = None
    loss: sw.Tensor | None = None
    validation: float | None = None

    def moment(line: int, epoch: int) -> Moment:
        gradient = None
        if weight.grad is not None and bias.grad is not None:
            gradient = (weight.grad.item(), bias.grad.item())
        return Moment(
            line,
            epoch,
            update,
            batch,
            weight.item(),
            bias.item(),
            gradient,
            None if prediction is None else prediction.numpy().tolist(),
            None if loss is None else loss.item(),
            validation,
            list(losses),
        )

    for epoch in range(epochs):
        yield moment(EPOCH, epoch)
        for xb, yb, which in loader:
            batch, prediction, loss = which.numpy().tolist(), None, None
            yield moment(BATCH, epoch)
            if fault != "zero":
                optimizer.zero_grad()
                yield moment(ZERO, epoch)
            prediction = (xb @ weight + bias)[:, 0]
            yield moment(FORWARD, epoch)
            loss = _mse(prediction, yb)
            yield moment(LOSS, epoch)
            loss.backward()
            yield moment(BACKWARD, epoch)
            if fault != "step":
                optimizer.step()
                update += 1
            losses.append(loss.item())
            if fault != "step":
                yield moment(STEP, epoch)
        with sw.no_grad():
            validation = _mse((sw.tensor(X_val) @ weight + bias)[:, 0], sw.tensor(y_val)).item()
        yield moment(SCORE, epoch)


def run(values: Values) -> list[Frame]:
    """Run the loop, and show each line."""
    batch_size, epochs = int(values["batch"]), int(values["epochs"])
    lines = epochs * (2 + 6 * -(-ROWS // batch_size))
    if lines > 200:
        raise ArgumentError(
            f"{epochs} epochs of batches of {batch_size} are {lines} lines to step through, and the lab "
            f"shows "
            "200; choose fewer epochs or larger batches"
        )
    moments = list(run_loop(float(values["lr"]), batch_size, epochs, str(values["fault"])))
    show = _Show(moments, str(values["fault"]))
    return [show.frame(place) for place in range(len(moments))]


class _Show:
    """Turns moments into frames."""

    def __init__(self, moments: list[Moment], fault: str) -> None:
        self.moments, self.fault = moments, fault
        left_out = {"zero": ZERO, "step": STEP}.get(fault)
        self.lines = [
            line if number != left_out else f"{line[:8]}# {line[8:]}   left out"
            for number, line in enumerate(LINES)
        ]
        self.X, self.y, self.X_val, self.y_val = rows()
        self.ceiling = max((loss for loss in moments[-1].losses if np.isfinite(loss)), default=1.0)

    def frame(self, place: int) -> Frame:
        moment = self.moments[place]
        return Frame(
            title=f"Epoch {moment.epoch + 1}, update {moment.update}: line {moment.line + 1}",
            words=f"{_SAYS[moment.line]} {self._change(place)}".strip(),
            figures=(
                Figure(
                    "The model's line. Filled: rows of this batch; hollow: other rows; rust: validation",
                    self._line(moment),
                ),
                Figure("Loss of each batch, by update", self._losses(moment)),
            ),
            code=Code(self.lines, moment.line, self._variables(moment)),
            table=self._table(place),
            prediction=self._prediction(place),
        )

    @property
    def _has_parts(self) -> bool:
        """Whether a batch is not all rows."""
        return any(len(moment.batch) < ROWS for moment in self.moments)

    def _change(self, place: int) -> str:
        moment = self.moments[place]
        before = self.moments[place - 1] if place else moment
        if moment.line == STEP:
            return (
                f"The weight goes from {brief(before.weight)} to {brief(moment.weight)}, the bias from "
                f"{brief(before.bias)} to {brief(moment.bias)}."
            )
        if moment.line == BACKWARD and moment.gradient is not None:
            return f"The gradients are {brief(moment.gradient[0])} and {brief(moment.gradient[1])}."
        if moment.line == LOSS and moment.loss is not None:
            return f"It is {brief(moment.loss)}."
        if moment.line == SCORE and moment.validation is not None:
            return f"Their loss is {brief(moment.validation)}."
        if moment.line == BATCH:
            return f"Here they are rows {', '.join(str(number) for number in sorted(moment.batch))}."
        return ""

    def _variables(self, moment: Moment) -> list[tuple[str, str]]:
        gradient = "none yet"
        if moment.gradient is not None:
            gradient = f"{brief(moment.gradient[0])}, {brief(moment.gradient[1])}"
        predicted = "none yet"
        if moment.prediction is not None:
            shown = [fixed(value) for value in moment.prediction[:4]]
            predicted = ", ".join(shown) + (" …" if len(moment.prediction) > 4 else "")
        return [
            ("epoch", str(moment.epoch)),
            ("weight, bias", f"{brief(moment.weight)}, {brief(moment.bias)}"),
            (".grad", gradient),
            ("rows of xb", ", ".join(str(number) for number in sorted(moment.batch)) or "none yet"),
            ("prediction", predicted),
            ("loss", "none yet" if moment.loss is None else brief(moment.loss)),
            ("score", "none yet" if moment.validation is None else brief(moment.validation)),
        ]

    def _prediction(self, place: int) -> Prediction | None:
        """Ask twice in the first update, and once about the fault."""
        if place + 1 >= len(self.moments):
            return None
        following = self.moments[place + 1]
        if following.epoch == 0 and following.line == BACKWARD and not following.losses:
            return Prediction(
                "The next line is `loss.backward()`. Which of these will it change?",
                ("the weight and the bias", "their gradients", "the prediction"),
                1,
                "It fills `.grad` and touches no parameter. The update is the next line's work.",
            )
        first_of_second = len(following.losses) == 1
        if self.fault == "zero" and first_of_second and following.line == BACKWARD:
            return self._sum_question(place)
        if self.fault == "none" and following.line == LOSS and len(following.losses) == 3 and self._has_parts:
            return self._lower_question(following)
        if self.fault == "step" and following.line == LOSS and len(following.losses) == 1:
            return Prediction(
                "`optimizer.step()` is left out. What will the loss of the next batches do?",
                ("It falls, only more slowly", "It differs from batch to batch, but falls nowhere"),
                1,
                "Nothing changes the parameters: the loss differs only because the rows do.",
            )
        return None

    def _sum_question(self, place: int) -> Prediction:
        before, after = self.moments[place], self.moments[place + 1]
        assert before.gradient is not None
        assert after.gradient is not None
        alone = after.gradient[0] - before.gradient[0]
        return Prediction(
            f"`zero_grad()` is left out. The weight's gradient stands at {brief(before.gradient[0])}; this "
            f"batch alone "
            f"would give {brief(alone)}. What will stand there after `loss.backward()`?",
            (brief(alone), brief(after.gradient[0])),
            1,
            "Gradients are added to what is there. The update then follows batches that are long gone.",
        )

    def _lower_question(self, following: Moment) -> Prediction:
        assert following.loss is not None
        before = following.losses[-1]
        return Prediction(
            f"The last batch had a loss of {brief(before)}, and an update was made. The next loss, on "
            f"**other** rows, "
            "will be",
            ("lower", "higher"),
            0 if following.loss < before else 1,
            f"It is {brief(following.loss)}. Each batch has a loss of its own: single values go up and "
            f"down even "
            "while training goes well.",
        )

    # ---- pictures

    def _line(self, moment: Moment) -> str:
        xs = np.concatenate([self.X[:, 0], self.X_val[:, 0]])
        plot = Plot(
            covering(xs.tolist()),
            covering(np.concatenate([self.y, self.y_val, [-2.0, 3.0]]).tolist()),
            x_title="x",
            y_title="y",
            title="Training rows, validation rows and the model's line",
            description=f"The line has weight {brief(moment.weight)} and bias {brief(moment.bias)}.",
        )
        ends = (plot.x.low, plot.x.high)
        plot.line([(x, moment.weight * x + moment.bias) for x in ends], "forward")
        inside = set(moment.batch)
        for number in inside:
            x, y = float(self.X[number, 0]), float(self.y[number])
            if moment.line >= FORWARD:
                plot.line([(x, y), (x, moment.weight * x + moment.bias)], "backward thin")
        points = [(float(x), float(y)) for x, y in zip(self.X[:, 0], self.y)]
        plot.dots([point for number, point in enumerate(points) if number not in inside], "hollow", 4)
        plot.dots([point for number, point in enumerate(points) if number in inside], "ink", 4.5)
        plot.dots([(float(x), float(y)) for x, y in zip(self.X_val[:, 0], self.y_val)], "validation", 4)
        return plot.svg()

    def _losses(self, moment: Moment) -> str:
        total = max(len(self.moments[-1].losses), 1)
        plot = Plot(
            linear(0, total + 1, min(total + 1, 6)),
            linear(0, min(self.ceiling, 1e6) * 1.1),
            x_title="batch",
            y_title="loss",
            title="Loss of each batch so far",
            description=", ".join(brief(loss) for loss in moment.losses) or "No batch is done yet.",
        )
        path = [(k + 1.0, loss) for k, loss in enumerate(moment.losses)]
        plot.line(path, "forward")
        plot.dots(path, "forward", 3)
        if moment.validation is not None:
            plot.rule("backward", y=min(moment.validation, plot.y.high), label="validation")
        return plot.svg()

    def _table(self, place: int) -> Table:
        start = self.moments[0]
        rows_ = [("at the start", "not yet", brief(start.weight), brief(start.bias))]
        for before, here in pairwise(self.moments[: place + 1]):
            after = brief(here.weight), brief(here.bias)
            if len(here.losses) > len(before.losses):
                what = f"epoch {before.epoch + 1}, batch {len(here.losses)}"
                rows_.append((what, brief(here.losses[-1]), *after))
            if here.line == SCORE and here.validation is not None:
                rows_.append((f"epoch {here.epoch + 1}, validation", brief(here.validation), *after))
        return Table("Batches so far", ("When", "Loss", "Weight after", "Bias after"), rows_)


LAB = Lab(
    title="The loop, line by line",
    task="Step through the loop and watch the variables. Then leave out a line, say what will happen, and "
    "look.",
    settings=(
        Number("lr", "Learning rate", 0.1, 0.01, 1.0, 0.01),
        Whole("batch", "Batch size", 4, 2, ROWS),
        Whole("epochs", "Epochs", 3, 1, 8),
        Choice(
            "fault",
            "Left out",
            "none",
            (("none", "nothing"), ("zero", "optimizer.zero_grad()"), ("step", "optimizer.step()")),
        ),
    ),
    run=run,
    step_name="line",
)
