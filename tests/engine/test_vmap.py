"""vmap: a function of one example on a whole batch; what the batching rules of the rows cannot show."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import slopewise as sw
from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError, GradientError, ShapeError, TraceError

BATCH = sw.tensor(np.sin(np.arange(12.0)).reshape(4, 3))


def loop(function, *args):
    return np.stack([function(*example).numpy() for example in zip(*args, strict=True)])


def test_arguments_that_are_not_batched_are_shared():
    weight = sw.tensor(np.cos(np.arange(6.0)).reshape(2, 3))
    together = sw.vmap(lambda w, x: w @ x, in_axes=(None, 0))(weight, BATCH)
    np.testing.assert_allclose(together.numpy(), BATCH.numpy() @ weight.numpy().T)


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
def test_the_batch_may_be_any_axis_of_an_argument(axis):
    moved = ops.moveaxis(BATCH, 0, axis)
    together = sw.vmap(lambda x: x.sum() * x, in_axes=axis)(moved)
    np.testing.assert_allclose(together.numpy(), loop(lambda x: x.sum() * x, BATCH))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_the_batch_may_go_to_any_axis_of_the_result(axis):
    together = sw.vmap(lambda x: x * 2.0, out_axes=axis)(BATCH)
    np.testing.assert_allclose(np.moveaxis(together.numpy(), axis, 0), BATCH.numpy() * 2)


def test_structures_go_in_and_come_out():
    def function(parameters, x):
        return {"sum": x + parameters["a"], "pair": (x * parameters["b"], 7)}

    parameters = {"a": BATCH, "b": sw.tensor(2.0)}
    result = sw.vmap(function, in_axes=({"a": 0, "b": None}, 0))(parameters, BATCH)
    np.testing.assert_allclose(result["sum"].numpy(), 2 * BATCH.numpy())
    np.testing.assert_allclose(result["pair"][0].numpy(), 2 * BATCH.numpy())
    assert result["pair"][1] == 7


def test_numpy_arrays_are_batched_as_tensors_are():
    together = sw.vmap(lambda a, b: a * b)(sw.tensor([1.0, 2.0]), np.array([3.0, 4.0]))
    assert together.tolist() == [3.0, 8.0]


def test_in_axes_may_be_a_list():
    assert sw.vmap(lambda a, b: a * b, in_axes=[0, None])(sw.tensor([1.0, 2.0]), sw.tensor(3.0)).tolist() == [
        3.0,
        6.0,
    ]


def test_a_result_that_does_not_depend_on_the_batch_is_repeated():
    assert sw.vmap(lambda x: sw.tensor([1.0, 2.0]))(BATCH).tolist() == [[1.0, 2.0]] * 4


def test_inside_only_the_shape_of_one_example_is_seen():
    seen = []
    sw.vmap(lambda x: seen.append((x.shape, x.ndim, x.size, x.dtype)) or x)(BATCH)
    assert seen == [((3,), 1, 3, np.dtype(np.float64))]


def test_nested_batches():
    x, y = sw.tensor(np.arange(3.0)), sw.tensor(np.arange(4.0))
    table = sw.vmap(lambda a: sw.vmap(lambda b: a * 10.0 + b)(y))(x)
    assert table.tolist() == (np.arange(3.0)[:, None] * 10 + np.arange(4.0)).tolist()


def test_an_inner_batch_can_use_the_outer_example_and_sum_it_away():
    result = sw.vmap(lambda row: sw.vmap(lambda v: v * row.sum())(row).sum())(BATCH)
    np.testing.assert_allclose(result.numpy(), BATCH.numpy().sum(1) ** 2)


@pytest.mark.parametrize("size", [0, 1])
def test_a_batch_of_one_and_of_none(size):
    x = BATCH[:size]
    assert sw.vmap(lambda x: (x * x).sum())(x).shape == (size,)
    assert sw.vmap(lambda x: ops.concatenate([x, x])[::2])(x).shape == (size, 3)
    assert sw.vmap(sw.grad(lambda x: (x * x).sum()))(x).shape == (size, 3)


def test_a_host_primitive_without_a_rule_of_its_own_takes_a_batch_of_none():
    from slopewise.engine.primitive import apply
    from slopewise.engine.primitives.host import searchsorted
    from slopewise.engine.primitives.randomness import random_bits

    addresses = sw.tensor(np.zeros((0, 4), np.uint32))
    assert sw.vmap(lambda a: apply(random_bits, a, shape=(5,)))(addresses).shape == (0, 5)
    edges = sw.tensor(np.zeros((0, 3)))
    assert sw.vmap(lambda e: apply(searchsorted, e, e, side="left"))(edges).shape == (0, 3)


# ---- indexing and assignment with batched things


def test_each_example_can_be_indexed_by_its_own_indices():
    index = sw.tensor([2, 0, 1, -1])
    assert sw.vmap(lambda x, i: x[i])(BATCH, index).tolist() == BATCH.numpy()[range(4), [2, 0, 1, 2]].tolist()
    rows = sw.tensor([[0, 0], [1, 2], [2, 2], [0, 1]])
    expected = np.take_along_axis(BATCH.numpy(), rows.numpy(), 1)
    assert sw.vmap(lambda x, i: x[i])(BATCH, rows).tolist() == expected.tolist()


def test_each_example_can_be_assigned_to():
    def function(x, i, v):
        y = x * 1.0
        y[i] = v
        y[-1:] += 1.0
        return y

    index, values = sw.tensor([2, 0, 1, 1]), sw.tensor(np.arange(4.0))
    together = sw.vmap(function)(BATCH, index, values)
    np.testing.assert_allclose(together.numpy(), loop(function, BATCH, index, values))


def test_a_mask_of_each_example_can_choose():
    def function(x):
        y = x * 1.0
        y[y < 0] = 0.0
        return y

    assert sw.vmap(function)(BATCH).tolist() == BATCH.numpy().clip(0).tolist()


# ---- gradients


def test_gradients_of_each_example():
    weight = sw.tensor(np.array([0.5, -1.0, 2.0]))

    def loss(w, x):
        return ops.tanh((w * x).sum()) ** 2

    together = sw.vmap(sw.grad(loss), in_axes=(None, 0))(weight, BATCH)
    np.testing.assert_allclose(together.numpy(), loop(lambda x: sw.grad(loss)(weight, x), BATCH), rtol=1e-12)
    whole = sw.grad(lambda w: sw.vmap(loss, in_axes=(None, 0))(w, BATCH).sum())(weight)
    np.testing.assert_allclose(together.numpy().sum(0), whole.numpy(), rtol=1e-12)


def test_backward_through_a_batch_reaches_shared_and_batched_leaves():
    w = sw.tensor(np.array([0.5, -1.0, 2.0]), requires_grad=True)
    x = sw.tensor(BATCH.numpy(), requires_grad=True)
    sw.vmap(lambda x: (w * x * x).sum())(x).sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), (x.numpy() ** 2).sum(0))
    np.testing.assert_allclose(x.grad.numpy(), 2 * w.numpy() * x.numpy())


# ---- errors


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: sw.vmap(ops.add)(BATCH, BATCH[:3]),
            ShapeError,
            r"batch axes have different sizes, \[3, 4\]",
        ),
        (
            lambda: sw.vmap(ops.exp, in_axes=2)(BATCH),
            ShapeError,
            r"axis 2 does not exist in an argument of shape",
        ),
        (
            lambda: sw.vmap(ops.exp)(sw.tensor(1.0)),
            ShapeError,
            r"axis 0 does not exist in an argument of shape \(\)",
        ),
        (
            lambda: sw.vmap(ops.add, in_axes=(0,))(BATCH, BATCH),
            ArgumentError,
            "names 1 arguments, but 2 came",
        ),
        (
            lambda: sw.vmap(ops.exp, in_axes=None)(BATCH),
            ArgumentError,
            "at least one tensor with a batch axis",
        ),
        (
            lambda: sw.vmap(lambda x: x, in_axes=((0, 0),))([BATCH]),
            ArgumentError,
            "the structure of its argument",
        ),
    ],
)
def test_arguments_that_do_not_fit_say_so(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_shape_error_inside_speaks_of_one_example():
    with pytest.raises(ShapeError, match=r"cannot combine shapes \(3,\) and \(2,\)"):
        sw.vmap(lambda x: x + sw.tensor([1.0, 2.0]))(BATCH)


@pytest.mark.parametrize(
    ("look", "purpose"),
    [
        (lambda x: float(x.sum()), r"float\(\)"),
        (lambda x: x if x.sum() > 0 else -x, r"bool\(\)"),
        (lambda x: x.numpy(), r"\.numpy\(\)"),
        (lambda x: x[x > 0], "mask"),
    ],
)
def test_looking_at_the_value_of_one_example_is_an_error_that_names_the_line(look, purpose):
    with pytest.raises(TraceError, match=purpose) as caught:
        sw.vmap(look)(BATCH)
    assert "test_vmap.py" in str(caught.value)


# ---- random programs

UNARY = {
    "sin": ops.sin,
    "tanh": ops.tanh,
    "neg": ops.negative,
    "square": ops.square,
    "flip": lambda x: x[::-1],
}
BINARY = {
    "add": ops.add,
    "mul": ops.multiply,
    "maximum": ops.maximum,
    "where": lambda a, b: ops.where(a > b, a, b * 2.0),
}
REDUCING = {
    "sum": lambda x: x * x.sum(),
    "max": lambda x: x - x.max(),
    "outer": lambda x: (x.reshape((-1, 1)) * x).sum(0),
    "gather": lambda x: x[[0, -1, 0]] + x,
    "cumsum": lambda x: ops.cumsum(x, 0),
    "matmul": lambda x: ops.stack([x, x * x]).T @ sw.tensor(np.array([0.5, -0.25])),
}
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(sorted(UNARY)), st.just(0)),
        st.tuples(st.sampled_from(sorted(REDUCING)), st.just(0)),
        st.tuples(st.sampled_from(sorted(BINARY)), st.integers(0, 5)),
    ),
    min_size=1,
    max_size=6,
)


def program_of(steps):
    """Return a function of two vectors: a step makes a value of the last one, or of it and an earlier one."""

    def program(x, w):
        values = [x, w * x]
        for name, earlier in steps:
            if name in BINARY:
                values.append(BINARY[name](values[-1], values[earlier % len(values)]))
            else:
                values.append(({**UNARY, **REDUCING})[name](values[-1]))
        return ops.tanh(values[-1] * 0.1)

    return program


WEIGHT = sw.tensor(np.array([0.7, -1.3, 0.4]))


@given(STEPS)
def test_a_batch_of_a_random_program_is_a_loop_over_it(steps):
    program = program_of(steps)
    together = sw.vmap(program, in_axes=(0, None))(BATCH, WEIGHT)
    np.testing.assert_allclose(
        together.numpy(), loop(lambda x: program(x, WEIGHT), BATCH), rtol=1e-12, atol=1e-14
    )


@given(STEPS)
def test_eager_and_interpreted_random_programs_have_the_same_bits(steps):
    program = program_of(steps)
    interpreted = sw.compile(program, target="interpreter")
    assert interpreted(BATCH[0], WEIGHT).numpy().tobytes() == program(BATCH[0], WEIGHT).numpy().tobytes()


@given(STEPS)
def test_gradients_of_random_programs_agree_however_they_are_run(steps):
    program = program_of(steps)

    def loss(w, x):
        return program(x, w).sum()

    alone = loop(lambda x: sw.grad(loss)(WEIGHT, x), BATCH)
    together = sw.vmap(sw.grad(loss), in_axes=(None, 0))(WEIGHT, BATCH)
    np.testing.assert_allclose(together.numpy(), alone, rtol=1e-10, atol=1e-12)
    compiled = sw.compile(sw.grad(loss), target="interpreter")(WEIGHT, BATCH[0])
    assert compiled.numpy().tobytes() == sw.grad(loss)(WEIGHT, BATCH[0]).numpy().tobytes()
    through = sw.grad(sw.compile(loss, target="interpreter"))(WEIGHT, BATCH[0])
    np.testing.assert_allclose(through.numpy(), alone[0], rtol=1e-10, atol=1e-12)


@settings(max_examples=15)
@given(STEPS)
def test_second_derivatives_of_random_programs_agree_eager_and_compiled(steps):
    program = program_of(steps)

    def slope(w):
        return (sw.grad(lambda w: program(BATCH[1], w).sum())(w) ** 2).sum()

    eager = sw.grad(slope)(WEIGHT)
    np.testing.assert_allclose(
        sw.compile(sw.grad(slope))(WEIGHT).numpy(), eager.numpy(), rtol=1e-10, atol=1e-12
    )
    np.testing.assert_allclose(
        sw.grad(sw.compile(slope))(WEIGHT).numpy(), eager.numpy(), rtol=1e-9, atol=1e-11
    )


def test_backward_inside_is_an_error_and_writes_nothing():
    w = sw.tensor([1.0, 2.0, 3.0], requires_grad=True)

    def function(x):
        loss = (w * x).sum()
        loss.backward()
        return loss

    with pytest.raises(GradientError, match=r"backward\(\) cannot be called inside of vmap.*use sw\.grad"):
        sw.vmap(function)(BATCH.astype("float32"))
    assert w.grad is None
