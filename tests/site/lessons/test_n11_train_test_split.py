"""The lab of the envelope: what is sealed, what is opened, and what the lesson claims of it."""

import numpy as np
import pytest

from slopewise.site.content.lessons.n11_train_test_split.apples import (
    BEST,
    Networks,
    collect,
    cut,
    fresh,
    noise,
)
from slopewise.site.content.lessons.n11_train_test_split.facts import best_of
from slopewise.site.content.lessons.n11_train_test_split.lab import LAB
from slopewise.site.content.lessons.n11_train_test_split.stories import DEALS


def frames(**query):
    return LAB.frames(LAB.read(query))


def test_no_rule_beats_the_cut_halfway_between_the_classes():
    apples = fresh(0)
    cuts = np.linspace(-1, 1, 41)
    scores = [((apples.X[:, 0] > at) == apples.y).mean() for at in cuts]
    assert max(scores) == pytest.approx(BEST, abs=3 * noise(BEST, len(apples)))
    assert abs(cuts[int(np.argmax(scores))]) < 0.3


@pytest.mark.parametrize("seed", range(3))
def test_the_envelope_and_the_rest_hold_every_apple_once_in_equal_shares(seed):
    apples = collect(60, seed)
    learned, test = cut(apples, 0.25, seed)
    assert sorted([*learned, *test]) == list(range(60))
    assert abs(apples.y[test].sum() - len(test) / 2) < 1


def test_sealed_rows_have_no_part_in_learning():
    apples = collect(40, 1)
    learned, test = cut(apples, 0.25, 1)
    changed = collect(40, 1)
    changed.X[test] = 9.0
    both = [Networks(world, [learned], [5], 8).logits(fresh(1).X) for world in (apples, changed)]
    np.testing.assert_array_equal(both[0], both[1])


def test_networks_trained_side_by_side_are_those_trained_alone():
    apples = collect(40, 2)
    cuts = [cut(apples, 0.25, seed)[0] for seed in range(3)]
    together = Networks(apples, cuts, [4, 5, 6], 8).logits(apples.X)
    for number, start in enumerate((4, 5, 6)):
        alone = Networks(apples, [cuts[number]], [start], 8).logits(apples.X)
        np.testing.assert_allclose(together[number], alone[0], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("query", "count"), [({}, 5), ({"story": "deals"}, DEALS + 2), ({"story": "peek", "tries": "7"}, 9)]
)
def test_a_story_has_its_stages_and_tells_the_truth_last(query, count):
    made = frames(**query)
    assert len(made) == count
    assert made[-1].title == "What is true"
    before = " ".join(cell for frame in made[1:-1] for row in frame.table.rows for cell in row)
    assert "10,000" not in before


def test_the_log_counts_each_opening():
    rows = frames(story="peek", tries="5")[-1].table.rows
    assert [row[0] for row in rows] == ["1", "2", "3", "4", "5"]
    best = [int(row[2].rstrip("%")) for row in rows]
    assert best == sorted(best)


def test_what_the_lesson_claims_holds_on_files_that_it_does_not_show():
    trained, tested, true, peeked, kept = [], [], [], [], []
    for seed in range(40, 56):
        apples, new = collect(60, seed), fresh(seed)
        learned, test = cut(apples, 0.25, seed)
        networks = Networks(apples, [learned] * 12, list(range(12)), 16)
        hits, outside = networks.hits(apples), networks.hits(new).mean(axis=1)
        scores = hits[:, test].mean(axis=1)
        trained.append(hits[0, learned].mean())
        tested.append(scores[0])
        true.append(outside[0])
        peeked.append(scores.max())
        kept.append(outside[scores.argmax()])
    assert np.mean(trained) - np.mean(true) > 0.1
    assert abs(np.mean(tested) - np.mean(true)) < 0.06
    assert np.mean(peeked) - np.mean(tested) > 0.03
    assert abs(np.mean(kept) - np.mean(true)) < 0.03


def test_the_mean_of_the_best_is_what_drawing_says():
    generator = np.random.default_rng(0)
    drawn = generator.binomial(15, 0.8, size=(200_000, 10)).max(axis=1).mean() / 15
    assert best_of(10, 0.8, 15) == pytest.approx(drawn, abs=2e-3)
