"""The lab of optimization: the library's rules, walking alone and as rows of one sweep."""

from dataclasses import replace

import numpy as np
import pytest

import slopewise as sw
from slopewise.site.content.lessons.n14_optimization.grounds import (
    GROUNDS,
    RULES,
    SCHEDULES,
    Plan,
    sweep,
    walk,
)
from slopewise.site.content.lessons.n14_optimization.lab import LAB
from slopewise.site.content.lessons.n14_optimization.race import RUNNERS, Race


@pytest.mark.parametrize("name", GROUNDS)
def test_the_lowest_point_has_height_0_and_nothing_is_lower(name):
    ground = GROUNDS[name]
    assert ground.loss(sw.tensor(np.array(ground.lowest))).item() == pytest.approx(0, abs=1e-12)
    assert ground.heights(np.linspace(-2.5, 2.5, 101), np.linspace(-2, 2, 81)).min() >= 0


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_sweep_is_what_each_walk_by_itself_gives(rule, schedule):
    plan = Plan(rule=rule, schedule=schedule, noise=1.0, decay=0.1, seed=3)
    rates = np.array([0.01, 0.05])
    swept = sweep(GROUNDS["bend"], plan, rates, 12)
    for column, rate in enumerate(rates):
        alone = walk(GROUNDS["bend"], plan, float(rate), 12)
        np.testing.assert_allclose(swept[:, column], alone.losses, rtol=1e-9)


@pytest.mark.parametrize(("rule", "turns_along"), [("sgd", True), ("momentum", True), ("adam", False)])
def test_only_rules_without_a_rate_per_axis_turn_along_with_the_valley(rule, turns_along):
    straight, turned = (walk(GROUNDS[name], Plan(rule), 0.02).losses for name in ("valley", "tilted"))
    assert np.allclose(straight, turned, rtol=1e-8) == turns_along


def test_the_race_names_the_lowest_of_the_best():
    race = Race(GROUNDS["valley"], Plan())
    rates = np.geomspace(0.002, 2.0, 61)
    ends = {rule: sweep(GROUNDS["valley"], Plan(rule), rates)[-10:].mean(axis=0).min() for rule in RUNNERS}
    assert race.winner() == min(ends, key=ends.get)
    assert race.height("adam") == pytest.approx(ends["adam"])


def test_less_memory_suits_the_valley_better():
    ends = [Race(GROUNDS["valley"], replace(Plan(), beta=beta)).height("momentum") for beta in (0.5, 0.9)]
    assert ends[0] < ends[1] / 100


@pytest.mark.parametrize(
    ("query", "first", "fate"),
    [
        ({"rule": "sgd", "lr": "0.07"}, 2, 0),
        ({"rule": "sgd", "lr": "0.2"}, 2, 3),
        ({"rule": "adam", "lr": "0.2"}, 0, 1),
        ({"rule": "rmsprop", "lr": "0.002"}, 0, 2),
    ],
)
def test_the_predictions_know_what_happens(query, first, fate):
    frames = LAB.frames(LAB.read(query))
    assert (frames[0].prediction.answer, frames[1].prediction.answer) == (first, fate)
    assert frames[-2].prediction is not None


def test_a_walk_that_diverges_still_ends_with_the_race():
    frames = LAB.frames(LAB.read({"rule": "sgd", "lr": "1"}))
    assert "diverged" in frames[-2].words
    assert frames[-1].title.startswith("The race")


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("rule", RULES)
def test_every_ground_and_rule_makes_frames(ground, rule):
    query = {"ground": ground, "rule": rule, "noise": "4", "decay": "1", "schedule": "warmup", "beta": "0"}
    assert len(LAB.frames(LAB.read(query))) >= 2
