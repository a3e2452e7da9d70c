"""A lab: its settings, and the function that runs it on the engine and returns all its frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from slopewise.engine.errors import ArgumentError
from slopewise.site.labs.frame import Frame
from slopewise.site.labs.settings import Setting, Value, Values

MOST_FRAMES = 240


@dataclass(frozen=True)
class Lab:
    """What the file `lab.py` of a lesson defines as `LAB`.

    Attributes
    ----------
    title : str
    task : str
        What to try, in one or two sentences.
    settings : sequence of Setting
    run : callable
        From the values of the settings to all frames, in order. It is called in a worker process, must be a
        pure function of its argument, and takes well below a second. Bad values raise a SlopewiseError.
    step_name : str
        What one step is: "update", "line", "fold".
    """

    title: str
    task: str
    settings: Sequence[Setting]
    run: Callable[[Values], Sequence[Frame]]
    step_name: str = "step"

    def read(self, query: Mapping[str, str]) -> dict[str, Value]:
        """Return the values of all settings: the default for each that an address does not name.

        Raises
        ------
        ArgumentError
            If a value is out of its limits.
        """
        return {
            setting.name: setting.read(query[setting.name]) if setting.name in query else setting.default
            for setting in self.settings
        }

    def write(self, values: Values) -> dict[str, str]:
        """Return what an address holds for these values; defaults are left out."""
        return {
            setting.name: setting.write(values[setting.name])
            for setting in self.settings
            if values[setting.name] != setting.default
        }

    def frames(self, values: Values) -> list[Frame]:
        """Run the lab, and check that it kept to the contract."""
        frames = list(self.run(values))
        if not 1 <= len(frames) <= MOST_FRAMES:
            raise ArgumentError(
                f"this lab shows 1 to {MOST_FRAMES} steps, and these settings make {len(frames)}; "
                "choose fewer"
            )
        for frame in frames:
            prediction = frame.prediction
            assert prediction is None or 0 <= prediction.answer < len(prediction.choices), frame.title
        assert frames[-1].prediction is None, "nothing follows the last frame"
        return frames
