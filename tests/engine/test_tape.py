"""backward(): where gradients go, what is kept and what is freed, graphs deep and wide."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine import ops
from slopewise.engine.errors import DtypeError, GradientError, ShapeError


def leaf(*values):
    return sw.tensor(np.array(values), requires_grad=True)


# ---- where gradients go


def test_backward_writes_to_leaves_only():
    w = leaf(1.0, 2.0)
    middle = w * 3.0
    middle.sum().backward()
    assert w.grad.tolist() == [3.0, 3.0]
    assert middle.grad is None


def test_gradients_add_up_over_backward_calls_and_none_starts_again():
    w = leaf(1.0)
    for expected in (2.0, 4.0, 6.0):
        (w * 2.0).sum().backward()
        assert w.grad.tolist() == [expected]
    w.grad = None
    (w * 2.0).sum().backward()
    assert w.grad.tolist() == [2.0]


def test_an_earlier_gradient_that_someone_kept_does_not_change():
    w = leaf(1.0)
    (w * 2.0).sum().backward()
    kept = w.grad
    (w * 2.0).sum().backward()
    assert kept.tolist() == [2.0]


def test_backward_of_a_leaf_itself():
    w = leaf(3.0)
    w.backward()
    assert w.grad.tolist() == [1.0]


def test_a_gradient_to_start_from_weighs_the_elements():
    w = leaf(1.0, 2.0)
    (w * w).backward(sw.tensor(np.array([1.0, 10.0])))
    assert w.grad.tolist() == [2.0, 40.0]


@pytest.mark.parametrize("gradient", [[1.0, 10.0], np.array([1.0, 10.0]), sw.tensor([1, 10])])
def test_a_gradient_to_start_from_may_be_anything_that_converts(gradient):
    w = leaf(1.0, 2.0)
    (w * w).backward(gradient)
    assert w.grad.tolist() == [2.0, 40.0]
    assert w.grad.dtype == np.float64


def test_a_tensor_of_one_element_needs_no_gradient_whatever_its_axes():
    w = leaf(2.0)
    (w * w).reshape((1, 1, 1)).backward()
    assert w.grad.tolist() == [4.0]


def test_a_tensor_of_several_elements_needs_one():
    w = leaf(1.0, 2.0)
    with pytest.raises(
        GradientError, match=r"shape \(2,\) needs the argument `gradient`; or reduce.*\.sum\(\)"
    ):
        (w * w).backward()
    with pytest.raises(ShapeError, match=r"gradient has shape \(3,\), but the tensor has shape \(2,\)"):
        (w * w).backward([1.0, 1.0, 1.0])
    assert w.grad is None


def test_what_depends_on_nothing_tracked_says_so():
    with pytest.raises(GradientError, match=r"does not depend on any tensor with requires_grad=True$"):
        sw.tensor(1.0).backward()
    w = leaf(1.0)
    with sw.no_grad():
        y = w * w
        with pytest.raises(GradientError, match="or was computed inside of no_grad"):
            y.backward()


def test_gradients_of_float32_stay_float32_through_float64():
    w = sw.tensor([1.0, 2.0], requires_grad=True)
    (w.astype("float64") ** 2).sum().backward()
    assert w.grad.dtype == np.float32
    assert w.grad.tolist() == [2.0, 4.0]


# ---- .grad and requires_grad


def test_grad_can_be_set_to_a_tensor_of_the_same_kind_or_none_and_to_nothing_else():
    w = sw.tensor([1.0, 2.0], requires_grad=True)
    w.grad = sw.tensor([5.0, 6.0])
    assert w.grad.tolist() == [5.0, 6.0]
    w.grad = None
    with pytest.raises(DtypeError, match=r"\.grad must be a Tensor or None, not list"):
        w.grad = [1.0, 2.0]
    with pytest.raises(ShapeError, match=r"\.grad of a float32\[2\] tensor cannot be float32\[3\]"):
        w.grad = sw.tensor([1.0, 2.0, 3.0])
    with pytest.raises(ShapeError, match=r"float32\[2\] tensor cannot be float64\[2\]"):
        w.grad = sw.tensor(np.zeros(2))
    with pytest.raises(GradientError, match="only a leaf tensor with requires_grad=True"):
        sw.tensor([1.0]).grad = None


def test_requires_grad_can_be_turned_on_and_off():
    w = sw.tensor([1.0])
    assert not w.requires_grad
    w.requires_grad = True
    assert w.requires_grad
    assert w.is_leaf
    w.requires_grad_(False)
    assert not w.requires_grad
    made = leaf(1.0) * 2.0
    assert not made.is_leaf
    with pytest.raises(GradientError, match=r"only a leaf can stop requiring a gradient; use \.detach\(\)"):
        made.requires_grad_(False)


def test_detach_shares_the_value_and_not_the_history():
    w = leaf(2.0)
    free = (w * w).detach()
    assert free.tolist() == [4.0]
    assert not free.requires_grad
    assert free.is_leaf


# ---- retain_graph and create_graph


def test_create_graph_makes_gradients_that_can_be_differentiated():
    w = leaf(2.0)
    (w * w * w).sum().backward(create_graph=True)
    first = w.grad
    assert first.requires_grad
    w.grad = None
    first.sum().backward()
    assert w.grad.tolist() == [12.0]


def test_create_graph_keeps_the_tape_and_can_be_told_not_to():
    w = leaf(2.0)
    y = (w * w).sum()
    y.backward(create_graph=True)
    y.backward()
    assert w.grad.tolist() == [8.0]
    y = (w * w).sum()
    y.backward(create_graph=True, retain_graph=False)
    with pytest.raises(GradientError, match="freed"):
        y.backward()


def test_third_derivatives_by_create_graph():
    w = leaf(2.0)
    y = (w**4).sum()
    for expected in (32.0, 48.0, 48.0):
        w.grad = None
        y.backward(create_graph=True)
        assert w.grad.tolist() == pytest.approx([expected])
        y = w.grad.sum()


def test_without_create_graph_gradients_are_not_tracked():
    w = leaf(2.0)
    (w * w).sum().backward()
    assert not w.grad.requires_grad
    assert w.grad.is_leaf


def test_a_gradient_penalty_reaches_the_weights():
    x, w = leaf(1.0, 2.0), leaf(3.0, -1.0)
    y = ops.tanh(x * w).sum()
    gradient = sw.grad(lambda x: ops.tanh(x * w).sum())(x)
    (y + (gradient * gradient).sum()).backward()
    reference = sw.grad(
        lambda w: ops.tanh(x * w).sum() + (sw.grad(lambda x: ops.tanh(x * w).sum())(x) ** 2).sum()
    )(w)
    np.testing.assert_allclose(w.grad.numpy(), reference.numpy(), rtol=1e-12)


# ---- deep and wide graphs

DEPTH = 5_000


def chain(x, depth=DEPTH):
    for _ in range(depth):
        x = ops.sin(x)
    return x


def derivative_of_chain(x, depth=DEPTH):
    product = 1.0
    for _ in range(depth):
        product *= np.cos(x)
        x = np.sin(x)
    return product


def test_case_45_a_graph_five_thousand_nodes_deep_is_differentiated():
    w = leaf(0.7)
    chain(w).backward()
    assert w.grad.item() == pytest.approx(derivative_of_chain(0.7), rel=1e-9)


@pytest.mark.slow
def test_case_45_also_twice():
    second = sw.grad(sw.grad(lambda x: chain(x, 2_500)))(sw.tensor(np.asarray(0.7)))
    step = 1e-4
    quotient = (derivative_of_chain(0.7 + step, 2_500) - derivative_of_chain(0.7 - step, 2_500)) / (2 * step)
    assert second.item() == pytest.approx(quotient, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("target", "depth"), [("interpreter", DEPTH), ("native", 500)])
def test_case_45_also_compiled_and_through_its_graph(target, depth):
    expected = pytest.approx(derivative_of_chain(0.7, depth), rel=1e-9)
    w = leaf(0.7)
    sw.compile(lambda x: chain(x, depth), target=target)(w).backward()
    assert w.grad.item() == expected
    gradient = sw.compile(sw.grad(lambda x: chain(x, depth).sum()), target=target)
    assert gradient(sw.tensor(np.array([0.7]))).item() == expected


def test_a_deep_graph_that_nobody_differentiates_is_collected_without_recursion():
    w = leaf(0.7)
    y = chain(w, 20_000)
    gone = weakref.ref(w)
    del w, y
    gc.collect()
    assert gone() is None


def test_a_wide_sum_adds_up_each_branch_once():
    w = leaf(1.0)
    total = w * 0.0
    for k in range(500):
        total = total + w * float(k)
    total.sum().backward()
    assert w.grad.tolist() == [sum(range(500))]


# ---- memory


def peak_of(function):
    """Return the most memory that a call had in use at once, in bytes beyond what was in use before."""
    gc.collect()
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


SIZE, STEPS = 20_000, 40  # 160 kB a value


def long_chain(w):
    y = w
    for _ in range(STEPS):
        y = ops.exp(y * 0.5)  # exp keeps its result
    return y.sum()


def test_backward_frees_what_it_no_longer_needs():
    w = sw.tensor(np.zeros(SIZE), requires_grad=True)
    value = SIZE * 8
    losses = [long_chain(w)]
    gc.collect()
    tracemalloc.start()
    try:
        losses.pop().backward()
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * value  # gradients come and go; what was saved was there before
    assert kept < 3 * value  # the gradient of w


def test_saved_values_are_gone_after_backward_although_the_loss_is_kept():
    w = sw.tensor(np.zeros(SIZE), requires_grad=True)
    tracemalloc.start()
    try:
        loss = long_chain(w)
        before = tracemalloc.get_traced_memory()[0]
        loss.backward()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert before > STEPS * SIZE * 8
    assert after < 4 * SIZE * 8
    assert loss.item() > 0


def test_no_grad_keeps_no_intermediate_values():
    w = sw.tensor(np.zeros(SIZE), requires_grad=True)

    def without():
        with sw.no_grad():
            long_chain(w)

    assert peak_of(without) < 5 * SIZE * 8
    assert peak_of(lambda: long_chain(w)) > STEPS * SIZE * 8


def test_rules_that_look_at_shapes_only_keep_no_values():
    w = sw.tensor(np.zeros(SIZE), requires_grad=True)

    def shapes_only():
        y = w
        for _ in range(STEPS):
            y = (y + 1.0).reshape((2, -1)).T.reshape(-1)
        return y

    assert peak_of(shapes_only) < 5 * SIZE * 8


def test_a_released_tape_frees_its_tensors_at_once():
    w = sw.tensor(np.zeros(4), requires_grad=True)
    middle = w * 2.0
    gone = weakref.ref(middle)
    loss = (middle * middle).sum()
    del middle
    loss.backward()
    assert gone() is None


def test_a_leaf_behind_rules_that_say_zero_gets_zeros_as_in_pytorch():
    w = sw.tensor([0.3, -1.2], requires_grad=True)
    sw.floor(w).sum().backward()
    assert w.grad is not None
    assert w.grad.tolist() == [0.0, 0.0]
