"""The lab of splitting: what each way promises of its parts."""

import numpy as np
import pytest

from slopewise.site.content.lessons.n12_splitting.patients import (
    ROWS,
    WAYS,
    accuracy,
    collect,
    folds,
    fresh,
    one_split,
)


@pytest.mark.parametrize("way", WAYS)
def test_parts_and_folds_hold_every_row_once(way):
    world = collect(3)
    parts = one_split(world, way, 3)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(ROWS))
    tested = [row for _, test in folds(world, way, 4, 3) for row in test]
    assert sorted(tested) == list(range(ROWS))


@pytest.mark.parametrize("seed", range(5))
def test_by_patient_nobody_is_on_both_sides(seed):
    world = collect(seed)
    parts = one_split(world, "group", seed)
    assert not set(world.patient[parts["training"]]) & set(world.patient[parts["test"]])
    for learned, test in folds(world, "group", 4, seed):
        assert not set(world.patient[learned]) & set(world.patient[test])


@pytest.mark.parametrize("seed", range(5))
def test_stratified_parts_hold_the_classes_in_their_shares(seed):
    world = collect(seed)
    for part in one_split(world, "stratify", seed).values():
        assert abs(world.y[part].sum() - len(part) / 4) < 1


def test_the_model_remembers_what_it_learned():
    world = collect(0)
    everything = np.arange(ROWS)
    assert accuracy(world, everything, world.X, world.y) == 1.0


def test_what_the_lesson_claims_holds_on_files_that_it_does_not_show():
    gaps = {"shuffle": [], "group": []}
    for seed in range(40, 60):
        world, new = collect(seed), fresh(seed)
        for way, found in gaps.items():
            parts = one_split(world, way, seed)
            test = parts["test"]
            reported = accuracy(world, parts["training"], world.X[test], world.y[test])
            found.append(reported - accuracy(world, parts["training"], new.X, new.y))
    assert np.mean(gaps["shuffle"]) > 0.2
    assert abs(np.mean(gaps["group"])) < 0.12
