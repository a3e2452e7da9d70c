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

    def __post_init__(self) -> None:
        before: dict[str, Setting] = {}
        for setting in self.settings:
            if setting.only_when is not None:
                name, wanted = setting.only_when
                assert name in before, f"{setting.name} rests on {name}, which must stand before it"
                for value in wanted:
                    assert before[name].read(before[name].write(value)) == value, (setting.name, name, value)
            before[setting.name] = setting

    def texts_at_which(self, setting: Setting) -> str:
        """Return the texts of the values at which a setting counts, between blanks, for the page's script."""
        assert setting.only_when is not None
        name, wanted = setting.only_when
        other = next(other for other in self.settings if other.name == name)
        return " ".join(other.write(value) for value in wanted)

    def counts(self, setting: Setting, values: Values) -> bool:
        """Tell whether a setting matters at these values of the others."""
        if setting.only_when is None:
            return True
        name, wanted = setting.only_when
        other = next(other for other in self.settings if other.name == name)
        return values[name] in wanted and self.counts(other, values)

    def read(self, query: Mapping[str, str]) -> dict[str, Value]:
        """Return the values of all settings: the default for each that an address does not name.

        A setting that does not count is its default too, so that equal runs have equal values.

        Raises
        ------
        ArgumentError
            If a value is out of its limits.
        """
        values: dict[str, Value] = {}
        for setting in self.settings:
            value = setting.read(query[setting.name]) if setting.name in query else setting.default
            values[setting.name] = value
            if not self.counts(setting, values):
                values[setting.name] = setting.default
        return values

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
