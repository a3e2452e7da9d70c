"""What a table holds, in numbers and words: columns, balance, duplicates, missing cells, signs of noise.

It is computed in the worker process and crosses to the server as JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from slopewise.data.cells import to_numbers, to_words
from slopewise.data.preprocessing import Preprocessor
from slopewise.data.targets import infer_task
from slopewise.engine.errors import SlopewiseError
from slopewise.engine.random import GENERATE_STREAM, permutation
from slopewise.evaluate.display import count, number, percent, visible

if TYPE_CHECKING:
    from slopewise.data import Table

Floats = NDArray[np.float64]

MOST_COLUMNS = 60  # described one by one
MOST_TARGETS = 12  # columns that may be asked for
MOST_CLASSES = 20  # listed one by one
PREVIEW_ROWS, PREVIEW_COLUMNS = 8, 10
COMPARED = 1500  # rows that are compared with one another
NEIGHBOURS = 5
MOST_POINTS, MOST_FEATURES = 2000, 10
RARE = 10  # the largest class has so many times the rows of the smallest: worth a word
TARGET_NAMES = ("target", "label", "class", "species", "outcome")


def facts_of(table: Table) -> dict[str, Any]:
    """Return what a table holds."""
    names = table.names
    columns = [_column(table, name) for name in names[:MOST_COLUMNS]]
    repeated = int(table.n_rows - table.frame.n_unique()) if _comparable(table) else 0
    holes = int(sum(table.frame.get_column(name).null_count() for name in names))
    gaps = int(table.frame.select(pl.any_horizontal(pl.all().is_null()).sum()).item())
    targets = [_target(table, name) for name in _candidates(table)]
    return {
        "rows": table.n_rows,
        "columns": columns,
        "n_columns": len(names),
        "repeated": repeated,
        "holes": holes,
        "gaps": gaps,
        "cells": table.n_rows * len(names),
        "preview": _preview(table),
        "targets": targets,
        "guess": _guess([target["name"] for target in targets]),
    }


def points_of(table: Table) -> dict[str, Any]:
    """Return the columns of numbers and of classes as plain lists, for pictures and the playground.

    Of a long table it is a random choice of rows, the same each time; of a wide one the first columns, and
    the one that is likely to be predicted.
    """
    rows = np.sort(permutation(table.n_rows, 0, GENERATE_STREAM, 0)[:MOST_POINTS])
    numbers: dict[str, list[float | None]] = {}
    labels: dict[str, list[str | None]] = {}
    for name in _pictured(table, ("number",)):
        values, _ = to_numbers(table.column(name, rows))
        numbers[name] = [value if np.isfinite(value) else None for value in values.tolist()]
    for name in _pictured(table, ("category", "boolean")):
        labels[name] = to_words(table.column(name, rows)).to_list()
    return {"rows": (rows + 1).tolist(), "all": table.n_rows, "numbers": numbers, "labels": labels}


def _pictured(table: Table, kinds: Sequence[str]) -> list[str]:
    names = [name for name, info in table.columns.items() if info.kind in kinds]
    target = _guess(_candidates(table))
    return [name for place, name in enumerate(names) if place < MOST_FEATURES or name == target]


def _column(table: Table, name: str) -> dict[str, Any]:
    info = table.columns[name]
    spread = ""
    if info.kind == "number":
        values, _ = to_numbers(table.column(name))
        values = values[np.isfinite(values)]
        low, middle, high = (_plain(value) for value in np.quantile(values, (0, 0.5, 1)).tolist())
        spread = f"{low} to {high}, median {middle}"
    return {
        "key": name,  # as the table has it; the name is for reading
        "name": visible(name),
        "kind": info.kind,
        "missing": info.missing,
        "unique": info.unique,
        "holds": spread or ", ".join(visible(example, 30) for example in info.examples),
        "note": visible(info.reason or info.note, 240) if info.reason or info.note else "",
    }


def _plain(value: float) -> str:
    """Return a number for reading; what may be a year has no comma.

    Examples
    --------
    >>> _plain(2009.0), _plain(12345.0), _plain(0.123456)
    ('2009', '12,345', '0.1235')
    """
    text = number(value)
    return text.replace(",", "") if abs(value) < 10_000 else text


def _comparable(table: Table) -> bool:
    return all(info.kind != "unsupported" for info in table.columns.values())


def _preview(table: Table) -> dict[str, Any]:
    names = table.names[:PREVIEW_COLUMNS]
    rows = table.frame.select(names).head(PREVIEW_ROWS).rows()
    return {
        "names": [visible(name, 30) for name in names],
        "rows": [["" if cell is None else visible(cell, 30) for cell in row] for row in rows],
        "more": max(0, len(table.names) - len(names)),
    }


# ---- targets ---------------------------------------------------------------------------------------------


def _candidates(table: Table) -> list[str]:
    """Return the columns that could be a target, the last of the table first among equals."""
    usable = [name for name, info in table.columns.items() if info.usable and info.kind != "date"]
    named = [name for name in usable if name.strip().lower() in TARGET_NAMES]
    others = [name for name in reversed(usable) if name not in named]
    return (named + others)[:MOST_TARGETS]


def _guess(names: Sequence[str]) -> str:
    return names[0] if names else ""


def _target(table: Table, name: str) -> dict[str, Any]:
    """Return what is worth knowing before this column is predicted."""
    try:
        task = infer_task(table, name)
    except SlopewiseError as error:
        return {"name": name, "task": "", "problem": str(error), "hints": [], "classes": [], "n_classes": 0}
    found: dict[str, Any] = {"name": name, "task": task, "problem": _without_inputs(table, name), "hints": []}
    found |= {"classes": [], "n_classes": 0}
    words = to_words(table.column(name))
    if task == "classification":
        counts = words.drop_nulls().value_counts(sort=True)
        pairs = sorted(counts.rows(), key=lambda pair: (-pair[1], pair[0]))
        found["classes"] = [[visible(label, 40), rows] for label, rows in pairs[:MOST_CLASSES]]
        found["n_classes"] = len(pairs)
        found["hints"] += _on_balance(pairs)
    found["conflicts"] = _conflicts(table, name)
    found["hints"] += _on_conflicts(found["conflicts"], table.n_rows, task)
    found |= _neighbours(table, name, task, words)
    found["hints"] += found.pop("words", [])
    return found


def _without_inputs(table: Table, name: str) -> str:
    """Return why nothing is left to predict a column from, in the words of `slopewise fit`, or ""."""
    if any(info.usable for other, info in table.columns.items() if other != name):
        return ""
    try:
        Preprocessor.fit(table, exclude=[name])  # counters may do, where there is nothing else
    except SlopewiseError as error:
        return str(error)
    return ""


def _on_balance(pairs: Sequence[tuple[str, int]]) -> list[str]:
    rows = [size for _, size in pairs]
    most, least = rows[0], rows[-1]
    if len(pairs) < 2:
        return ["There is one class only, so there is nothing to tell apart."]
    share = percent(most / sum(rows))
    if most >= RARE * least:
        return [
            f"The classes are of very unequal size: always saying “{visible(pairs[0][0], 40)}” is right in "
            f"{share} of the rows. Look at balanced accuracy, and collect more of "
            f"“{visible(pairs[-1][0], 40)}”."
        ]
    return [f"Always saying “{visible(pairs[0][0], 40)}” is right in {share} of the rows: beat that."]


def _conflicts(table: Table, name: str) -> int:
    """Count rows that are alike in all other columns and differ in this one, beyond each group's majority."""
    others = [
        other
        for other, info in table.columns.items()
        if other != name and info.kind not in ("unsupported", "identifier")
    ]
    if not others:
        return 0
    groups = table.frame.lazy().group_by([*others, name]).len()
    largest = groups.group_by(others).agg(pl.col("len").sum().alias("all"), pl.col("len").max().alias("most"))
    return int(largest.select((pl.col("all") - pl.col("most")).sum()).collect().item())


