"""From a design to the calls that make its data, model, optimizer and Trainer."""

from __future__ import annotations

import inspect
from typing import Any

import slopewise
from slopewise.site.playground.calls import Call, Name
from slopewise.site.playground.design import OPTIMIZERS, Design
from slopewise.site.playground.targets import OVER_A_SQUARE

_CLASSES = {
    "sgd": "SGD",
    "adam": "Adam",
    "adamw": "AdamW",
    "amsgrad": "AMSGrad",
    "nadam": "NAdam",
    "radam": "RAdam",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
    "lion": "Lion",
    "lbfgs": "LBFGS",
}
# settings of the page -> keywords of constructors, where they differ
_KEYWORDS = {
    "accumulator": "initial_accumulator_value",
    "decoupled": "decoupled_weight_decay",
    "history": "history_size",
    "iterations": "max_iter",
}
_SCHEDULES = {
    "step": "StepDecay",
    "exponential": "ExponentialDecay",
    "linear": "LinearRamp",
    "polynomial": "PolynomialDecay",
    "cosine": "CosineDecay",
    "restarts": "CosineRestarts",
    "one_cycle": "OneCycle",
}


def data_call(design: Design) -> Call:
    """Return the call that makes inputs and targets; some targets are made from its inputs (`targets`)."""
    keywords: dict[str, Any] = {"n": design.whole("rows"), "noise": design.noise}
    kind = design.data
    if kind == "gauss":
        kind, keywords["classes"] = "blobs", 2
    if kind in OVER_A_SQUARE:  # the inputs of the checkerboard are evenly spread over a square
        kind, keywords["noise"] = "checkerboard", 0.0
    if kind == "linear":
        keywords["features"] = 2
    return Call("data.generate", (kind,), {**keywords, "seed": design.whole("data_seed")})


def split_sizes(design: Design) -> tuple[int, int]:
    """Return how many rows go to validation and to test."""
    rows = design.n_rows
    return max(1, round(rows * design.number("validation"))), max(1, round(rows * design.number("test")))


def model_call(design: Design) -> Call:
    """Return the call that makes the network."""
    parts = [layer.call(width) for layer, width in zip(design.layers, design.widths)]
    parts.append(Call("nn.Linear", (design.widths[-1], design.outputs)))
    if design.outputs == 1:
        parts.append(Call("nn.Flatten", (0,)))  # one number for each row, as the targets are
    return Call("nn.Sequential", tuple(parts))


def rate(design: Design) -> Any:
    """Return the learning rate: a number, or the call that makes its schedule."""
    lr, kind = design.number("lr"), str(design.values["schedule"])
    made: Any = lr
    if kind in _SCHEDULES:
        made = Call(f"optim.schedules.{_SCHEDULES[kind]}", (lr,), _schedule_keywords(design, kind))
    if design.whole("warm_up") and kind not in ("plateau", "one_cycle"):
        return Call("optim.schedules.WarmUp", (made,), {"steps": design.whole("warm_up")})
    return made


def _schedule_keywords(design: Design, kind: str) -> dict[str, Any]:
    """Return the keywords of a schedule: `factor` is what is left after `horizon` updates."""
    horizon, factor = design.whole("horizon"), design.number("factor")
    if kind == "step":
        return {"every": horizon, "factor": factor}
    if kind == "exponential":
        return {"factor": factor ** (1 / horizon)}
    own: dict[str, dict[str, Any]] = {
        "linear": {"end": design.number("lr") * factor},
        "polynomial": {"power": design.number("power")},
        "restarts": {"growth": 2},
    }
    return {"steps": horizon, **own.get(kind, {})}


def optimizer_settings(design: Design) -> dict[str, Any]:
    """Return all keywords of the optimizer's constructor but `lr`, as the design sets them."""
    kind = str(design.values["optimizer"])
    made: dict[str, Any] = {}
    for name in OPTIMIZERS[kind][1]:
        value = design.values[name]
        if name == "beta2":
            made["betas"] = (design.number("beta1"), design.number("beta2"))
        elif name == "line_search":
            made["line_search_fn"] = "strong_wolfe" if value else None
        elif name != "beta1":
            made[_KEYWORDS.get(name, name)] = value
    return _defaults(kind) | made


def _defaults(kind: str) -> dict[str, Any]:
    constructor = inspect.signature(getattr(slopewise.optim, _CLASSES[kind]))
    return {
        name: parameter.default
        for name, parameter in constructor.parameters.items()
        if name not in ("params", "lr")
    }


def optimizer_call(design: Design) -> Call:
    """Return the call that makes the optimizer of a model's parameters."""
    kind = str(design.values["optimizer"])
    usual = _defaults(kind)
    changed = {name: value for name, value in optimizer_settings(design).items() if value != usual[name]}
    return Call(f"optim.{_CLASSES[kind]}", (Name("model.parameters()"),), {"lr": rate(design), **changed})


def trainer_keywords(design: Design) -> dict[str, Any]:
    """Return the keywords of the Trainer, all but model and optimizer."""
    keywords: dict[str, Any] = {"loss": design.loss, "metrics": [design.metric], "seed": design.whole("seed")}
    if design.number("clip"):
        keywords["clip_norm"] = design.number("clip")
    if design.number("clip_value"):
        keywords["clip_value"] = design.number("clip_value")
    return keywords | {"compile": False}


def callback_call(design: Design) -> Call | None:
    """Return the call that makes the callback of a schedule that looks at the validation loss."""
    if design.values["schedule"] != "plateau":
        return None
    settings = {"factor": design.number("factor"), "patience": design.whole("patience")}
    return Call("train.ReduceOnPlateau", (), settings)


def batch_size(design: Design, n_training: int) -> int | str:
    """Return the size of a batch, "full" if it takes all training rows."""
    wanted = design.whole("batch")
    return "full" if wanted >= n_training else wanted


def edits_of(design: Design) -> dict[int, list[tuple[int, str, Any, float]]]:
    """Return what is set by hand, by update: module, name, place and value, as `set_by_hand` takes them."""
    kinds = [layer.kind for layer in design.layers] + ["linear"]
    modules = [place for place, kind in enumerate(kinds) if kind == "linear"]
    made: dict[int, list[tuple[int, str, Any, float]]] = {}
    for edit in design.edits:
        made.setdefault(edit.step, []).append(edit.place(modules))
    return made
