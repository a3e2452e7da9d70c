"""The lab of the gradient: a point on a surface, and the slope in every direction from it."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass

import numpy as np

import slopewise as sw
from slopewise.site.content.lessons.n02_gradient_and_derivative.surfaces import (
    SURFACES,
    Floats,
    Surface,
    flat_place,
    gradient,
    nudged_slope,
    slope_along,
)
from slopewise.site.drawing import Plot, Scale, brief, linear, vector
from slopewise.site.drawing.plot import size_around
from slopewise.site.drawing.scale import covering
from slopewise.site.labs import Choice, Figure, Frame, Lab, Number, Prediction, Table, Values

TURN = 15  # degrees that the compass turns at a step
_WIDE, _HIGH, _UNIT = (2.5, 2.0, 98)  # half the map, and user units for one unit of it, the same both ways
_REACH = 1.2  # how far a slice goes to either side
_DRAWN = 0.5  # arrows of slopes are drawn half as long
_LEVELS = (0.02, 0.06, 0.13, 0.23, 0.36, 0.52, 0.68, 0.84, 1.0)  # of the contours, as quantiles
_FLAT = 1e-9
_ALIKE = 0.05  # slopes that differ by less, as a share, count as alike
_KEPT = 0.1  # and a fall that is off by less counts as promised
_DEGREES = Scale(0, 360, tuple((float(d), f"{d}°") for d in range(0, 361, 90)), lambda degrees: degrees / 360)


def run(values: Values) -> list[Frame]:
    """Look along both axes, put the gradient together, turn a whole round, then step."""
    surface = SURFACES[str(values["surface"])]
    point = np.array([float(values["w1"]), float(values["w2"])])
    return _Place(surface, point, float(values["lr"])).frames()


@dataclass(frozen=True)
class Look:
    """A look along one direction: its angle from the gradient, and the slope in three ways."""

    name: str
    direction: Floats
    slope: float
    shadow: float  # the gradient's component along the direction
    nudged: float


class _Place:
    """A place on a surface, and the pictures of it."""

    def __init__(self, surface: Surface, point: Floats, rate: float) -> None:
        self.surface, self.point, self.rate = surface, point, rate
        self.height = self._height(point)
        self.gradient = gradient(surface, point)
        self.slope = float(np.linalg.norm(self.gradient))
        self.east = self._look("along w₁", np.array([1.0, 0.0]))
        self.north = self._look("along w₂", np.array([0.0, 1.0]))
        self.round = [] if self.is_flat else [self._turned(angle) for angle in range(0, 361, TURN)]
        self.xs, self.ys = (np.linspace(-_WIDE, _WIDE, 51), np.linspace(-_HIGH, _HIGH, 41))
        grid = np.stack(np.meshgrid(self.xs, self.ys), axis=-1)
        self.heights: Floats = surface.height(sw.tensor(grid)).numpy()
        self.ground = self._ground()

    @property
    def is_flat(self) -> bool:
        return self.slope < _FLAT

    def _height(self, point: Floats) -> float:
        return float(self.surface.height(sw.tensor(point)).item())

    def _look(self, name: str, direction: Floats) -> Look:
        return Look(
            name,
            direction,
            slope_along(self.surface, self.point, direction),
            float(self.gradient @ direction),
            nudged_slope(self.surface, self.point, direction),
        )

    def _turned(self, angle: int) -> Look:
        """Look along the direction that lies `angle` degrees to the left of the gradient."""
        turned = math.radians(angle) + math.atan2(self.gradient[1], self.gradient[0])
        return self._look(f"{angle}°", np.array([math.cos(turned), math.sin(turned)]))

    # ---- frames

    def frames(self) -> list[Frame]:
        axes = [self._east(), self._north()]
        if self.is_flat:
            return [*axes, self._flat()]
        return [
            *axes,
            self._together(),
            *(self._compass(turn) for turn in range(len(self.round))),
            self._step(),
        ]

    def _east(self) -> Frame:
        slope = self.east.slope
        return Frame(
            "Along the first axis",
            f"{self.surface.character} You stand at {_shown(self.point)}, {brief(self.height)} high. "
            "Walk east and west only: what you cross is a function of **one** variable, drawn as a slice. "
            f"Its derivative here is a number, {brief(slope)}: the slope of the tangent.",
            figures=self._figures(self.east),
            formula=rf"\frac{{\partial L}}{{\partial w_1}} = {_tex(slope)}",
            table=self._table([self.east]),
            prediction=Prediction(
                "Now north and south. Look at how close the contours lie. The slope along the second axis is",
                ("less steep", f"as steep, within {100 * _ALIKE:.0f}%", "steeper"),
                _compare(abs(self.north.slope), abs(slope)),
                f"Along the first axis it is {brief(slope)}, along the second {brief(self.north.slope)}. "
                "Where contours lie close, it is steep.",
            ),
        )

    def _north(self) -> Frame:
        ask = None
        if not self.is_flat:
            ahead = self._height(self.point + 0.01 * self.gradient / self.slope)
            ask = Prediction(
                f"Put the two numbers into one arrow, {_shown(self.gradient)}. Where does it point?",
                ("Uphill", "Downhill", "Along the contour, neither up nor down"),
                0 if ahead > self.height else 1,
                f"A hundredth of a unit along the arrow the height is {brief(ahead, 6)}; "
                f"here it is {brief(self.height, 6)}.",
            )
        return Frame(
            "Along the second axis",
            "Another slice through the same point, and another number: the derivative along w₂ is "
            f"{brief(self.north.slope)}. Each of the two is called a **partial derivative**, "
            "because the other parameter stands still.",
            figures=self._figures(self.north),
            formula=rf"\frac{{\partial L}}{{\partial w_2}} = {_tex(self.north.slope)}",
            table=self._table([self.east, self.north]),
            prediction=ask,
        )

    def _flat(self) -> Frame:
        return Frame(
            "The gradient is zero",
            "Both partial derivatives are zero, so the gradient is (0, 0): no direction rises, and gradient "
            f"descent has nothing to follow. Here {flat_place(self.surface, self.point)}. "
            "A zero gradient alone does not tell which. Move the point, and look again.",
            figures=self._figures(None),
            formula=r"\nabla L = \begin{bmatrix} 0 \\ 0 \end{bmatrix}",
            table=self._table([self.east, self.north]),
        )

    def _together(self) -> Frame:
        return Frame(
            "The gradient: both numbers in one arrow",
            f"The gradient is {_shown(self.gradient)}, the rust arrow. It lies in the map, has a number for "
            f"each parameter, crosses the contour at a right angle, and points **uphill**. Its length is "
            f"{brief(self.slope)}.",
            figures=self._figures(None, arrow=True),
            formula=rf"\nabla L = {_column(self.gradient)} \qquad "
            rf"\lVert \nabla L \rVert = {_tex(self.slope)}",
            table=self._table([self.east, self.north]),
            prediction=self._steeper_question(),
        )

    def _steeper_question(self) -> Prediction:
        steeper = sum(look.slope > self.slope * (1 + 1e-9) for look in self.round)
        return Prediction(
            f"Next, a compass turns through {len(self.round) - 1} directions. In how many of them is the "
            f"slope greater than {brief(self.slope)}?",
            ("In about half of them", "In none", "In those that lie near an axis"),
            1 if steeper == 0 else 0,
            f"It is greater in {steeper} of them. The arrow is the direction of steepest ascent, and its "
            "length is the slope in that direction.",
        )

    def _compass(self, turn: int) -> Frame:
        look, angle = self.round[turn], turn * TURN
        says = {
            0: "Along the gradient it rises as fast as it can.",
            90: "At a right angle to the gradient it is level: this is the direction of the contour.",
            180: "Against the gradient it falls as fast as it can.",
            270: "At a right angle on the other side it is level again.",
            360: "The round is done, and no slope was greater than the gradient's length.",
        }
        return Frame(
            f"Compass at {angle}° from the gradient",
            f"{says.get(angle, self._shadow_words(look))} The slope along "
            f"{_shown(look.direction)} is {brief(_clean(look.slope))}.",
            figures=self._figures(look, arrow=True, turn=turn),
            formula=rf"\nabla L \cdot u = \lVert \nabla L \rVert \cos {angle}^\circ = "
            rf"{_tex(self.slope)} \cdot {_factor(math.cos(math.radians(angle)))} = {_tex(look.shadow)}",
            table=self._table(self.round[: turn + 1], current=turn),
            prediction=self._compass_question(angle),
        )

    def _shadow_words(self, look: Look) -> str:
        if look.slope > 0:
            return (
                "The slope is the arrow's shadow on this direction, and the shadow is shorter than the arrow."
            )
        return "The shadow falls behind you: in this direction it goes down."

    def _compass_question(self, angle: int) -> Prediction | None:
        if angle == 90 - TURN:
            return Prediction(
                "Next the compass stands at a right angle to the gradient. What is the slope there?",
                (brief(self.slope), brief(self.slope / 2), "0"),
                2,
                "The arrow casts no shadow on a direction at a right angle to it.",
            )
        if angle != 360:
            return None
        fall = self.height - self._height(self.point - self.rate * self.gradient)
        promised = self.rate * self.slope**2
        low, high = (1 - _KEPT) * promised, (1 + _KEPT) * promised
        answer = 3 if fall < 0 else 1 if fall < low else 0 if fall <= high else 2
        return Prediction(
            f"Now a step against the gradient, {brief(self.rate, 3)} times as long as it. The slope promises "
            f"a fall of {brief(self.rate, 3)} · {brief(self.slope)}² = {brief(promised)}. What will happen?",
            (
                f"It falls by that much, within {100 * _KEPT:.0f}%",
                "It falls, but by less",
                "It falls by more",
                "It rises",
            ),
            answer,
            f"The height changes by {brief(-fall)}. The slope is right *here*; the longer the step, the less "
            "it says.",
        )

    def _step(self) -> Frame:
        landed = self.point - self.rate * self.gradient
        after = self._height(landed)
        went = "falls" if after < self.height else "**rises**" if after > self.height else "stays"
        return Frame(
            "Two arrows: gradient up, step down",
            f"The rust arrow is the gradient, uphill. The blue one is the step, −{brief(self.rate, 3)} times "
            f"the gradient. It leads to {_shown(landed)}, and the height {went}: {brief(self.height)} to "
            f"{brief(after)}. "
            "The step goes down; it need not aim at the lowest point.",
            figures=self._figures(None, arrow=True, turn=len(self.round) - 1, landed=landed),
            formula=rf"w - \eta \, \nabla L = {_column(self.point)} - {brief(self.rate, 3)} \cdot "
            rf"{_column(self.gradient)} = {_column(landed)}",
            table=self._table(self.round),
        )

    # ---- pictures

    def _figures(
        self, look: Look | None, *, arrow: bool = False, turn: int | None = None, landed: Floats | None = None
    ) -> tuple[Figure, ...]:
        key = self._key(look, arrow) + ("" if landed is None else "; blue: the step at full length")
        figures = [Figure(key, self._map(look, arrow, landed))]
        if look is not None:
            figures.append(Figure("The slice along that direction, and its tangent", self._slice(look)))
        if turn is not None:
            figures.append(Figure("Slope by angle from the gradient", self._slopes(turn)))
        return tuple(figures)

    def _key(self, look: Look | None, arrow: bool) -> str:
        key = "The surface from above; the bluer, the lower"
        if arrow:
            key += ". Rust: the gradient at half length"
        if look is not None and arrow:
            key += "; the other arrow: its shadow"
        return key

    def _ground(self) -> Plot:
        """Draw the contours, which are the same at every step."""
        plot = Plot(
            linear(-_WIDE, _WIDE),
            linear(-_HIGH, _HIGH, 4),
            x_title="w₁",
            y_title="w₂",
            title=f"Contour map of {self.surface.name} with the point",
            description=f"The point is at {_shown(self.point)}; the gradient is {_shown(self.gradient)}.",
            size=size_around(2 * _WIDE * _UNIT, 2 * _HIGH * _UNIT),
            picks=("w1", "w2"),
        )
        levels = np.unique(np.quantile(self.heights, _LEVELS))
        plot.contours(self.xs, self.ys, self.heights, levels.tolist())
        return plot

    def _map(self, look: Look | None, arrow: bool, landed: Floats | None) -> str:
        plot = deepcopy(self.ground)
        here = _pair(self.point)
        if look is not None:
            plot.line(
                [_pair(self.point - 9 * look.direction), _pair(self.point + 9 * look.direction)], "thin"
            )
            plot.dots([_pair(self.point + _REACH * side * look.direction) for side in (-1, 1)], "hollow", 3)
        if arrow:
            tip = self.point + _DRAWN * self.gradient
            if look is not None:
                foot = self.point + _DRAWN * look.shadow * look.direction
                plot.line([_pair(tip), _pair(foot)], "backward thin dashed")
                plot.arrow(here, _pair(foot), "ink")
            plot.arrow(here, _pair(tip), "backward")
        if landed is not None:
            plot.arrow(here, _pair(landed), "forward")
        plot.dots([here], "ring", 5)
        return plot.svg()

    def _slice(self, look: Look) -> str:
        walked = np.linspace(-_REACH, _REACH, 49)
        places = self.point + walked[:, None] * look.direction
        heights = self.surface.height(sw.tensor(places)).numpy()
        tangent = self.height + look.slope * walked
        plot = Plot(
            linear(-_REACH, _REACH),
            covering([*heights.tolist(), self.height - 0.5, self.height + 0.5]),
            x_title="distance walked in that direction",
            y_title="height",
            title="The slice of the surface along that direction",
            description=f"At the point the height is {brief(self.height)} and the slope {brief(look.slope)}.",
            size=(420, 230),
        )
        plot.line(list(zip(walked.tolist(), tangent.tolist())), "backward dashed")
        plot.line(list(zip(walked.tolist(), heights.tolist())), "ink")
        plot.dots([(0.0, self.height)], "ring", 5)
        return plot.svg()

    def _slopes(self, turn: int) -> str:
        plot = Plot(
            _DEGREES,
            linear(-1.15 * self.slope, 1.15 * self.slope, 4),
            x_title="degrees from the gradient",
            y_title="slope",
            title="Slope by angle from the gradient",
            description=", ".join(
                f"{look.name} {brief(_clean(look.slope), 3)}" for look in self.round[: turn + 1]
            ),
            size=(420, 230),
        )
        plot.rule("", y=0.0)
        fine = np.linspace(0, turn * TURN, 4 * turn + 1)
        cosine = self.slope * np.cos(np.radians(fine))
        plot.line(list(zip(fine.tolist(), cosine.tolist())), "backward")
        points = [(float(k * TURN), look.slope) for k, look in enumerate(self.round[: turn + 1])]
        plot.dots(points[:-1], "ink", 2.6)
        plot.dots(points[-1:], "ring", 4.5)
        return plot.svg()

    def _table(self, looks: list[Look], current: int | None = None) -> Table:
        rows = [
            (
                look.name,
                _shown(look.direction, 3),
                brief(_clean(look.slope), 5),
                brief(_clean(look.shadow), 5),
                brief(_clean(look.nudged), 5),
            )
            for look in looks
        ]
        columns = ("Direction", "Unit vector", "Derivative", "Gradient's shadow", "By a nudge")
        return Table("Slopes by direction, found in three ways", columns, rows, current=current)


def _compare(this: float, other: float) -> int:
    """Return 0 for clearly less, 1 for alike, 2 for clearly more."""
    if abs(this - other) <= _ALIKE * max(this, other):
        return 1
    return 0 if this < other else 2


def _shown(values: Floats, places: int = 2) -> str:
    return vector(values.tolist(), places)


def _pair(values: Floats) -> tuple[float, float]:
    return float(values[0]), float(values[1])


def _clean(value: float) -> float:
    """Return a slope without the dust of rounding around zero."""
    return 0.0 if abs(value) < 1e-9 else value


def _tex(value: float) -> str:
    return brief(_clean(value)).replace("−", "-")


def _factor(value: float) -> str:
    text = _tex(round(value, 4))
    return f"({text})" if text.startswith("-") else text


def _column(values: Floats) -> str:
    numbers = r" \\ ".join(_tex(round(float(value), 3)) for value in values)
    return rf"\begin{{bmatrix}} {numbers} \end{{bmatrix}}"


LAB = Lab(
    title="A slope for every direction",
    task="Choose a surface, and a point, with the sliders or by dragging it. Step: look along both axes, put "
    "the two slopes into one arrow, then turn a compass. Try the saddle at (0, 0), too.",
    settings=(
        Choice("surface", "Surface", "bowl", tuple((key, surface.name) for key, surface in SURFACES.items())),
        Number("w1", "Point: first parameter", 1.5, -_WIDE, _WIDE, 0.1),
        Number("w2", "Point: second parameter", 0.8, -_HIGH, _HIGH, 0.1),
        Number("lr", "Learning rate η", 0.3, 0.05, 1.5, 0.05),
    ),
    run=run,
    step_name="look",
)
