"""The lab of the split: a sealed envelope, opened once, or dealt again, or opened until the score is good."""

from __future__ import annotations

from slopewise.site.content.lessons.n11_train_test_split.stories import DEALS, Deals, Once, Peek
from slopewise.site.labs import Choice, Frame, Lab, Number, Values, Whole


def run(values: Values) -> list[Frame]:
    """Tell the story that the settings ask for."""
    story = {"once": Once, "deals": Deals, "peek": Peek}[str(values["story"])]
    frames: list[Frame] = story(values).frames()
    return frames


LAB = Lab(
    title="The sealed envelope",
    task="Open it once. Then deal the same file again and again, and see how much of a score is luck. Then "
    "open it until you like what you see.",
    settings=(
        Choice(
            "story",
            "What to do",
            "once",
            (
                ("once", "open it once"),
                ("deals", f"deal {DEALS} times"),
                ("peek", "open until it is good"),
            ),
        ),
        Whole("rows", "Apples", 60, 24, 200, 4),
        Number("share", "Share in the envelope", 0.25, 0.1, 0.6, 0.05),
        Whole("units", "Hidden units", 16, 1, 32, note="more can remember more"),
        Whole("tries", "Openings", 20, 2, 40, note="for opening again and again"),
        Whole("seed", "Seed", 0, 0, 99, note="other apples"),
    ),
    run=run,
    step_name="stage",
)
