"""The settings of the playground: what an address holds, what the form asks, what a worker trains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from slopewise.engine.errors import ArgumentError
from slopewise.site.labs.settings import Choice, Number, Setting, Text, Toggle, Value, Values, Whole
from slopewise.site.playground.by_hand import Edit, read_edits
from slopewise.site.playground.layers import Layer, read_layers
from slopewise.site.playground.own import OwnTable

MOST_UPDATES = 20_000
MOST_PARAMETERS = 8_000
MOST_REMEMBERED = 80_000  # numbers that LBFGS keeps of the steps it made
MOST_ROWS = 2_000
TICK = "input."  # before the name of an input that a form ticks

OWN = "own"
# kind -> label, whether its targets are classes, noise at 1
DATA = {
    "moons": ("Moons", True, 0.1),
    "circles": ("Circles", True, 0.05),
    "spirals": ("Spirals", True, 0.02),
    "gauss": ("Two blobs", True, 1.0),
    "blobs": ("Three blobs", True, 1.0),
    "xor": ("XOR", True, 0.1),
    "checkerboard": ("Checkerboard", True, 0.05),
    "linear": ("Plane (regression)", False, 0.5),
    "hills": ("Hills (regression)", False, 0.05),
    "ripples": ("Ripples (regression)", False, 0.1),
    "sine": ("Sine, one input (regression)", False, 0.1),
    OWN: ("Your own data", True, 0.0),
}
GENERATED = tuple(kind for kind in DATA if kind != OWN)
FEATURES = {
    "x1": ("x₁", "x_1"),
    "x2": ("x₂", "x_2"),
    "x1x1": ("x₁²", "x_1^2"),
    "x2x2": ("x₂²", "x_2^2"),
    "x1x2": ("x₁x₂", "x_1 x_2"),
    "sin1": ("sin x₁", r"\sin x_1"),
    "sin2": ("sin x₂", r"\sin x_2"),
}
CLASS_LOSSES = {"cross_entropy": "Cross-entropy", "binary_cross_entropy_with_logits": "Binary cross-entropy"}
NUMBER_LOSSES = {"squared_error": "Squared error", "absolute_error": "Absolute error", "huber": "Huber"}

_ADAM = ("beta1", "beta2", "eps", "weight_decay")
# optimizer -> label, and which of the settings below it has
OPTIMIZERS = {
    "sgd": ("SGD", ("momentum", "dampening", "nesterov", "weight_decay")),
    "adam": ("Adam", _ADAM),
    "adamw": ("AdamW", (*_ADAM, "amsgrad")),
    "amsgrad": ("AMSGrad", _ADAM),
    "nadam": ("NAdam", (*_ADAM, "momentum_decay", "decoupled")),
    "radam": ("RAdam", (*_ADAM, "decoupled")),
    "rmsprop": ("RMSprop", ("alpha", "eps", "momentum", "centered", "weight_decay")),
    "adagrad": ("Adagrad", ("lr_decay", "accumulator", "eps", "weight_decay")),
    "lion": ("Lion", ("beta1", "beta2", "weight_decay")),
    "lbfgs": ("LBFGS", ("history", "iterations", "line_search")),
}
# schedule -> label, and which of the settings below it has
SCHEDULES = {
    "constant": ("Constant", ("warm_up",)),
    "step": ("Step decay", ("horizon", "factor", "warm_up")),
    "exponential": ("Exponential decay", ("horizon", "factor", "warm_up")),
    "linear": ("Linear ramp", ("horizon", "factor", "warm_up")),
    "polynomial": ("Polynomial decay", ("horizon", "power", "warm_up")),
    "cosine": ("Cosine decay", ("horizon", "warm_up")),
    "restarts": ("Cosine with restarts", ("horizon", "warm_up")),
    "one_cycle": ("One cycle", ("horizon",)),
    "plateau": ("Reduce on plateau", ("factor", "patience")),
}

SETTINGS: tuple[Setting, ...] = (
    Choice("data", "Data set", "moons", [(kind, label) for kind, (label, *_) in DATA.items()]),
    Text("own", "Which of yours", "none", 40),
    Text("target", "Target", "likely", 100),
    Whole("rows", "Rows", 300, 20, MOST_ROWS),
    Number("noise", "Noise", 1.0, 0.0, 5.0, 0.1, "times the data set's own"),
    Whole("data_seed", "Data seed", 0, 0, 9999),
    Number("validation", "Validation share", 0.2, 0.05, 0.6, 0.05),
    Number("test", "Test share", 0.2, 0.05, 0.6, 0.05, "sealed until you open it"),
    Text("features", "Inputs", "x1,x2", 60),
    Toggle("standardise", "Standardise inputs", False, "by the training rows' mean and deviation"),
    Text("layers", "Hidden layers", "linear:8,tanh,linear:8,tanh", 300),
    Text("edits", "Weights set by hand", "none", 800),
    Whole("seed", "Seed of weights and order", 0, 0, 9999),
    Choice(
        "loss", "Loss", "auto", [("auto", "The usual one"), *CLASS_LOSSES.items(), *NUMBER_LOSSES.items()]
    ),
    Whole("batch", "Batch size", 16, 1, MOST_ROWS, 1, "1 is stochastic; all training rows or more is full"),
    Toggle("shuffle", "Reshuffle each epoch", True),
    Choice("optimizer", "Optimizer", "sgd", [(kind, label) for kind, (label, _) in OPTIMIZERS.items()]),
    Number("lr", "Learning rate", 0.1, 0.00001, 10.0, 0.01),
    Number("momentum", "Momentum", 0.0, 0.0, 0.999, 0.01),
    Number("dampening", "Dampening", 0.0, 0.0, 1.0, 0.01),
    Toggle("nesterov", "Nesterov", False),
    Number("beta1", "β₁", 0.9, 0.0, 0.9999, 0.01),
    Number("beta2", "β₂", 0.999, 0.0, 0.99999, 0.001),
    Number("alpha", "α, how slowly squares are forgotten", 0.99, 0.0, 0.9999, 0.01),
    Number("eps", "ε, added to the divisor", 1e-8, 0.0, 1.0, 1e-8),
    Toggle("amsgrad", "AMSGrad", False),
    Number("momentum_decay", "Momentum decay", 0.004, 0.0, 1.0, 0.001),
    Toggle("decoupled", "Decoupled weight decay", False),
    Toggle("centered", "Centered", False),
    Number("lr_decay", "Decay of the rate", 0.0, 0.0, 1.0, 0.001),
    Number("accumulator", "Sum to begin with", 0.0, 0.0, 10.0, 0.1),
    Whole("history", "Remembered steps", 10, 1, 100),
    Whole("iterations", "Steps in an update", 5, 1, 20),
    Toggle("line_search", "Line search", True),
    Number("weight_decay", "Weight decay (L2)", 0.0, 0.0, 1.0, 0.0001),
    Number("l1", "L1 penalty", 0.0, 0.0, 1.0, 0.0001),
    Number("clip", "Clip the gradient's norm", 0.0, 0.0, 100.0, 0.1, "0 is off"),
    Number("clip_value", "Clip each element", 0.0, 0.0, 100.0, 0.1, "0 is off"),
    Choice("schedule", "Schedule", "constant", [(kind, label) for kind, (label, _) in SCHEDULES.items()]),
    Whole("horizon", "Updates of the schedule", 500, 1, MOST_UPDATES),
    Number("factor", "Factor", 0.5, 0.0, 0.9999, 0.05),
    Number("power", "Power", 1.0, 0.1, 5.0, 0.1),
    Whole("patience", "Patience, in epochs", 10, 0, 1000),
    Whole("warm_up", "Warm-up updates", 0, 0, 5000),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True)
class Design:
    """What is trained: checked values, and what follows from them."""

    values: Mapping[str, Value]
    layers: tuple[Layer, ...]
    features: tuple[str, ...]
    loss: str
    own: OwnTable | None = None
    edits: tuple[Edit, ...] = ()

    @property
    def data(self) -> str:
        """The kind of data set."""
        return str(self.values["data"])

    @property
    def has_classes(self) -> bool:
        """Whether targets are classes."""
        return DATA[self.data][1] if self.own is None else bool(self.own.classes)

    @property
    def n_rows(self) -> int:
        """How many rows there are in all."""
        return self.whole("rows") if self.own is None else len(self.own.rows)

    @property
    def places(self) -> int:
        """How many columns a row has before inputs are made of them."""
        return (1 if self.data == "sine" else 2) if self.own is None else len(self.own.inputs)

    @property
    def is_standardised(self) -> bool:
        """Whether inputs are centred and scaled; own columns always are, as nobody knows their units."""
        return bool(self.values["standardise"]) or self.own is not None

    @property
    def noise(self) -> float:
        """The noise in the data set's own unit."""
        return round(DATA[self.data][2] * float(self.values["noise"]), 10)

    @property
    def classes(self) -> int:
        """How many classes there are; 0 for a regression."""
        if self.own is not None:
            return len(self.own.classes)
        return 0 if not self.has_classes else 3 if self.data == "blobs" else 2

    @property
    def outputs(self) -> int:
        """How many numbers the network puts out for a row."""
        return self.classes if self.loss == "cross_entropy" else 1

    @property
    def has_custom_update(self) -> bool:
        """Whether the update differs from the Trainer's."""
        return self.values["optimizer"] == "lbfgs" or self.number("l1") > 0

    @property
    def metric(self) -> str:
        """The score beside the loss."""
        return "accuracy" if self.has_classes else "r2"

    @property
    def widths(self) -> tuple[int, ...]:
        """How many numbers a row has before each layer, and before the last Linear."""
        widths = [len(self.features)]
        for layer in self.layers:
            widths.append(layer.width_after(widths[-1]))
        return tuple(widths)

    @property
    def linear_shapes(self) -> list[tuple[int, int]]:
        """Rows and columns of each Linear's weight, the outputs' last."""
        pairs = zip(self.layers, self.widths)
        hidden = [(int(layer.number), width) for layer, width in pairs if layer.kind == "linear"]
        return [*hidden, (self.outputs, self.widths[-1])]

    @property
    def n_parameters(self) -> int:
        """How many numbers are trained."""
        hidden = sum(layer.size(width) for layer, width in zip(self.layers, self.widths))
        return hidden + (self.widths[-1] + 1) * self.outputs

    def whole(self, name: str) -> int:
        """Return a whole number among the values."""
        return int(self.values[name])

    def number(self, name: str) -> float:
        """Return a number among the values."""
        return float(self.values[name])


