"""The lab of activations: one neuron's threshold, update by update; or a gradient through many layers."""

from __future__ import annotations

from slopewise.site.content.lessons.n08_activations.neuron_view import UPDATES, neuron_frames
from slopewise.site.content.lessons.n08_activations.stack_view import stack_frames
from slopewise.site.labs import Choice, Frame, Lab, Number, Values, Whole

__all__ = ["LAB", "UPDATES"]


def run(values: Values) -> list[Frame]:
    """Run the experiment that was chosen."""
    kind, _, activation = str(values["run"]).partition("-")
    if kind == "layers":
        return stack_frames(activation, int(values["layers"]), float(values["scale"]), int(values["seed"]))
    return neuron_frames(activation, float(values["k"]), str(values["loss"]), float(values["lr"]))


_NEURONS = ("neuron-sigmoid", "neuron-step", "neuron-rule")
_LAYERS = ("layers-sigmoid", "layers-tanh", "layers-relu", "layers-leaky", "layers-none")

LAB = Lab(
    title="Sharpen a sigmoid, deepen a network",
    task="First one neuron: raise its sharpness from 4 to 8, to 20, to 40, and say each time whether it "
    "will learn. Then choose sigmoid layers, and follow the gradient from the last of them back to the "
    "first.",
    settings=(
        Choice(
            "run",
            "Experiment",
            "neuron-sigmoid",
            (
                ("neuron-sigmoid", "sigmoid neuron"),
                ("neuron-step", "step neuron"),
                ("neuron-rule", "perceptron's rule"),
                ("layers-sigmoid", "sigmoid layers"),
                ("layers-tanh", "tanh layers"),
                ("layers-relu", "ReLU layers"),
                ("layers-leaky", "leaky ReLU layers"),
                ("layers-none", "layers, no bend"),
            ),
        ),
        Number(
            "k",
            "Sharpness k",
            4.0,
            0.5,
            40.0,
            0.5,
            note="of sigmoid(k z)",
            only_when=("run", ("neuron-sigmoid",)),
        ),
        Number("lr", "Learning rate", 1.0, 0.02, 4.0, 0.02, only_when=("run", _NEURONS)),
        Choice(
            "loss",
            "Loss",
            "mse",
            (("mse", "squared error"), ("cross_entropy", "cross-entropy")),
            only_when=("run", ("neuron-sigmoid", "neuron-step")),
        ),
        Whole("layers", "Layers", 10, 3, 20, only_when=("run", _LAYERS)),
        Number(
            "scale",
            "Spread of first weights",
            1.0,
            0.2,
            3.0,
            0.1,
            note="1 is usual",
            only_when=("run", _LAYERS),
        ),
        Whole("seed", "Seed", 0, 0, 99, only_when=("run", _LAYERS)),
    ),
    run=run,
    step_name="step",
)
