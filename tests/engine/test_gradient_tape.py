"""GradientTape: TensorFlow's habit, on the same pullback."""

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine import ops
from slopewise.engine.errors import GradientError, ShapeError


def vector(*values):
    return sw.tensor(np.array(values))


def test_a_watched_tensor_gets_a_gradient_and_is_itself_again_after_the_block():
    w = vector(1.0, 2.0)
    with sw.GradientTape() as tape:
        tape.watch(w)
        loss = (w * w).sum()
    assert tape.gradient(loss, w).tolist() == [2.0, 4.0]
    assert not w.requires_grad
    assert w.is_leaf


def test_what_requires_a_gradient_is_watched_of_itself_and_its_grad_is_left_alone():
    w = sw.tensor([3.0], requires_grad=True)
    with sw.GradientTape() as tape:
        loss = (w * w).sum()
    assert tape.gradient(loss, w).tolist() == [6.0]
    assert w.grad is None


def test_sources_may_be_nested_and_those_not_reached_get_zeros():
    weights = {"a": vector(2.0), "b": [vector(3.0), vector(5.0, 6.0)]}
    with sw.GradientTape() as tape:
        tape.watch(weights)
        loss = (weights["a"] * weights["b"][0]).sum()
    gradients = tape.gradient(loss, weights)
    assert gradients["a"].tolist() == [3.0]
    assert [g.tolist() for g in gradients["b"]] == [[2.0], [0.0, 0.0]]


def test_of_several_elements_the_sum_is_meant_unless_they_are_weighed():
    w = vector(1.0, 2.0)
    with sw.GradientTape(persistent=True) as tape:
        tape.watch(w)
        y = w * w
    assert tape.gradient(y, w).tolist() == [2.0, 4.0]
    assert tape.gradient(y, w, [1.0, 10.0]).tolist() == [2.0, 40.0]
    with pytest.raises(
        ShapeError, match=r"output_gradient has shape \(3,\), but the result has shape \(2,\)"
    ):
        tape.gradient(y, w, [1.0, 1.0, 1.0])


def test_a_gradient_by_a_value_in_the_middle():
    w = vector(2.0)
    with sw.GradientTape() as tape:
        tape.watch(w)
        middle = w * w
        loss = (middle * middle).sum()
    assert tape.gradient(loss, middle).tolist() == [8.0]


def test_a_second_call_needs_a_persistent_tape():
    w = vector(2.0)
    with sw.GradientTape() as tape:
        tape.watch(w)
        loss = (w * w).sum()
    tape.gradient(loss, w)
    with pytest.raises(
        GradientError, match=r"this tape has been used; make it GradientTape\(persistent=True\)"
    ):
        tape.gradient(loss, w)
    with sw.GradientTape(persistent=True) as tape:
        tape.watch(w)
        square = w * w
        cube = square * w
    assert [tape.gradient(y, w).item() for y in (square, cube, cube)] == [4.0, 12.0, 12.0]


def test_a_source_that_was_not_watched_is_an_error_that_says_what_to_do():
    w, other = vector(2.0), vector(3.0)
    with sw.GradientTape() as tape:
        tape.watch(w)
        loss = (w * other).sum()
    with pytest.raises(GradientError, match=r"did not watch; call tape\.watch\(tensor\)"):
        tape.gradient(loss, other)


def test_watching_wants_tensors_and_an_open_tape():
    tape = sw.GradientTape()
    with pytest.raises(GradientError, match="inside of the tape's `with` block"):
        tape.watch(vector(1.0))
    with tape, pytest.raises(GradientError, match="only tensors can be watched, not float"):
        tape.watch(1.0)


def test_a_target_that_depends_on_nothing_gives_zeros():
    w = vector(2.0)
    with sw.GradientTape() as tape:
        tape.watch(w)
        loss = vector(1.0)
    assert tape.gradient(loss, w).tolist() == [0.0]


def test_a_tape_inside_of_a_tape_gives_second_derivatives():
    w = vector(2.0)
    with sw.GradientTape() as outer:
        outer.watch(w)
        with sw.GradientTape() as inner:
            inner.watch(w)
            loss = (w**3).sum()
        first = inner.gradient(loss, w)
    assert first.tolist() == [12.0]
    assert outer.gradient(first, w).tolist() == [12.0]