def read_values(query: Mapping[str, str]) -> dict[str, Value]:
    """Return the values that an address names; what it does not name is as usual.

    Raises
    ------
    ArgumentError
        If something is out of its limits; one line that names it.
    """
    return {
        setting.name: setting.read(query[setting.name]) if setting.name in query else setting.default
        for setting in SETTINGS
    }


def read_design(query: Mapping[str, str], own: OwnTable | None = None) -> Design:
    """Return the design that an address names; raises what `read_values` and `check_design` raise."""
    return check_design(read_values(query), own)


def check_design(values: Values, own: OwnTable | None = None) -> Design:
    """Return the design that these values make.

    Raises
    ------
    ArgumentError
        If something does not fit the rest; one line that names it.
    """
    data = str(values["data"])
    if data == OWN and own is None:
        raise ArgumentError("Which of yours (own): choose one of your data sets, or draw one first")
    has_classes = bool(own.classes) if own is not None else DATA[data][1]
    known = CLASS_LOSSES if has_classes else NUMBER_LOSSES
    loss = str(values["loss"])
    if loss == "auto":
        loss = next(iter(known))
    if loss not in known:
        what = "classes" if has_classes else "numbers"
        raise ArgumentError(f"{data} has {what} as targets: choose the loss {' or '.join(known)}, not {loss}")
    n_classes = len(own.classes) if own is not None else 3 if data == "blobs" else 2
    if loss == "binary_cross_entropy_with_logits" and n_classes != 2:
        raise ArgumentError(
            f"{data} has {n_classes} classes, and binary cross-entropy takes two; choose cross_entropy"
        )
    if float(values["validation"]) + float(values["test"]) > 0.8:
        raise ArgumentError(
            "validation and test together take at most 0.8 of the rows; the rest is trained on"
        )
    if bool(values["nesterov"]) and values["optimizer"] == "sgd" and not float(values["momentum"]):
        raise ArgumentError(
            "Nesterov looks ahead along the momentum: choose a momentum above 0, or turn it off"
        )
    if bool(values["nesterov"]) and values["optimizer"] == "sgd" and float(values["dampening"]):
        raise ArgumentError("Nesterov's momentum has no dampening: set it to 0, or turn Nesterov off")
    if values["schedule"] == "linear" and values["warm_up"]:
        raise ArgumentError("a linear ramp is its own warm-up: set the warm-up to 0")
    columns = len(own.inputs) if own is not None else 1 if data == "sine" else 2
    features = _read_features(str(values["features"]), columns)
    if own is not None and columns > 2:
        features = tuple(own.inputs)
    design = Design(dict(values), read_layers(str(values["layers"])), features, loss, own)
    _check_size(design)
    edits = read_edits(str(values["edits"]), design.linear_shapes, MOST_UPDATES)
    return replace(design, edits=edits)


