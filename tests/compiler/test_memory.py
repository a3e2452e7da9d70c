"""The memory plan: buffers in use at once are apart, and the arena is hardly larger than what is in use."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import slopewise as sw
from slopewise.compiler.memory import Lifetime, lower_bound, plan
from slopewise.compiler.passes import optimize

lifetimes = st.builds(
    lambda size, first, length: Lifetime(size, first, first + length),
    st.one_of(st.integers(0, 5000), st.sampled_from([0, 1, 64, 4096])),
    st.integers(0, 20),
    st.integers(0, 8),
)


@given(st.lists(lifetimes, max_size=40), st.sampled_from([1, 16, 64]))
def test_buffers_in_use_at_once_share_no_byte(buffers, alignment):
    found = plan(buffers, alignment)
    assert len(found.offsets) == len(buffers)
    for i, (one, here) in enumerate(zip(buffers, found.offsets, strict=True)):
        assert here % alignment == 0
        assert 0 <= here <= found.peak - one.size
        for other, there in zip(buffers[:i], found.offsets[:i], strict=True):
            together = one.first <= other.last and other.first <= one.last
            apart = here + one.size <= there or there + other.size <= here
            assert apart or not together or not one.size or not other.size


@given(st.lists(lifetimes, max_size=30))
def test_a_plan_needs_at_least_the_lower_bound_and_is_the_same_each_time(buffers):
    found = plan(buffers)
    assert found.peak >= lower_bound(buffers)
    assert plan(buffers) == found


@given(st.lists(lifetimes, max_size=20))
def test_the_lower_bound_is_the_most_that_is_in_use_at_one_step(buffers):
    steps = [sum(b.size for b in buffers if b.first <= step <= b.last) for step in range(30)]
    assert lower_bound(buffers) == max(steps)


def test_no_buffers_need_no_memory():
    assert plan([]) == ((), 0)
    assert lower_bound([]) == 0


def test_buffers_that_follow_one_another_share_a_place():
    found = plan([Lifetime(256, step, step) for step in range(10)])
    assert found == ((0,) * 10, 256)


def test_a_buffer_read_by_a_step_does_not_share_with_what_the_step_writes():
    assert plan([Lifetime(64, 0, 1), Lifetime(64, 1, 2)]).peak == 128


@pytest.mark.parametrize("seed", range(8))
def test_random_lifetimes_need_little_more_than_the_lower_bound(seed):
    random = np.random.default_rng(seed)
    sizes = (2 ** random.uniform(6, 20, 300)).astype(int)
    firsts = random.integers(0, 300, 300)
    lengths = np.minimum(random.geometric(0.05, 300), 300 - firsts)
    buffers = [Lifetime(int(s), int(f), int(f + n)) for s, f, n in zip(sizes, firsts, lengths, strict=True)]
    assert_tight("random lifetimes", buffers)


def assert_tight(what, buffers):
    found, bound = plan(buffers), lower_bound(buffers, alignment=64)
    print(f"{what}: {len(buffers)} buffers, peak {found.peak}, lower bound {bound}")
    assert bound <= found.peak <= 1.25 * bound


# ---- real training steps


def buffers_of(graph):
    """Return the lifetimes of what a graph's nodes make, as if each node were a step of its own."""
    end = len(graph.nodes)
    last = dict.fromkeys(graph.outputs, end)
    for step in range(end - 1, -1, -1):
        for symbol in graph.nodes[step].operands:
            last.setdefault(symbol, step)
    return [
        Lifetime(int(np.prod(symbol.shape)) * symbol.dtype.itemsize, step, last.get(symbol, step))
        for step, node in enumerate(graph.nodes)
        for symbol in node.outputs
    ]


def training_step(model, shape, n_classes):
    """Return the optimized graph of a step of training."""
    optimizer = sw.optim.Adam(model.parameters(), lr=1e-3)

    @sw.compile
    def step(x, y):
        optimizer.zero_grad()
        loss = sw.losses.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    x = sw.tensor(np.zeros(shape, np.float32))
    step.graph(x, sw.tensor(np.zeros(shape[0], np.int64)))
    ((traced,),) = step._traces.values()
    return optimize(traced.graph)


def mlp():
    layers = [
        sw.nn.Linear(64, 128),
        sw.nn.ReLU(),
        sw.nn.Linear(128, 128),
        sw.nn.ReLU(),
        sw.nn.Linear(128, 10),
    ]
    return sw.nn.Sequential(*layers), (64, 64), 10


def convolutional():
    layers = [
        sw.nn.Conv2d(1, 8, 3, padding=1),
        sw.nn.ReLU(),
        sw.nn.MaxPool2d(2),
        sw.nn.Conv2d(8, 16, 3, padding=1),
        sw.nn.ReLU(),
        sw.nn.MaxPool2d(2),
        sw.nn.Flatten(),
        sw.nn.Linear(16 * 7 * 7, 10),
    ]
    return sw.nn.Sequential(*layers), (16, 1, 28, 28), 10


class Pooled(sw.nn.Module):
    """A transformer's encoder layer, the mean over the tokens, and a classifier."""

    def __init__(self):
        super().__init__()
        self.encoder = sw.nn.TransformerEncoderLayer(64, 4)
        self.head = sw.nn.Linear(64, 10)

    def forward(self, x):
        return self.head(sw.mean(self.encoder(x), axis=1))


def transformer():
    return Pooled(), (4, 16, 64), 10


@pytest.mark.parametrize("network", [mlp, convolutional, transformer])
def test_training_steps_need_little_more_than_the_lower_bound(network):
    assert_tight(network.__name__, buffers_of(training_step(*network())))
