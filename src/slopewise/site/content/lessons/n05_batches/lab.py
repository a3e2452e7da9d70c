"""The lab of batches: three walkers on one surface, with all rows, some rows and one row an update."""

from __future__ import annotations

import math

import numpy as np

import slopewise as sw
from slopewise.engine.random import permutation
from slopewise.site.content.lessons.n05_batches.walkers import (
    MOST,
    ROWS,
    START,
    Floats,
    Walk,
    World,
    collect,
    scatter,
    walk,
)
from slopewise.site.drawing import Plot, Scale, brief, linear, logarithmic, vector
from slopewise.site.labs import Choice, Figure, Frame, Lab, Number, Prediction, Table, Values, Whole

UPDATES = 40  # what the clock of updates shows at its end
STEP, ROWS_SEEN = 16, 3 * ROWS  # the clock of rows goes in steps
EPOCHS = 4
CLOUD = 60  # batches in the picture of the noise
_X, _Y = (-2.4, 3.2), (-2.2, 2.2)  # the part of the surface on the map
_HEIGHTS = (0.05, 0.2, 0.45, 0.8, 1.3, 2.0, 3.0, 4.5)
_KINDS = ("ink", "forward", "")  # all rows, some rows, one row
_CLOUD_CALL = 500  # its permutations are none of the walkers'


def run(values: Values) -> list[Frame]:
    """Let three walkers go, and show each tick of the clock."""
    world = collect(float(values["noise"]), int(values["seed"]))
    race = _Race(
        world,
        int(values["batch"]),
        float(values["lr"]),
        str(values["order"]),
        str(values["clock"]),
        int(values["seed"]),
    )
    return [race.frame(tick) for tick in range(race.ticks + 1)]


