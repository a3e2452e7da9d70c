"""The lab of overfitting and leakage: five traps, and the same without."""

from __future__ import annotations

from slopewise.site.content.lessons.n13_overfitting_and_leakage.curve_frames import CurveFrames
from slopewise.site.content.lessons.n13_overfitting_and_leakage.leak_frames import LeakFrames
from slopewise.site.labs import Choice, Frame, Lab, Number, Text, Toggle, Values, Whole


def run(values: Values) -> list[Frame]:
    """Walk into the trap that the settings name, or past it."""
    if values["trap"] == "long":
        return CurveFrames(values).frames()
    return LeakFrames(values).frames()


LAB = Lab(
    title="Five traps",
    task="Train too long, and choose the checkpoint. Add a wrong row of your own. Then try the leaks: say "
    "what the test will promise, look, and do it right.",
    settings=(
        Choice(
            "trap",
            "Trap",
            "long",
            (
                ("long", "too long"),
                ("columns", "columns first"),
                ("copies", "copied rows"),
                ("later", "later column"),
                ("scale", "scaled first"),
            ),
        ),
        Toggle(
            "mended",
            "Leak mended",
            False,
            note="done right",
            only_when=("trap", ("columns", "copies", "later", "scale")),
        ),
        Whole("rows", "Training rows", 16, 8, 120, only_when=("trap", ("long",))),
        Whole("width", "Units in a layer", 32, 1, 48, only_when=("trap", ("long",))),
        Number("decay", "Weight decay", 0.0, 0.0, 5.0, 0.25, only_when=("trap", ("long",))),
        Number("dropout", "Dropout", 0.0, 0.0, 0.6, 0.05, only_when=("trap", ("long",))),
        Number("noise", "Noise of the rows", 0.4, 0.0, 0.8, 0.05, only_when=("trap", ("long",))),
        Whole("seed", "Seed", 2, 0, 99, note="other rows"),
        Text(
            "own",
            "Rows of your own",
            "none",
            120,
            note="`x y; x y`, such as `0.1 2; -0.5 -1.5`",
            only_when=("trap", ("long",)),
        ),
    ),
    run=run,
    step_name="stage",
)
