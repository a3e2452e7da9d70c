"""A gradient on its way back through many layers: how much of it arrives, and why."""

from __future__ import annotations

import math

import numpy as np

from slopewise.site.content.lessons.n08_activations.activations import (
    ACTIVATIONS,
    BATCH,
    NAMES,
    WIDTH,
    Layer,
    slopes,
    stack,
)
from slopewise.site.drawing import Plot, brief, linear, logarithmic
from slopewise.site.labs import Figure, Frame, Prediction, Table

_OTHERS = ("sigmoid", "tanh", "relu", "none")
_KINDS = {"sigmoid": "forward", "tanh": "", "relu": "ink", "leaky": "backward", "none": "dashed"}
_SHOWN = 90  # of a layer's sums, as dots on the curve


def stack_frames(phi: str, layers: int, scale: float, seed: int) -> list[Frame]:
    """Make the network, and show the backward pass layer by layer."""
    return _Descent(phi, layers, scale, seed).frames()


class _Descent:
    """One backward pass, and the pictures of it."""

    def __init__(self, phi: str, layers: int, scale: float, seed: int) -> None:
        self.phi, self.count, self.scale = phi, layers, scale
        self.name = NAMES[phi] if phi != "none" else "no activation"
        self.layers = stack(phi, layers, scale, seed)
        self.others = {
            other: [layer.gradient for layer in stack(other, layers, scale, seed)] for other in _OTHERS
        }
        everything = [size for sizes in self.others.values() for size in sizes]
        everything += [layer.gradient for layer in self.layers]
        self.sizes = logarithmic(
            10.0 ** math.floor(math.log10(min(everything))),
            10.0 ** math.ceil(math.log10(max(everything)) + 1e-9),
        )

    def frames(self) -> list[Frame]:
        back = [self._frame(number) for number in range(self.count, 0, -1)]
        return [self._start(), *back, self._end()]

    # ---- frames

    def _start(self) -> Frame:
        last = self.layers[-1]
        return Frame(
            "The forward pass is done",
            f"{BATCH} rows went through {self.count} new layers of {WIDTH} units with {self.name}; the "
            "last layer's answers were compared with targets. Now the gradient sets out on its way back, "
            "from the right to the left of the first picture.",
            figures=(
                Figure("Size of the gradient by layer", self._journey(self.count + 1)),
                Figure(self._curve_caption(self.count), self._curve(last, self.count)),
            ),
            table=self._table(self.count + 1),
            prediction=self._fate(),
        )

    def _frame(self, number: int) -> Frame:
        layer = self.layers[number - 1]
        return Frame(
            f"Layer {number} of {self.count}",
            self._words(number),
            figures=(
                Figure("Size of the gradient by layer", self._journey(number)),
                Figure(self._curve_caption(number), self._curve(layer, number)),
            ),
            table=self._table(number),
        )

    def _end(self) -> Frame:
        ratio = self._ratio()
        words = (
            f"With {self.name}, the gradient at layer 1 is {_times(ratio)} that at layer {self.count}. The "
            "picture holds the other activations beside it: the same rows and targets, the same draw of "
            "weights. "
        )
        if self.phi == "sigmoid":
            words += "Sigmoid loses most at each layer, because its slope is nowhere above a quarter."
        elif ratio > 30:
            words += (
                "This gradient explodes: the weights make it larger at each layer than the activation "
                "makes it smaller."
            )
        elif ratio < 1 / 30:
            words += (
                "So the choice of activation is not all: weights that are too small make any gradient fade."
            )
        else:
            words += (
                "The usual spread of the weights was made for this: what an activation takes, the weights "
                "give back."
            )
        lines = [
            (NAMES[other] if other != "none" else "no activation", *_ends(sizes))
            for other, sizes in self.others.items()
        ]
        return Frame(
            "Beside the others",
            words,
            figures=(
                Figure("The gradient by layer, for four activations", self._comparison()),
                Figure("What each layer multiplies with: the slope", self._four_slopes()),
            ),
            table=Table(
                "Gradients at both ends",
                ("Activation", f"Layer {self.count}", "Layer 1", "Layer 1 in shares of the last"),
                lines,
            ),
        )

    # ---- words

    def _words(self, number: int) -> str:
        layer = self.layers[number - 1]
        mean = float(np.sqrt((layer.local**2).mean()))
        flat = float((layer.local == 0).mean())
        words = (
            f"The gradient here is {brief(layer.gradient, 3)} in size. Every part of it was multiplied by "
            f"the activation's slope at its own weighted sum: typically {brief(mean, 3)}"
        )
        words += f", and exactly 0 at {100 * flat:.0f}% of them." if flat else "."
        if number < self.count:
            ratio = layer.gradient / self.layers[number].gradient
            words += f" Weights and slopes together left {_times(ratio)} the size it had one layer later."
        return words

    def _ratio(self) -> float:
        return self.layers[0].gradient / self.layers[-1].gradient

    def _fate(self) -> Prediction:
        ratio = self._ratio()
        answer = 3 if ratio > 30 else 0 if ratio > 1 / 30 else 1 if ratio > 1e-3 else 2
        return Prediction(
            f"The gradient has {self.count} layers of {self.name} to pass. How large will it be at layer "
            f"1, in shares of what it is at layer {self.count}?",
            (
                "About as large: within a factor of 30",
                "Down to a thirtieth or less, but above a thousandth",
                "A thousandth or less",
                "30 times as large or more",
            ),
            answer,
            f"It goes from {brief(self.layers[-1].gradient, 3)} to {brief(self.layers[0].gradient, 3)}: "
            f"{_times(ratio)} what it was.",
        )

    # ---- pictures

    def _journey(self, reached: int) -> str:
        plot = self._layers_plot(
            "Gradient by layer, on its way back",
            ", ".join(
                f"layer {n}: {brief(self.layers[n - 1].gradient, 2)}"
                for n in range(self.count, reached - 1, -1)
            )
            or "Nothing has come back yet.",
        )
        known = [(float(n), self.layers[n - 1].gradient) for n in range(self.count, 0, -1) if n >= reached]
        plot.line(known, "backward")
        plot.dots(known, "backward", 4)
        if known:
            plot.dots(known[-1:], "backward", 6)
        return plot.svg()

    def _comparison(self) -> str:
        plot = self._layers_plot(
            "Gradient by layer for four activations",
            "; ".join(
                f"{NAMES[other]}: {brief(sizes[0], 2)} at layer 1" for other, sizes in self.others.items()
            ),
        )
        for other, sizes in self.others.items():
            plot.line([(float(n), size) for n, size in enumerate(sizes, start=1)], _KINDS[other])
        own = [(float(n), layer.gradient) for n, layer in enumerate(self.layers, start=1)]
        if self.phi not in self.others:
            plot.line(own, _KINDS[self.phi])
        plot.dots(own, _KINDS[self.phi], 4)
        self._label_beginnings(plot)
        return plot.svg()

    def _label_beginnings(self, plot: Plot) -> None:
        """Write each activation's name at its first layer; names of lines that meet stand in a column."""
        beginnings = {other: sizes[0] for other, sizes in self.others.items()} | {
            self.phi: self.layers[0].gradient
        }
        lowest = 0.0
        for other, size in sorted(beginnings.items(), key=lambda item: -item[1]):
            top = plot.at(1.0, size)[1]
            lowest = max(top + 20, lowest + 15)
            near_axis = lowest > plot.at(1.0, self.sizes.low)[1] - 4
            plot.label(
                1.0,
                size,
                NAMES[other],
                _KINDS[other],
                dx=30 if near_axis else 9,
                dy=0 if near_axis else lowest - top,
            )

    def _layers_plot(self, title: str, description: str) -> Plot:
        return Plot(
            linear(0.5, self.count + 0.5, min(self.count, 10)),
            self.sizes,
            x_title="layer",
            y_title="size of the gradient",
            title=title,
            description=description,
            size=(480, 340),
        )

    def _curve_caption(self, number: int) -> str:
        return f"The slope, and where the sums of layer {number} lie"

    def _curve(self, layer: Layer, number: int) -> str:
        across = np.linspace(-6, 6, 241)
        plot = Plot(
            linear(-6, 6),
            linear(-0.05, 1.1, 4),
            x_title="weighted sum z",
            y_title="slope",
            title=f"Slope of {self.name} with the sums of layer {number}",
            description=f"The sums lie between {brief(float(layer.inputs.min()), 2)} and "
            f"{brief(float(layer.inputs.max()), 2)}; the slope there is "
            f"{brief(float(layer.local.mean()), 2)} on average.",
            size=(480, 340),
        )
        plot.line(_curve_points(self.phi, across), "")
        every = max(1, layer.inputs.size // _SHOWN)
        zs, local = layer.inputs.reshape(-1)[::every], layer.local.reshape(-1)[::every]
        plot.dots([(float(z), float(s)) for z, s in zip(zs, local)], "backward", 2.6)
        return plot.svg()

    def _four_slopes(self) -> str:
        across = np.linspace(-6, 6, 241)
        plot = Plot(
            linear(-6, 6),
            linear(-0.05, 1.1, 4),
            x_title="weighted sum z",
            y_title="slope",
            title="Slopes of four activations",
            description="Sigmoid: at most 0.25. Tanh: at most 1, near 0 only. ReLU: 0 or 1. None: 1.",
            size=(480, 340),
        )
        for other in _OTHERS:
            plot.line(_curve_points(other, across), _KINDS[other])
        plot.label(-2.4, 0.13, NAMES["sigmoid"], _KINDS["sigmoid"], dx=-44, dy=-4)
        plot.label(-0.75, 0.62, NAMES["tanh"], _KINDS["tanh"], dx=-44, dy=-4)
        plot.label(3.2, 1.0, NAMES["relu"], _KINDS["relu"], dx=0, dy=18)
        plot.label(-5.8, 1.0, NAMES["none"], _KINDS["none"], dx=0, dy=18)
        return plot.svg()

    def _table(self, reached: int) -> Table:
        rows = []
        for number in range(self.count, 0, -1):
            layer = self.layers[number - 1]
            known = number >= reached
            later = self.layers[number].gradient if number < self.count else math.nan
            rows.append(
                (
                    str(number),
                    brief(float(layer.local.mean()), 3),
                    f"{100 * float((layer.local == 0).mean()):.0f}%",
                    brief(layer.gradient, 3) if known else "not yet",
                    brief(layer.gradient / later, 3) if known and number < self.count else "",
                )
            )
        current = self.count - reached if reached <= self.count else None
        columns = ("Layer", "Mean slope", "Slope exactly 0", "Gradient", "Beside the layer after it")
        return Table("The layers, last first", columns, rows, current=current)


def _curve_points(
    phi: str, across: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> list[tuple[float, float]]:
    if phi == "none":
        return [(float(x), 1.0) for x in across]
    return [(float(x), float(s)) for x, s in zip(across, slopes(ACTIVATIONS[phi], across))]


def _times(ratio: float) -> str:
    return f"{brief(ratio, 2)} times"


def _ends(sizes: list[float]) -> tuple[str, str, str]:
    return brief(sizes[-1], 3), brief(sizes[0], 3), brief(sizes[0] / sizes[-1], 3)
