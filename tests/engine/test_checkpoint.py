"""checkpoint: the backward pass computes again what it needs, with the same bits."""

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine import ops
from slopewise.engine.errors import GradientError, TraceError
from slopewise.engine.primitive import apply
from slopewise.engine.primitives.randomness import random_bits

X = sw.tensor(np.sin(np.arange(6.0)).reshape(2, 3))
W = sw.tensor(np.cos(np.arange(9.0)).reshape(3, 3))


def block(x, w):
    return ops.tanh(x @ w) * x


def test_values_and_gradients_are_those_of_the_plain_function():
    checkpointed = sw.checkpoint(block)
    assert checkpointed(X, W).tolist() == block(X, W).tolist()
    for argnums in ((0,), (1,), (0, 1)):
        ours = sw.grad(lambda x, w: checkpointed(x, w).sum(), argnums=argnums)(X, W)
        theirs = sw.grad(lambda x, w: block(x, w).sum(), argnums=argnums)(X, W)
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-13)
    sw.check_gradients(checkpointed, X, W, order=3)


def test_structures_keyword_arguments_and_constants_pass_through():
    @sw.checkpoint
    def function(parameters, *, scale, label):
        return {"y": parameters["x"] * scale, "label": label, "three": 3}

    result = function({"x": X}, scale=2.0, label="a")
    assert result["y"].tolist() == (X * 2.0).tolist()
    assert (result["label"], result["three"]) == ("a", 3)


def test_leaves_that_the_function_reaches_get_their_gradient():
    w = sw.tensor(W.numpy(), requires_grad=True)
    sw.checkpoint(lambda x: block(x, w))(X).sum().backward()
    expected = sw.grad(lambda w: block(X, w).sum())(W)
    np.testing.assert_allclose(w.grad.numpy(), expected.numpy(), rtol=1e-13)


def saved_bytes(function):
    """Return how much the tape of a function's result keeps, in bytes, results and arguments left out."""
    import tracemalloc

    x = sw.tensor(np.zeros(50_000), requires_grad=True)
    tracemalloc.start()
    try:
        y = function(x)
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    y.sum().backward()
    return kept


def test_nothing_but_the_arguments_is_kept():
    def many(x):
        for _ in range(10):
            x = ops.exp(-x)
        return x

    value = 50_000 * 8
    assert saved_bytes(many) > 9 * value
    assert saved_bytes(sw.checkpoint(many)) < 2 * value


def test_in_a_batch_nothing_but_the_arguments_is_kept_either():
    def many(x):
        for _ in range(10):
            x = ops.exp(-x)
        return x

    value = 50_000 * 8
    assert saved_bytes(sw.vmap(sw.checkpoint(many))) < 2 * value


def test_random_bits_are_the_same_when_they_are_drawn_again():
    def dropped(x):
        bits = apply(random_bits, sw.tensor(np.array([1, 0, 7, 3], np.uint32)), shape=x.shape)
        return ops.where(bits > 2**31, x * 2.0, 0.0)

    x = sw.tensor(np.ones(200))
    assert sw.grad(lambda x: sw.checkpoint(dropped)(x).sum())(x).tolist() == dropped(x).tolist()


def test_state_that_the_function_changes_is_changed_once():
    calls = sw.tensor(0)

    @sw.checkpoint
    def counted(x):
        calls.copy_(calls + 1)
        return (x * x).sum()

    w = sw.tensor([3.0], requires_grad=True)
    loss = counted(w)
    assert calls.item() == 1
    loss.backward()
    assert calls.item() == 1
    assert w.grad.tolist() == [6.0]


def test_a_checkpoint_inside_of_a_checkpoint():
    inner = sw.checkpoint(lambda x: ops.sin(x) * x)
    outer = sw.checkpoint(lambda x: inner(inner(x)).sum())
    sw.check_gradients(outer, X)


def test_looking_at_values_is_an_error_that_names_the_line():
    @sw.checkpoint
    def branching(x):
        return x if x.sum() > 0 else -x

    with pytest.raises(TraceError, match=r"bool\(\) needs the value of a tensor.*test_checkpoint\.py"):
        branching(X)


def test_a_second_backward_is_an_error_as_everywhere():
    w = sw.tensor([3.0], requires_grad=True)
    loss = sw.checkpoint(lambda x: (x * x).sum())(w)
    loss.backward()
    with pytest.raises(GradientError, match="freed"):
        loss.backward()
