"""The report's sections on scores, learning, data, model and repetition: values for the template."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from slopewise.evaluate import charts
from slopewise.evaluate.display import count, interval, number, score_value, visible
from slopewise.evaluate.evaluation import Evaluation
from slopewise.evaluate.scorecards import SCORES, Score, kind_of

Record = Mapping[str, Any]

MOST_COLUMNS = 200
MOST_CLASSES = 6  # whose rows are counted in the table of parts

_PART_TITLES = {"test": "Test", "data": "Rows given", "validation": "Validation", "train": "Train"}
_PURPOSES = {
    "train": "the model, the preprocessing and the baselines are fitted on them",
    "validation": "they choose the epoch whose weights are kept",
    "test": "sealed until the end; they had no say in anything",
}


def command(*words: str) -> str:
    """Return a command of slopewise, quoted for a shell.

    Examples
    --------
    >>> command("resume", "runs/my run")
    "slopewise resume 'runs/my run'"
    """
    return shlex.join(["slopewise", *words])


# ---- scores ----------------------------------------------------------------------------------------------


def scores(evaluation: Evaluation | None) -> dict[str, Any] | None:
    """Return the table of scores: the part that is judged first, then the others."""
    if evaluation is None:
        return None
    shown = [part for name in _PART_TITLES for part in evaluation.parts if part.name == name]
    judged = shown[0]
    rows = []
    for score in judged.scores:
        kind = kind_of(score.name)
        rows.append(
            {
                "title": kind.title,
                "better": kind.better,
                "by_part": [score_value(score.name, part.score(score.name).value) for part in shown],
                "baseline": score_value(score.name, score.baseline),
                "interval": interval(score.name, score.low, score.high),
                "marks": _marks(score),
            }
        )
    baselines = {
        "classification": f"the training rows' most frequent class (“{visible(evaluation.most_frequent)}”), "
        "or the class frequencies where a score asks for probabilities",
        "regression": "the training rows' median, or their mean where errors are squared",
    }
    return {
        "lead": f"The baseline is a constant answer: {baselines[evaluation.task]}.",
        "columns": [_PART_TITLES[part.name] for part in shown],
        "interval_column": f"{_PART_TITLES[judged.name]}: 95% interval",
        "rows": rows,
        "note": "Dot: the score. Band: its 95% interval over other rows of that number. "
        "Upright mark: the baseline. "
        "Training rows flatter the model, and validation rows a little, since they chose the epoch.",
    }


def _marks(score: Score) -> dict[str, str] | None:
    """Where low, high, value and baseline lie on a line of their own, as percentages of its length."""
    places = {"low": score.low, "high": score.high, "value": score.value, "base": score.baseline}
    if not all(math.isfinite(place) for place in places.values()):
        return None
    start = min(0.0, *places.values())
    end = 1.0 if kind_of(score.name).better == "higher" else max(places.values()) * 1.06
    if end <= start:
        return None
    return {name: f"{100 * (place - start) / (end - start):.1f}" for name, place in places.items()}


# ---- learning --------------------------------------------------------------------------------------------


def learning(record: Record, epochs: Sequence[Record]) -> dict[str, Any] | None:
    """Return the curves: the loss, and the score that was watched, if another."""
    from markupsafe import Markup

    if not epochs:
        return None
    result = record.get("result") or {}
    best = result.get("best_epoch")
    drawn = []
    for name, title in (("loss", "Loss"), *_watched(epochs)):
        training = [line.get(name) for line in epochs]
        validation = [line.get(f"validation_{name}") for line in epochs]
        if not any(value is not None for value in (*training, *validation)):
            continue
        svg = charts.curves(
            training,
            validation,
            best,
            axis=title.lower(),
            title=f"{title} by epoch",
            description=_in_words(validation, training, best),
        )
        legend = [{"kind": "train", "text": "training"}] if any(v is not None for v in training) else []
        legend += (
            [{"kind": "validation", "text": "validation"}] if any(v is not None for v in validation) else []
        )
        legend += [{"kind": "best", "text": f"best epoch, {best}"}] if best else []
        # charts.py draws numbers and its own words only, so its SVG is safe to insert as it is.
        drawn.append({"title": title, "legend": legend, "note": "", "svg": Markup(svg)})
    return {"lead": _how_it_ended(record, epochs), "charts": drawn} if drawn else None


def _watched(epochs: Sequence[Record]) -> list[tuple[str, str]]:
    """The scores other than the loss that metrics.jsonl holds, with their titles."""
    titles = {kind.name: kind.title for kinds in SCORES.values() for kind in kinds}
    return [(name, titles[name]) for name in epochs[-1] if name in titles]


def _in_words(validation: Sequence[float | None], training: Sequence[float | None], best: int | None) -> str:
    values = [v for v in validation if v is not None] or [v for v in training if v is not None]
    text = f"From {number(values[0])} at the first epoch to {number(values[-1])} at the last."
    at_best = validation[best - 1] if best and best <= len(validation) else None
    return text if at_best is None else f"{text} At the best epoch, {best}, {number(at_best)}."


def _how_it_ended(record: Record, epochs: Sequence[Record]) -> str:
    result, training = record.get("result") or {}, record["training"]
    if not result:
        return f"Stopped after epoch {count(len(epochs))} of at most {count(training['epochs'])}."
    best = result.get("best_epoch")
    if result.get("stopped") == "early":
        return (
            f"Training stopped after epoch {count(result['epochs'])}, for the validation loss had not "
            f"improved for {count(training['patience'], 'epoch')}. The weights of epoch {best} were kept."
        )
    if result.get("stopped"):
        ended = f"Training stopped after epoch {count(result['epochs'])}: {result['reason']}."
        return f"{ended} The weights of epoch {best} were kept."
    kept = f" The weights of epoch {best}, the best on the validation rows, were kept." if best else ""
    return f"Training ran for all of its {count(result['epochs'], 'epoch')}.{kept}"


# ---- data ------------------------------------------------------------------------------------------------


def data(record: Record, evaluation: Evaluation | None) -> dict[str, Any]:
    """Return the parts with what they are for, and the columns with what became of them."""
    split, columns = record["split"], record["columns"]
    names = evaluation.classes if evaluation and len(evaluation.classes) <= MOST_CLASSES else []
    parts = []
    for name, rows in split["rows"].items():
        part = evaluation.part(name) if evaluation else None
        counted = [count(row.rows) for row in part.classes] if part else []
        parts.append(
            {
                "name": _PART_TITLES[name],
                "rows": count(rows),
                "class_rows": counted if len(counted) == len(names) else ["–"] * len(names),
                "purpose": _PURPOSES[name],
            }
        )
    hidden = len(columns) - MOST_COLUMNS
    return {
        "lead": _how_it_was_split(record),
        "class_names": [visible(name, 24) for name in names],
        "parts": parts,
        "columns": [_column(column) for column in columns[:MOST_COLUMNS]],
        "columns_note": f"{count(hidden)} more columns are listed in run.json." if hidden > 0 else "",
    }


def _how_it_was_split(record: Record) -> str:
    split = record["split"]
    ways = []
    if split.get("time"):
        ways.append(f"by time ({visible(split['time'])}): the oldest rows train, the newest test")
    else:
        ways.append("at random")
    if split.get("stratify"):
        ways.append(f"with the same shares of each {visible(split['stratify'])} in all parts")
    if split.get("groups"):
        ways.append(f"with no {visible(split['groups'])} in more than one part")
    rows = count(record["data"]["rows"], "row")
    return f"{rows}, split {', '.join(ways)}, before anything was fitted."


def _column(column: Record) -> dict[str, str]:
    if column["use"] == "input":
        use = "input" if column["features"] == 1 else f"{count(column['features'])} inputs"
    elif column["use"] == "dropped":
        use = f"dropped: {column['reason']}"
    else:
        use = column["use"]
    return {
        "name": visible(column["name"]),
        "kind": column["kind"],
        "use": visible(use, 160),
        "missing": count(column["missing"]),
        "unique": count(column["unique"]),
        "examples": ", ".join(visible(example, 24) for example in column["examples"]),
    }


# ---- model -----------------------------------------------------------------------------------------------


def model(record: Record) -> dict[str, Any]:
    """Return the layers, and how they were trained."""
    described, optimizer, training = record["model"], record["optimizer"], record["training"]
    settings = ", ".join(f"{name} {_setting(value)}" for name, value in optimizer.items() if name != "name")
    facts = [
        ("Optimizer", f"{optimizer['name']}, {settings}" if settings else optimizer["name"]),
        ("Loss", training["loss"]),
        ("Batch size", _setting(training["batch_size"])),
        ("Epochs", f"at most {count(training['epochs'])}"),
        ("Early stopping", f"after {count(training['patience'], 'epoch')} without a better validation loss"),
        ("Seed", str(record["seed"])),
    ]
    inputs = count(
        sum(column["features"] for column in record["columns"] if column["use"] == "input"), "input"
    )
    return {
        "lead": f"A neural network with {inputs} and {count(described['parameters'], 'parameter')}.",
        "layers": [
            {"name": layer["name"], "output": layer["output"], "parameters": count(layer["parameters"])}
            for layer in described["layers"]
        ],
        "facts": [{"name": name, "value": value} for name, value in facts],
    }


def _setting(value: Any) -> str:
    return number(value) if isinstance(value, float) else str(value)


# ---- repetition ------------------------------------------------------------------------------------------


def repeat(record: Record, run_name: str) -> dict[str, Any]:
    """Return the commands that repeat and use the run, when the test rows were opened, and the versions."""
    again = record["command"] or f"sw.fit_table(table, {record['target']!r}, seed={record['seed']})"
    commands = [("train it again, from the same data and seed", again)]
    given = record["data"]["given"]
    if given:
        commands.append(("score it again, part by part", command("evaluate", run_name, given)))
    commands.append(
        ("predict for new rows", command("predict", run_name, "new.csv", "--out", "predictions.csv"))
    )
    machine = record["environment"]
    threads = ", ".join(f"{name}={value}" for name, value in machine["threads"].items()) or "not limited"
    facts = [
        ("Data", f"{visible(record['data']['name'])}, {count(record['data']['rows'], 'row')}"),
        ("SHA-256 of its content", record["data"]["fingerprint"]),
        ("Started", f"{_moment(record['created'])} UTC"),
        ("slopewise", record["slopewise"]),
        ("Python", machine["python"]),
        ("NumPy", machine["numpy"]),
        ("BLAS", machine["blas"] or "none"),
        ("Platform", machine["platform"]),
        ("CPU features", " ".join(machine["cpu_features"])),
        ("Threads", f"{threads}; {machine['cpu_count']} CPUs"),
        ("Mode", machine["mode"]),
    ]
    return {
        "lead": "The same data, seed, versions, mode, CPU features and threads give the same weights, "
        "bit for bit.",
        "commands": [{"why": why, "command": visible(text, 2000)} for why, text in commands],
        "openings": [
            {
                "when": opening["when"].replace("+00:00", "").replace("T", " "),
                "why": opening["why"],
                "rows": count(opening["rows"]),
            }
            for opening in record["test_openings"]
        ],
        "facts": [{"name": name, "value": value} for name, value in facts],
    }


def _moment(text: str) -> str:
    return text.removesuffix("+00:00").replace("T", " ")
