"""The lab of overfitting and leakage: seven traps, and the same without."""

from __future__ import annotations

from slopewise.site.content.lessons.n13_overfitting_and_leakage.curve import EVERY, UPDATES
from slopewise.site.content.lessons.n13_overfitting_and_leakage.curve_frames import OWN, CurveFrames
from slopewise.site.content.lessons.n13_overfitting_and_leakage.leak_frames import LeakFrames
from slopewise.site.content.lessons.n13_overfitting_and_leakage.leaks import LEAKS
from slopewise.site.labs import Choice, Frame, Lab, Number, Toggle, Values, Whole


def run(values: Values) -> list[Frame]:
    """Walk into the trap that the settings name, or past it."""
    if values["trap"] == "long":
        return CurveFrames(values).frames()
    return LeakFrames(values).frames()


_LONG = ("trap", ("long",))

LAB = Lab(
    title="Seven traps",
    task="Train too long, and choose the checkpoint. Draw a wrong row of your own. Then try the leaks: say "
    "what the test will promise, look, and do it right.",
    settings=(
        Choice(
            "trap",
            "Trap",
            "long",
            (
                ("long", "too long"),
                ("columns", "columns first"),
                ("peek", "peeked at the test"),
                ("copies", "copied rows"),
                ("groups", "group on both sides"),
                ("later", "later column"),
                ("scale", "scaled first"),
            ),
        ),
        Toggle(
            "mended",
            "Leak mended",
            False,
            note="done right",
            only_when=("trap", tuple(LEAKS)),
        ),
        Whole("rows", "Training rows", 16, 8, 120, only_when=_LONG),
        Whole("width", "Units in a layer", 32, 1, 48, only_when=_LONG),
        Number("decay", "Weight decay", 0.0, 0.0, 5.0, 0.25, only_when=_LONG),
        Number("dropout", "Dropout", 0.0, 0.0, 0.6, 0.05, only_when=_LONG),
        Number("noise", "Noise of the rows", 0.4, 0.0, 0.8, 0.05, only_when=_LONG),
        Whole("seed", "Seed", 2, 0, 99, note="other rows"),
        Whole(
            "patience",
            "Stop early",
            0,
            0,
            10,
            note="after so many checkpoints without a lower validation loss; 0 trains to the end",
            only_when=_LONG,
        ),
        OWN,
        Whole("keep", "Checkpoint to keep", UPDATES, 0, UPDATES, EVERY, only_when=_LONG, offered=True),
    ),
    run=run,
    step_name="stage",
)
