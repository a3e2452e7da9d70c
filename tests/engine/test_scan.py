"""scan: a loop as one operation, eager, traced, compiled, batched and differentiated."""

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError, ShapeError, TraceError

XS = sw.tensor(np.sin(np.arange(10.0)).reshape(5, 2))
STATE = sw.tensor(np.array([0.5, -0.25]))
WEIGHT = sw.tensor(np.array([[0.6, -0.3], [0.2, 0.9]]))


def recurrent(weight):
    def body(state, x):
        state = ops.tanh(weight @ state + x)
        return state, state.sum()

    return body


def python_loop(body, state, xs, reverse=False):
    """Do what scan does, in Python."""
    steps = range(xs.shape[0])
    results = [None] * xs.shape[0]
    for i in reversed(steps) if reverse else steps:
        state, results[i] = body(state, xs[i])
    return state, ops.stack(results)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_scan_does_what_the_loop_does(reverse):
    expected = python_loop(recurrent(WEIGHT), STATE, XS, reverse)
    for function in (sw.scan, sw.compile(lambda *a, **k: sw.scan(recurrent(WEIGHT), *a[1:], **k))):
        result = function(recurrent(WEIGHT), STATE, XS, reverse=reverse)
        for ours, theirs in zip(result, expected, strict=True):
            np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-14)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("which", [0, 1])
def test_gradients_by_state_slices_and_what_the_body_reaches(reverse, which):
    def by_scan(weight, state, xs):
        return sw.scan(recurrent(weight), state, xs, reverse=reverse)[which].sum()

    def by_loop(weight, state, xs):
        return python_loop(recurrent(weight), state, xs, reverse)[which].sum()

    ours = sw.grad(by_scan, argnums=(0, 1, 2))(WEIGHT, STATE, XS)
    theirs = sw.grad(by_loop, argnums=(0, 1, 2))(WEIGHT, STATE, XS)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


@pytest.mark.parametrize("argnums", [0, 1, 2, (0, 1), (0, 2), (1, 2)])
def test_second_derivatives_by_each_subset(argnums):
    def by(run):
        def slope(*args):
            gradients = sw.grad(lambda w, s, x: (run(recurrent(w), s, x)[1] ** 2).sum(), argnums=argnums)(
                *args
            )
            gradients = gradients if isinstance(gradients, tuple) else (gradients,)
            return sum(((g * g).sum() for g in gradients), sw.tensor(np.asarray(0.0)))

        return sw.grad(slope, argnums=(0, 1, 2))(WEIGHT, STATE, XS)

    for a, b in zip(by(sw.scan), by(python_loop), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10)


def test_finite_differences_agree_to_third_order():
    sw.check_gradients(
        lambda w, s, x: sw.scan(recurrent(w), s, x), WEIGHT, STATE, sw.tensor(XS.numpy()[:3]), order=3
    )


def test_state_and_slices_may_be_nested_and_of_different_dtypes():
    def body(state, x):
        total = state["total"] + x["value"] * x["weight"]
        return {"total": total, "count": state["count"] + 1}, (total, x["value"] > 0)

    state = {"total": sw.tensor(np.asarray(0.0)), "count": sw.tensor(0)}
    xs = {"value": sw.tensor(np.array([1.0, -2.0, 3.0])), "weight": sw.tensor(np.array([1.0, 10.0, 100.0]))}
    final, (totals, signs) = sw.scan(body, state, xs)
    assert (final["total"].item(), final["count"].item()) == (281.0, 3)
    assert totals.tolist() == [1.0, -19.0, 281.0]
    assert signs.tolist() == [True, False, True]
    gradient = sw.grad(lambda v: sw.scan(body, state, {**xs, "value": v})[0]["total"])(xs["value"])
    assert gradient.tolist() == [1.0, 10.0, 100.0]


def test_a_loop_without_slices_counts_its_steps():
    final, results = sw.scan(lambda s, x: (s * 2.0, s), sw.tensor(1.0), length=4)
    assert final.item() == 16.0
    assert results.tolist() == [1.0, 2.0, 4.0, 8.0]


def test_a_body_may_return_no_result_and_python_numbers_as_state():
    final, results = sw.scan(lambda s, x: (s + x, None), 0.0, sw.tensor([1.0, 2.0]))
    assert final.item() == 3.0
    assert results is None


def test_a_loop_inside_of_a_loop():
    def row_sum(total, row):
        inner, _ = sw.scan(lambda s, v: (s + v * total, None), sw.tensor(np.asarray(0.0)), row)
        return total + inner, inner

    def by_hand(x):
        total = sw.tensor(np.asarray(1.0))
        for i in range(3):
            total = total + (x[i] * total).sum()
        return total

    x = sw.tensor(np.cos(np.arange(6.0)).reshape(3, 2))
    one = sw.tensor(np.asarray(1.0))
    assert sw.scan(row_sum, one, x)[0].item() == pytest.approx(by_hand(x).item(), rel=1e-14)
    sw.check_gradients(lambda x: sw.scan(row_sum, one, x)[0], x)
    np.testing.assert_allclose(
        sw.grad(lambda x: sw.scan(row_sum, one, x)[0])(x).numpy(), sw.grad(by_hand)(x).numpy(), rtol=1e-12
    )


