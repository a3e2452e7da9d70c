"""functional_call: a module as a function of its parameters, under every transform."""

import numpy as np
import pytest

import slopewise as sw
from slopewise import nn
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError

X = sw.tensor(np.random.default_rng(0).normal(size=(6, 3)))
Y = sw.tensor(np.array([0, 1, 1, 0, 1, 0]))


@pytest.fixture
def model():
    sw.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).astype("float64")


def values_of(model):
    return {name: sw.tensor(parameter.numpy()) for name, parameter in model.named_parameters()}


def loss_of(model, values, x=X, y=Y):
    return sw.losses.cross_entropy(nn.functional_call(model, values, x), y)


def test_gradients_are_those_of_backward_and_nothing_changes(model):
    before = model.state_dict()
    gradients = sw.grad(lambda values: loss_of(model, values))(values_of(model))
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(np.array_equal(before[name].numpy(), p.numpy()) for name, p in model.named_parameters())
    sw.losses.cross_entropy(model(X), Y).backward()
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(gradients[name].numpy(), parameter.grad.numpy(), rtol=1e-12)


def test_derivatives_in_all_parameters_agree_with_finite_differences(model):
    sw.check_gradients(lambda values: loss_of(model, values), values_of(model))


def test_gradients_of_each_example_by_vmap(model):
    values = values_of(model)
    each = sw.vmap(sw.grad(lambda v, x, y: loss_of(model, v, x, y)), in_axes=(None, 0, 0))(values, X, Y)
    for i in range(len(X)):
        alone = sw.grad(lambda v: loss_of(model, v, X[i], Y[i]))(values)  # noqa: B023
        for name, gradient in alone.items():
            np.testing.assert_allclose(each[name].numpy()[i], gradient.numpy(), rtol=1e-9, atol=1e-12)


def test_a_compiled_call_takes_its_values_anew_each_time(model):
    values = values_of(model)
    compiled = sw.compile(lambda x: nn.functional_call(model, values, x))
    np.testing.assert_allclose(compiled(X).numpy(), model(X).numpy(), rtol=1e-12)
    with sw.no_grad():
        values["2.bias"].copy_(values["2.bias"] + 1.0)
    np.testing.assert_allclose(compiled(X).numpy(), model(X).numpy() + 1.0, rtol=1e-12)
    as_argument = sw.compile(lambda values, x: nn.functional_call(model, values, x))
    np.testing.assert_allclose(as_argument(values, X).numpy(), model(X).numpy() + 1.0, rtol=1e-12)


def test_a_part_of_the_values_is_enough_and_buffers_can_be_substituted():
    norm = nn.BatchNorm1d(3).astype("float64").eval()
    mean = sw.tensor(np.array([1.0, 2.0, 3.0]))
    shifted = nn.functional_call(norm, {"running_mean": mean}, X)
    np.testing.assert_allclose(shifted.numpy(), norm(X - mean).numpy(), rtol=1e-12)
    norm.train()
    nn.functional_call(norm, {"running_mean": mean}, X)
    assert not norm.running_mean.numpy().any()
    assert norm.num_batches_tracked.item() == 1


def test_a_shared_parameter_can_be_named_by_each_path():
    shared = nn.Linear(3, 3).astype("float64")
    model = nn.Sequential(shared, shared)
    zero = sw.tensor(np.zeros((3, 3)))
    assert np.array_equal(
        nn.functional_call(model, {"1.weight": zero}, X).numpy(),
        nn.functional_call(model, {"0.weight": zero}, X).numpy(),
    )


def test_an_error_in_the_call_puts_everything_back(model):
    weight = model[0].weight.numpy()
    with pytest.raises(ShapeError, match=r"at Sequential\.0"):
        nn.functional_call(model, {"0.weight": sw.tensor(np.zeros((4, 3)))}, X[:, :1])
    assert np.array_equal(model[0].weight.numpy(), weight)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (
            {"0.wieght": np.zeros((4, 3))},
            ArgumentError,
            r"Sequential has no '0\.wieght'; it has 0\.weight, 0\.bias",
        ),
        ({"0.weight": np.zeros((3, 4))}, ShapeError, r"has shape \(4, 3\), the value in its place \(3, 4\)"),
        ({"0.weight": np.zeros((4, 3), "f4")}, DtypeError, "is float64, the value in its place float32"),
    ],
)
def test_values_that_do_not_fit_are_named(model, values, error, message):
    with pytest.raises(error, match=message):
        nn.functional_call(model, values, X)
