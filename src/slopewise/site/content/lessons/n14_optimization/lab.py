"""The lab of optimization: one walk, update by update, and at its end the race of the rules."""

from __future__ import annotations

import numpy as np

from slopewise.site.content.lessons.n14_optimization.grounds import (
    GROUNDS,
    RULES,
    SCHEDULES,
    UPDATES,
    Floats,
    Ground,
    Plan,
    walk,
)
from slopewise.site.content.lessons.n14_optimization.race import LAST, Race
from slopewise.site.drawing import Plot, brief, fixed, linear, logarithmic, vector
from slopewise.site.labs import Choice, Figure, Frame, Lab, Number, Prediction, Table, Values, Whole

_WIDE, _HIGH = 2.5, 2.0  # the map shows -2.5 to 2.5 and -2 to 2
_ARROW = 0.7  # the longest drawn gradient, in units of the map
_LEVELS = (0.02, 0.06, 0.13, 0.23, 0.36, 0.52, 0.68, 0.84, 1.0)  # of the contours, as quantiles
_NOTHING, _LITTLE = 0.001, 0.02  # shares of the first height
_FLOOR = 1e-8  # heights below it are drawn at the lower end


def run(values: Values) -> list[Frame]:
    """Walk, show each update, and then the race."""
    plan = Plan(
        rule=str(values["rule"]),
        beta=float(values["beta"]),
        schedule=str(values["schedule"]),
        noise=float(values["noise"]),
        decay=float(values["decay"]),
        seed=int(values["seed"]),
    )
    shown = _Shown(GROUNDS[str(values["ground"])], plan, float(values["lr"]))
    return [shown.frame(step) for step in range(shown.walk.updates + 1)] + [shown.ending()]


