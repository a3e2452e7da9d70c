"""A compiled function that uses a module does what the plain call does, whatever happens between calls."""

import numpy as np
import pytest

import slopewise as sw
from slopewise import nn
from slopewise.engine.errors import ArgumentError, TraceError


@pytest.fixture
def x():
    return sw.tensor(np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32))


@pytest.fixture
def model():
    sw.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3))


def make_step(model):
    def step(x, y):
        model.zero_grad()
        loss = sw.losses.cross_entropy(model(x), y)
        loss.backward()
        with sw.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.copy_(parameter - 0.1 * parameter.grad)
        return loss

    return step


def run(step, x, n=4):
    y = sw.tensor([0, 1, 2, 0, 1, 2])
    return [step(x, y).item() for _ in range(n)]


@pytest.mark.parametrize("target", ["interpreter", "native"])
def test_a_compiled_step_with_dropout_does_what_the_plain_one_does(model, x, target):
    """To the bit in the interpreter, up to rounding as machine code: the mask is the same in both."""
    bound = {"rtol": 0} if target == "interpreter" else {"rtol": 1e-5, "atol": 1e-6}
    start = model.state_dict()
    plain = run(make_step(model), x)
    end = model.state_dict()
    model.load_state_dict(start)
    compiled = sw.compile(make_step(model), target=target)
    np.testing.assert_allclose(run(compiled, x), plain, **bound)
    assert compiled.n_traces == 1
    for name, value in model.state_dict().items():
        np.testing.assert_allclose(value.numpy(), end[name].numpy(), err_msg=name, **bound)


def test_train_and_eval_each_have_a_trace_and_no_more(model, x):
    forward = sw.compile(lambda x: model(x))
    for _ in range(2):
        model.train()
        forward(x)
        model.eval()
        np.testing.assert_allclose(forward(x).numpy(), model(x).numpy(), rtol=1e-5, atol=1e-6)
    assert forward.n_traces == 2


def test_a_weight_that_is_thawed_after_compiling_is_trained(x):
    layer = nn.Linear(4, 3)
    layer.weight.requires_grad_(False)
    step = sw.compile(make_step(layer))
    frozen = layer.weight.numpy()
    run(step, x, 2)
    assert np.array_equal(layer.weight.numpy(), frozen)
    assert layer.weight.grad is None
    layer.requires_grad_()
    run(step, x, 1)
    assert layer.weight.grad is not None
    assert not np.array_equal(layer.weight.numpy(), frozen)


def test_a_part_or_setting_that_is_replaced_after_compiling_counts(model, x):
    forward = sw.compile(lambda x: model(x))
    model.eval()
    assert forward(x).shape == (6, 3)
    setattr(model, "3", nn.Linear(8, 5))
    assert forward(x).shape == (6, 5)
    model.train()
    assert (forward(x).numpy() != 0).any()
    model[2].p = 1.0
    assert np.array_equal(forward(x).numpy(), np.broadcast_to(model[3].bias.numpy(), (6, 5)))


def test_keeping_the_last_activation_does_not_trace_again(x):
    class Keeps(nn.Module):
        def __init__(self):
            self.inner = nn.Linear(4, 2)

        def forward(self, x):
            self.last = self.inner(x)
            return self.last

    module = Keeps()
    forward = sw.compile(lambda x: module(x))
    for _ in range(3):
        forward(x)
        module(x)
    assert forward.n_traces == 1


def test_a_converted_model_asks_for_inputs_of_its_new_dtype(x):
    layer = nn.Linear(4, 2)
    forward = sw.compile(lambda x: layer(x))
    forward(x)
    layer.astype("float64")
    with pytest.raises(sw.SlopewiseError, match="has float64 weights, but its input is float32"):
        forward(x)
    assert forward(x.astype("float64")).dtype == np.float64