def test_three_tapes_give_third_derivatives():
    w = vector(2.0)
    with sw.GradientTape() as a:
        a.watch(w)
        with sw.GradientTape() as b:
            b.watch(w)
            with sw.GradientTape() as c:
                c.watch(w)
                loss = (w**4).sum()
            first = c.gradient(loss, w)
        second = b.gradient(first, w)
    assert a.gradient(second, w).tolist() == pytest.approx([48.0])


def test_the_gradient_asked_for_inside_of_its_own_persistent_tape_can_be_differentiated():
    w = vector(2.0)
    with sw.GradientTape(persistent=True) as tape:
        tape.watch(w)
        first = tape.gradient((w**3).sum(), w)
    assert tape.gradient(first, w).tolist() == [12.0]


def test_a_tape_records_inside_of_no_grad_and_the_mode_is_as_before_after_it():
    w = vector(2.0)
    with sw.no_grad():
        with sw.GradientTape() as tape:
            tape.watch(w)
            loss = (w * w).sum()
        assert not sw.is_grad_enabled()
    assert tape.gradient(loss, w).tolist() == [4.0]


def test_an_error_in_the_block_leaves_tensors_and_mode_as_they_were():
    w = vector(2.0)
    with pytest.raises(RuntimeError, match="mine"), sw.no_grad(), sw.GradientTape() as tape:
        tape.watch(w)
        raise RuntimeError("mine")
    assert not w.requires_grad
    assert sw.is_grad_enabled()


def test_watching_twice_counts_once():
    w = vector(2.0)
    with sw.GradientTape() as tape:
        tape.watch(w)
        tape.watch(w, [w])
        loss = (w * w).sum()
    assert tape.gradient(loss, w).tolist() == [4.0]


def test_a_variable_that_is_updated_in_place_keeps_its_new_value():
    w = vector(2.0)
    with sw.GradientTape() as tape:
        tape.watch(w)
        loss = (w * w).sum()
        gradient_at_old = 2.0 * w
    with sw.no_grad():
        w -= 0.5 * tape.gradient(loss, w)
    assert w.tolist() == [0.0]
    assert gradient_at_old.tolist() == [4.0]


def test_a_whole_tape_can_be_compiled():
    w = vector(0.5, -1.0)

    @sw.compile
    def step(x):
        with sw.GradientTape() as tape:
            tape.watch(w)
            loss = ((w * x - 1.0) ** 2).sum()
        gradient = tape.gradient(loss, w)
        w[:] = w - 0.1 * gradient
        return loss

    losses = [step(vector(1.0, 2.0)).item() for _ in range(5)]
    assert losses == sorted(losses, reverse=True)
    assert step.n_traces == 1
    assert w.is_leaf
    assert not w.requires_grad


def test_a_compiled_function_that_captures_what_a_tape_watches_is_traced_once():
    w = vector(0.5, -1.0)
    loss_of = sw.compile(lambda x: ((w * x) ** 2).sum())
    for k in range(4):
        with sw.GradientTape() as tape:
            tape.watch(w)
            loss = loss_of(vector(1.0, 2.0) * float(k))
        expected = 2 * w.numpy() * np.array([1.0, 4.0]) * k**2
        np.testing.assert_allclose(tape.gradient(loss, w).numpy(), expected)
    assert loss_of.n_traces == 1


def test_a_tape_inside_of_grad_and_grad_inside_of_a_tape():
    def by_tape(x):
        x = x * 1.0
        with sw.GradientTape() as tape:
            tape.watch(x)
            y = ops.sin(x).sum()
        return tape.gradient(y, x)

    x = vector(0.3)
    assert sw.grad(lambda x: by_tape(x).sum())(x).item() == pytest.approx(-np.sin(0.3))
    with sw.GradientTape() as tape:
        tape.watch(x)
        first = sw.grad(lambda x: ops.sin(x).sum())(x)
    assert tape.gradient(first, x).item() == pytest.approx(-np.sin(0.3))


def test_targets_and_sources_must_be_tensors_and_a_mistake_does_not_use_the_tape_up():
    w = vector(2.0)
    with sw.GradientTape() as tape:
        tape.watch(w)
        loss = (w * w).sum()
    for target, source in ((1.0, w), (loss, 2.0)):
        with pytest.raises(GradientError, match="gradients of a tensor by tensors, not float"):
            tape.gradient(target, source)
    assert tape.gradient(loss, w).tolist() == [4.0]
