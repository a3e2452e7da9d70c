"""The frames of the first trap: a checkpoint a frame, the choice of one, then the rows that nobody had."""

from __future__ import annotations

import numpy as np

from slopewise.site.content.lessons.n13_overfitting_and_leakage.curve import (
    EVERY,
    GRID,
    HIGHEST,
    MOST_OWN,
    NEW,
    UPDATES,
    Points,
    Run,
    World,
    train,
    truth,
)
from slopewise.site.drawing import Plot, brief, linear
from slopewise.site.drawing.scale import covering
from slopewise.site.labs import Figure, Frame, Offer, Prediction, Table, Values
from slopewise.site.labs import Points as PointsSetting

_CLOSE = 0.05  # of the loss: checkpoints nearer than this share count as alike
_THIRDS = ("In the first third", "In the second third", "In the last third", "At the very end")


OWN = PointsSetting(
    "own",
    "Rows of your own",
    MOST_OWN,
    (-1.0, 1.0),
    (-HIGHEST, HIGHEST),
    note="press on the curve's plot to add or move one; with keys, Tab to the plot. Or type `x y; x y`",
    only_when=("trap", ("long",)),
)


class CurveFrames:
    """One run, and the pictures of it."""

    def __init__(self, values: Values) -> None:
        rows, self.noise, seed = int(values["rows"]), float(values["noise"]), int(values["seed"])
        rows_of_own = OWN.rows(values["own"])
        own = Points(np.array([x for x, _, _ in rows_of_own]), np.array([y for _, y, _ in rows_of_own]))
        self.own = len(rows_of_own)
        self.world = World.collect(rows, self.noise, seed, own)
        self.width = int(values["width"])
        self.patience = int(values["patience"])
        self.run: Run = train(
            self.world,
            self.width,
            float(values["decay"]),
            float(values["dropout"]),
            seed,
            patience=self.patience,
        )
        self.kept = min(round(int(values["keep"]) / EVERY), self.run.last)
        self._y = covering([*self.world.training.y, *self.world.validation.y, -2.0, 2.0])
        highest = max(*self.run.validation, *self.run.new, self.run.training[0])
        self._losses = linear(0.0, min(1.08 * highest, 4 * self.run.new[0]))

    def frames(self) -> list[Frame]:
        """Return a frame for each checkpoint, one to choose among them, and one that opens the new rows."""
        made = [self._checkpoint(place) for place in range(len(self.run.updates))]
        return [*made, self._choosing(), self._ending()]

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
            prediction=self._third() if place == 0 else None,
        )

    def _choosing(self) -> Frame:
        run = self.run
        return Frame(
            title="Choose the checkpoint",
            words=(
                f"The weights of all {len(run.updates)} checkpoints were kept. {NEW:,} new rows wait in an "
                "envelope: they will say what your choice is worth, and whether another would have been "
                "better. Who goes on without a choice keeps the last weights, as training leaves them."
            ),
            figures=(
                Figure("The curve of the last checkpoint", self._curve(run.last)),
                Figure("Mean squared error. Blue: training; rust: validation", self._errors(run.last)),
            ),
            table=self._table(run.last),
            offer=Offer(
                "keep",
                "After how many updates were the weights best?",
                (),
                run.last + 2,
                "Keep these weights and open the new rows",
                (0, run.updates[run.last], EVERY),
            ),
        )

    def _ending(self) -> Frame:
        run, kept = self.run, self.kept
        the_last = ", the last" if kept == run.last else ""
        return Frame(
            title="What is true",
            words=(
                f"The dashed line is the curve behind the rows, and {NEW:,} new rows were drawn from it. You "
                f"kept the weights after {run.updates[kept]} updates{the_last}: "
                f"on new rows their loss is {brief(run.new[kept], 3)}, and {brief(run.training[kept], 3)} on "
                f"what they learned. {self._verdict()} The noise alone costs {brief(self.noise**2, 2)}: no "
                "network can do better on new rows."
            ),
            figures=(
                Figure(
                    f"Dashed: the truth. Blue: the checkpoint you kept, {run.updates[kept]}; rust: the last",
                    self._curve(kept, revealed=True),
                ),
                Figure(
                    "Mean squared error. Blue: training; rust: validation; dashed: new rows",
                    self._errors(run.last, revealed=True),
                ),
            ),
            table=self._table(run.last, revealed=True),
        )

    def _verdict(self) -> str:
        """Return what the choice was worth beside those that validation and the new rows would make."""
        run, kept, chosen = self.run, self.kept, self.run.chosen
        best = int(np.argmin(run.new))
        better = sum(loss < run.new[kept] for loss in run.new)
        words = (
            "No other checkpoint is better."
            if not better
            else f"{better} of the {len(run.new)} checkpoints are better; the best, after "
            f"{run.updates[best]} updates, has {brief(run.new[best], 3)}."
        )
        if kept != chosen:
            words += (
                f" The lowest validation loss was after {run.updates[chosen]} updates: on new rows "
                f"{brief(run.new[chosen], 3)}."
            )
        if run.new[run.last] > (1 + _CLOSE) * run.new[best]:
            return f"{words} What came after the best was spent on learning the noise by heart."
        if self.patience and run.updates[run.last] < UPDATES:
            return f"{words} Training stopped early, before much was spoilt."
        return (
            f"{words} Going on did no harm here: this network has not the room, or the freedom, to learn the "
            "noise."
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
        if place == run.last and run.updates[place] < UPDATES:
            news += f" It has not fallen for {self.patience} checkpoints, so training **stops early**."
        return f"{here} {news}"

    def _third(self) -> Prediction:
        run = self.run
        answer = 3 if run.chosen == run.last else min(int(3 * run.updates[run.chosen] / UPDATES), 2)
        return Prediction(
            f"The training loss will fall for most of {UPDATES} updates. When will the validation loss "
            "be lowest?",
            _THIRDS,
            answer,
            f"It is lowest after {run.updates[run.chosen]} updates: "
            f"{brief(run.validation[run.chosen], 2)}. At the end it is "
            f"{brief(run.validation[run.last], 2)}.",
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
            draws="own",
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
        if revealed:
            plot.rule("forward", x=run.updates[self.kept], label=f"kept: {run.updates[self.kept]}")
        elif place:
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
            current=self.kept if revealed else place,
        )
