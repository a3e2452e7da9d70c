"""The training loop of the README, eager and compiled: the same weights, state, gradients and losses.

The same bits in the interpreter; the same up to rounding as machine code, and then the same bits each time.
"""

from functools import partial

import numpy as np
import pytest

import slopewise as sw

RNG = np.random.default_rng(0)
X = sw.tensor(RNG.normal(size=(12, 4)).astype(np.float32))
Y = sw.tensor(RNG.integers(0, 3, 12))

SCHEDULE = sw.optim.schedules.CosineDecay(1e-2, steps=6)
OPTIMIZERS = {
    "SGD": lambda parameters: sw.optim.SGD(parameters, lr=0.05, momentum=0.9),
    "Adam": lambda parameters: sw.optim.Adam(parameters, lr=1e-2),
    "Adam with a schedule": lambda parameters: sw.optim.Adam(parameters, lr=SCHEDULE),
    "AdamW": lambda parameters: sw.optim.AdamW(parameters, lr=1e-2, weight_decay=0.1),
    "RMSprop": lambda parameters: sw.optim.RMSprop(parameters, lr=1e-2),
}


def make_model():
    sw.manual_seed(3)
    return sw.nn.Sequential(
        # without a bias: batch norm takes it out again, and its gradient would be rounding alone
        sw.nn.Linear(4, 8, bias=False),
        sw.nn.BatchNorm1d(8),
        sw.nn.ReLU(),
        sw.nn.Dropout(0.3),
        sw.nn.Linear(8, 3),
    )


def make_step(model, optimizer):
    def train_step(xb, yb):
        optimizer.zero_grad()
        loss = sw.losses.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
        return loss

    return train_step


def train(make_optimizer, wrap, epochs=3):
    """Run the loop of DESIGN with an evaluation after each epoch; return all that it leaves behind."""
    model = make_model()
    optimizer = make_optimizer(model.parameters())
    step, predict = wrap(make_step(model, optimizer)), wrap(lambda x: model(x))
    record = []
    for _ in range(epochs):
        model.train()
        for start in (0, 5, 10):  # the last batch is smaller
            record.append(step(X[start : start + 5], Y[start : start + 5]).item())
        model.eval()
        record.append(predict(X).tolist())
    state = {name: value.tolist() for name, value in model.state_dict().items()}
    gradients = [parameter.grad.tolist() for parameter in model.parameters()]
    return record, state, gradients, optimizer.state_dict(), (step, predict)


def plain(function):
    return function


def same(a, b):
    """Compare states that hold tensors, numbers and lists, to the bit."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, sw.Tensor):
        return a.numpy().tobytes() == b.numpy().tobytes()
    return bool(np.all(np.asarray(a == b)))


def assert_close(a, b):
    """Compare states that hold tensors, numbers and lists, up to rounding."""
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        a, b = list(a.values()), list(b.values())
    if isinstance(a, list | tuple):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            assert_close(one, other)
    elif isinstance(a, str) or a is None:
        assert a == b
    else:
        a, b = (np.asarray(x.numpy() if isinstance(x, sw.Tensor) else x) for x in (a, b))
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


NATIVE = partial(sw.compile, target="native")
INTERPRETER = partial(sw.compile, target="interpreter")


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_interpreter_gives_the_bits_of_the_eager_loop(name):
    *expected, _ = train(OPTIMIZERS[name], plain)
    *found, _ = train(OPTIMIZERS[name], INTERPRETER)
    assert same(found, expected)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_machine_code_gives_the_numbers_of_the_eager_loop(name):
    *expected, _ = train(OPTIMIZERS[name], plain)
    *found, _ = train(OPTIMIZERS[name], NATIVE)
    assert_close(found, expected)


def test_machine_code_gives_the_same_bits_each_time():
    *first, _ = train(OPTIMIZERS["Adam"], NATIVE)
    *second, _ = train(OPTIMIZERS["Adam"], NATIVE)
    assert same(first, second)


def test_each_size_of_batch_is_traced_once_and_the_smaller_batch_is_not_padded():
    *_, (step, predict) = train(OPTIMIZERS["Adam"], sw.compile)
    assert step.n_traces == 2
    assert predict.n_traces == 1


def test_the_loss_goes_down():
    losses, *_ = train(OPTIMIZERS["Adam"], sw.compile, epochs=20)
    assert losses[-4] < losses[0]


def test_a_schedule_and_the_step_count_of_adam_move_on_without_a_trace():
    weight = sw.tensor([1.0], requires_grad=True)
    optimizer = sw.optim.Adam([weight], lr=SCHEDULE)

    @sw.compile
    def step():
        optimizer.zero_grad()
        (weight * weight).sum().backward()
        optimizer.step()

    rates = []
    for _ in range(4):
        rates.append(float(optimizer.lr))
        step()
    assert rates == sorted(rates, reverse=True)
    assert len(set(rates)) == 4
    assert step.n_traces == 1


def test_training_and_evaluation_are_told_apart_however_often_they_alternate():
    model = make_model()
    forward = INTERPRETER(lambda x: model(x))
    for _ in range(3):
        model.train()
        forward(X)
        model.eval()
        assert forward(X).tolist() == model(X).tolist()
    assert forward.n_traces == 2


def test_evaluation_changes_nothing():
    model = make_model()
    model.eval()
    before = {name: value.tolist() for name, value in model.state_dict().items()}
    sw.compile(lambda x: model(x))(X)
    assert {name: value.tolist() for name, value in model.state_dict().items()} == before


def test_gradients_accumulate_over_compiled_calls_until_zero_grad():
    model = sw.nn.Linear(4, 3)
    accumulate = sw.compile(lambda xb, yb: sw.losses.cross_entropy(model(xb), yb, reduction="sum").backward())
    accumulate(X[:6], Y[:6])
    accumulate(X[6:], Y[6:])
    together = model.weight.grad.numpy()
    model.zero_grad()
    assert model.weight.grad is None
    accumulate(X, Y)
    np.testing.assert_allclose(together, model.weight.grad.numpy(), rtol=1e-5, atol=1e-6)


def test_a_compiled_model_under_an_eager_loss_and_optimizer():
    results = []
    for wrap in (plain, sw.compile):
        model = make_model()
        forward = wrap(lambda x, model=model: model(x))
        optimizer = sw.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(4):
            optimizer.zero_grad()
            loss = sw.losses.cross_entropy(forward(X), Y)
            loss.backward()
            optimizer.step()
        results.append((loss.item(), [p.numpy() for p in model.parameters()]))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-5)
    for a, b in zip(*(weights for _, weights in results), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_a_step_that_fails_leaves_weights_state_and_random_address_as_they_were():
    model = make_model()
    optimizer = sw.optim.Adam(model.parameters(), lr=1e-2)
    before = {name: value.tolist() for name, value in model.state_dict().items()}

    @sw.compile
    def step(xb, yb):
        optimizer.zero_grad()
        loss = sw.losses.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        step(X, Y)
    assert {name: value.tolist() for name, value in model.state_dict().items()} == before
    assert all(parameter.grad is None for parameter in model.parameters())
