"""The frames of the first trap: a checkpoint a frame, then the rows that nobody had."""

from __future__ import annotations

import numpy as np

from slopewise.site.content.lessons.n13_overfitting_and_leakage.curve import (
    GRID,
    NEW,
    UPDATES,
    Run,
    World,
    parse,
    train,
    truth,
)
from slopewise.site.drawing import Plot, brief, linear
from slopewise.site.drawing.scale import covering
from slopewise.site.labs import Figure, Frame, Prediction, Table, Values

_CLOSE = 0.05  # of the loss: checkpoints nearer than this share count as alike
_THIRDS = ("In the first third", "In the second third", "In the last third", "At the very end")


class CurveFrames:
    """One run, and the pictures of it."""

    def __init__(self, values: Values) -> None:
        rows, self.noise, seed = int(values["rows"]), float(values["noise"]), int(values["seed"])
        own = parse(str(values["own"]))
        self.own = len(own.x)
        self.world = World.collect(rows, self.noise, seed, own)
        self.width = int(values["width"])
        self.run: Run = train(self.world, self.width, float(values["decay"]), float(values["dropout"]), seed)
        self._y = covering([*self.world.training.y, *self.world.validation.y, -1.2, 1.2])
        highest = max(*self.run.validation, *self.run.new, self.run.training[0])
        self._losses = linear(0.0, min(1.08 * highest, 4 * self.run.new[0]))

    def frames(self) -> list[Frame]:
        """Return a frame for each checkpoint, and one that opens the new rows."""
        made = [self._checkpoint(place) for place in range(len(self.run.updates))]
        return [*made, self._ending()]

    # ---- frames

    def _checkpoint(self, place: int) -> Frame:
        run = self.run
        return Frame(
            title="Before training" if place == 0 else f"After {run.updates[place]} updates",
            words=self._words(place),
            figures=(
                Figure("The curve. Filled: training rows; rust rings: validation rows", self._curve(place)),
                Figure("Mean squared error. Blue: training; rust: validation", self._errors(place)),
            ),
            table=self._table(place),
            prediction=self._prediction(place),
        )

    def _ending(self) -> Frame:
        run, chosen = self.run, self.run.chosen
        gain = run.new[run.last] - run.new[chosen]
        if gain > _CLOSE * run.new[chosen]:
            verdict = (
                f"The one with the lowest validation loss, after {run.updates[chosen]} updates: "
                f"{brief(run.new[chosen], 2)}. Everything after it was spent on learning the noise by heart."
            )
        elif gain < -_CLOSE * run.new[chosen]:
            verdict = (
                f"The last one, although validation would have stopped after {run.updates[chosen]} updates, "
                f"at {brief(run.new[chosen], 2)}. Few validation rows are a noisy adviser."
            )
        else:
            verdict = (
                f"It hardly matters here: after {run.updates[chosen]} updates, where validation would stop, "
                f"it is {brief(run.new[chosen], 2)}. This network has not the room, or the freedom, to learn "
                "the noise."
            )
        return Frame(
            title="What is true",
            words=(
                f"The dashed line is the curve behind the rows, and {NEW:,} new rows were drawn from it. The "
                f"last checkpoint has a loss of {brief(run.new[run.last], 2)} on them, and "
                f"{brief(run.training[run.last], 2)} on what it learned. Which one should be kept? {verdict} "
                f"The noise alone costs {brief(self.noise**2, 2)}: no network can do better on new rows."
            ),
            figures=(
                Figure(
                    f"Dashed: the truth. Blue: the chosen checkpoint, {run.updates[chosen]}; rust: the last",
                    self._curve(chosen, revealed=True),
                ),
                Figure(
                    "Mean squared error. Blue: training; rust: validation; dashed: new rows",
                    self._errors(run.last, revealed=True),
                ),
            ),
            table=self._table(run.last, revealed=True),
        )

    # ---- words

    def _words(self, place: int) -> str:
        run = self.run
        here = (
            f"The loss is {brief(run.training[place], 2)} on the {len(self.world.training.x)} training rows "
            f"and {brief(run.validation[place], 2)} on {len(self.world.validation.x)} validation rows, which "
            "take no part in learning."
        )
        if place == 0:
            added = (
                f" {self.own} of the training rows are your own; new rows come from the curve alone."
                if self.own
                else ""
            )
            return f"A network of two layers of {self.width} units, with random weights. {here}{added}"
        best = int(np.argmin(run.validation[: place + 1]))
        if best == place:
            news = "**The validation loss has never been lower.** Keep a copy of these weights."
        else:
            news = (
                f"The validation loss was lowest after {run.updates[best]} updates: "
                f"{brief(run.validation[best], 2)}."
            )
        return f"{here} {news}"

    def _prediction(self, place: int) -> Prediction | None:
        run = self.run
        if place == 0:
            third = run.updates[run.chosen] / UPDATES
            answer = 3 if run.chosen == run.last else min(int(3 * third), 2)
            return Prediction(
                f"The training loss will fall for most of {UPDATES} updates. When will the validation loss "
                "be lowest?",
                _THIRDS,
                answer,
                f"It is lowest after {run.updates[run.chosen]} updates: "
                f"{brief(run.validation[run.chosen], 2)}. At the end it is "
                f"{brief(run.validation[run.last], 2)}.",
            )
        if place == run.last:
            return self._choice()
        return None

    def _choice(self) -> Prediction:
        run, chosen = self.run, self.run.chosen
        ratio = run.new[run.last] / run.new[chosen]
        answer = 1 if abs(ratio - 1) <= _CLOSE else 0 if ratio > 1 else 2
        return Prediction(
            f"Choose the checkpoint: which one will do better on {NEW:,} new rows?",
            (
                f"The one with the lowest validation loss, after {run.updates[chosen]} updates",
                "There will be no difference to speak of",
                f"The last one, with a training loss of {brief(run.training[run.last], 2)}",
            ),
            answer,
            f"On new rows the first has a loss of {brief(run.new[chosen], 3)}, the last "
            f"{brief(run.new[run.last], 3)}.",
        )

    # ---- pictures

    def _curve(self, place: int, revealed: bool = False) -> str:
        plot = Plot(
            linear(-1, 1, 4),
            self._y,
            x_title="x",
            y_title="y",
            title="Rows and the network's curve",
            description=f"Training loss {brief(self.run.training[place], 2)}.",
            size=(480, 360),
        )
        if revealed:
            plot.line(list(zip(GRID.tolist(), truth(GRID).tolist())), "ink dashed")
            plot.line(list(zip(GRID.tolist(), self.run.curves[self.run.last].tolist())), "backward thin")
        plot.line(list(zip(GRID.tolist(), self.run.curves[place].tolist())), "forward")
        training, validation = self.world.training, self.world.validation
        plot.dots(list(zip(validation.x.tolist(), validation.y.tolist())), "validation", 4)
        plot.dots(list(zip(training.x.tolist(), training.y.tolist())), "ink", 4)
        return plot.svg()

    def _errors(self, place: int, revealed: bool = False) -> str:
        run = self.run
        plot = Plot(
            linear(0, UPDATES, 6),
            self._losses,
            x_title="update",
            y_title="loss",
            title="Loss by update",
            description=(
                f"Training {brief(run.training[place], 2)}, validation {brief(run.validation[place], 2)} "
                f"after {run.updates[place]} updates."
            ),
            size=(480, 360),
        )
        shown = place + 1
        best = int(np.argmin(run.validation[:shown]))
        if place:
            plot.rule("muted", x=run.updates[best], label=f"lowest validation: {run.updates[best]}")
        for losses, kind in ((run.training, "forward"), (run.validation, "backward")):
            path = [(float(a), b) for a, b in zip(run.updates[:shown], losses[:shown])]
            plot.line(path, kind)
            plot.dots(path[-1:], kind, 4)
        if revealed:
            plot.line([(float(a), b) for a, b in zip(run.updates, run.new)], "ink dashed")
        return plot.svg()

    def _table(self, place: int, revealed: bool = False) -> Table:
        run = self.run
        return Table(
            "Loss at each checkpoint",
            ("Updates", "Training", "Validation", f"{NEW:,} new rows"),
            [
                (
                    str(run.updates[k]),
                    brief(run.training[k], 3),
                    brief(run.validation[k], 3),
                    brief(run.new[k], 3) if revealed else "not yet",
                )
                for k in range(place + 1)
            ],
            current=run.chosen if revealed else place,
        )