class _Race:
    """Three walks that were made, and the pictures of them."""

    def __init__(self, world: World, size: int, rate: float, order: str, clock: str, seed: int) -> None:
        self.world, self.size, self.rate, self.order, self.clock = world, size, rate, order, clock
        ends = {"updates": UPDATES, "rows": ROWS_SEEN, "epochs": EPOCHS * ROWS}
        self.end = ends[clock]
        self.tick = {"updates": 1, "rows": STEP, "epochs": ROWS}[clock]
        self.ticks = self.end // self.tick
        self.unit = "updates" if clock == "updates" else "rows"
        limit = {"updates": self.end} if self.unit == "updates" else {"rows": self.end}
        self.walks = [walk(world, each, rate, order, seed, **limit) for each in (ROWS, size, 1)]
        self.names = ("all rows", _rows(size), "1 row")
        self.xs, self.ys = np.linspace(*_X, 36), np.linspace(*_Y, 28)
        grid = np.stack(np.meshgrid(self.xs, self.ys), axis=-1)
        self.ground: Floats = world.loss(sw.tensor(grid)).numpy() - world.floor
        every = np.concatenate([each.heights for each in self.walks])
        self.heights = logarithmic(max(float(every.min()) / 2, 1e-4), min(float(every.max()) * 1.6, 1e3))
        self.counts = [
            [each.at(self.unit, tick * self.tick) for tick in range(self.ticks + 1)] for each in self.walks
        ]
        self.gradients = [
            world.gradients(each.points[counts]) for each, counts in zip(self.walks, self.counts)
        ]
        self.draws = np.stack(
            [permutation(ROWS, seed, call=_CLOUD_CALL + number)[:size] for number in range(CLOUD)]
        )

    def frame(self, tick: int) -> Frame:
        return Frame(
            title=self._time(tick),
            words=self._words(tick),
            figures=(
                Figure("Loss over all rows from above; a ring marks the lowest point", self._map(tick)),
                Figure("Height above the lowest loss", self._curves(tick)),
                Figure(f"Gradients of {CLOUD} batches, where blue stands", self._cloud(tick)),
            ),
            table=self._table(tick),
            prediction=self._prediction(tick),
        )

    # ---- words

    def _time(self, tick: int) -> str:
        if tick == 0:
            return "Start"
        if self.clock == "epochs":
            return f"After {tick} epoch{'s' if tick > 1 else ''}"
        return f"After {tick * self.tick} {'updates' if self.clock == 'updates' else 'rows seen'}"

    def _words(self, tick: int) -> str:
        if tick == 0:
            return (
                f"All three walkers stand at {vector(START.tolist())} and have the same learning rate, "
                f"{brief(self.rate, 3)}. They differ only in how many of the {ROWS} rows they look at "
                "before each update. The line in the colour of this text looks at all of them, blue at "
                f"{self.size}, grey at one."
            )
        done = [self._place(each, tick) for each in self.walks]
        told = "; ".join(
            f"{name}: {_many(count, 'update')}, height {brief(float(each.heights[count]), 3)}"
            for name, count, each in zip(self.names, done, self.walks)
        )
        words = f"{told[0].upper()}{told[1:]}."
        gone = [name for name, each in zip(self.names, self.walks) if np.abs(each.points[-1]).max() > MOST]
        if gone and tick == self.ticks:
            return f"{words} {_listed(gone)} diverged: the learning rate is too large."
        if tick == self.ticks:
            return f"{words} {self._ending(done)}"
        blue = self.gradients[1][tick]
        return (
            f"{words} Where blue stands the gradient of all rows (rust) has length "
            f"{brief(float(np.linalg.norm(blue.mean(0))), 2)}; batches of {self.size} miss it by "
            f"{brief(scatter(blue, self.size), 2)}."
        )

    def _ending(self, done: list[int]) -> str:
        updates = ", ".join(str(count) for count in done)
        if self.clock == "updates":
            return (
                "By this clock all made as many updates, but for them the three looked at "
                f"{', '.join(str(int(each.seen[count])) for each, count in zip(self.walks, done))} rows. "
                "Change the clock before you call one of them fast."
            )
        words = f"All looked at as many rows, and made {updates} updates for them."
        if self.world.noise == 0:
            return (
                f"{words} Here all rows agree where the bottom is, so even single rows lead to it, and "
                "small batches have nothing to pay for their many steps."
            )
        if self.order == "file":
            return (
                f"{words} The file is sorted by target: each epoch runs from low targets to high ones, and "
                "a small batch ends it leaning towards the last rows. Shuffle, and look again."
            )
        return (
            f"{words} Small batches get more steps out of the same rows. At the end they keep jumping, "
            "since rows disagree about where the bottom is."
        )

    # ---- predictions

    def _prediction(self, tick: int) -> Prediction | None:
        if tick == 0:
            return self._winner()
        if tick == 1:
            return self._noise_question()
        if tick == 2 and self.clock == "updates":
            return self._next_question()
        return None

    def _winner(self) -> Prediction:
        finals = [float(each.heights[self._place(each, self.ticks)]) for each in self.walks]
        spelt = {"updates": f"{UPDATES} updates each", "rows": f"{ROWS_SEEN} rows each"}
        goal = spelt.get(self.clock, f"{EPOCHS} epochs each")
        return Prediction(
            f"Whose loss over all rows will be lowest after {goal}?",
            (
                f"The walker with all {ROWS} rows an update",
                f"The walker with {_rows(self.size)} an update",
                "The walker with 1 row an update",
            ),
            int(np.argmin(finals)),
            "The heights above the lowest loss are "
            + ", ".join(f"{brief(final, 2)} with {name}" for final, name in zip(finals, self.names))
            + ".",
        )

    def _noise_question(self) -> Prediction | None:
        larger = 4 * self.size
        if larger > ROWS // 2:
            return None
        gradients = self.gradients[1][1]
        now, then = scatter(gradients, self.size), scatter(gradients, larger)
        return Prediction(
            f"Batches of {self.size} give gradients that lie {brief(now, 2)} from the true one (root mean "
            f"square). How far would those of batches of {larger} lie?",
            (
                f"A quarter as far, {brief(now / 4, 2)}",
                f"About half as far, {brief(then, 2)}",
                "As far as now",
            ),
            1,
            "Noise falls with the square root of the batch size: four times the rows halve it. It is a "
            f"little less than half, since a batch never holds one of the {ROWS} rows twice.",
        )

    def _next_question(self) -> Prediction | None:
        lonely = self.walks[2]
        if len(lonely.heights) <= 3:
            return None
        before, after = float(lonely.heights[2]), float(lonely.heights[3])
        return Prediction(
            f"The walker with 1 row stands at height {brief(before, 3)}. After its next update its height, "
            "over *all* rows, will be",
            ("lower", "higher"),
            0 if after < before else 1,
            f"It is {brief(after, 3)}. A step that is right for one row may be wrong for the others: "
            "single steps go either way, and only their mean goes down.",
        )

    # ---- pictures

    def _map(self, tick: int) -> str:
        plot = Plot(
            linear(*_X),
            linear(*_Y, 4),
            x_title="w₁",
            y_title="w₂",
            title="Contours of the loss over all rows, and three walks",
            description="; ".join(
                f"{name} at {vector(each.points[self._place(each, tick)])}"
                for name, each in zip(self.names, self.walks)
            ),
            size=(560, 460),
        )
        plot.contours(self.xs, self.ys, self.ground, list(_HEIGHTS))
        for kind, each in list(zip(_KINDS, self.walks))[::-1]:
            count = self._place(each, tick)
            trail = [(float(x), float(y)) for x, y in each.points[: count + 1]]
            plot.line(trail, kind or "thin")
            if len(trail) < 60:
                plot.dots(trail[:-1], kind, 2.2)
            plot.dots(trail[-1:], kind, 5)
        self._name_walkers(plot, tick)
        x, y = (float(value) for value in self.world.lowest)
        plot.dots([(x, y)], "hollow", 4)
        return plot.svg()

    def _name_walkers(self, plot: Plot, tick: int) -> None:
        """Write the walkers' names beside them, as long as they do not stand close together."""
        taken: list[tuple[float, float]] = []
        for name, kind, each in zip(self.names, _KINDS, self.walks):
            x, y = (float(value) for value in each.points[self._place(each, tick)])
            left, top = plot.at(x, y)
            if plot.holds(x, y) and all(abs(left - a) > 70 or abs(top - b) > 18 for a, b in taken):
                plot.label(x, y, name, kind, dx=10, dy=-8)
                taken.append((left, top))

    def _curves(self, tick: int) -> str:
        shown = self._axis()
        plot = Plot(
            shown,
            self.heights,
            x_title={"updates": "updates", "rows": "rows seen", "epochs": "epochs"}[self.clock],
            y_title="height",
            title="Height above the lowest loss by " + ("updates" if self.unit == "updates" else "rows seen"),
            description=", ".join(
                f"{name}: {brief(float(each.heights[self._place(each, tick)]), 3)}"
                for name, each in zip(self.names, self.walks)
            ),
            size=(420, 230),
        )
        for kind, each in list(zip(_KINDS, self.walks))[::-1]:
            count = self._place(each, tick)
            times = each.times(self.unit)[: count + 1] / (ROWS if self.clock == "epochs" else 1)
            path = [(float(time), float(height)) for time, height in zip(times, each.heights)]
            plot.line(path, kind or "thin")
            if len(path) < 12:
                plot.dots(path, kind, 2.6)
        return plot.svg()

    def _axis(self) -> Scale:
        if self.clock == "epochs":
            return linear(0, EPOCHS, EPOCHS)
        return linear(0, self.end, 6)

    def _cloud(self, tick: int) -> str:
        each = self.gradients[1][tick]
        whole = each.mean(0)
        found = each[self.draws].mean(1)
        extent = float(np.linalg.norm(whole)) + 2.2 * scatter(each, self.size)
        reach = 2.0 ** math.ceil(math.log2(max(extent, 1e-3)))  # in powers of two, so that it seldom changes
        plot = Plot(
            linear(-reach, reach, 4),
            linear(-reach / 1.6, reach / 1.6, 4),
            x_title="part for w₁",
            y_title="part for w₂",
            title=f"Gradients of {CLOUD} batches of {_rows(self.size)}",
            description=f"They lie around {vector(whole)}, the gradient of all rows, at a distance of "
            f"{brief(scatter(each, self.size), 2)}.",
            size=(420, 250),
        )
        plot.dots([(float(x), float(y)) for x, y in found], "", 2.6)
        plot.arrow((0.0, 0.0), (float(whole[0]), float(whole[1])), "backward")
        return plot.svg()

    def _table(self, tick: int) -> Table:
        rows = []
        for name, each, counts, gradients in zip(self.names, self.walks, self.counts, self.gradients):
            count = counts[tick]
            rows.append(
                (
                    name,
                    str(count),
                    str(int(each.seen[count])),
                    brief(float(each.seen[count]) / ROWS, 3),
                    vector(each.points[count]),
                    brief(float(each.heights[count]), 3),
                    brief(scatter(gradients[tick], each.size), 2),
                )
            )
        columns = ("Batch", "Updates", "Rows seen", "Epochs", "Parameters", "Height", "Noise of its gradient")
        return Table("The three walkers", columns, rows)

    def _place(self, each: Walk, tick: int) -> int:
        return each.at(self.unit, tick * self.tick)


def _rows(size: int) -> str:
    return f"{size} rows" if size > 1 else "1 row"


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _listed(names: list[str]) -> str:
    text = " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"The walker with {text}"


LAB = Lab(
    title="Three walkers, one valley",
    task="Same start, same learning rate, other batches. Say who will be lowest, then let them go. Change "
    "the clock to updates, and ask again.",
    settings=(
        Whole("batch", "Batch size of blue", 8, 2, 64),
        Number("lr", "Learning rate", 0.2, 0.01, 1.5, 0.01),
        Choice(
            "clock",
            "Clock",
            "rows",
            (("updates", "updates"), ("rows", "rows seen"), ("epochs", "epochs")),
        ),
        Choice(
            "order",
            "Order of rows",
            "shuffle",
            (("shuffle", "new each epoch"), ("file", "as in the file")),
            note="the file is sorted",
        ),
        Number("noise", "Noise in the targets", 0.8, 0.0, 2.0, 0.1, note="0: all rows agree"),
        Whole("seed", "Seed", 3, 0, 99),
    ),
    run=run,
    step_name="tick",
)
