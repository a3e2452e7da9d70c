"""An exhibit as frames: seen through instruments, diagnosed, patched, and verified."""

from __future__ import annotations

from slopewise.site.content.lessons.n17_bug_museum import instruments
from slopewise.site.content.lessons.n17_bug_museum.exhibit import Exhibit
from slopewise.site.content.lessons.n17_bug_museum.instruments import Reading, Recording
from slopewise.site.content.lessons.n17_bug_museum.pictures import INSTRUMENTS, curves, number, percent
from slopewise.site.labs import Code, Figure, Frame, Offer, Prediction, Table


def healed(recording: Recording) -> bool:
    """Tell whether a run passes all checks of its exhibit."""
    numbers = recording.numbers
    return all(check.passes(numbers[check.number]) for check in recording.exhibit.checks)


class Visit:
    """All frames of one exhibit, with a patch or without.

    Parameters
    ----------
    exhibit : Exhibit
    patch : str
        A letter of its patches, or "none".
    seed : int
    onward : str
        Where to go once it is healed.
    """

    def __init__(self, exhibit: Exhibit, patch: str, seed: int, onward: str = "") -> None:
        self.exhibit, self.patch, self.onward = exhibit, patch, onward
        self.sick = instruments.run(exhibit, "none", seed)
        self.after = None if patch == "none" else instruments.run(exhibit, patch, seed)

    def frames(self) -> list[Frame]:
        """Return the frames in order."""
        readings = self.sick.readings
        made = [self._seen(place) for place in range(len(readings))]
        made.append(self._revealed(len(made)))
        if self.after is not None:
            made.append(self._patched())
            made += [self._running(reading) for reading in self.after.readings]
            made.append(self._verified(len(readings)))
        return made

    # ---- before the diagnosis

    def _seen(self, place: int) -> Frame:
        exhibit, reading = self.exhibit, self.sick.readings[place]
        last = place + 1 == len(self.sick.readings)
        figures, words = self._instruments(self.sick, reading)
        opening = f"Its owner says: “{exhibit.report}” {exhibit.look} " if place == 0 else ""
        return Frame(
            title=f"{exhibit.name}: update {reading.update} of {self.sick.updates}",
            words=opening + words,
            figures=figures,
            code=Code(exhibit.covered(), None) if place == 0 or last else None,
            table=_readings(self.sick, reading.update),
            prediction=self._diagnosis() if last else None,
        )

    def _diagnosis(self) -> Prediction:
        numbers = self.sick.numbers
        shares = {check.number for check in self.exhibit.checks if check.percent}
        shares |= {"right", "right_training", "active", "asked_right", "pure"}
        texts = {name: percent(value) if name in shares else number(value) for name, value in numbers.items()}
        return Prediction(
            "All its instruments have spoken. What is wrong with this loop?",
            tuple(self.exhibit.diagnoses),
            self.exhibit.answer,
            self.exhibit.because.format(**texts),
        )

    # ---- the reveal

    def _revealed(self, place: int) -> Frame:
        exhibit = self.exhibit
        lines, current = exhibit.shown()
        figures, _ = self._instruments(self.sick, self.sick.readings[-1])
        failed = [
            check.label for check in exhibit.checks if not check.passes(self.sick.numbers[check.number])
        ]
        return Frame(
            title=f"{exhibit.name}, uncovered",
            words=f"{exhibit.diagnoses[exhibit.answer]}. It is the marked line. A healed loop must pass "
            f"{len(exhibit.checks)} checks. This one fails: {'; '.join(failed)}.",
            figures=figures,
            code=Code(lines, current),
            table=self._checks(None),
            offer=self._offer(place + 1),
        )

    def _offer(self, step: int) -> Offer:
        return Offer(
            "patch",
            "Which change heals it? Each one really runs, the wrong ones too.",
            tuple((letter, patch.label) for letter, patch in self.exhibit.patches.items()),
            step=step,
            button="Put it in",
        )

    # ---- with a patch

    def _patched(self) -> Frame:
        assert self.after is not None
        patch = self.exhibit.patches[self.patch]
        lines, current = self.exhibit.shown(self.patch)
        good = healed(self.after)
        return Frame(
            title=f"{self.exhibit.name}, patched",
            words=f"Put in: {patch.label}. The loop starts again from the same weights, on the same rows.",
            code=Code(lines, current),
            table=self._checks(None),
            prediction=Prediction(
                "Will it pass every check?",
                ("Yes, that heals it", "No, something will still be wrong"),
                0 if good else 1,
                patch.why,
            ),
        )

    def _running(self, reading: Reading) -> Frame:
        assert self.after is not None
        figures, words = self._instruments(self.after, reading, self.sick)
        return Frame(
            title=f"{self.exhibit.name}, patched: update {reading.update} of {self.after.updates}",
            words=words,
            figures=figures,
            table=_readings(self.after, reading.update),
        )

    def _verified(self, sick_readings: int) -> Frame:
        assert self.after is not None
        before, now = self.sick.numbers, self.after.numbers
        told = []
        why = self.exhibit.patches[self.patch].why
        for check in self.exhibit.checks:
            end = "passes" if check.passes(now[check.number]) else "fails"
            told.append(
                f"{check.label}: {check.write(before[check.number])} before, "
                f"{check.write(now[check.number])} now, {check.wanted} is wanted: {end}"
            )
        figures, _ = self._instruments(self.after, self.after.readings[-1], self.sick)
        lines, current = self.exhibit.shown(self.patch)
        good = healed(self.after)
        return Frame(
            title=f"{self.exhibit.name}: {'healed' if good else 'not healed'}",
            words=f"{why} {'. '.join(f'{text[0].upper()}{text[1:]}' for text in told)}.",
            figures=figures,
            code=Code(lines, current),
            table=self._checks(self.after),
            offer=self._offer(sick_readings + 1),
            notes=(self.onward,) if good else (),
        )

    # ---- shared

    def _instruments(
        self, recording: Recording, reading: Reading, before: Recording | None = None
    ) -> tuple[list[Figure], str]:
        right = "right" if self.exhibit.loss == "cross_entropy" else "answered to within one half"
        figures = [curves(recording, reading.update, before)]
        told = [
            f"The loop prints a loss of {number(reading.loss)}. Measured apart from it, the loss is "
            f"{number(reading.training)} on training rows and {number(reading.validation)} on validation "
            f"rows; {percent(reading.right)} of these are {right}."
        ]
        for name in ("gradients", "ratios", self.exhibit.instrument):
            figure, words = INSTRUMENTS[name](recording, reading.update)
            figures.append(figure)
            told.append(words)
        return figures, " ".join(words for words in told if words)

    def _checks(self, after: Recording | None) -> Table:
        columns = ["Check", "Wanted", "With the fault"]
        if after is not None:
            columns += ["With the patch", "Passes"]
        rows = []
        for check in self.exhibit.checks:
            row = [check.label, check.wanted, check.write(self.sick.numbers[check.number])]
            if after is not None:
                now = after.numbers[check.number]
                row += [check.write(now), "yes" if check.passes(now) else "no"]
            rows.append(row)
        return Table("What a healthy loop must pass", columns, rows, first=True)


def _readings(recording: Recording, update: int) -> Table:
    shown = [reading for reading in recording.readings if reading.update <= update]
    layers = list(recording.readings[0].gradients)
    rows = []
    for reading in shown:
        norms = [reading.gradients[layer] for layer in layers]
        rows.append(
            (
                f"update {reading.update}",
                number(reading.loss),
                number(reading.training),
                number(reading.validation),
                percent(reading.right),
                *("none" if norm is None else number(norm) for norm in norms),
            )
        )
    columns = ("After", "Batch loss", "Training loss", "Validation loss", "Right")
    return Table("Readings", (*columns, *(f"Gradient, {layer}" for layer in layers)), rows, len(rows) - 1)
