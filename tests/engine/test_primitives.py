"""A walk along the table of primitives: each row keeps what it states, because it is there."""

from itertools import product

import numpy as np
import pytest
from samples import FLOAT64, SAMPLES

import slopewise as sw
from slopewise.engine.aval import aval_of
from slopewise.engine.errors import GradientError
from slopewise.engine.graph import verify
from slopewise.engine.interpreter import run_graph
from slopewise.engine.primitive import TABLE, apply
from slopewise.engine.trace import trace_function

# what it computes is not what it differentiates to, by intention: see test_gradient_cases.py
NOT_FOR_FINITE_DIFFERENCES = {"detach"}
# NumPy looks at the lower triangle only, the gradient is that of a function of symmetric matrices
READS_HALF_A_MATRIX = {"cholesky"}


def cases(names):
    return [
        pytest.param(TABLE[name], sample, id=f"{name}-{number}")
        for name in names
        for number, sample in enumerate(SAMPLES.get(name, ()))
    ]


def has_rule(primitive, position):
    return primitive.vjp is not None and (callable(primitive.vjp) or primitive.vjp[position] is not None)


def floating_positions(primitive, sample):
    """Return which operands a gradient can be asked for."""
    if sample.params.get("dtype", FLOAT64).kind != "f":
        return []  # a conversion to integers
    return [
        position
        for position, operand in enumerate(sample.operands)
        if operand.dtype.kind == "f" and has_rule(primitive, position)
    ]


def results_of(primitive, operands, params):
    """Return the results as a tuple, whether there is one or several."""
    result = apply(primitive, *operands, **params)
    return (result,) if primitive.outputs == 1 else result


def floating_results(primitive, sample):
    """Return a function of tensors which keeps the results that carry gradients."""

    def function(*operands):
        if primitive.name in READS_HALF_A_MATRIX:
            operands = [(x + x.mT) * 0.5 for x in operands]
        return [y for y in results_of(primitive, operands, sample.params) if y.dtype.kind == "f"]

    return function


ROWS = sorted(TABLE)
DIFFERENTIABLE = [name for name in ROWS if TABLE[name].vjp is not None]
ALL_CASES = cases(ROWS)
GRADIENT_CASES = [
    case
    for case in cases(DIFFERENTIABLE)
    if case.values[0].name not in NOT_FOR_FINITE_DIFFERENCES and floating_positions(*case.values)
]


# ---- no row is forgotten


@pytest.mark.parametrize("name", ROWS)
def test_each_row_has_samples(name):
    assert SAMPLES.get(name), f"primitive '{name}' has no samples in tests/engine/samples.py"


def test_samples_are_of_rows_in_the_table():
    assert set(SAMPLES) <= set(TABLE)


@pytest.mark.parametrize("name", [name for name in DIFFERENTIABLE if name not in NOT_FOR_FINITE_DIFFERENCES])
def test_each_operand_with_a_gradient_rule_has_a_gradient_sample(name):
    primitive = TABLE[name]
    covered = {position for sample in SAMPLES[name] for position in floating_positions(primitive, sample)}
    with_rule = (
        covered or {0}
        if callable(primitive.vjp)
        else {position for position, rule in enumerate(primitive.vjp) if rule is not None}
    )
    assert covered >= with_rule


@pytest.mark.parametrize("name", ROWS)
def test_a_row_states_its_rules_in_full(name):
    primitive = TABLE[name]
    assert primitive.name == name
    assert set(primitive.saves) <= {"x", "y"}
    assert primitive.outputs in (1, None)
    operands = {len(sample.operands) for sample in SAMPLES[name]}
    if primitive.vjp is not None and not callable(primitive.vjp):
        assert operands == {len(primitive.vjp)}


# ---- shape and dtype


@pytest.mark.parametrize(("primitive", "sample"), ALL_CASES)
def test_the_shape_and_dtype_rule_agrees_with_what_is_computed(primitive, sample):
    inferred = primitive.infer(*map(aval_of, sample.operands), **sample.params)
    expected = (inferred,) if primitive.outputs == 1 else tuple(inferred)
    results = results_of(primitive, [sw.tensor(x) for x in sample.operands], sample.params)
    assert tuple(map(aval_of, results)) == expected


@pytest.mark.parametrize(("primitive", "sample"), ALL_CASES)
def test_a_primitive_leaves_its_operands_alone(primitive, sample):
    arrays = [np.array(x) for x in sample.operands]
    for array in arrays:
        array.flags.writeable = False
    results = primitive.compute(*arrays, **sample.params)
    assert all(array.tobytes() == x.tobytes() for array, x in zip(arrays, sample.operands, strict=True))
    assert results is not None


# ---- gradients


