"""The lab of the loss: slopes against formulas and nudges, and what a turned sign does."""

import numpy as np
import pytest

import slopewise as sw
from slopewise.site.content.lessons.n03_forward_pass_and_loss.lab import LAB, ROWS
from slopewise.site.content.lessons.n03_forward_pass_and_loss.models import KINDS, descend, run_pass


def frames(**query):
    return LAB.frames(LAB.read(query))


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(("w", "b"), [(0.5, 0.5), (-2.0, 0.5), (3.0, -3.0)])
def test_the_engines_slopes_are_those_of_the_formula(name, w, b):
    kind = KINDS[name]
    made = run_pass(kind, w, b)
    np.testing.assert_allclose(made.slopes * ROWS, kind.slope(made.scores, kind.targets), atol=1e-12)


@pytest.mark.parametrize("name", KINDS)
def test_the_gradient_agrees_with_nudges_of_weight_and_bias(name):
    kind, h = KINDS[name], 1e-6
    made = run_pass(kind, 0.5, 0.47)
    by_weight = (run_pass(kind, 0.5 + h, 0.47).loss - run_pass(kind, 0.5 - h, 0.47).loss) / (2 * h)
    by_bias = (run_pass(kind, 0.5, 0.47 + h).loss - run_pass(kind, 0.5, 0.47 - h).loss) / (2 * h)
    assert made.gradient == pytest.approx((by_weight, by_bias), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("name", KINDS)
def test_a_slope_has_the_sign_of_its_error(name):
    kind = KINDS[name]
    made = run_pass(kind, 0.7, -0.3)
    np.testing.assert_array_equal(np.sign(made.slopes), np.sign(made.predictions - kind.targets))


@pytest.mark.parametrize("name", KINDS)
def test_the_right_update_descends_and_the_turned_one_climbs(name):
    right = descend(KINDS[name], 0.5, 0.5, 0.1, 1, turned=False)
    turned = descend(KINDS[name], 0.5, 0.5, 0.1, 1, turned=True)
    assert right[1].loss < right[0].loss < turned[1].loss


def test_the_updates_are_the_optimizers():
    kind = KINDS["cross"]
    parameters = sw.tensor(np.array([0.5, 0.5]), requires_grad=True)
    optimizer = sw.optim.SGD([parameters], lr=0.3)
    from slopewise.site.content.lessons.n03_forward_pass_and_loss.models import X

    for _ in range(4):
        optimizer.zero_grad()
        scores = parameters[0] * sw.tensor(X) + parameters[1]
        kind.losses(scores, sw.tensor(kind.targets)).mean().backward()
        optimizer.step()
    made = descend(kind, 0.5, 0.5, 0.3, 4, turned=False)[-1]
    np.testing.assert_allclose(parameters.numpy(), [made.w, made.b])


def test_confidently_wrong_rows_hardly_pull_under_squared_error():
    cross, squared = (descend(KINDS[name], -2.0, 0.5, 0.3, 6, turned=False) for name in ("cross", "class"))
    assert cross[-1].loss < 0.5 * cross[0].loss
    assert squared[-1].loss > 0.95 * squared[0].loss


def test_the_lab_shows_every_row_then_the_mean_then_slopes_then_updates():
    made = frames()
    assert len(made) == 1 + ROWS + 3 + 6
    known = [sum(row[3] != "not yet" for row in frame.table.rows) for frame in made[: ROWS + 1]]
    assert known == list(range(ROWS + 1))
    assert made[ROWS + 1].title == "One number: the mean"


def test_the_question_about_the_update_knows_of_a_turned_sign():
    assert frames()[ROWS + 3].prediction.answer == 0
    assert frames(way="turned")[ROWS + 3].prediction.answer == 1


def test_settings_at_their_ends_make_finite_pictures():
    for loss in KINDS:
        for end in ("-3", "3"):
            for way in ("right", "turned"):
                text = str([f.to_json() for f in frames(loss=loss, w=end, b=end, lr="1", way=way)])
                assert "nan" not in text
                assert "inf" not in text
