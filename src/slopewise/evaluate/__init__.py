"""How good a model is: scores beside baselines and noise, error analysis, the HTML report.

Charts and templates are loaded when a report is rendered, not when this room is imported.
"""

from slopewise.evaluate.baselines import Baseline
from slopewise.evaluate.evaluation import Evaluation, Part, WorstRow, evaluate_part
from slopewise.evaluate.outcome import Outcome
from slopewise.evaluate.report import render_report
from slopewise.evaluate.scorecards import Score, scorecard
from slopewise.evaluate.verdict import Verdict, verdict

__all__ = [
    "Baseline",
    "Evaluation",
    "Outcome",
    "Part",
    "Score",
    "Verdict",
    "WorstRow",
    "evaluate_part",
    "render_report",
    "scorecard",
    "verdict",
]
