"""The story of two people who label the same apples: agreement, agreement by chance, and kappa."""

from __future__ import annotations

import math

import numpy as np

from slopewise.site.content.lessons.n16_your_own_data.collecting import percent
from slopewise.site.content.lessons.n16_your_own_data.orchards import (
    Labels,
    agreement,
    by_chance,
    kappa,
    label,
)
from slopewise.site.drawing import Plot, Scale, fixed, linear
from slopewise.site.labs import Figure, Frame, Prediction, Table, Values

_KEY = "Filled: both say sound; rings: both say spoilt; framed: they disagree"
_GOOD = 0.6  # what many would call a fair beginning; the lesson warns of such lines


def labelling(values: Values) -> list[Frame]:
    """Show the labels, then how they agree, by how much luck, and what is left; then clearer instructions."""
    settings = {name: float(values[name]) for name in ("spoilt", "stricter", "slips")}
    rows, seed = int(values["rows"]), int(values["seed"])
    made = label(rows, seed=seed, **settings)
    agreed = label(rows, seed=seed, **{**settings, "stricter": 0.0})
    seen, chance, value = agreement(made.table), by_chance(made.table), kappa(made.table)
    return [
        Frame(
            "Two people, the same apples",
            f"Each of {rows} apples is labelled sound or spoilt, by two people who do not talk to each "
            f"other. The first calls {percent(made.first.mean())} spoilt, the second "
            f"{percent(made.second.mean())}.",
            figures=[Figure(_KEY, _apples(made))],
            table=_table(made),
            prediction=_ask(seen, value),
        ),
        Frame(
            "How often they agree",
            f"They say the same of {int(np.trace(made.table))} apples of {rows}: {percent(seen)}. It sounds "
            f"good. But how much of it would they reach without looking? {_blind(made)}",
            formula=rf"p_o = \frac{{{made.table[0, 0]} + {made.table[1, 1]}}}{{{rows}}} = {fixed(seen, 3)}",
            figures=[Figure(_KEY, _apples(made)), Figure("Agreement", _scale(seen, None, None))],
            table=_table(made),
        ),
        Frame(
            "How often they would agree blindly",
            "If both kept their shares of labels and dealt them out with their eyes shut, they would agree "
            f"on {percent(chance)}: both on “sound”, or both on “spoilt”, by chance.",
            formula=_chance_formula(made),
            figures=[Figure(_KEY, _apples(made)), Figure("Agreement", _scale(seen, chance, None))],
            table=_table(made),
        ),
        Frame(
            "What is left: kappa",
            _kappa_words(seen, chance, value),
            formula=rf"\kappa = \frac{{p_o - p_e}}{{1 - p_e}} = "
            rf"\frac{{{fixed(seen, 3)} - {fixed(chance, 3)}}}{{1 - {fixed(chance, 3)}}} = "
            rf"\text{{{_number(value)}}}",
            figures=[Figure(_KEY, _apples(made)), Figure("Agreement and kappa", _scale(seen, chance, value))],
            table=_table(made),
        ),
        _after(made, agreed),
    ]


def _ask(seen: float, value: float) -> Prediction:
    low, middle = 0.4, 0.8
    answer = 0 if not value >= low else 1 if value < middle else 2
    return Prediction(
        "Kappa is 1 if they always agree, and 0 if they agree as often as blind luck would. What will it "
        "be here?",
        (f"Below {low:g}", f"From {low:g} to {middle:g}", f"{middle:g} or more"),
        answer,
        f"They agree on {percent(seen)} of the apples, and kappa is {_number(value)}.",
    )


def _kappa_words(seen: float, chance: float, value: float) -> str:
    if math.isnan(value):
        return (
            "Both gave one label only: there is nothing to agree on, and kappa does not exist. Collect more "
            "of the rare kind."
        )
    words = (
        f"Luck accounts for {percent(chance)}. Of the {percent(1 - chance)} that luck left open they won "
        f"{percent(max(value, 0))}: kappa is {_number(value)}."
    )
    if seen > 0.85 and value < _GOOD:
        words += (
            " High agreement and a low kappa: the rare label, for which all this is done, is the one on "
            "which they differ."
        )
    return words


