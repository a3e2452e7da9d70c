"""The lab of overfitting and leakage: its runs, its leaks, and what the lesson claims of them."""

import numpy as np
import pytest

from slopewise.site.content.lessons.n13_overfitting_and_leakage.curve import (
    EVERY,
    NEW,
    UPDATES,
    Points,
    World,
    train,
)
from slopewise.site.content.lessons.n13_overfitting_and_leakage.lab import LAB
from slopewise.site.content.lessons.n13_overfitting_and_leakage.leaks import (
    FILES,
    LEAKS,
    correlation,
    nearest,
)


def frames(**query):
    return LAB.frames(LAB.read(query))


def test_a_run_has_a_checkpoint_each_few_updates_and_none_of_them_changes_it():
    world = World.collect(12, 0.4, 3)
    often, seldom = (train(world, 8, 0.0, 0.3, 3, every=every) for every in (EVERY, UPDATES))
    assert often.updates == list(range(0, UPDATES + 1, EVERY))
    assert often.training[-1] == seldom.training[-1]
    assert often.new[-1] == seldom.new[-1]


def test_rows_of_ones_own_are_learned_and_change_nothing_else():
    own = Points(np.array([0.1, -0.5]), np.array([2.0, -1.5]))
    alone, more = World.collect(12, 0.4, 3), World.collect(12, 0.4, 3, own)
    assert more.training.x.tolist() == [*alone.training.x, 0.1, -0.5]
    assert more.training.y.tolist() == [*alone.training.y, 2.0, -1.5]
    assert more.new.y.tolist() == alone.new.y.tolist()
    made = frames(own="0.1 2; -0.5 -1.5")[0]
    assert "2 of the training rows are your own" in made.words
    assert 'data-draws="own"' in made.figures[0].svg


def test_validation_rows_have_no_part_in_learning():
    world = World.collect(12, 0.4, 3)
    other = World(world.training, World.collect(12, 0.4, 9).validation, world.new)
    assert train(world, 4, 0.0, 0.0, 3).training == train(other, 4, 0.0, 0.0, 3).training


def test_a_wide_network_overfits_and_remedies_help_on_files_that_the_lesson_does_not_show():
    ends = {"plain": [], "best": [], "decay": [], "more rows": []}
    for seed in range(20, 25):
        world = World.collect(16, 0.4, seed)
        plain = train(world, 32, 0.0, 0.0, seed)
        ends["plain"].append(plain.new[-1])
        ends["best"].append(min(plain.new))
        ends["decay"].append(train(world, 32, 3.0, 0.0, seed, every=UPDATES).new[-1])
        ends["more rows"].append(
            train(World.collect(120, 0.4, seed), 32, 0.0, 0.0, seed, every=UPDATES).new[-1]
        )
    means = {name: np.mean(losses) for name, losses in ends.items()}
    assert means["plain"] > 1.15 * means["best"]
    assert means["plain"] > 1.1 * means["decay"]
    assert means["plain"] > 1.3 * means["more rows"]


@pytest.mark.parametrize(
    ("name", "least"),
    [("columns", 0.15), ("peek", 0.1), ("copies", 0.15), ("groups", 0.25), ("later", 0.25)],
)
def test_a_leak_promises_too_much_and_mended_it_does_not(name, least):
    leaking, mended = (np.mean([LEAKS[name](seed, way).gap for seed in (30, 31)]) for way in (False, True))
    assert leaking > least
    assert abs(mended) < 0.06


def test_scaling_first_hardly_moves_a_score():
    leaking, mended = (LEAKS["scale"](5, way) for way in (False, True))
    assert abs(leaking.reported.mean() - mended.reported.mean()) < 0.02
    assert leaking.reported.shape == (FILES,)


def test_correlations_are_those_of_numpy():
    X = np.random.default_rng(0).normal(size=(1, 20, 3))
    y = np.arange(20)[None] % 2
    expected = [np.corrcoef(X[0, :, j], y[0])[0, 1] for j in range(3)]
    np.testing.assert_allclose(correlation(X, y)[0], expected)


def test_the_nearest_row_is_found():
    learned = np.array([[0.0, 0.0], [3.0, 4.0]])
    assert nearest(np.array([[3.0, 3.0], [0.0, 1.0], [1.6, 2.0]]), learned).tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ({"trap": "columns"}, 0),
        ({"trap": "columns", "mended": "1"}, 2),
        ({"trap": "peek"}, 0),
        ({"trap": "peek", "mended": "1"}, 2),
        ({"trap": "copies"}, 0),
        ({"trap": "groups"}, 0),
        ({"trap": "groups", "mended": "1"}, 2),
        ({"trap": "later"}, 0),
        ({"trap": "scale"}, 2),
    ],
)
def test_the_prediction_knows_how_much_a_leak_promises(query, answer):
    assert frames(**query)[0].prediction.answer == answer


def test_new_rows_are_hidden_until_the_end():
    made = frames()
    assert all(row[-1] == "not yet" for frame in made[:-1] for row in frame.table.rows)
    assert "not yet" not in [row[-1] for row in made[-1].table.rows]
    assert made[-2].offer.numbers == (0, UPDATES, EVERY)


def test_any_checkpoint_can_be_kept_and_is_scored_on_ten_thousand_new_rows():
    assert NEW == 10_000
    run = train(World.collect(16, 0.4, 2), 32, 0.0, 0.0, 2)
    best = int(np.argmin(run.new)) * EVERY
    for keep in (40, best, UPDATES):
        last = frames(keep=str(keep))[-1]
        assert f"after {keep} updates" in last.words
        assert ("No other checkpoint is better." in last.words) == (keep == best)
        row = last.table.rows[last.table.current]
        assert (row[0], float(row[3])) == (str(keep), pytest.approx(run.new[keep // EVERY], rel=6e-3))


def test_with_patience_training_stops_early_and_a_checkpoint_beyond_is_the_last():
    patient, plain = frames(patience="3", keep="300"), frames()
    ends = [int(made[-1].table.rows[-1][0]) for made in (patient, plain)]
    assert ends[0] < ends[1] == UPDATES
    assert "stops early" in patient[-3].words
    lowest = int(np.argmin([float(row[2]) for row in patient[-1].table.rows]))
    assert lowest == len(patient[-1].table.rows) - 1 - 3
    assert f"{ends[0]} updates, the last" in patient[-1].words


@pytest.mark.parametrize("name", LEAKS)
def test_the_opening_of_the_envelope_is_logged_when_it_is_opened_and_not_before(name):
    made = frames(trap=name)
    assert [frame.table.rows[0][1] == "sealed" for frame in made] == [True, True, False, False, False]
    assert made[-1].table.rows[1][1] == "once: to judge"
    assert made[2].table.rows[0][1] in made[2].words
