"""What stands in the formulas that the labs of lessons 3 and 4 show beside their frames."""

import numpy as np

import slopewise as sw
from shown_formulas.lessons_1_to_9 import number, slope
from shown_formulas.reading import entries
from slopewise.site.content.lessons.n04_gradient_descent.surfaces import SURFACES


def lab_3():
    for said in (0.8, 2.2):
        line = {r"\hat{y}": said, "y": 1.5}
        squared = {
            r"\frac{\partial}{\partial \hat{y}} (\hat{y} - y)^2": slope(lambda p: (p - 1.5) ** 2, said)
        }
        yield "slope_squared", {**line, **squared}
        yield (
            "slope_absolute",
            {
                r"\frac{\partial}{\partial \hat{y}} |\hat{y} - y|": slope(lambda p: sw.abs(p - 1.5), said),
                r"\text{the sign of } \hat{y} - y": np.sign(said - 1.5),
            },
        )
    z, p = 0.7, sw.sigmoid(number(0.7)).item()
    for y in (0.0, 1.0):
        entropy = slope(lambda at, y=y: sw.losses.binary_cross_entropy_with_logits(at, number(y)), z)
        squared = slope(lambda at, y=y: (sw.sigmoid(at) - y) ** 2, z)
        class_ = {"p": p, "y": y}
        yield "slope_cross", {r"\frac{\partial}{\partial z} (-\log p_{\text{right}})": entropy, **class_}
        yield "slope_class", {r"\frac{\partial}{\partial z} (p - y)^2": squared, **class_}
    x, w, b, targets = np.array([-2.0, 0.4, 1.2]), 0.5, 0.47, np.array([1.0, 0.0, 1.0])
    layer = sw.nn.Linear(1, 1)
    layer.load_state_dict({"weight": np.array([[w]], np.float32), "bias": np.array([b], np.float32)})
    z = layer(sw.tensor(np.array([[1.2]], np.float32))).item()
    yield "line", {r"\hat{y}": z, "w": w, "x": 1.2, "b": b}
    yield "probability", {"p": sw.sigmoid(number(z)).item(), "w": w, "x": 1.2, "b": b}

    def loss(logits):
        return sw.losses.binary_cross_entropy_with_logits(logits, sw.tensor(targets))

    sent = entries(r"\frac{\partial L}{\partial z_i}", slope(loss, w * x + b))
    rows = {r"\sum_i": (1, 2, 3), **sent}
    to_bias = slope(lambda at: loss(w * sw.tensor(x) + at), b)
    yield "to_bias", {r"\frac{\partial L}{\partial b}": to_bias, **rows}
    to_weight = slope(lambda at: loss(at * sw.tensor(x) + b), w)
    yield "to_weight", {r"\frac{\partial L}{\partial w}": to_weight, **rows, **entries("x_i", x)}


def lab_4():
    for name, surface in SURFACES.items():
        for w_1, w_2 in ((1.2, 0.9), (-0.7, 0.3)):
            height = surface.loss(sw.tensor(np.array([w_1, w_2]))).item()
            yield name, {"L": height, "w_1": w_1, "w_2": w_2}