def test_an_inner_gradient_step_in_the_body_is_differentiated_through():
    """Gradient descent as a loop; where it ends is differentiated by where it started and by the step."""

    def descend(start, rate):
        def body(x, _):
            slope = sw.grad(lambda x: ((x * x - 2.0) ** 2).sum())(x)
            return x - rate * slope, None

        return sw.scan(body, start, length=5)[0]

    def by_hand(start, rate):
        x = start
        for _ in range(5):
            x = x - rate * 4 * x * (x * x - 2.0)
        return x

    start, rate = sw.tensor(np.array([1.0, -0.7])), sw.tensor(np.asarray(0.05))
    for argnums in (0, 1):
        ours = sw.grad(lambda s, r: descend(s, r).sum(), argnums=argnums)(start, rate)
        theirs = sw.grad(lambda s, r: by_hand(s, r).sum(), argnums=argnums)(start, rate)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-11)


def test_a_gradient_taken_inside_of_a_compiled_loop_can_be_differentiated_by_other_arguments():
    """The loop is linearized for w when it is traced, and differentiated by x afterwards."""

    @sw.compile
    def gradient(w, x):
        return sw.grad(lambda w: sw.scan(lambda s, v: (s * w + v, None), w * 0.0, x)[0])(w)

    def by_hand(w, x):  # s = x0 w^2 + x1 w + x2
        return 2 * x[0] * w + x[1]

    w, x = sw.tensor(np.asarray(1.5)), sw.tensor(np.array([0.5, -2.0, 3.0]))
    assert gradient(w, x).item() == by_hand(w, x).item()
    assert sw.grad(gradient, argnums=1)(w, x).tolist() == [3.0, 1.0, 0.0]
    assert sw.grad(gradient, argnums=0)(w, x).item() == 1.0


def test_backward_through_a_loop_reaches_leaves():
    w = sw.tensor(WEIGHT.numpy(), requires_grad=True)
    sw.scan(recurrent(w), STATE, XS)[1].sum().backward()
    expected = sw.grad(lambda w: python_loop(recurrent(w), STATE, XS)[1].sum())(WEIGHT)
    np.testing.assert_allclose(w.grad.numpy(), expected.numpy(), rtol=1e-12)


def test_batches_of_loops():
    together = sw.vmap(lambda xs: sw.scan(recurrent(WEIGHT), STATE, xs)[1])(ops.stack([XS, XS * 2.0]))
    alone = [python_loop(recurrent(WEIGHT), STATE, x)[1].numpy() for x in (XS, XS * 2.0)]
    np.testing.assert_allclose(together.numpy(), alone, rtol=1e-12)


def test_the_body_is_traced_once_however_many_steps_there_are():
    calls = []

    def body(state, x):
        calls.append(1)
        return state + x, None

    sw.scan(body, sw.tensor(np.asarray(0.0)), sw.tensor(np.ones(1000)))
    assert len(calls) == 1


def test_a_graph_holds_a_loop_as_one_node():
    text = sw.compile(lambda xs: sw.scan(recurrent(WEIGHT), STATE, xs)[0]).graph(XS)
    assert text.count("scan(") == 1
    assert text.count("tanh(") == 1


# ---- errors


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: sw.scan(lambda s, x: s, STATE, XS), ArgumentError, r"must return a pair: \(state, result\)"),
        (lambda: sw.scan(lambda s, x: (s, s, s), STATE, XS), ArgumentError, "must return a pair"),
        (
            lambda: sw.scan(lambda s, x: ((s, s), None), STATE, XS),
            ArgumentError,
            "state of the structure that it was given",
        ),
        (
            lambda: sw.scan(lambda s, x: (s.sum(), None), STATE, XS),
            ShapeError,
            r"turns a state float64\[2\] into float64\[\]; they must be alike",
        ),
        (
            lambda: sw.scan(lambda s, x: (s.astype("float32"), None), STATE, XS),
            ShapeError,
            r"turns a state float64\[2\] into float32\[2\]",
        ),
        (lambda: sw.scan(lambda s, x: (s, x), STATE), ShapeError, "scan needs xs or length"),
        (lambda: sw.scan(lambda s, x: (s, x), STATE, XS, length=3), ShapeError, r"number of steps: \[3, 5\]"),
        (
            lambda: sw.scan(lambda s, x: (s, x), STATE, sw.tensor(1.0)),
            ShapeError,
            "xs with at least one axis",
        ),
        (lambda: sw.scan(lambda s, x: (s, x), STATE, XS[:0]), ArgumentError, "scan over no steps"),
        (
            lambda: sw.scan(lambda s, x: (s, x), STATE, length=-1),
            ArgumentError,
            "length is the number of steps, it cannot be -1",
        ),
    ],
)
def test_wrong_use_says_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_changing_a_tensor_from_outside_is_an_error_and_leaves_it_as_it_was():
    total = sw.tensor(np.asarray(1.0))

    def body(state, x):
        total.copy_(total + x.sum())
        return state, None

    with pytest.raises(ArgumentError, match="changes a tensor from outside; make it part of the state"):
        sw.scan(body, STATE, XS)
    assert total.item() == 1.0


def test_looking_at_a_value_in_the_body_names_the_line():
    with pytest.raises(TraceError, match=r"test_scan\.py:\d+: .*if s\.sum\(\) > 0"):
        sw.scan(
            lambda s, x: (
                s if s.sum() > 0 else x,
                None,
            ),
            STATE,
            XS,
        )
