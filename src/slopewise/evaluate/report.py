"""The report: one HTML file that opens offline, runs no script and escapes all that comes from the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from slopewise._version import __version__
from slopewise.evaluate import report_errors, report_sections
from slopewise.evaluate.display import count, duration, interval, score_value, visible
from slopewise.evaluate.evaluation import Evaluation, Part
from slopewise.evaluate.scorecards import kind_of
from slopewise.evaluate.verdict import MAIN_SCORE, verdict

_HERE = Path(__file__).parent


def render_report(
    record: Mapping[str, Any],
    epochs: Sequence[Mapping[str, Any]],
    evaluation: Evaluation | None = None,
    *,
    run_name: str = "this run",
) -> str:
    """Return the report of a run as HTML.

    Parameters
    ----------
    record : mapping
        What run.json holds.
    epochs : sequence of mappings
        The lines of metrics.jsonl.
    evaluation : Evaluation, optional
        None while the run has not been evaluated; the report then says that the test rows are sealed.
    run_name : str
        The run folder, as it is to stand in commands.

    Returns
    -------
    str
        A whole page. Its charts are SVG, its styles are inside, and a content security policy lets it load
        nothing.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    context = {
        **_header(record, evaluation, run_name),
        "scores": report_sections.scores(evaluation),
        "learning": report_sections.learning(record, epochs),
        "parts": report_errors.parts(evaluation),
        "data": report_sections.data(record, evaluation),
        "model": report_sections.model(record),
        "repeat": report_sections.repeat(record, run_name),
        "css": Markup((_HERE / "report.css").read_text("utf-8")),
        "version": __version__,
        "run_name": visible(run_name, 200),
    }
    return environment.get_template("report.html").render(context)


def _header(record: Mapping[str, Any], evaluation: Evaluation | None, run_name: str) -> dict[str, Any]:
    target, source = visible(record["target"]), visible(record["data"]["name"])
    judged = _judged(evaluation)
    return {
        "title": f"{target} from {source}",
        "heading": f"Predicting {target} from {source}",
        "verdict": verdict(evaluation, judged) if evaluation and judged else None,
        "notices": _notices(record, evaluation, run_name),
        "tiles": _tiles(record, evaluation, judged),
    }


def _judged(evaluation: Evaluation | None) -> Part | None:
    """The part that the verdict is about: rows that had no say in training."""
    if evaluation is None:
        return None
    return evaluation.part("test") or evaluation.part("data")


def _notices(record: Mapping[str, Any], evaluation: Evaluation | None, run_name: str) -> list[dict[str, str]]:
    notices = []
    if record["status"] == "diverged":
        text = "Training diverged, its validation loss is no number. Fit again with a smaller learning rate."
        notices.append({"text": text, "command": ""})
    elif record["status"] != "finished":
        text = "This run was stopped before its end. Go on with:"
        notices.append({"text": text, "command": report_sections.command("resume", run_name)})
    if evaluation is None:
        notices.append({"text": "It has not been evaluated: the test rows are still sealed.", "command": ""})
    times = len(record["test_openings"])
    if times > 1:
        text = (
            f"The test rows have been opened {times} times. "
            "If the model was changed in between, their score has become too kind."
        )
        notices.append({"text": text, "command": ""})
    return notices


def _tiles(
    record: Mapping[str, Any], evaluation: Evaluation | None, judged: Part | None
) -> list[dict[str, str]]:
    tiles = []
    if evaluation and judged:
        score = judged.score(MAIN_SCORE[evaluation.task])
        kind = kind_of(score.name)
        reach = interval(score.name, score.low, score.high)
        baseline = {
            "most frequent class": f"always “{visible(evaluation.most_frequent)}”",
            "median": "always the median",
        }[kind.baseline]
        tiles += [
            {
                "name": f"{kind.title}, {judged.name} rows",
                "value": score_value(score.name, score.value),
                "note": f"95% interval {reach}",
            },
            {"name": "Baseline", "value": score_value(score.name, score.baseline), "note": baseline},
        ]
    sizes = record["split"]["rows"]
    tiles.append(
        {
            "name": "Rows",
            "value": count(record["data"]["rows"]),
            "note": f"{count(sizes['train'])} train, {count(sizes['validation'])} validation, "
            f"{count(sizes['test'])} test",
        }
    )
    result = record.get("result")
    if result:
        best = f"best weights after epoch {result['best_epoch']}" if result.get("best_epoch") else ""
        spent = f"{duration(result['seconds'])} of training"
        tiles.append(
            {
                "name": "Epochs",
                "value": count(result["epochs"]),
                "note": ", ".join(part for part in (best, spent) if part),
            }
        )
    return tiles
