"""The lab of own data: samples against a population, kappa, generators, and what the lesson claims."""

import math

import numpy as np
import pytest

from slopewise.engine.errors import ArgumentError
from slopewise.site.content.lessons.n16_your_own_data.collecting import measure
from slopewise.site.content.lessons.n16_your_own_data.drawn import BALANCE, COPIES, DRAWN
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


# ---- a file of one's own

PASTED = "x1,x2,class\n" + "\n".join(f"{k / 4 - 2},{k * 7 % 5 - 2},{'aab'[k % 3]}" for k in range(18))


def drawn(**query):
    return {frame.title: frame for frame in frames(story="draw", **query)}


def parts(made):
    """Return (x1, x2, class, part, times learned) of each row of the file to take along."""
    rows = made["The file, to take along"].table.rows
    return [(float(a), float(b), label, part, int(often)) for _, a, b, label, part, often in rows]


def test_a_pasted_table_is_the_file_that_is_learned_and_taken_along():
    given = [(x, y, label) for x, y, label in DRAWN.rows(DRAWN.read(PASTED))]
    made = drawn(drawn=PASTED)
    assert [row[:3] for row in parts(made)] == given
    assert sum(row[3] == "test" for row in parts(made)) == 5
    assert made["What you drew"].table.rows[0][1] == "12"
    assert 'data-draws="drawn"' in made["What you drew"].figures[0].svg


@pytest.mark.parametrize(
    "text", ["", "none", "0 0 a; 1 1 b", "0 0 a; 0 0 a; 0 0 a; 0 0 a; 1 1 b; 1 2 b; 2 1 b; 2 2 b"]
)
def test_too_few_points_leave_the_sheet_to_draw_on(text):
    made = drawn(drawn=text)
    assert list(made) == ["Draw on the sheet"]
    assert 'data-draws="drawn"' in made["Draw on the sheet"].figures[0].svg


@pytest.mark.parametrize("balance", BALANCE)
def test_classes_are_balanced_among_the_rows_that_are_learned_alone(balance):
    plain, made = (parts(drawn(drawn=PASTED, balance=way)) for way in ("leave", balance))
    assert [row[3] for row in plain] == [row[3] for row in made]
    assert all(row[4] == 0 for row in made if row[3] == "test")
    learned = [sum(row[4] for row in made if row[2] == label) for label in "ab"]
    before = [sum(row[4] for row in plain if row[2] == label) for label in "ab"]
    assert learned == {"leave": before, "repeat": [max(before)] * 2, "drop": [min(before)] * 2}[balance]


@pytest.mark.parametrize("copies", COPIES)
def test_copies_are_found_removed_or_made(copies):
    made = drawn(twins=copies)
    rows = [row[:3] for row in parts(made)]
    alone = len(set(rows))
    assert len(rows) == {"keep": alone + 2, "remove": alone, "double": 2 * (alone + 2)}[copies]
    held = {row[:3] for row in parts(made) if row[3] == "test"}
    shared = held & {row[:3] for row in parts(made) if row[3] == "training"}
    assert ("**no test**" in made["Made ready"].words) == bool(shared)


def test_noise_moves_points_and_copies_that_were_moved_apart_still_count_as_copies():
    plain, made = drawn(twins="double"), drawn(twins="double", blur="0.3")
    moved = [math.dist(a[:2], b[:2]) for a, b in zip(parts(plain), parts(made), strict=True)]
    assert 0.15 < np.mean(moved) < 0.6
    assert "**no test**" in made["Made ready"].words


def test_so_many_wrong_labels_that_a_class_is_gone_are_refused_in_one_line():
    few = "0 0 a; 1 1 a; 2 0 a; 3 1 a; 0 3 b; -1 3 b; -2 3 b; -3 3 b"
    with pytest.raises(ArgumentError, match=r"\(wrong\)"):
        drawn(drawn=few, wrong="0.4", seed="13")