@pytest.mark.parametrize(("primitive", "sample"), GRADIENT_CASES)
def test_gradients_of_first_and_second_order_agree_with_finite_differences(primitive, sample):
    sw.check_gradients(floating_results(primitive, sample), *map(sw.tensor, sample.operands))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("primitive", "sample"), [c for c in GRADIENT_CASES if c.values[0].name not in ("call", "scan")]
)
def test_a_gradient_has_the_shape_and_dtype_of_its_operand(primitive, sample, dtype):
    operands = [sw.tensor(x.astype(dtype) if x.dtype.kind == "f" else x) for x in sample.operands]
    leaves = [operands[i].requires_grad_() for i in floating_positions(primitive, sample)]
    results = [y for y in results_of(primitive, operands, sample.params) if y.dtype.kind == "f"]
    for result in results:
        result.backward(sw.tensor(np.ones(result.shape, result.dtype)), retain_graph=True)
    for leaf in leaves:
        assert leaf.grad is None or aval_of(leaf.grad) == aval_of(leaf)
    if results and "dtype" not in sample.params:
        assert all(result.dtype == dtype for result in results)


@pytest.mark.parametrize(("primitive", "sample"), GRADIENT_CASES)
def test_gradients_with_respect_to_one_operand_do_not_depend_on_the_others_being_tracked(primitive, sample):
    function = floating_results(primitive, sample)
    operands = [sw.tensor(x) for x in sample.operands]
    positions = floating_positions(primitive, sample)

    def total(*values):
        return sum(((y * y).sum() for y in function(*values)), sw.tensor(0.0, "float64"))

    together = sw.grad(total, argnums=positions)(*operands)
    for position, expected in zip(positions, together, strict=True):
        alone = sw.grad(total, argnums=position)(*operands)
        np.testing.assert_allclose(alone.numpy(), expected.numpy(), rtol=1e-12)


@pytest.mark.parametrize("name", [name for name in ROWS if TABLE[name].vjp is None])
def test_a_row_without_a_gradient_rule_says_so_or_gives_integers(name):
    primitive = TABLE[name]
    for sample in SAMPLES[name]:
        operands = [sw.tensor(x) for x in sample.operands]
        for x in operands:
            if x.dtype.kind == "f":
                x.requires_grad_()
        results = results_of(primitive, operands, sample.params)
        for y in results:
            if y.requires_grad:
                with pytest.raises(GradientError, match=f"'{name}' has no gradient"):
                    y.backward(sw.tensor(np.ones(y.shape, y.dtype)))
            else:
                assert y.dtype.kind != "f" or not any(x.requires_grad for x in operands)


# ---- batching


def variant(operand, number):
    """Return another operand as good as the first: floats scaled a little, others turned round."""
    if operand.dtype.kind in "fc":
        return np.asarray(operand * (1 + 0.01 * number), operand.dtype)
    return np.roll(operand, number)


@pytest.mark.parametrize(("primitive", "sample"), ALL_CASES)
def test_the_batching_rule_does_what_a_loop_does(primitive, sample):
    size = 3
    for batched in product((True, False), repeat=len(sample.operands)):
        if not any(batched):
            continue
        examples = [
            [
                variant(x, i) if is_batched else x
                for x, is_batched in zip(sample.operands, batched, strict=True)
            ]
            for i in range(size)
        ]
        stacked = [
            np.stack([example[k] for example in examples]) if is_batched else sample.operands[k]
            for k, is_batched in enumerate(batched)
        ]
        axes = tuple(0 if is_batched else None for is_batched in batched)

        def function(*operands):
            return results_of(primitive, operands, sample.params)

        together = sw.vmap(function, in_axes=axes)(*map(sw.tensor, stacked))
        alone = [function(*map(sw.tensor, example)) for example in examples]
        for k, whole in enumerate(together):
            expected = np.stack([result[k].numpy() for result in alone])
            assert whole.dtype == expected.dtype
            np.testing.assert_allclose(whole.numpy(), expected, rtol=1e-12, atol=1e-13)


# ---- tracing


@pytest.mark.parametrize(("primitive", "sample"), ALL_CASES)
def test_a_traced_primitive_verifies_and_the_interpreter_gives_the_eager_bits(primitive, sample):
    operands = [sw.tensor(x) for x in sample.operands]
    traced = trace_function(lambda *xs: results_of(primitive, xs, sample.params), tuple(operands))
    verify(traced.graph)
    assert primitive.name in str(traced.graph)
    interpreted = run_graph(traced.graph, [x.numpy() for x in operands])
    eager = results_of(primitive, operands, sample.params)
    for a, b in zip(interpreted, eager, strict=True):
        assert aval_of(a) == aval_of(b)
        assert a.tobytes() == b.numpy().tobytes()


@pytest.mark.parametrize(("primitive", "sample"), GRADIENT_CASES)
def test_a_traced_gradient_verifies_and_gives_the_eager_bits(primitive, sample):
    operands = tuple(sw.tensor(x) for x in sample.operands)
    positions = floating_positions(primitive, sample)

    def total(*values):
        squares = [(y * y).sum() for y in floating_results(primitive, sample)(*values)]
        return sum(squares, sw.tensor(0.0, "float64"))

    gradient = sw.grad(total, argnums=positions)
    traced = trace_function(gradient, operands)
    verify(traced.graph)
    interpreted = run_graph(traced.graph, [x.numpy() for x in operands])
    for a, b in zip(interpreted, gradient(*operands), strict=True):
        assert a.tobytes() == b.numpy().tobytes()
