"""The verdict says what the numbers allow, and no more."""

import math

import pytest

from slopewise.evaluate.baselines import Baseline
from slopewise.evaluate.evaluation import Evaluation, Part
from slopewise.evaluate.scorecards import Score
from slopewise.evaluate.verdict import standing_of, verdict


def judge(score, task="classification", rows=69):
    part = Part("test", rows, [score])
    return verdict(Evaluation(task, "species", ["a", "b"], Baseline((0.75, 0.25)), [part]), part)


def test_a_verdict_holds_the_score_its_baseline_and_its_noise():
    text = str(judge(Score("accuracy", 0.9855, 0.9225, 0.9974, 0.4348)))
    assert text == (
        "The model names the right species for 98.6% of 69 rows it had never seen. "
        "Always answering “a” would be right for 43.5%: "
        "the model is better by more than the noise of 69 rows. "
        "With other rows, as many, the figure would mostly lie between 92.2% and 99.7% (95% interval)."
    )


def test_a_difference_within_the_noise_is_no_success():
    assert "has not been shown to be better" in judge(Score("accuracy", 0.6, 0.4, 0.8, 0.5)).comparison


def test_a_verdict_on_numbers_is_in_the_unit_of_the_target():
    text = str(judge(Score("mae", 249.3, 204.1, 299.0, 670.2), task="regression"))
    assert "off by 249.3 on average, over 69 rows" in text
    assert "answering the median would be off by 670.2" in text


def test_one_row_is_singular_and_shows_nothing():
    text = str(judge(Score("mae", 1.0, math.nan, math.nan, 2.0), task="regression", rows=1))
    assert "over 1 row it had" in text
    assert "within the noise of 1 row," in text
    assert "interval" not in text


@pytest.mark.parametrize(
    ("score", "standing"),
    [
        (Score("accuracy", 0.9, 0.8, 0.95, 0.5), "better"),
        (Score("accuracy", 0.4, 0.3, 0.45, 0.5), "worse"),
        (Score("accuracy", 0.9, 0.8, 0.95, 0.8), "unclear"),
        (Score("mae", 2.0, 1.5, 2.5, 3.0), "better"),
        (Score("mae", 4.0, 3.5, 4.5, 3.0), "worse"),
        (Score("mae", 2.0, math.nan, math.nan, 3.0), "unclear"),
    ],
)
def test_a_score_stands_where_its_interval_does(score, standing):
    assert standing_of(score) == standing