def _on_conflicts(rows: int, of: int, task: str) -> list[str]:
    if not rows:
        return []
    what = "class" if task == "classification" else "value"
    return [
        f"{count(rows, 'row')} contradict another that is alike in every input but has a different {what}: "
        f"no model can be right about both, so at least {percent(rows / of)} of the rows stay wrong."
    ]


def _neighbours(table: Table, name: str, task: str, words: pl.Series) -> dict[str, Any]:
    """Compare rows with those nearest to them, by the columns of numbers: noise shows as disagreement."""
    columns = [other for other, info in table.columns.items() if other != name and info.kind == "number"]
    if not columns or table.n_rows < 4 * NEIGHBOURS:
        return {}
    features = np.stack([to_numbers(table.column(other))[0] for other in columns], axis=1)
    known = np.isfinite(features).all(axis=1) & ~words.is_null().to_numpy()
    rows = np.flatnonzero(known)
    if len(rows) < 4 * NEIGHBOURS:
        return {}
    rows = np.sort(rows[permutation(len(rows), 0, GENERATE_STREAM, 1)[:COMPARED]])
    features = features[rows]
    spread = features.std(axis=0)
    features = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    near = _nearest(features)
    if task != "classification":
        return _unlike_neighbours_in_number(table, name, rows, near)
    codes = np.unique(np.array(words.gather(rows).to_list()), return_inverse=True)[1]
    return _unlike_neighbours_in_class(words, rows, near, codes)


