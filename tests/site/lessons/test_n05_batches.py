"""The walkers of the lesson on batches, against the same walk without the engine, and their noise."""

from itertools import islice

import numpy as np
import pytest

from slopewise.site.content.lessons.n05_batches.lab import LAB
from slopewise.site.content.lessons.n05_batches.walkers import (
    ROWS,
    START,
    batches,
    collect,
    noise_floor,
    scatter,
    walk,
)


@pytest.fixture(scope="module")
def world():
    return collect(0.8, 3)


@pytest.mark.parametrize("size", [1, 8, 50, ROWS])
def test_a_walk_makes_the_updates_that_a_hand_makes(world, size):
    walked, w = walk(world, size, 0.1, "shuffle", 3, updates=7), START
    for rows in islice(batches(ROWS, size, "shuffle", 3), 7):
        error = world.X[rows] @ w - world.y[rows]
        w = w - 0.1 * (world.X[rows] * error[:, None]).mean(0)
    np.testing.assert_allclose(walked.points[-1], w)


@pytest.mark.parametrize("order", ["shuffle", "file"])
@pytest.mark.parametrize("size", [1, 30, 64])
def test_an_epoch_hands_out_every_row_once(order, size):
    per_epoch = -(-ROWS // size)
    line = batches(ROWS, size, order, 5)
    epochs = [np.concatenate(list(islice(line, per_epoch))) for _ in range(2)]
    for rows in epochs:
        assert sorted(rows) == list(range(ROWS))
    assert (epochs[0].tolist() == epochs[1].tolist()) == (order == "file")


def test_the_lowest_point_has_no_gradient_and_the_lowest_loss(world):
    assert np.abs(world.gradient(world.lowest, np.arange(ROWS))).max() < 1e-12
    for walked in (
        walk(world, ROWS, 0.5, "shuffle", 0, updates=200),
        walk(world, 4, 0.1, "shuffle", 0, rows=500),
    ):
        assert walked.heights.min() > 0


def test_gradients_row_by_row_average_to_that_of_all_rows(world):
    points = np.array([START, [0.3, 0.2]])
    each = world.gradients(points)
    for point, rows in zip(points, each):
        np.testing.assert_allclose(rows.mean(0), world.gradient(point, np.arange(ROWS)))


@pytest.mark.parametrize("size", [2, 8, 32])
def test_the_noise_of_drawn_batches_is_that_of_the_formula(world, size):
    each = world.gradients(START[None])[0]
    drawn = islice(batches(ROWS, size, "shuffle", 9), 1600)
    distances = [((each[rows].mean(0) - each.mean(0)) ** 2).sum() for rows in drawn]
    assert np.sqrt(np.mean(distances)) == pytest.approx(scatter(each, size), rel=0.08)


def test_the_clock_says_how_many_updates_were_done(world):
    walked = walk(world, 50, 0.1, "shuffle", 0, rows=2 * ROWS)
    assert walked.seen.tolist() == [0, 50, 100, 128, 178, 228, 256]
    assert [walked.at("rows", time) for time in (0, 49, 50, 127, 128, 256)] == [0, 0, 1, 2, 3, 6]
    assert walked.at("updates", 4) == 4


@pytest.mark.slow
def test_what_the_lesson_claims_holds_on_the_mean_of_other_seeds():
    by_rows, by_updates, by_file = [], [], []
    for seed in range(20, 32):
        world = collect(0.8, seed)
        by_rows.append(
            [walk(world, n, 0.2, "shuffle", seed, rows=3 * ROWS).heights[-1] for n in (ROWS, 8, 1)]
        )
        by_updates.append([walk(world, n, 0.2, "shuffle", seed, updates=40).heights[-1] for n in (ROWS, 1)])
        by_file.append(walk(world, 1, 0.2, "file", seed, rows=3 * ROWS).heights[-1])
    whole, some, one = np.mean(by_rows, axis=0)
    assert some < one < whole
    assert np.mean(by_updates, axis=0)[0] < np.mean(by_updates, axis=0)[1]
    assert np.mean(by_file) > 2 * one


def test_half_the_learning_rate_lowers_the_noise_floor_and_without_noise_there_is_none(world):
    assert noise_floor(world, 1, 0.1, 0) < 0.7 * noise_floor(world, 1, 0.2, 0)
    assert noise_floor(collect(0.0, 3), 1, 0.1, 0) < 1e-12


@pytest.mark.parametrize(("query", "answer"), [({}, 1), ({"clock": "updates"}, 0), ({"noise": "0"}, 2)])
def test_the_prediction_knows_who_comes_lowest(query, answer):
    assert LAB.frames(LAB.read(query))[0].prediction.answer == answer


def test_a_walker_that_diverges_is_called_so():
    last = LAB.frames(LAB.read({"lr": "1.5"}))[-1]
    assert "The walker with 1 row diverged" in last.words
