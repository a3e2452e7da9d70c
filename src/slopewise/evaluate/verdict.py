"""What an evaluation comes to, in three sentences: the score, what it is held against, and its noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from slopewise.evaluate.display import count, score_value, visible
from slopewise.evaluate.evaluation import Evaluation, Part
from slopewise.evaluate.scorecards import Score, kind_of

MAIN_SCORE = {"classification": "accuracy", "regression": "mae"}

Standing = Literal["better", "unclear", "worse"]


@dataclass(frozen=True)
class Verdict:
    """The verdict on a part of the data.

    Attributes
    ----------
    before, figure, after : str
        The first sentence; `figure` is the score in it.
    comparison : str
        What the baseline gets, and whether the difference is more than noise.
    noise : str
        Between which values the score would lie for other rows, or "".
    standing : "better", "unclear" or "worse"
        Against the baseline.
    """

    before: str
    figure: str
    after: str
    comparison: str
    noise: str
    standing: Standing

    def __str__(self) -> str:
        return " ".join(
            part for part in (self.before + self.figure + self.after, self.comparison, self.noise) if part
        )


def verdict(evaluation: Evaluation, part: Part) -> Verdict:
    """Return the verdict on a part that the model was not trained on.

    Examples
    --------
    >>> from slopewise.evaluate import Baseline
    >>> score = Score("accuracy", value=0.9, low=0.82, high=0.95, baseline=0.5)
    >>> part = Part("test", 100, [score])
    >>> evaluation = Evaluation("classification", "sex", ["f", "m"], Baseline((0.5, 0.5)), [part])
    >>> print(verdict(evaluation, part).comparison)
    Always answering “f” would be right for 50.0%: the model is better by more than the noise of 100 rows.
    """
    score = part.score(MAIN_SCORE[evaluation.task])
    standing = standing_of(score)
    rows = count(part.rows, "row")
    target = visible(evaluation.target)
    figure = score_value(score.name, score.value)
    constant = score_value(score.name, score.baseline)
    if evaluation.task == "classification":
        before, after = f"The model names the right {target} for ", f" of {rows} it had never seen."
        comparison = f"Always answering “{visible(evaluation.most_frequent)}” would be right for {constant}"
    else:
        before, after = f"The model's {target} is off by ", f" on average, over {rows} it had never seen."
        comparison = f"Always answering the median would be off by {constant}"
    return Verdict(
        before,
        figure,
        after,
        f"{comparison}: {_STANDING[standing].format(rows=rows)}",
        _noise(score),
        standing,
    )


_STANDING = {
    "better": "the model is better by more than the noise of {rows}.",
    "unclear": "the difference is within the noise of {rows}, so the model has not been shown to be better.",
    "worse": "the model is worse.",
}


def standing_of(score: Score) -> Standing:
    """Return how a score stands against its baseline, given its noise.

    Without an interval (a single row) nothing is clear.

    Examples
    --------
    >>> standing_of(Score("mae", value=2.0, low=1.5, high=2.5, baseline=3.0))
    'better'
    """
    if math.isnan(score.low) or score.low <= score.baseline <= score.high:
        return "unclear"
    above = score.low > score.baseline
    return "better" if above == (kind_of(score.name).better == "higher") else "worse"


def _noise(score: Score) -> str:
    if math.isnan(score.low):
        return ""
    low, high = score_value(score.name, score.low), score_value(score.name, score.high)
    return f"With other rows, as many, the figure would mostly lie between {low} and {high} (95% interval)."
