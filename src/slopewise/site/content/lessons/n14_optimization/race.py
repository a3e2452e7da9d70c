"""The race: plain gradient descent, momentum and Adam, each at its own best learning rate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from slopewise.site.content.lessons.n14_optimization.grounds import Floats, Ground, Plan, sweep
from slopewise.site.drawing import Plot, brief, logarithmic
from slopewise.site.labs import Prediction, Table

LEARNING_RATES = np.geomspace(0.002, 2.0, 61)
LAST = 10  # updates whose mean height counts: the very last one may be a lucky swing
RUNNERS = {"sgd": "plain", "momentum": "momentum", "adam": "Adam"}
_KINDS = {"sgd": "", "momentum": "ink", "adam": "forward"}
_LOWEST, _HIGHEST = 1e-8, 1e3  # of the picture


class Race:
    """What each rule reaches at each of many learning rates; all else is as the plan says."""

    def __init__(self, ground: Ground, plan: Plan) -> None:
        self.ground, self.plan = ground, plan
        self.losses = {name: sweep(ground, replace(plan, rule=name), LEARNING_RATES) for name in RUNNERS}
        self.ends = {name: losses[-LAST:].mean(axis=0) for name, losses in self.losses.items()}
        self.best = {name: int(ends.argmin()) for name, ends in self.ends.items()}

    def height(self, name: str) -> float:
        """Return the mean height of a rule over its last updates, at its best learning rate."""
        return float(self.ends[name][self.best[name]])

    def rate(self, name: str) -> float:
        """Return the best learning rate of a rule."""
        return float(LEARNING_RATES[self.best[name]])

    def plain_walk(self) -> tuple[Floats, float]:
        """Return the heights of plain gradient descent at its best learning rate, and that rate."""
        return self.losses["sgd"][:, self.best["sgd"]], self.rate("sgd")

    def winner(self) -> str:
        """Return the rule that ends lowest."""
        return min(RUNNERS, key=self.height)

    def words(self) -> str:
        """Say what each reached."""
        told = ", ".join(
            f"{name} {brief(self.height(key), 3)} (at {brief(self.rate(key), 2)})"
            for key, name in RUNNERS.items()
        )
        return (
            f"On {self.ground.name} each rule tried {len(LEARNING_RATES)} learning rates, with your other "
            f"settings. The lowest mean height over the last {LAST} updates: {told}. At one and the "
            "same learning rate the order may be any."
        )

    def prediction(self) -> Prediction:
        """Ask who wins."""
        told = "; ".join(f"{name} has {brief(self.height(key), 3)}" for key, name in RUNNERS.items())
        return Prediction(
            f"Now let each rule choose its best of {len(LEARNING_RATES)} learning rates, with your other "
            f"settings. Which has the lowest mean height over the last {LAST} updates?",
            tuple(RUNNERS.values()),
            list(RUNNERS).index(self.winner()),
            f"At their best, {told}.",
        )

    def picture(self, chosen: float) -> str:
        """Draw the height at the end by learning rate, for each rule."""
        shown = {name: np.clip(ends, _LOWEST, _HIGHEST) for name, ends in self.ends.items()}
        low = min(float(heights.min()) for heights in shown.values()) / 3
        high = float(self.losses["sgd"][0, 0]) * 8
        plot = Plot(
            logarithmic(float(LEARNING_RATES[0]), float(LEARNING_RATES[-1])),
            logarithmic(max(low, _LOWEST / 3), high),
            x_title="learning rate",
            y_title="mean height",
            title="Mean height over the last updates, by learning rate, for three rules",
            description=self.words(),
            size=(760, 340),
        )
        plot.rule("", x=chosen, label="yours")
        for name, heights in shown.items():
            points = [(float(x), min(float(y), high * 3)) for x, y in zip(LEARNING_RATES, heights)]
            plot.line(points, _KINDS[name])
            best = points[self.best[name]]
            plot.dots([best], _KINDS[name], 4.5)
            plot.label(*best, RUNNERS[name], _KINDS[name], dx=6, dy=16)
        return plot.svg()

    def table(self) -> Table:
        """Return the end of each rule at some learning rates, and at its best."""
        shown = sorted({*range(0, len(LEARNING_RATES), 6), *self.best.values()})
        rows = [
            (
                brief(float(LEARNING_RATES[place]), 3),
                *(
                    brief(float(ends[place]), 3) + (" (best)" if place == self.best[name] else "")
                    for name, ends in self.ends.items()
                ),
            )
            for place in shown
        ]
        return Table(f"Mean height over the last {LAST} updates", ("Learning rate", *RUNNERS.values()), rows)
