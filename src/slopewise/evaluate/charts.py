"""The charts of the report, as SVG that follows the page's light or dark theme.

Two rules keep them safe and readable. No text of a table enters a chart: axes are named by us, the page
around the chart says what they mean. And every colour is one of `COLOURS`: the page's style sheet replaces
each by a variable of its theme, so the SVG is right on its own and in both themes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

COLOURS = {
    "accent": "#2346c7",
    "ink": "#1b2130",
    "muted": "#5c6575",
    "soft": "#8d96a5",
    "rule": "#dfe3e9",
}
WIDTH = 380
HEIGHT = 250

_SVG = "http://www.w3.org/2000/svg"


def curves(
    training: Sequence[float | None],
    validation: Sequence[float | None],
    best_epoch: int | None,
    *,
    axis: str,
    title: str,
    description: str,
) -> str:
    """Draw a quantity by epoch, for the training and the validation rows, with the best epoch marked.

    Parameters
    ----------
    training, validation : sequences with a value per epoch
        None and NaN are left out.
    best_epoch : int or None
        Counted from 1.
    axis : str
        The name of the quantity; not from a table.
    title, description : str
        What a screen reader says.

    Returns
    -------
    str, an <svg> element
    """
    import altair as alt

    layers: list[Any] = []
    if best_epoch is not None:
        layers.append(_mark(alt, best_epoch))
    for values, colour in ((training, "soft"), (validation, "accent")):
        points = [
            {"epoch": epoch, "value": value}
            for epoch, value in enumerate(values, start=1)
            if value is not None and math.isfinite(value)
        ]
        if not points:
            continue
        chart = alt.Chart(alt.InlineData(values=points))
        # A line through one point cannot be seen.
        mark = chart.mark_line(strokeWidth=2) if len(points) > 1 else chart.mark_point(filled=True, size=50)
        layers.append(
            mark.encode(
                x=alt.X(
                    "epoch:Q", title="epoch", axis=alt.Axis(tickMinStep=1, format="d"), scale=_tight(alt)
                ),
                y=alt.Y("value:Q", title=axis, scale=alt.Scale(zero=False, nice=True)),
                color=alt.value(COLOURS[colour]),
            )
        )
    return _svg(alt, alt.layer(*layers), title, description)


def predicted_against_actual(points: Sequence[Sequence[float]], *, title: str, description: str) -> str:
    """Draw a point per row, actual value across, predicted value up, with the line of perfect predictions."""
    import altair as alt

    low = min(min(point) for point in points)
    high = max(max(point) for point in points)
    room = (high - low) * 0.04 or abs(low) * 0.04 or 1.0
    scale = alt.Scale(domain=[low - room, high + room], nice=False, zero=False)
    corners = [{"actual": value, "predicted": value} for value in (low - room, high + room)]
    rows = [{"actual": actual, "predicted": predicted} for actual, predicted in points]
    encoding = {
        "x": alt.X("actual:Q", title="actual", scale=scale),
        "y": alt.Y("predicted:Q", title="predicted", scale=scale),
    }
    diagonal = alt.Chart(alt.InlineData(values=corners)).mark_line(strokeWidth=1.5, strokeDash=[5, 4])
    cloud = alt.Chart(alt.InlineData(values=rows)).mark_point(filled=True, size=28, opacity=0.6)
    chart = alt.layer(
        diagonal.encode(**encoding, color=alt.value(COLOURS["muted"])),
        cloud.encode(**encoding, color=alt.value(COLOURS["accent"])),
    )
    return _svg(alt, chart, title, description)


def histogram(edges: Sequence[float], counts: Sequence[int], *, title: str, description: str) -> str:
    """Draw how many rows have which error, with a line at no error."""
    import altair as alt

    bars = [
        {"from": low, "to": high, "rows": rows}
        for low, high, rows in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    bar = (
        alt.Chart(alt.InlineData(values=bars))
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X("from:Q", title="actual − predicted", bin="binned"),
            x2="to:Q",
            y=alt.Y("rows:Q", title="rows", axis=alt.Axis(tickMinStep=1)),
            color=alt.value(COLOURS["accent"]),
        )
    )
    layers = [bar]
    if edges[0] < 0 < edges[-1]:
        zero = alt.Chart(alt.InlineData(values=[{"at": 0}])).mark_rule(strokeWidth=1.5, strokeDash=[5, 4])
        layers.append(zero.encode(x="at:Q", color=alt.value(COLOURS["ink"])))
    return _svg(alt, alt.layer(*layers), title, description)


def _mark(alt: Any, epoch: int) -> Any:
    """A dashed upright line at an epoch."""
    return (
        alt.Chart(alt.InlineData(values=[{"epoch": epoch}]))
        .mark_rule(strokeWidth=1.5, strokeDash=[5, 4])
        .encode(x="epoch:Q", color=alt.value(COLOURS["muted"]))
    )


def _tight(alt: Any) -> Any:
    return alt.Scale(nice=False, zero=False)


def _svg(alt: Any, chart: Any, title: str, description: str) -> str:
    """Render a chart offline, and make it fit for a page: no fixed size, a name and a description."""
    import vl_convert

    spec = chart.properties(
        width=WIDTH,
        height=HEIGHT,
        autosize=alt.AutoSizeParams(type="fit", contains="padding"),
        padding={"left": 2, "top": 6, "right": 18, "bottom": 2},  # room for the last label of an axis
    )
    drawn = vl_convert.vegalite_to_svg(spec.to_dict(), config=_config(), allowed_base_urls=[])
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(drawn)
    for element in root.iter():
        for name in [name for name in element.attrib if name.startswith("aria-") or name == "role"]:
            del element.attrib[name]
    width, height = root.attrib.pop("width"), root.attrib.pop("height")
    root.attrib.update(
        {"viewBox": f"0 0 {width} {height}", "role": "img", "aria-label": f"{title}. {description}"}
    )
    for position, (tag, text) in enumerate((("title", title), ("desc", description))):
        named = ElementTree.Element(f"{{{_SVG}}}{tag}")
        named.text = text
        root.insert(position, named)
    return ElementTree.tostring(root, encoding="unicode")


def _config() -> dict[str, Any]:
    """The look of all charts: thin rules, no frame, text large enough to be halved."""
    text = {
        "labelColor": COLOURS["muted"],
        "titleColor": COLOURS["muted"],
        "labelFontSize": 13,
        "titleFontSize": 13,
    }
    return {
        "background": None,
        "font": "sans-serif",
        "view": {"stroke": None},
        "axis": {
            **text,
            "titleFontWeight": "normal",
            "titlePadding": 8,
            "labelPadding": 5,
            "gridColor": COLOURS["rule"],
            "domain": False,
            "ticks": False,
            "tickCount": 5,
        },
        "axisX": {"grid": False, "domain": True, "domainColor": COLOURS["soft"]},
        "mark": {"color": COLOURS["accent"]},
    }
