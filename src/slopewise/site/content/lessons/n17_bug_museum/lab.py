"""The lab of the bug museum: one exhibit at a time, with a patch or without."""

from __future__ import annotations

from slopewise.site.content.lessons.n17_bug_museum.frames import Visit
from slopewise.site.content.lessons.n17_bug_museum.rooms import EXHIBITS
from slopewise.site.labs import Choice, Frame, Lab, Values, Whole

PATCHES = ("a", "b", "c", "d")


def run(values: Values) -> list[Frame]:
    """Show an exhibit."""
    return Visit(EXHIBITS[str(values["exhibit"])], str(values["patch"]), int(values["seed"])).frames()


LAB = Lab(
    title="The museum",
    task="Each exhibit is a training loop with one fault, and it really runs. Read the instruments, step by "
    "step. Make your diagnosis. Then the lines are uncovered, and you choose a patch.",
    settings=(
        Choice(
            "exhibit",
            "Exhibit",
            "swing",
            tuple(
                (name, f"{number}. {exhibit.name}")
                for number, (name, exhibit) in enumerate(EXHIBITS.items(), start=1)
            ),
        ),
        Choice(
            "patch",
            "Patch",
            "none",
            (("none", "none"), *((letter, f"patch {letter}") for letter in PATCHES)),
            offered=True,
        ),
        Whole("seed", "Seed", 1, 0, 19, note="other rows, other first weights"),
    ),
    run=run,
    step_name="step",
)