def _nearest(features: Floats) -> NDArray[np.int64]:
    """Return the places of the nearest rows of each, by Euclidean distance, itself left out."""
    squares = (features**2).sum(axis=1)
    distances = squares[:, None] + squares[None, :] - 2 * features @ features.T
    np.fill_diagonal(distances, np.inf)
    return np.argpartition(distances, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]


def _unlike_neighbours_in_class(
    words: pl.Series, rows: NDArray[np.int64], near: NDArray[np.int64], codes: NDArray[np.int64]
) -> dict[str, Any]:
    unlike = codes[near] != codes[:, None]
    lonely = np.flatnonzero(unlike.all(axis=1))
    share = float(unlike.mean())
    sizes = np.bincount(codes) / len(codes)
    chance = float(1 - (sizes**2).sum())
    told = [
        f"Of a row's {NEIGHBOURS} nearest neighbours {percent(share)} are of another class; if the columns "
        f"of numbers said nothing, it would be about {percent(chance)}."
    ]
    if share > chance / 2:  # where classes overlap widely, a row among strangers is no sign of a wrong label
        lonely = lonely[:0]
    if len(lonely):
        many = len(lonely) > 1
        told.append(
            f"{count(len(lonely), 'row')} {'stand' if many else 'stands'} among {NEIGHBOURS} neighbours that "
            f"are all of another class: look whether {'their labels are' if many else 'its label is'} right "
            f"(row{'s' if many else ''} {', '.join(str(row + 1) for row in rows[lonely][:NEIGHBOURS])}"
            f"{' and more' if len(lonely) > NEIGHBOURS else ''})."
        )
    return {"unlike": share, "lonely": [int(row) + 1 for row in rows[lonely][:50]], "words": told}


def _unlike_neighbours_in_number(
    table: Table, name: str, rows: NDArray[np.int64], near: NDArray[np.int64]
) -> dict[str, Any]:
    values, _ = to_numbers(table.column(name, rows))
    spread = float(values.std())
    if not spread > 0:
        return {}
    # The differences of neighbours hold the noise of both: half of their mean square is its variance.
    noise = float(np.sqrt(np.mean((values[near] - values[:, None]) ** 2) / 2))
    told = [
        f"Neighbours differ by about {number(noise)} (one standard deviation) where all rows together spread "
        f"by {number(spread)}: expect errors of at least about that size."
    ]
    return {"unlike": noise / spread, "lonely": [], "words": told}
