"""The lab of autograd: a derivative by nudging, by rewriting, and by the tape."""

from __future__ import annotations

from slopewise.site.content.lessons.n06_autograd.nest_view import nest_frames
from slopewise.site.content.lessons.n06_autograd.nudge_view import nudge_frames
from slopewise.site.labs import Choice, Frame, Lab, Number, Text, Values, Whole


def run(values: Values) -> list[Frame]:
    """Run the experiment that was chosen."""
    if values["run"] == "nest":
        return nest_frames(str(values["f"]), float(values["x"]), int(values["depth"]))
    return nudge_frames(str(values["f"]), float(values["x"]), str(values["dtype"]), str(values["quotient"]))


LAB = Lab(
    title="Three ways to one derivative",
    task="First shrink the nudge, and say which nudge will be best. Then nest the function: rewrite its "
    "formula against reading its tape. Type a function of your own, such as `exp(x)/x` or `4*x*(1-x)`.",
    settings=(
        Choice("run", "Experiment", "nudge", (("nudge", "shrink the nudge"), ("nest", "nest the function"))),
        Text("f", "f(x)", "sin(x*x) + x", 40, "+ − * / ^, exp, log, sqrt, sin, tanh, sigmoid, relu, abs"),
        Number("x", "x", 0.8, -5.0, 5.0, 0.1),
        Choice(
            "quotient",
            "Quotient",
            "forward",
            (("forward", "forward"), ("central", "central")),
            only_when=("run", ("nudge",)),
        ),
        Choice(
            "dtype",
            "Precision",
            "float64",
            (("float64", "float64"), ("float32", "float32")),
            only_when=("run", ("nudge",)),
        ),
        Whole("depth", "Depth", 7, 4, 8, only_when=("run", ("nest",))),
    ),
    run=run,
    step_name="step",
)