def _check_size(design: Design) -> None:
    if design.n_parameters > MOST_PARAMETERS:
        raise ArgumentError(
            f"this network has {design.n_parameters} parameters; at most {MOST_PARAMETERS} are trained here: "
            "choose fewer units"
        )
    remembered = design.whole("history") if design.values["optimizer"] == "lbfgs" else 0
    if design.n_parameters * remembered > MOST_REMEMBERED:
        raise ArgumentError(
            f"LBFGS would remember {remembered} steps of {design.n_parameters} parameters: choose fewer "
            "steps or units"
        )


def _read_features(text: str, columns: int) -> tuple[str, ...]:
    names = [name for name in text.replace(" ", ",").split(",") if name]
    for name in names:
        if name not in FEATURES:
            raise ArgumentError(f"Inputs (features) are among {', '.join(FEATURES)}, not {name[:20]!r}")
    if columns == 1:
        names = [name for name in names if name not in ("x2", "x2x2", "x1x2", "sin2")] or ["x1"]
    if not names:
        raise ArgumentError("Inputs (features): choose at least one")
    return tuple(name for name in FEATURES if name in names)


def write_address(values: Values, step: int = 0) -> dict[str, str]:
    """Return what an address holds for these values; defaults are left out."""
    query = {
        setting.name: setting.write(values[setting.name])
        for setting in SETTINGS
        if values[setting.name] != setting.default
    }
    if step:
        query["step"] = str(step)
    return query


def query_of(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of a form or an address: inputs ticked one by one are joined."""
    query = {name: value for name, value in fields.items() if not name.startswith(TICK)}
    ticked = [name.removeprefix(TICK) for name in fields if name.startswith(TICK)]
    return query | ({"features": ",".join(ticked)} if ticked else {})
