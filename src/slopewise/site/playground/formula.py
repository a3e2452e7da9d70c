"""The network, its loss and its update as formulas, for the page to set as MathML."""

from __future__ import annotations

from slopewise.site.playground.design import FEATURES, Design
from slopewise.site.playground.layers import ACTIVATIONS, Layer

_LOSSES = {
    "cross_entropy": r"L = -\frac{1}{m} \sum_{i=1}^{m} \log \hat{p}_{i, y_i}",
    "binary_cross_entropy_with_logits": (
        r"L = -\frac{1}{m} \sum_{i=1}^{m} \left( y_i \log \hat{p}_i + (1 - y_i) \log (1 - \hat{p}_i) \right)"
    ),
    "squared_error": r"L = \frac{1}{m} \sum_{i=1}^{m} (\hat{y}_i - y_i)^2",
    "absolute_error": r"L = \frac{1}{m} \sum_{i=1}^{m} |\hat{y}_i - y_i|",
    "huber": r"L = \frac{1}{m} \sum_{i=1}^{m} \operatorname{huber}(\hat{y}_i - y_i)",
}


_UPDATES = {
    "sgd": r"\theta \leftarrow \theta - \eta \, \nabla L",
    "momentum": r"v \leftarrow \mu v + \nabla L, \quad \theta \leftarrow \theta - \eta v",
    "nesterov": r"v \leftarrow \mu v + \nabla L, \quad \theta \leftarrow \theta - \eta (\nabla L + \mu v)",
    "adam": (
        r"m \leftarrow \beta_1 m + (1 - \beta_1) \nabla L, \quad "
        r"v \leftarrow \beta_2 v + (1 - \beta_2) (\nabla L)^2, \quad "
        r"\theta \leftarrow \theta - \eta \frac{\hat{m}}{\sqrt{\hat{v}} + \varepsilon}"
    ),
    "adagrad": (
        r"s \leftarrow s + (\nabla L)^2, \quad "
        r"\theta \leftarrow \theta - \eta \frac{\nabla L}{\sqrt{s} + \varepsilon}"
    ),
    "rmsprop": (
        r"s \leftarrow \alpha s + (1 - \alpha) (\nabla L)^2, \quad "
        r"\theta \leftarrow \theta - \eta \frac{\nabla L}{\sqrt{s} + \varepsilon}"
    ),
    "lion": (
        r"\theta \leftarrow \theta - \eta \operatorname{sign}(\beta_1 m + (1 - \beta_1) \nabla L), \quad "
        r"m \leftarrow \beta_2 m + (1 - \beta_2) \nabla L"
    ),
    "lbfgs": r"\theta \leftarrow \theta - t H \nabla L, \quad H \approx (\nabla^2 L)^{-1}",
}


def formulas(design: Design) -> list[str]:
    """Return LaTeX lines: the inputs, each layer, the answer, the loss, the update."""
    names = [
        FEATURES[name][1] if name in FEATURES else f"x_{{{k}}}" for k, name in enumerate(design.features, 1)
    ]
    if len(names) > 8:
        names = [*names[:3], r"\ldots", names[-1]]
    inputs = ", ".join(names)
    lines = [rf"h_0 = \left({inputs}\right)"]
    before, weights, blocks = "h_0", 0, 0
    for place, (layer, width) in enumerate(zip(design.layers, design.widths), 1):
        weights += layer.kind == "linear"
        blocks += layer.kind == "residual"
        number = weights if layer.kind == "linear" else blocks
        lines.append(f"h_{{{place}}} = {_layer(layer, width, before, number)}")
        before = f"h_{{{place}}}"
    last = rf"W_{{{weights + 1}}} {before} + b_{{{weights + 1}}}"
    if not design.has_classes:
        lines.append(rf"\hat{{y}} = {last}")
    else:
        squash = r"\operatorname{softmax}" if design.outputs > 1 else r"\sigma"
        lines.append(rf"\hat{{p}} = {squash}\left({last}\right)")
    lines.append(_LOSSES[design.loss])
    if design.number("l1"):
        lines.append(rf"L' = L + {design.number('l1'):g} \sum_k |w_k|")
    rule = _update(design)
    if design.number("l1"):
        rule = rule.replace(r"\nabla L", r"\nabla L'")
    return [*lines, rule] if rule else lines


def _update(design: Design) -> str:
    """Return the rule of the optimizer, "" for relatives of Adam whose rule takes more than a line."""
    kind = str(design.values["optimizer"])
    if kind == "sgd" and design.number("momentum"):
        kind = "nesterov" if design.values["nesterov"] else "momentum"
    if kind == "rmsprop" and design.number("momentum"):
        return ""
    if kind == "adamw" and not design.number("weight_decay"):
        kind = "adam"  # they differ in nothing else
    return _UPDATES.get(kind, "")


def _layer(layer: Layer, width: int, before: str, number: int) -> str:
    """Return the right side of a layer's line; `number` counts the layers of its kind."""
    if layer.kind == "linear":
        shape = rf"W_{{{number}}} \in \mathbb{{R}}^{{{int(layer.number)} \times {width}}}"
        return rf"W_{{{number}}} {before} + b_{{{number}}}, \quad {shape}"
    if layer.kind == "residual":
        inside = rf"\operatorname{{ReLU}}(U_{{{number}}} {before} + c_{{{number}}})"
        return rf"{before} + V_{{{number}}} {inside} + d_{{{number}}}"
    if layer.kind in ("batch_norm", "layer_norm"):
        over = rf"\text{{{'batch' if layer.kind == 'batch_norm' else 'row'}}}"
        deviation = rf"\sqrt{{\sigma_{{{over}}}^2 + \varepsilon}}"
        return rf"\gamma \frac{{{before} - \mu_{{{over}}}}}{{{deviation}}} + \beta"
    if layer.kind == "dropout":
        keep = f"{1 - layer.number:g}"
        return rf"\frac{{m \cdot {before}}}{{{keep}}}, \quad m_j \in \{{0, 1\}}, \quad P(m_j = 1) = {keep}"
    return rf"{ACTIVATIONS[layer.kind][1]}\left({before}\right)"
