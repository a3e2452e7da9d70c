"""The lab of own data: a file of one's own, a sample against the population, two who label, a generator."""

from __future__ import annotations

from slopewise.site.content.lessons.n16_your_own_data.collecting import HOW, collecting
from slopewise.site.content.lessons.n16_your_own_data.drawn import BALANCE, COPIES, DRAWN, drawn_story
from slopewise.site.content.lessons.n16_your_own_data.generating import KINDS, generating
from slopewise.site.content.lessons.n16_your_own_data.labelling import labelling
from slopewise.site.labs import Choice, Frame, Lab, Number, Toggle, Values, Whole

_COLLECT, _LABEL, _GENERATE = ("story", ("collect",)), ("story", ("label",)), ("story", ("generate",))
_DRAW, _HAS_LABELS = ("story", ("draw",)), ("story", ("collect", "draw"))


def run(values: Values) -> list[Frame]:
    """Tell the story that the settings ask for."""
    stories = {"collect": collecting, "draw": drawn_story, "label": labelling, "generate": generating}
    return stories[str(values["story"])](values)


LAB = Lab(
    title="A sample, a sheet, two labellers",
    task="Collect apples from the nearer orchard, and ask 10,000 fresh ones what your test score was worth. "
    "Then draw a file of your own, and let two people label the same apples.",
    settings=(
        Choice(
            "story",
            "What to do",
            "collect",
            (
                ("collect", "collect a sample"),
                ("draw", "draw your own"),
                ("label", "label it twice"),
                ("generate", "generate data"),
            ),
        ),
        Whole("rows", "Rows", 120, 40, 400, 20, only_when=("story", ("collect", "label", "generate"))),
        Choice(
            "how",
            "From where",
            "near",
            tuple((name, words) for name, (_, words) in HOW.items()),
            only_when=_COLLECT,
        ),
        Number(
            "sweet",
            "Share of sweet apples",
            0.5,
            0.05,
            0.5,
            0.05,
            note="in the orchards it is about half",
            only_when=_COLLECT,
        ),
        Toggle(
            "copies", "Each row twice", False, note="as when two lists are put together", only_when=_COLLECT
        ),
        DRAWN,
        Choice("balance", "Classes", "leave", tuple(BALANCE.items()), only_when=_DRAW),
        Choice("twins", "Copies", "keep", tuple(COPIES.items()), only_when=_DRAW),
        Number("blur", "Noise added", 0.0, 0.0, 1.0, 0.05, note="moves each point", only_when=_DRAW),
        Number("wrong", "Share of wrong labels", 0.0, 0.0, 0.4, 0.05, only_when=_HAS_LABELS),
        Number("spoilt", "Share of spoilt apples", 0.1, 0.02, 0.5, 0.02, only_when=_LABEL),
        Number("stricter", "How much stricter the second is", 0.5, 0.0, 1.5, 0.1, only_when=_LABEL),
        Number("slips", "Share of slips", 0.03, 0.0, 0.3, 0.01, only_when=_LABEL),
        Choice("kind", "Kind", "moons", tuple((kind, kind) for kind in KINDS), only_when=_GENERATE),
        Number("noise", "Noise", 0.4, 0.0, 1.0, 0.05, only_when=_GENERATE),
        Whole("seed", "Seed", 0, 0, 99, note="other apples"),
    ),
    run=run,
    step_name="stage",
)
