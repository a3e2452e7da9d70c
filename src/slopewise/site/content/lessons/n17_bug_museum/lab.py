"""The lab of the bug museum: one exhibit at a time, with a patch or without."""

from __future__ import annotations

from slopewise.site.content.lessons.n17_bug_museum.frames import Visit
from slopewise.site.content.lessons.n17_bug_museum.rooms import EXHIBITS
from slopewise.site.labs import Choice, Frame, Lab, Values, Whole

PATCHES = ("a", "b", "c", "d")


def run(values: Values) -> list[Frame]:
    """Show an exhibit."""
    name = str(values["exhibit"])
    return Visit(EXHIBITS[name], str(values["patch"]), int(values["seed"]), _onward(name)).frames()


def _onward(name: str) -> str:
    """Return a link to the exhibit after one, and from the last to the first."""
    names = list(EXHIBITS)
    place = (names.index(name) + 1) % len(names)
    following = names[place]
    return (
        f"Next: [{place + 1}. {EXHIBITS[following].name}](/lessons/bug-museum?exhibit={following}#lab). "
        "Or put in a wrong patch, and see what it does."
    )


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