def test_switching_the_mode_inside_of_a_compiled_function_is_an_error(model, x):
    @sw.compile
    def forward(x):
        return model.eval()(x)

    with pytest.raises(TraceError, match="do it before the call"):
        forward(x)
    model.eval()
    np.testing.assert_allclose(forward(x).numpy(), model(x).numpy(), rtol=1e-5, atol=1e-6)


def test_a_failed_trace_leaves_buffers_as_they_were(x):
    class Fails(nn.Module):
        def __init__(self):
            self.norm = nn.BatchNorm1d(4)

        def forward(self, x):
            return float(self.norm(x).sum())

    module = Fails()
    before = module.norm.state_dict()
    with pytest.raises(TraceError):
        sw.compile(lambda x: module(x))(x)
    for name, value in module.norm.state_dict().items():
        assert np.array_equal(value.numpy(), before[name].numpy()), name


@pytest.mark.parametrize("target", ["interpreter", "native"])
def test_batch_norm_keeps_its_statistics_compiled(x, target):
    bound = {"rtol": 0} if target == "interpreter" else {"rtol": 1e-5, "atol": 1e-6}
    eager, traced = nn.BatchNorm1d(4), nn.BatchNorm1d(4)
    forward = sw.compile(lambda x: traced(x), target=target)
    for _ in range(3):
        np.testing.assert_allclose(forward(x).numpy(), eager(x).numpy(), **bound)
    assert forward.n_traces == 1
    assert traced.num_batches_tracked.item() == 3
    for name, value in eager.state_dict().items():
        np.testing.assert_allclose(traced.state_dict()[name].numpy(), value.numpy(), err_msg=name, **bound)


def test_a_compiled_model_can_be_differentiated_from_outside(x):
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh())
    (model(x) ** 2).sum().backward()
    expected = [parameter.grad.numpy() for parameter in model.parameters()]
    model.zero_grad()
    (sw.compile(model)(x) ** 2).sum().backward()
    for parameter, gradient in zip(model.parameters(), expected, strict=True):
        np.testing.assert_allclose(parameter.grad.numpy(), gradient, rtol=1e-5, atol=1e-6)


def test_recomputation_draws_the_same_mask(x):
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Tanh())
    start = model.state_dict()
    gradients = []
    for call in (model, sw.checkpoint(model)):
        model.load_state_dict(start)
        model.zero_grad()
        (call(x) ** 2).sum().backward()
        gradients.append([parameter.grad.numpy() for parameter in model.parameters()])
        assert model[1].calls.item() == 1
    for plain, recomputed in zip(*gradients, strict=True):
        np.testing.assert_allclose(plain, recomputed, rtol=1e-6)


def test_a_compiled_model_has_what_the_model_has(model, x):
    compiled = sw.compile(model)
    assert next(compiled.parameters()) is model[0].weight
    compiled.eval()
    assert not model.training
    assert not compiled.training
    np.testing.assert_allclose(compiled(x).numpy(), model(x).numpy(), rtol=1e-5, atol=1e-6)
    assert list(compiled.state_dict()) == list(model.state_dict())
    with pytest.raises(AttributeError, match="fit"):
        _ = compiled.fit


def test_state_of_the_whole_module_cannot_be_written_for_each_example():
    x = nn.initializers.normal((3, 5, 4))
    norm = nn.BatchNorm1d(4)
    with pytest.raises(ArgumentError, match="cannot keep running statistics under vmap"):
        sw.vmap(norm)(x)
    assert not norm.running_mean.numpy().any()
    free = nn.BatchNorm1d(4, track_running_stats=False)
    np.testing.assert_allclose(sw.vmap(free)(x).numpy()[1], free(x[1]).numpy(), rtol=1e-5, atol=1e-6)

    class Keeps(nn.Module):
        def __init__(self):
            self.register_buffer("last", sw.tensor([0.0] * 4))

        def forward(self, x):
            self.last = x
            return x

    with pytest.raises(ArgumentError, match=r"Keeps\.last is a buffer of the whole module"):
        sw.vmap(Keeps())(x[0])