def _after(before: Labels, after: Labels) -> Frame:
    rows = [
        ("agree on", percent(agreement(before.table)), percent(agreement(after.table))),
        ("by chance", percent(by_chance(before.table)), percent(by_chance(after.table))),
        ("kappa", _number(kappa(before.table)), _number(kappa(after.table))),
    ]
    best = agreement(after.table)
    return Frame(
        "Write down where the line is",
        "Now both have the same page of instructions, with pictures of cases on the line. The slips stay. "
        f"Kappa goes from {_number(kappa(before.table))} to {_number(kappa(after.table))}. What they still "
        f"differ on is a bound for any model: one that says what the first says is right in {percent(best)} "
        "of cases by the second's labels.",
        figures=[
            Figure(_KEY, _apples(after)),
            Figure(
                "Agreement and kappa, with instructions",
                _scale(agreement(after.table), by_chance(after.table), kappa(after.table)),
            ),
        ],
        table=Table("Before and after", ("", "each by feeling", "with instructions"), rows),
    )


def _blind(made: Labels) -> str:
    rare = float(min(made.first.mean(), made.second.mean()))
    if rare > 0.35:
        return "Both kinds are frequent here, so luck reaches about half."
    return "Most apples are sound, and two people who always say “sound” never differ."


def _chance_formula(made: Labels) -> str:
    first, second = float(made.first.mean()), float(made.second.mean())
    return (
        rf"p_e = {fixed(1 - first, 3)} \cdot {fixed(1 - second, 3)} + "
        rf"{fixed(first, 3)} \cdot {fixed(second, 3)} = {fixed(by_chance(made.table), 3)}"
    )


def _table(made: Labels) -> Table:
    counts = made.table
    rows = [
        (f"first says {name}", str(counts[k, 0]), str(counts[k, 1]), str(counts[k].sum()))
        for k, name in enumerate(("sound", "spoilt"))
    ]
    rows.append(("together", str(counts[:, 0].sum()), str(counts[:, 1].sum()), str(counts.sum())))
    return Table("Who said what", ("", "second says sound", "second says spoilt", "together"), rows)


def _apples(made: Labels) -> str:
    """Draw each apple by how spoilt it is; its height is its number, so that dots do not hide each other."""
    rows = len(made.decay)
    plot = Plot(
        linear(-3.5, 3.5, 7),
        Scale(-1.0, float(rows), (), lambda value: (value + 1) / (rows + 1)),
        x_title="how spoilt it is",
        y_title="apple",
        title="Apples by how spoilt they are",
        description=f"they disagree on {int((made.first != made.second).sum())} of {rows}",
        size=(440, 330),
    )
    both = made.first == made.second
    for chosen, look, radius in (
        (both & (made.first == 0), "forward", 2.6),
        (both & (made.first == 1), "ring", 3.2),
        (~both, "backward", 2.6),
        (~both, "circled", 5.5),
    ):
        plot.dots([(float(made.decay[k]), float(k)) for k in np.flatnonzero(chosen)], look, radius)
    return plot.svg()


def _scale(seen: float, chance: float | None, value: float | None) -> str:
    """Draw agreement on a line from 0 to 1: what luck gives, and how far beyond it they came."""
    known = [("they agree", seen, "forward"), ("by chance", chance, "backward"), ("kappa", value, "ink")]
    ticks = tuple((place + 1.0, name) for place, (name, *_) in enumerate(known))
    low = min(0.0, value if value is not None and math.isfinite(value) else 0.0) - 0.02
    plot = Plot(
        Scale(0.4, 3.6, ticks, lambda at: (at - 0.4) / 3.2),
        Scale(
            low, 1.08, tuple((k / 4, fixed(k / 4)) for k in range(5)), lambda at: (at - low) / (1.08 - low)
        ),
        x_title="",
        y_title="share",
        title="Agreement",
        description=", ".join(f"{name} {fixed(at)}" for name, at, _ in known if at is not None),
        size=(440, 330),
    )
    for place, (_, at, look) in enumerate(known, start=1):
        if at is not None and math.isfinite(at):
            plot.dots([(place, at)], look, 6)
            plot.label(place, at, fixed(at), look, dx=10, dy=18)
    return plot.svg()


def _number(value: float) -> str:
    return "undefined" if math.isnan(value) else fixed(value)
