"""The lab of training: a project whose split, scaling, rounds and choice are what the lesson says."""

import re

import numpy as np
import pytest

import slopewise as sw
from slopewise.site.content.course import load_course
from slopewise.site.content.lessons.n01_training.chart import STAGES, draw_chart
from slopewise.site.content.lessons.n01_training.lab import LAB
from slopewise.site.content.lessons.n01_training.project import (
    LAST,
    SHORT,
    Training,
    carry_out,
    collect,
)


@pytest.fixture(scope="module")
def project():
    return carry_out(collect(240, 0.2, 5), 1.5, 5)


def test_the_parts_hold_every_row_once(project):
    numbers = np.concatenate(list(project.data.numbers.values()))
    assert sorted(numbers) == list(range(240))


def test_scaling_is_fitted_on_training_rows_alone(project):
    training = project.data.parts["training"].X
    np.testing.assert_allclose(training.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(training.std(axis=0), 1, atol=1e-6)
    assert abs(project.data.parts["test"].X.mean()) > 1e-4


def test_the_updates_of_the_line_are_those_of_a_hand():
    data = collect(120, 0.2, 3)
    training = Training(data, 0.7, 3, bent=False)
    w, b = (parameter.numpy().astype(np.float64) for parameter in training.model.parameters())
    X, y = data.parts["training"].X.astype(np.float64), data.parts["training"].y
    training.train_to(5)
    for _ in range(5):
        error = 1 / (1 + np.exp(-(X @ w[0] + b[0]))) - y
        w, b = w - 0.7 * (error @ X / len(y))[None, :], b - 0.7 * error.mean()
    made = [parameter.numpy() for parameter in training.model.parameters()]
    np.testing.assert_allclose(made[0], w, rtol=1e-4)
    np.testing.assert_allclose(made[1], b, rtol=1e-4)


def test_a_project_is_the_same_each_time_whatever_was_seeded_before():
    first, again = (carry_out(collect(80, 0.2, 1), 1.5, 1) for _ in range(2))
    assert first.curves == again.curves
    sw.manual_seed(99)
    assert carry_out(collect(80, 0.2, 1), 1.5, 1).curves == first.curves


def test_the_choice_is_made_by_validation_and_by_nothing_else(project):
    best = max(made.moment.accuracy("validation") for made in project.rounds)
    assert project.chosen.moment.accuracy("validation") == best
    assert [made.moment.updates for made in project.rounds] == list(LAST)


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_what_the_lesson_claims_holds_on_other_rows(seed):
    made = carry_out(collect(240, 0.2, seed), 1.5, seed)
    line, short, long = (each.moment.accuracy("new parts") for each in made.rounds)
    assert abs(made.patient.accuracy("new parts") - line) < 0.02
    assert abs(short - line) < 0.03
    assert long > line + 0.03
    assert made.rounds[2].moment.accuracy("new device") < long - 0.05


def test_losses_are_recorded_before_each_update(project):
    assert project.curves[0][0][0] == pytest.approx(project.first[0].loss)
    assert project.curves[0][SHORT][0] == pytest.approx(project.first[-1].loss)


def test_the_chart_leads_to_lessons_of_the_course():
    slugs = {entry.slug for entry in load_course().entries}
    links = re.findall(r'href="/lessons/([\w-]+)"', draw_chart())
    assert len(links) == len(STAGES)
    assert set(links) <= slugs
    assert draw_chart("train", whole=False).count("current") == 2  # the box, and what a screen reader hears


@pytest.mark.parametrize(
    "query",
    [
        {"rows": "60", "noise": "0.4", "lr": "0.05"},
        {"rows": "480", "noise": "0.05", "lr": "3"},
        {"rows": "60", "noise": "0.05", "lr": "3", "seed": "99"},
    ],
)
def test_settings_at_their_ends_make_finite_pictures(query):
    text = str([frame.to_json() for frame in LAB.frames(LAB.read(query))])
    assert "nan" not in text
    assert "inf" not in text
