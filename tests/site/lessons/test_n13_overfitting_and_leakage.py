"""The lab of overfitting and leakage: its runs, its leaks, and what the lesson claims of them."""

import numpy as np
import pytest

from slopewise.engine.errors import ArgumentError
from slopewise.site.content.lessons.n13_overfitting_and_leakage.curve import (
    EVERY,
    UPDATES,
    World,
    parse,
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
    own = parse("0.1 2; -0.5 -1.5")
    alone, more = World.collect(12, 0.4, 3), World.collect(12, 0.4, 3, own)
    assert more.training.x.tolist() == [*alone.training.x, 0.1, -0.5]
    assert more.training.y.tolist() == [*alone.training.y, 2.0, -1.5]
    assert more.new.y.tolist() == alone.new.y.tolist()
    assert "2 of the training rows are your own" in frames(own="0.1 2; -0.5 -1.5")[0].words


@pytest.mark.parametrize(
    "text", ["x", "1", "0.1 2 3", "2 0", "0 nan", "0 9", ";".join(["0 0"] * 13), "inf 0"]
)
def test_what_is_no_row_is_refused_in_one_line(text):
    with pytest.raises(ArgumentError, match="own") as caught:
        frames(own=text)
    assert "\n" not in str(caught.value)


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


@pytest.mark.parametrize(("name", "least"), [("columns", 0.15), ("copies", 0.15), ("later", 0.25)])
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


def test_the_nearest_row_is_found_with_its_distance():
    learned = np.array([[[0.0, 0.0], [3.0, 4.0]]])
    which, distance = nearest(np.array([[[3.0, 3.0], [0.0, 1.0]]]), learned)
    assert which.tolist() == [[1, 0]]
    assert distance.tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ({"trap": "columns"}, 0),
        ({"trap": "columns", "mended": "1"}, 2),
        ({"trap": "copies"}, 0),
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
    assert made[-2].prediction is not None
