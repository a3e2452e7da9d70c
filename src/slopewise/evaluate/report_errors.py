"""The report's section on errors: plain values that the template shows, part by part."""

from __future__ import annotations

import math
import re
from typing import Any

from slopewise.evaluate import charts
from slopewise.evaluate.display import count, interval, number, percent, score_value, visible, with_minus
from slopewise.evaluate.evaluation import TRAINED_ON, Evaluation, Part
from slopewise.evaluate.verdict import MAIN_SCORE

MOST_CLASSES = 12  # a larger confusion matrix is no longer read as a picture
MOST_PAIRS = 10
MOST_CLASS_ROWS = 40

_RANGE = re.compile(r"[-+.e\d]+ to [-+.e\d]+")
_HEADINGS = {"validation": "On the validation rows", "test": "On the test rows", "data": "On the rows given"}
_TITLES = {"validation": "validation rows", "test": "test rows", "data": "rows given"}


def parts(evaluation: Evaluation | None) -> list[dict[str, Any]]:
    """Return what the section shows: the test rows first, then the validation rows; no training rows."""
    if evaluation is None:
        return []
    order = ("data", "test", "validation")
    shown = [part for name in order for part in evaluation.parts if part.name == name]
    return [_part(evaluation, part) for part in shown if part.name != TRAINED_ON]


def _part(evaluation: Evaluation, part: Part) -> dict[str, Any]:
    classes = evaluation.task == "classification"
    hidden = len(part.classes) - MOST_CLASS_ROWS
    return {
        "title": _TITLES[part.name],
        "heading": f"{_HEADINGS[part.name]} ({count(part.rows)})",
        "is_sealed": part.name == "test",
        "confusion": _confusion(evaluation, part) if classes else None,
        "classes": _class_rows(evaluation, part) if classes else [],
        "classes_note": f"{hidden} more classes have better scores; evaluation.json lists them."
        if hidden > 0
        else "",
        "charts": [] if classes else _charts(evaluation, part),
        "worst": _worst(evaluation, part),
        "slices": _slices(evaluation, part),
    }


def _confusion(evaluation: Evaluation, part: Part) -> dict[str, Any]:
    names = [visible(name, 24) for name in evaluation.classes]
    if len(names) > MOST_CLASSES:
        return {
            "rows": [],
            "names": [],
            "note": f"{len(names)} classes are too many for a matrix. These are confused most often:",
            "pairs": _pairs(names, part),
        }
    rows = []
    for number_of_row, (name, line) in enumerate(zip(names, part.confusion, strict=True)):
        total = sum(line)
        cells = []
        for place, value in enumerate(line):
            kind = "none" if value == 0 else "right" if place == number_of_row else "mistake"
            cells.append(
                {"rows": count(value), "share": f"{value / total if total else 0:.3f}", "kind": kind}
            )
        rows.append({"name": name, "cells": cells})
    return {"rows": rows, "names": names, "note": "", "pairs": []}


def _pairs(names: list[str], part: Part) -> list[dict[str, str]]:
    """The pairs of classes that are confused most often."""
    found = [
        (rows, truth, predicted)
        for truth, line in enumerate(part.confusion)
        for predicted, rows in enumerate(line)
        if rows and truth != predicted
    ]
    found.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    return [
        {"truth": names[truth], "predicted": names[predicted], "rows": count(rows)}
        for rows, truth, predicted in found[:MOST_PAIRS]
    ]


def _class_rows(evaluation: Evaluation, part: Part) -> list[dict[str, str]]:
    """The classes in their order; of very many, those with the lowest F1 first."""
    rows = list(part.classes)
    if len(rows) > MOST_CLASS_ROWS:
        rows = sorted(rows, key=lambda row: (math.isnan(row.f1), row.f1))[:MOST_CLASS_ROWS]
    return [
        {
            "name": visible(evaluation.classes[row.number]),
            "rows": count(row.rows),
            "precision": percent(row.precision),
            "recall": percent(row.recall),
            "f1": score_value("f1", row.f1),
        }
        for row in rows
    ]


def _charts(evaluation: Evaluation, part: Part) -> list[dict[str, Any]]:
    from markupsafe import Markup

    shown = "" if len(part.points) == part.rows else f", {count(len(part.points))} of them drawn by lot"
    scatter = charts.predicted_against_actual(
        part.points,
        title=f"Predicted against actual values, {_TITLES[part.name]}",
        description="A point per row; points on the dashed diagonal are predicted perfectly.",
    )
    residuals = charts.histogram(
        part.residual_edges,
        part.residual_counts,
        title=f"Errors, {_TITLES[part.name]}",
        description="How many rows have which difference between the actual and the predicted value.",
    )
    target = visible(evaluation.target)
    # charts.py draws numbers and its own words only, so its SVG is safe to insert as it is.
    return [
        {
            "title": "Predicted and actual " + target,
            "legend": [],
            "note": f"A point per row{shown}; the dashed line is perfection.",
            "svg": Markup(scatter),
        },
        {
            "title": "Errors: actual minus predicted " + target,
            "legend": [],
            "note": "Right of the dashed line the model said too little, left of it too much.",
            "svg": Markup(residuals),
        },
    ]


def _worst(evaluation: Evaluation, part: Part) -> dict[str, Any] | None:
    if not part.worst:
        return None
    classes = evaluation.task == "classification"
    mistakes = sum(row.truth != row.predicted for row in part.worst)
    if not classes:
        lead = "The largest errors first."
    else:
        lead = "The true class was given the least probability here"
        lead += {0: "; none of them is wrong.", len(part.worst): "."}.get(
            mistakes, "; only those in colour are wrong."
        )
    return {
        "lead": f"{lead} Row 1 is the first row{'' if part.worst[0].line is None else ' below the header'}.",
        "kind": "value" if classes else "n",
        "measure": "Probability of actual" if classes else "Error",
        "has_lines": part.worst[0].line is not None,
        "columns": [
            {"name": visible(name, 30), "is_number": all(_is_number(row.cells[place]) for row in part.worst)}
            for place, name in enumerate(part.worst_columns)
        ],
        "rows": [
            {
                "row": count(row.row),
                "line": None if row.line is None else count(row.line),
                "truth": visible(row.truth if classes else with_minus(row.truth)),
                "predicted": visible(row.predicted) if classes else number(float(row.predicted)),
                "is_wrong": classes and row.truth != row.predicted,
                "measure": percent(1 - row.error) if classes else number(row.error),
                "cells": [None if value is None else visible(value) for value in row.cells],
            }
            for row in part.worst
        ],
    }


def _is_number(cell: str | None) -> bool:
    """Whether a cell may stand in a column that is aligned to the right."""
    if cell is None:
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _slices(evaluation: Evaluation, part: Part) -> dict[str, Any] | None:
    if not part.slices:
        return None
    name = MAIN_SCORE[evaluation.task]
    return {
        "measure": {"accuracy": "Accuracy", "mae": "Mean absolute error"}[name],
        "rows": [
            {
                "column": visible(item.column),
                "value": visible(_with_minuses(item.value)),
                "rows": count(item.rows),
                "score": score_value(name, item.score),
                "interval": interval(name, item.low, item.high),
            }
            for item in part.slices
        ],
    }


def _with_minuses(value: str) -> str:
    """Return a range of numbers with minus signs; any other value as it is."""
    return " to ".join(map(with_minus, value.split(" to "))) if _RANGE.fullmatch(value) else value
