"""Pictures of a data set, from the points that the worker handed over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slopewise.engine.errors import SlopewiseError
from slopewise.evaluate.display import count, visible
from slopewise.site.drawing import Plot, draw_strips
from slopewise.site.drawing.scale import covering

LOOKS = ("forward", "backward hollow-backward", "ink", "hollow")  # of classes, the largest first
KEYS = ("filled blue", "rust rings", "plain dots", "grey rings")
MOST_DOTS = 800


def scatter(points: Mapping[str, Any], target: Mapping[str, Any]) -> tuple[str, str]:
    """Return a picture of a target over columns of numbers, and words on it; "" if there is none."""
    numbers = {name: values for name, values in points["numbers"].items() if name != target["name"]}
    names = list(numbers)[:2]
    if target["task"] == "regression" and names and target["name"] in points["numbers"]:
        up = points["numbers"][target["name"]]
        return _draw({"dots forward": (numbers[names[0]], up)}, names[0], target["name"], "")
    labels = points["labels"].get(target["name"]) or points["numbers"].get(target["name"])
    if len(names) < 2 or not labels or target["task"] != "classification":
        return "", ""
    largest = [label for label, _ in target["classes"]]
    shown = largest[: len(LOOKS)] if len(largest) <= len(LOOKS) else []
    groups: dict[str, tuple[list[float], list[float]]] = {}
    for x, y, label in zip(numbers[names[0]], numbers[names[1]], labels, strict=True):
        look = LOOKS[shown.index(visible(label, 40))] if visible(label, 40) in shown else ""
        xs, ys = groups.setdefault(look, ([], []))
        xs.append(x)
        ys.append(y)
    keys = ", ".join(f"{key} “{label}”" for label, key in zip(shown, KEYS, strict=False))
    return _draw(groups, names[0], names[1], keys)


def _draw(groups: Mapping[str, tuple[Any, Any]], across: str, upward: str, keys: str) -> tuple[str, str]:
    places = {
        look: [(x, y) for x, y in zip(xs, ys, strict=True) if x is not None and y is not None][:MOST_DOTS]
        for look, (xs, ys) in groups.items()
    }
    everything = [place for group in places.values() for place in group]
    if not everything:
        return "", ""
    across, upward = visible(across, 40), visible(upward, 40)
    words = f"{count(len(everything), 'row')}: {across} across, {upward} upward"
    words += f"; {keys}." if keys else "."
    try:
        plot = Plot(
            covering([x for x, _ in everything]),
            covering([y for _, y in everything]),
            x_title=across,
            y_title=upward,
            title=f"{upward} against {across}",
            description=words,
        )
    except SlopewiseError:  # numbers too large for a scale
        return "", ""
    for look, group in places.items():
        plot.dots(group, look.removeprefix("dots "), 3.2)
    return plot.svg(), words


def balance(target: Mapping[str, Any]) -> str:
    """Return a picture of the shares of classes; "" if there are too many."""
    classes = target.get("classes", [])
    rows = sum(size for _, size in classes)
    if not 2 <= len(classes) <= 8 or target.get("n_classes") != len(classes):
        return ""
    shares = [(visible(label, 11), size / rows) for label, size in classes]
    return draw_strips(shares, title=f"Shares of the classes of {visible(target['name'], 40)}")
