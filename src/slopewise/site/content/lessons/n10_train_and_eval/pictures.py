"""The pictures of the lab: units or batches by call, answers, and losses by mode."""

from __future__ import annotations

import math

from slopewise.site.content.lessons.n10_train_and_eval.modes import UNITS, Record
from slopewise.site.drawing import Plot, Scale, brief, linear
from slopewise.site.drawing.scale import covering

_SIZE = (480, 360)


class Pictures:
    """Draws what was seen, up to a call."""

    def __init__(self, record: Record, layer: str) -> None:
        self.record, self.layer, self.calls = record, layer, record.calls
        self.is_batchnorm = layer == "batchnorm"
        self.switch = sum(call.mode == "train" for call in self.calls)  # calls before eval()

    def caption(self) -> str:
        """Return what stands above the picture of the calls."""
        if self.is_batchnorm:
            return "Inputs of unit 1. Ring: our row; hollow: company; bar: mean used; line: running mean"
        if self.layer == "dropout":
            return "The hidden units at each call. Filled: kept; hollow: dropped"
        return "The hidden units at each call: all take part, always"

    def units(self, number: int) -> str:
        """Draw which hidden units took part in each call."""
        total = len(self.calls)
        downward = Scale(
            0.2,
            total + 0.8,
            tuple((float(k), str(k)) for k in range(5, total + 1, 5)),
            lambda value: 1 - (value - 0.2) / (total + 0.6),
        )
        plot = Plot(
            Scale(
                0.2, UNITS + 0.8, ((1.0, "1"), (8.0, "8"), (16.0, "16")), lambda v: (v - 0.2) / (UNITS + 0.6)
            ),
            downward,
            x_title="hidden unit",
            y_title="call",
            title="Which units took part in each call",
            description="; ".join(
                f"call {k + 1}: {sum(value != 0 for value in call.passed)} kept"
                for k, call in enumerate(self.calls[:number])
            )
            or "no call yet",
            size=_SIZE,
        )
        for kind, kept in (("hollow", False), ("ink", True), ("forward", True)):
            mode = {"ink": "train", "forward": "eval"}.get(kind)
            plot.dots(
                [
                    (unit + 1.0, k + 1.0)
                    for k, call in enumerate(self.calls[:number])
                    for unit, value in enumerate(call.passed)
                    if (value != 0) is kept and mode in (None, call.mode)
                ],
                kind,
                4.5,
            )
        return plot.svg()

    def batches(self, number: int) -> str:
        """Draw what went into the first unit, batch by batch, and the means."""
        everything = [value for call in self.calls for value in (*call.company, call.hidden[0])]
        total = len(self.calls)
        plot = Plot(
            linear(0, total + 1, 5),
            covering(everything),
            x_title="call",
            y_title="",
            title="Values of the first unit in each batch",
            description="; ".join(
                f"call {k + 1}: mean used {brief(call.used)}" for k, call in enumerate(self.calls[:number])
            )
            or "no call yet",
            size=_SIZE,
        )
        running = [
            (k + 1.0, call.running)
            for k, call in enumerate(self.calls[:number])
            if math.isfinite(call.running)
        ]
        plot.line(running, "forward thin")
        for k, call in enumerate(self.calls[:number], start=1):
            plot.dots([(float(k), value) for value in call.company], "hollow", 2.6)
            if math.isfinite(call.used):
                kind = "backward" if call.mode == "train" else "forward"
                plot.line([(k - 0.4, call.used), (k + 0.4, call.used)], kind)
            plot.dots([(float(k), call.hidden[0])], "ring", 4)
        return plot.svg()

    def answers(self, number: int) -> str:
        """Draw the answers so far."""
        known = [self.record.before, *self.record.answers("train"), *self.record.answers("eval")]
        low, high = min(known), max(known)
        room = max(0.15 * (high - low), 0.1)
        total = len(self.calls)
        plot = Plot(
            linear(0, total + 1, 5),
            linear(low - room, high + room),
            x_title="call",
            y_title="answer",
            title="Answers for the same row",
            description=", ".join(
                "refused" if call.answer is None else brief(call.answer) for call in self.calls[:number]
            )
            or "no call yet",
            size=_SIZE,
        )
        plot.rule("muted", y=self.record.before, label="eval() before")
        if number > self.switch:
            plot.rule("forward", x=self.switch + 0.5, label="eval()")
        for mode, kind in (("train", "ink"), ("eval", "forward")):
            plot.dots(
                [
                    (k + 1.0, call.answer)
                    for k, call in enumerate(self.calls[:number])
                    if call.mode == mode and call.answer is not None
                ],
                kind,
                4.5,
            )
        return plot.svg()

    def losses(self) -> str:
        """Draw the losses of the validation rows in both modes."""
        losses = [*self.record.train_losses, self.record.eval_loss]
        plot = Plot(
            Scale(0.3, 2.7, ((1.0, "training mode"), (2.0, "evaluation mode")), lambda v: (v - 0.3) / 2.4),
            linear(0, 1.15 * max(losses)),
            x_title="",
            y_title="loss",
            title="Validation loss by mode",
            description=", ".join(brief(loss, 3) for loss in losses),
            size=_SIZE,
        )
        plot.dots([(1.0, loss) for loss in self.record.train_losses], "ink", 5)
        plot.dots([(2.0, self.record.eval_loss)], "forward", 6)
        if self.record.train_losses:
            mean = sum(self.record.train_losses) / len(self.record.train_losses)
            plot.label(1.0, mean, brief(mean, 3), "ink", dx=12, dy=5)
        plot.label(2.0, self.record.eval_loss, brief(self.record.eval_loss, 3), "forward", dx=12, dy=5)
        return plot.svg()
