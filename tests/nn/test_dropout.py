"""Dropout: addressed masks, right rates, and state that resumes."""

import copy
import threading

import numpy as np
import pytest

import slopewise as sw
from slopewise import nn
from slopewise.engine.errors import ArgumentError
from slopewise.engine.random import random_words

ONES = sw.tensor(np.ones((50, 40), np.float32))


@pytest.fixture(autouse=True)
def seeded():
    sw.manual_seed(0)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_rate_and_the_mean_are_right(p):
    y = nn.Dropout(p)(ONES).numpy()
    zeros = (y == 0).mean()
    assert abs(zeros - p) < 4 * np.sqrt(p * (1 - p) / y.size)
    assert np.unique(y[y != 0]) == np.float32(1) / np.float32(1 - p)


def test_at_0_and_1_everything_is_kept_or_dropped():
    x = sw.tensor([1.0, float("inf"), float("nan")], requires_grad=True)
    assert np.array_equal(nn.Dropout(0.0)(x).numpy(), x.numpy(), equal_nan=True)
    dropped = nn.Dropout(1.0)(x)
    assert dropped.tolist() == [0.0, 0.0, 0.0]
    dropped.sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.0]


def test_gradients_pass_where_values_pass():
    x = sw.tensor(np.ones(200), requires_grad=True)
    y = nn.Dropout(0.5)(x)
    y.sum().backward()
    assert np.array_equal(x.grad.numpy(), y.numpy())


def test_evaluation_changes_nothing_and_counts_no_call():
    layer = nn.Dropout(0.5).eval()
    assert layer(ONES) is ONES
    assert layer.calls.item() == 0


def test_the_mask_is_a_function_of_seed_stream_and_call():
    sw.manual_seed(2**40 + 3)
    nn.Linear(2, 2)  # takes streams 0 and 1
    layer = nn.Dropout(0.25)
    for call in (1, 2, 3):
        words = random_words(ONES.size, 2**40 + 3, stream=2, call=call)
        expected = words.reshape(ONES.shape) >= 2**30
        assert np.array_equal(layer(ONES).numpy() != 0, expected)
    assert layer.state_dict()["calls"].item() == 3


def test_weights_and_masks_never_share_an_address():
    nn.Linear(3, 3)
    layer = nn.Dropout(0.5)
    nn.reseed(layer, 0)  # the stream of the weight, but calls begin with 1 where weights are call 0
    layer(ONES)
    assert (layer.stream.item(), layer.calls.item()) == (0, 1)


def test_layers_and_calls_have_masks_of_their_own():
    a, b = nn.Dropout(0.5), nn.Dropout(0.5)
    masks = [layer(ONES).numpy() != 0 for layer in (a, a, b)]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert 0.4 < (masks[i] == masks[j]).mean() < 0.6


def test_p_can_be_changed_without_moving_other_masks():
    layer = nn.Dropout(0.0)
    layer(ONES)
    layer.p = 0.5
    second = layer(ONES)
    again = copy.deepcopy(layer)
    again.load_state_dict({**layer.state_dict(), "calls": np.uint32(1)})
    assert np.array_equal(again(ONES).numpy(), second.numpy())


def test_a_loaded_state_goes_on_with_the_next_mask():
    layer = nn.Dropout(0.5)
    layer(ONES)
    saved = layer.state_dict()
    expected = [layer(ONES).numpy() for _ in range(2)]
    sw.manual_seed(99)
    other = nn.Dropout(0.5)
    other.load_state_dict(saved)
    assert all(np.array_equal(other(ONES).numpy(), mask) for mask in expected)


def test_a_state_dict_without_addresses_loads():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))
    weights = {name: value for name, value in model.state_dict().items() if name.startswith("0")}
    assert model.load_state_dict(weights) == ([], [])


def test_reseeding_makes_masks_independent_of_how_the_model_was_built():
    def masks(seed):
        model = nn.Sequential(nn.Dropout(0.5), nn.Linear(40, 40), nn.Dropout(0.5))
        nn.reseed(model, seed)
        return [layer(ONES).numpy() != 0 for layer in (model[0], model[2])]

    first = masks(7)
    for _ in range(3):
        nn.Linear(1, 1)
    assert all(np.array_equal(a, b) for a, b in zip(first, masks(7), strict=True))
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], masks(8)[0])


def test_a_run_of_another_thread_does_not_change_the_masks():
    layer, other = nn.Dropout(0.5), nn.Dropout(0.5)
    alone = copy.deepcopy(layer)
    thread = threading.Thread(target=lambda: [other(ONES) for _ in range(20)])
    thread.start()
    masks = [layer(ONES).numpy() for _ in range(5)]
    thread.join()
    assert all(np.array_equal(alone(ONES).numpy(), mask) for mask in masks)


def test_integers_become_floats():
    assert nn.Dropout(0.5)(sw.tensor([1, 2, 3])).dtype == np.float32


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan"), "0.5", True])
def test_a_p_that_is_no_probability_is_an_error(p):
    with pytest.raises(ArgumentError, match="p must be a number from 0 to 1"):
        nn.Dropout(p)
