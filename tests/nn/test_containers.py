"""Sequential, ModuleList, Residual and Flatten."""

import numpy as np
import pytest

import slopewise as sw
from slopewise import nn
from slopewise.engine.errors import ArgumentError, ShapeError

X = sw.tensor(np.arange(12.0, dtype=np.float32).reshape(3, 4))


def test_sequential_calls_its_modules_in_order():
    first, second = nn.Linear(4, 3), nn.Linear(3, 2)
    model = nn.Sequential(first, nn.Tanh(), second)
    assert np.array_equal(model(X).numpy(), second(nn.tanh(first(X))).numpy())


def test_sequential_takes_names():
    model = nn.Sequential({"hidden": nn.Linear(4, 3), "act": nn.ReLU()})
    assert list(model.state_dict()) == ["hidden.weight", "hidden.bias"]
    assert model.hidden is model[0]
    with pytest.raises(ArgumentError, match="cannot name a module 'forward'"):
        nn.Sequential({"forward": nn.ReLU()})


def test_an_empty_sequential_changes_nothing():
    assert nn.Sequential()(X) is X


def test_rows_can_be_indexed_sliced_and_appended_to():
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    assert len(model.append(nn.Linear(3, 2))) == 3
    assert model[-1].out_features == 2
    assert model(X).shape == (3, 2)
    part = model[1:]
    assert isinstance(part, nn.Sequential)
    assert part[1] is model[2]
    assert list(part.state_dict()) == ["1.weight", "1.bias"]
    assert [type(module).__name__ for module in model] == ["Linear", "ReLU", "Linear"]
    with pytest.raises(IndexError, match="has 3 modules, there is no number 3"):
        model[3]


def test_a_module_that_is_there_twice_runs_twice():
    layer = nn.Linear(4, 4)
    model = nn.Sequential(layer, layer)
    assert len(model) == 2
    assert np.array_equal(model(X).numpy(), layer(layer(X)).numpy())


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (nn.ReLU, r"not classes: write ReLU\(...\)"),
        (nn.relu, "not 'relu'"),
        (3, "not 'int'"),
    ],
)
def test_what_is_no_module_is_named(value, message):
    for container in (nn.Sequential, nn.Residual, lambda value: nn.ModuleList([value])):
        with pytest.raises(ArgumentError, match=message):
            container(value)


def test_a_module_list_is_not_called():
    layers = nn.ModuleList([nn.Linear(4, 4)])
    assert len(layers) == 1
    with pytest.raises(ArgumentError, match="cannot be called"):
        layers(X)


def test_a_residual_block_adds_its_input():
    body = nn.Linear(4, 4)
    assert np.array_equal(nn.Residual(body)(X).numpy(), (body(X) + X).numpy())
    narrow, across = nn.Linear(4, 2), nn.Linear(4, 2)
    assert np.array_equal(nn.Residual(narrow, across)(X).numpy(), (narrow(X) + across(X)).numpy())
    with pytest.raises(ShapeError, match=r"body's result \(3, 2\) to its shortcut's \(3, 4\)"):
        nn.Residual(narrow)(X)


def test_flatten_joins_the_axes_asked_for():
    x = nn.initializers.normal((2, 3, 4, 5))
    assert nn.Flatten()(x).shape == (2, 60)
    assert nn.Flatten(0, 1)(x).shape == (6, 4, 5)
    assert nn.Flatten(-2)(x).shape == (2, 3, 20)
    assert nn.Flatten()(x[:0]).shape == (0, 60)
    assert np.array_equal(nn.Flatten(0)(x).numpy(), x.numpy().ravel())
    with pytest.raises(ShapeError, match="cannot join axes 1 to -1"):
        nn.Flatten()(x[0, 0, 0])


def test_identity_returns_its_input():
    assert nn.Identity()(X) is X


@pytest.mark.parametrize("index", [1, -1])
def test_a_module_of_a_row_can_be_replaced(index):
    model = sw.nn.Sequential(sw.nn.Linear(2, 4), sw.nn.Linear(4, 3))
    head = sw.nn.Linear(4, 5)
    model[index] = head
    assert model[1] is head
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert model(sw.zeros((1, 2))).shape == (1, 5)


def test_only_a_module_that_is_there_can_be_replaced_and_only_by_a_module():
    model = sw.nn.Sequential(sw.nn.Linear(2, 4))
    with pytest.raises(IndexError, match="has 1 modules, there is no number 1"):
        model[1] = sw.nn.ReLU()
    with pytest.raises(sw.SlopewiseError, match="takes modules"):
        model[0] = sw.nn.relu


def test_a_compiled_model_sees_the_module_that_replaced_another():
    model = sw.nn.Sequential(sw.nn.Linear(2, 4), sw.nn.Linear(4, 3))
    compiled, x = sw.compile(model), sw.ones((1, 2))
    compiled(x)
    model[1] = sw.nn.Linear(4, 5)
    assert compiled(x).shape == (1, 5)
    np.testing.assert_allclose(compiled(x).numpy(), model(x).numpy(), rtol=1e-5)  # bits are those of one mode
