"""The lab of own data: samples against a population, kappa, generators, and what the lesson claims."""

import math

import numpy as np
import pytest

from slopewise.site.content.lessons.n16_your_own_data.collecting import measure
from slopewise.site.content.lessons.n16_your_own_data.facts import EVEN, PLAIN, RARE
from slopewise.site.content.lessons.n16_your_own_data.generating import KINDS, STEPS
from slopewise.site.content.lessons.n16_your_own_data.lab import LAB
from slopewise.site.content.lessons.n16_your_own_data.orchards import (
    HILL,
    agreement,
    by_chance,
    collect,
    fresh,
    grow,
    kappa,
    label,
    mislabel,
)


def frames(**query):
    return LAB.frames(LAB.read(query))


def test_the_population_is_as_the_lesson_says():
    apples = fresh(3)
    assert apples.hill.mean() == pytest.approx(HILL, abs=0.015)
    assert apples.y.mean() == pytest.approx(0.5, abs=0.04)
    valley, hill = apples.take(np.flatnonzero(~apples.hill)), apples.take(np.flatnonzero(apples.hill))
    assert np.corrcoef(valley.X[:, 1], valley.y)[0, 1] > 0.6
    assert np.corrcoef(hill.X[:, 1], hill.y)[0, 1] < -0.6


@pytest.mark.parametrize(("hill", "sweet"), [(0.0, 0.5), (0.1, 0.5), (0.4, 0.5), (0.4, 0.1)])
def test_a_sample_has_the_shares_that_were_asked_for(hill, sweet):
    sample = collect(400, 2, hill, sweet)
    assert len(sample) == pytest.approx(400, abs=2)
    assert sample.hill.mean() == pytest.approx(hill, abs=0.01)
    assert sample.y.mean() == pytest.approx(sweet, abs=0.01)
    assert len(np.unique(sample.X, axis=0)) == len(sample)


def test_fresh_apples_are_none_of_the_sample():
    sample, new = collect(200, 1, 0.4, 0.5), fresh(1)
    assert not set(map(tuple, sample.X.tolist())) & set(map(tuple, new.X.tolist()))
    assert not np.array_equal(grow(5, 1).X, grow(5, 2).X)


def test_so_many_labels_are_wrong_as_were_asked_for():
    y = np.arange(100) % 2
    said, wrong = mislabel(y, 0.15, 4)
    assert wrong.sum() == 15
    np.testing.assert_array_equal(said != y, wrong)


def test_what_the_lesson_claims_of_samples_holds_on_seeds_that_it_does_not_show():
    def mean(**changes):
        made = [measure({**PLAIN, **changes, "seed": seed}) for seed in (31, 32, 33)]
        return np.mean([one.reported for one in made]), np.mean([one.true for one in made])

    near, near_many, fair = mean(how="near"), mean(how="near", rows=400), mean()
    assert near[0] - near[1] > 0.15
    assert near_many[0] - near_many[1] > 0.15  # more rows do not mend it
    assert abs(fair[0] - fair[1]) < 0.1
    assert mean(how="mostly")[1] - near[1] > 0.05
    harsh = mean(wrong=0.2)
    assert harsh[0] < harsh[1]


def test_copies_end_up_on_both_sides_of_the_split():
    assert measure({**PLAIN, "seed": 0}).twins == 0
    made = measure({**PLAIN, "seed": 0, "copies": True})
    assert made.twins > len(made.test) / 2


def test_kappa_of_the_tables_in_the_text():
    assert agreement(EVEN) == agreement(RARE) == pytest.approx(0.92)
    assert kappa(EVEN) == pytest.approx((0.92 - 0.5) / 0.5)
    assert kappa(RARE) == pytest.approx((0.92 - 0.8872) / (1 - 0.8872))
    assert kappa(np.array([[50, 0], [0, 50]])) == 1.0
    assert kappa(np.array([[25, 25], [25, 25]])) == pytest.approx(0.0)
    assert kappa(np.array([[0, 50], [50, 0]])) == -1.0
    assert math.isnan(kappa(np.array([[100, 0], [0, 0]])))
    assert by_chance(RARE) == pytest.approx(0.94**2 + 0.06**2)


def test_two_people_with_the_same_rule_and_no_slips_never_differ():
    made = label(200, 0.2, 0.0, 0.0, 5)
    assert kappa(made.table) == 1.0
    assert kappa(label(200, 0.2, 1.0, 0.0, 5).table) < 1.0
    assert made.table.sum() == 200


def test_people_who_all_say_the_same_make_a_page_and_no_error():
    made = [
        LAB.frames(
            LAB.read(
                {
                    "story": "label",
                    "spoilt": "0.02",
                    "stricter": "0",
                    "slips": "0",
                    "rows": "40",
                    "seed": str(seed),
                }
            )
        )
        for seed in range(8)
    ]
    assert any("undefined" in frame.formula for run in made for frame in run)


@pytest.mark.parametrize("kind", KINDS)
def test_a_generator_moves_the_same_points_further(kind):
    made = frames(story="generate", kind=kind, rows="80")
    assert len(made) == STEPS
    scores = [int(row[1].rstrip("%")) for row in made[-1].table.rows]
    assert scores[0] >= scores[-1] + 2


def test_the_truth_is_not_told_before_its_stage():
    made = frames()
    for frame in made[:2]:
        assert [row[1] for row in frame.table.rows if "fresh" in row[0]] == ["–"]
    assert made[2].table.rows[5][1].endswith("%")