class _Shown:
    """A walk that was made, and the pictures of it."""

    def __init__(self, ground: Ground, plan: Plan, lr: float) -> None:
        self.ground, self.plan, self.lr = ground, plan, lr
        self.rule = RULES[plan.rule].name
        self.walk = walk(ground, plan, lr)
        self.last = self.walk.updates
        self.race = Race(ground, plan)
        self.points = np.array(self.walk.points)
        self.heights = np.array(self.walk.losses)  # every ground is 0 at its lowest point
        self.rates = np.array([self._rate(k) for k in range(self.last)])
        self.ground_from_above = _ground_from_above(ground)

    def _rate(self, k: int) -> Floats:
        """What one unit of (averaged) slope moved each parameter by in update k, counted from 0."""
        state, lr = self.walk.remembered[k], self.walk.rates[k]
        if self.plan.rule in ("adam", "adamw"):
            root = np.sqrt(state["exp_avg_sq"] / (1 - 0.999 ** (k + 1)))
            return np.asarray(lr / (root + 1e-8))
        if self.plan.rule == "rmsprop":
            return np.asarray(lr / (np.sqrt(state["square_avg"]) + 1e-8))
        return np.full(2, lr)

    # ---- frames

    def frame(self, step: int) -> Frame:
        return Frame(
            title="Start" if step == 0 else f"Update {step}",
            words=self._words(step),
            formula=self._formula(step),
            figures=self._figures(step),
            table=self._table(step),
            prediction=self._prediction(step),
        )

    def ending(self) -> Frame:
        return Frame(
            title="The race: every rule at its own best learning rate",
            words=f"{self.race.words()} Your walk, {self.rule} at {brief(self.lr, 3)}, has "
            f"{brief(float(self.heights[-LAST:].mean()), 3)}.",
            figures=(
                Figure(
                    f"Mean height over the last {LAST} updates, by learning rate",
                    self.race.picture(self.lr),
                    True,
                ),
            ),
            table=self.race.table(),
        )

    def _figures(self, step: int) -> tuple[Figure, ...]:
        return (
            Figure("The ground from above; the bluer, the lower", self._map(step)),
            Figure("Height above the lowest point, by update", self._curve(step)),
            Figure("Rate of each parameter, by update", self._rate_curve(step)),
        )

    # ---- words

    def _words(self, step: int) -> str:
        if step == 0:
            return (
                f"{self.ground.character} You stand at {vector(self.points[0])}, {brief(self.heights[0])} "
                f"above the lowest point. The gradient is {_told(self.walk.gradients[0])} and points uphill "
                f"(rust). Now {self.rule} will take the first step."
            )
        moved = self.points[step] - self.points[step - 1]
        before, after = self.heights[step - 1], self.heights[step]
        went = "did not change" if before == after else "fell" if after < before else "**rose**"
        said = (
            f"The height {went}: {brief(before, 3)} to {brief(after, 3)}. The step was {_told(moved)} "
            f"(blue). {self._why(step, moved)}"
        )
        if step == self.last and self.last < UPDATES:
            said += " The parameters have left all bounds: the walk **diverged**."
        return said

    def _why(self, step: int, moved: Floats) -> str:
        gradient, lr = self.walk.gradients[step - 1], self.walk.rates[step - 1]
        plain = -lr * gradient
        if self.plan.rule == "sgd":
            decay = f" and weight decay {brief(self.plan.decay)}" if self.plan.decay else ""
            return f"It is the gradient times {brief(lr, 3)}, turned round{decay}."
        told = f"The gradient alone, at the same learning rate, would have moved {_told(plain)} (grey)."
        if self.plan.rule in ("momentum", "nesterov"):
            if step == 1:
                counts = f"Nesterov's rule counts it {brief(1 + self.plan.beta, 3)} times. "
                return f"{told} {counts if self.plan.rule == 'nesterov' else ''}Nothing was remembered yet."
            agree = float(moved @ plain) > 0
            decay = " (and a little weight decay)" if self.plan.decay else ""
            return f"{told} The rest is memory of earlier gradients{decay}, which " + (
                "agrees with this one and makes the step longer."
                if agree and np.linalg.norm(moved) > np.linalg.norm(plain)
                else "bends the step."
                if agree
                else "carried it **against** this gradient's wish."
            )
        first, second = self.rates[step - 1]
        return (
            f"{told} Here each parameter has a rate of its own: {brief(first, 3)} for w₁ and "
            f"{brief(second, 3)} for w₂."
        )

    def _formula(self, step: int) -> str:
        if step == 0 or np.abs(self.points[step]).max() >= 1e4:
            return ""
        k = step - 1
        gradient, state, lr = self.walk.gradients[k], self.walk.remembered[k], brief(self.walk.rates[k], 3)
        if self.plan.decay:
            return ""
        if self.plan.rule == "sgd":
            return rf"-\eta \, g = -{lr} \cdot {_column(gradient)} = {_column(self._moved(k))}"
        if self.plan.rule == "momentum":
            old = self.walk.remembered[k - 1]["momentum_buffer"] if k else np.zeros(2)
            b, beta = state["momentum_buffer"], brief(self.plan.beta, 3)
            return (
                rf"b = {beta} \cdot {_column(old)} + {_column(gradient)} = {_column(b)} , \quad "
                rf"-\eta \, b = {_column(self._moved(k))}"
            )
        if self.plan.rule in ("adam", "adamw"):
            mean = state["exp_avg"] / (1 - self.plan.beta**step)
            root = np.sqrt(state["exp_avg_sq"] / (1 - 0.999**step))
            return (
                rf"\hat m = {_column(mean)} , \quad \sqrt{{\hat v}} = {_column(root)} , \quad "
                rf"-\eta \, \frac{{\hat m}}{{\sqrt{{\hat v}}}} = {_column(self._moved(k))}"
            )
        return ""

    def _moved(self, k: int) -> Floats:
        return np.asarray(self.points[k + 1] - self.points[k])

    # ---- predictions

    def _prediction(self, step: int) -> Prediction | None:
        if step == self.last:
            return self.race.prediction()
        if step == 0:
            return self._first_step()
        return self._fate() if step == 1 else None

    def _first_step(self) -> Prediction:
        gradient, moved = np.abs(self.walk.gradients[0]), np.abs(self._moved(0))
        steep = 0 if gradient[0] > gradient[1] else 1
        slopes, steps = (
            pair[steep] / pair[1 - steep] if pair[1 - steep] > 0 else np.inf for pair in (gradient, moved)
        )
        answer = 0 if steps < 1.5 else 1 if steps < 0.75 * slopes else 2 if steps < 1.5 * slopes else 3
        names = ("w₁", "w₂")
        return Prediction(
            f"The slope along {names[steep]} is {brief(slopes, 3)} times that along {names[1 - steep]}. How "
            f"much further will the first step move {names[steep]}?",
            (
                "About as far, or less: below 1.5 times",
                "Further, but clearly less than the slopes say",
                "About as many times further as the slope is steeper",
                "Even more",
            ),
            answer,
            f"The step is {_told(self._moved(0))}: {brief(steps, 3)} times as far.",
        )

    def _fate(self) -> Prediction:
        share = self.heights[-1] / self.heights[0]
        rises = int((np.diff(self.heights) > 1e-12).sum())
        nothing, little = (brief(100 * bound) for bound in (_NOTHING, _LITTLE))
        if share > 1 or self.last < UPDATES:
            answer = 3
        else:
            answer = 0 if share < _NOTHING else 1 if share < _LITTLE else 2
        return Prediction(
            f"How much of the height will be left after {UPDATES} updates of {self.rule} with learning rate "
            f"{brief(self.lr, 3)}?",
            (
                f"Less than {nothing}%",
                f"From {nothing}% to {little}%",
                f"More than {little}%",
                "It ends higher than it started",
            ),
            answer,
            f"From {brief(self.heights[0], 3)} it went to {brief(self.heights[-1], 3)}; it rose at "
            f"{rises} of {self.last} updates.",
        )

    # ---- pictures

    def _map(self, step: int) -> str:
        plot = self.ground_from_above.copy()
        plot.description = f"The walk is at {vector(self.points[step])} after {step} updates."
        trail = [(float(x), float(y)) for x, y in self.points[: step + 1]]
        plot.line(trail, "ink")
        plot.dots(trail[:-1], "ink", 2.6)
        if step:
            old = trail[-2]
            plain = self.points[step - 1] - self.walk.rates[step - 1] * self.walk.gradients[step - 1]
            if self.plan.rule != "sgd" and plot.holds(*old):
                plot.arrow(old, (float(plain[0]), float(plain[1])), "faint")
            plot.arrow(old, trail[-1], "forward")
        if step < self.last:
            self._draw_gradient(plot, trail[-1], self.walk.gradients[step])
        plot.dots(trail[-1:], "ring", 5)
        return plot.svg()

    def _draw_gradient(self, plot: Plot, here: tuple[float, float], gradient: Floats) -> None:
        slope = float(np.linalg.norm(gradient))
        if slope > 0 and plot.holds(*here):
            shown = gradient * min(1.0, _ARROW / slope)
            plot.arrow(here, (here[0] + float(shown[0]), here[1] + float(shown[1])), "backward")

    def _curve(self, step: int) -> str:
        rival, rival_rate = self.race.plain_walk()
        high = max(float(self.heights.max()), float(rival.max())) * 2
        low = max(min(float(self.heights.min()), float(rival.min())) / 2, _FLOOR)
        plot = Plot(
            linear(0, UPDATES),
            logarithmic(low, min(high, 1e6)),
            x_title="update",
            y_title="height",
            title="Height above the lowest point, by update",
            description=f"After {step} updates the height is {brief(self.heights[step], 3)}; plain gradient "
            f"descent at its best learning rate is at {brief(rival[step], 3)}.",
        )
        plot.line([(k, max(float(h), low)) for k, h in enumerate(rival)], "dashed")
        plot.line([(k, max(float(h), low)) for k, h in enumerate(self.heights[: step + 1])], "forward")
        plot.dots([(step, max(float(self.heights[step]), low))], "ring", 5)
        plot.label(19, max(float(rival[19]), low), f"plain, best rate {brief(rival_rate, 2)}", dy=-5)
        return plot.svg()

    def _rate_curve(self, step: int) -> str:
        rates = np.maximum(self.rates, 1e-6)
        low, high = float(rates.min()) / 2, float(rates.max()) * 2
        if high / low < 30:
            middle = float(np.sqrt(low * high))
            low, high = middle / 30**0.5, middle * 30**0.5
        plot = Plot(
            linear(0, UPDATES),
            logarithmic(low, high),
            x_title="update",
            y_title="rate",
            title="Rate of each parameter, by update",
            description="What one unit of slope moves each parameter by.",
        )
        made = rates[:step]
        both = self.plan.rule in ("rmsprop", "adam", "adamw")
        names = (("w₁", "ink", -9), ("w₂", "forward", 16)) if both else (("w₁ and w₂", "forward", -9),)
        for column, (name, kind, dy) in enumerate(names):
            plot.line([(k + 1, float(rate)) for k, rate in enumerate(made[:, column])], kind)
            if step:
                plot.dots([(step, float(made[-1, column]))], kind)
                plot.label(step, float(made[-1, column]), name, kind, dy=dy)
        return plot.svg()

    def _table(self, step: int) -> Table:
        rows = []
        for k in range(step + 1):
            moved = _told(self._moved(k - 1)) if k else "none yet"
            rate = brief(self.walk.rates[k - 1], 3) if k else "none yet"
            gradient = _told(self.walk.gradients[k]) if k < self.last else "not taken"
            rows.append((str(k), rate, moved, vector(self.points[k], 3), brief(self.heights[k], 3), gradient))
        columns = ("Update", "Learning rate", "Step", "Parameters", "Height", "Gradient there")
        return Table("The walk so far", columns, rows, current=step)


def _ground_from_above(ground: Ground) -> Plot:
    plot = Plot(
        linear(-_WIDE, _WIDE),
        linear(-_HIGH, _HIGH, 4),
        x_title="w₁",
        y_title="w₂",
        title=f"Contour map of {ground.name} with the walk so far",
        size=(560, 460),
    )
    xs, ys = np.linspace(-_WIDE, _WIDE, 51), np.linspace(-_HIGH, _HIGH, 41)
    heights = ground.heights(xs, ys)
    plot.contours(xs, ys, heights, np.unique(np.quantile(heights, _LEVELS)).tolist())
    plot.dots([ground.lowest], "hollow", 4)
    return plot


def _told(values: Floats) -> str:
    return vector(values.tolist(), 3)


def _column(values: Floats) -> str:
    numbers = r" \\ ".join(fixed(float(value), 3).replace("−", "-") for value in values)
    return rf"\begin{{bmatrix}} {numbers} \end{{bmatrix}}"


LAB = Lab(
    title="Walk with a memory",
    task="Walk the narrow valley with momentum, then lower its memory to 0.5. Take Adam, then turn "
    "the valley. At the end each rule races at its own best learning rate.",
    settings=(
        Choice("ground", "Ground", "valley", tuple((key, ground.name) for key, ground in GROUNDS.items())),
        Choice("rule", "Update rule", "momentum", tuple((key, rule.name) for key, rule in RULES.items())),
        Number("lr", "Learning rate η", 0.02, 0.002, 1.0, 0.002),
        Number("beta", "Memory β", 0.9, 0.0, 0.98, 0.02, note="of momentum; β₁ of Adam"),
        Choice(
            "schedule",
            "Schedule",
            "constant",
            tuple((key, name) for key, (name, _) in SCHEDULES.items()),
        ),
        Number("noise", "Noise of the batches", 0.0, 0.0, 4.0, 0.5, note="added to each gradient"),
        Number("decay", "Weight decay", 0.0, 0.0, 1.0, 0.05),
        Whole("seed", "Seed", 0, 0, 99, note="of the noise"),
    ),
    run=run,
    step_name="update",
)
