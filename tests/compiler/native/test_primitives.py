"""A walk along the table: each core primitive, compiled alone, gives what the interpreter gives.

Within 2 eps (n + 8) times the result on absolute values, n the length of its reduction; integers, truth
values and what only arranges are exact. Its gradients are within what such errors make of them, and any
number of threads gives the same bits.
"""

import numpy as np
import pytest
from graphs import assert_same_bits, run
from rounding import EXACT, _magnitude, assert_within, reduction_length, tolerances
from samples import SAMPLES, Sample, array, booleans, integers

import slopewise as sw
from slopewise.compiler.native import program
from slopewise.compiler.native.executable import Executable
from slopewise.compiler.native.fusion import is_elementwise
from slopewise.compiler.native.support import obstacle
from slopewise.compiler.passes import optimize
from slopewise.engine.creation import tensor
from slopewise.engine.graph import verify
from slopewise.engine.primitive import TABLE, apply
from slopewise.engine.trace import trace_function

CORE = sorted(name for name, row in TABLE.items() if row.core)
HOLD_GRAPHS = {"call", "scan"}


# ---- larger samples: whole vectors and what is left over, reductions of some length

SHORT_LINES = [(35, 10), (16, 2), (3, 17, 5), (2, 1, 3), (70, 1), (40, 16)]
LARGER = {
    "sum": [Sample((array(33, 70),), {"axes": axes}) for axes in ((0,), (1,), (0, 1))],
    "prod": [Sample((array(9, 35, low=0.7, high=1.4),), {"axes": axes}) for axes in ((0,), (1,), (0, 1))],
    "max": [Sample((array(33, 70),), {"axes": axes}) for axes in ((0,), (1,), (0, 1))],
    "min": [Sample((integers(33, 70),), {"axes": axes}) for axes in ((0,), (1,), (0, 1))],
    "log_softmax": [
        *[Sample((array(9, 65),), {"axes": axes}) for axes in ((0,), (1,), (0, 1))],
        *[Sample((array(*shape),), {"axes": (len(shape) - 1,)}) for shape in SHORT_LINES],
    ],
    "cumsum": [Sample((array(9, 65),), {"axis": axis}) for axis in (0, 1)],
    "argmax": [Sample((array(9, 65),), {"axis": axis}) for axis in (0, 1)],
    "matmul": [
        Sample((array(*a), array(*b, seed=1)), {"transpose_a": transpose_a, "transpose_b": transpose_b})
        for a, b, transpose_a, transpose_b in [
            ((17, 33), (33, 9), False, False),
            ((33, 17), (33, 70), True, False),
            ((64, 64), (70, 64), False, True),
            ((3, 5, 40), (3, 40, 7), False, False),
            ((130, 200), (200, 150), False, False),
        ]
    ],
    "transpose": [Sample((array(9, 17, 5),), {"axes": axes}) for axes in ((2, 1, 0), (1, 0, 2))],
    "random_bits": [Sample((np.array([7, 0, 3, 1], np.uint32),), {"shape": (7, 37)})],
}


def stretched(sample):
    """Return a sample whose operands, all of one shape, are repeated to a larger one."""
    return Sample(tuple(np.resize(x.ravel(), (7, 37)) for x in sample.operands), sample.params)


def samples_of(name):
    yield from SAMPLES[name]
    yield from LARGER.get(name, ())
    for sample in SAMPLES[name]:
        alike = {x.shape for x in sample.operands} == {sample.operands[0].shape} if sample.operands else False
        if name in ELEMENTWISE and alike and sample.operands[0].size:
            yield stretched(sample)


def graph_of(name, sample):
    graph = trace_function(
        lambda *operands: apply(TABLE[name], *operands, **sample.params), tuple(map(tensor, sample.operands))
    ).graph
    verify(graph)
    return graph


def _is_elementwise(name):
    return name not in HOLD_GRAPHS and is_elementwise(graph_of(name, SAMPLES[name][0]).nodes[0])


ELEMENTWISE = {name for name in CORE if _is_elementwise(name)}


def in_single_precision(sample):
    """Return a sample in float32, which keeps what it has of other dtypes."""
    operands = tuple(x.astype(np.float32) if x.dtype == np.float64 else x for x in sample.operands)
    return Sample(operands, sample.params)


def dtypes_of(name):
    """Return the samples in both precisions; of graphs, which are of one, only as they are."""
    for sample in samples_of(name):
        yield sample
        single = in_single_precision(sample)
        if name not in HOLD_GRAPHS and any(x.dtype == np.float32 for x in single.operands):
            yield single


def compiled(graph, n_threads=1):
    return Executable(optimize(graph), n_threads=n_threads)


def can_be_compiled(name, sample):
    if obstacle(optimize(graph_of(name, sample))) is None:
        return True
    dtypes = [*(x.dtype for x in sample.operands), sample.params.get("dtype", np.dtype(bool))]
    assert any(x.kind == "c" or x == np.float16 for x in dtypes)
    return False


@pytest.mark.parametrize("name", CORE)
def test_a_primitive_alone_gives_the_interpreters_results(name):
    checked = 0
    for sample in dtypes_of(name):
        if not can_be_compiled(name, sample):
            continue
        graph = graph_of(name, sample)
        operands = [np.asarray(x, order="C") for x in sample.operands]
        expected = run(graph, operands)
        results, _ = compiled(graph)(operands)
        checked += 1
        if name in HOLD_GRAPHS:
            assert_within(results, expected, tolerances(graph, operands, expected, run))
        elif name in EXACT or expected[0].dtype.kind != "f":
            assert_same_values(results[0], expected[0])
        else:
            assert_within_bound(name, graph.nodes[0], sample, results[0], expected[0])
    assert checked


def assert_same_values(result, expected):
    assert (result.dtype, result.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(result, expected)


def assert_within_bound(name, node, sample, result, expected):
    assert (result.dtype, result.shape) == (expected.dtype, expected.shape)
    length = reduction_length(node)
    magnitude = _magnitude(name, TABLE[name].compute, expected, sample.operands, sample.params)
    bound = 2 * np.finfo(expected.dtype).eps * (length + 8) * magnitude.astype(np.float64)
    error = np.abs(result.astype(np.float64) - expected.astype(np.float64))
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(result[~finite], expected[~finite])
    excess = (error / np.where(bound > 0, bound, 1)).max(initial=0.0)
    assert (error <= bound)[finite].all(), f"{name}: up to {excess} times the bound"


@pytest.mark.parametrize("name", CORE)
def test_operands_may_lie_in_memory_in_any_way(name):
    """Views of what is given: backwards, transposed, every second element."""
    for sample in list(dtypes_of(name))[-1:]:
        if not can_be_compiled(name, sample):
            continue
        views = [_backwards, _transposed, _every_second]
        for make_view in views:
            stored, view = make_view([np.asarray(x, order="C") for x in sample.operands])

            def function(*operands, view=view, sample=sample):
                return apply(TABLE[name], *map(view, operands), **sample.params)

            graph = trace_function(function, tuple(map(tensor, stored))).graph
            plain = graph_of(name, sample)
            expected, _ = compiled(plain)([np.asarray(x, order="C") for x in sample.operands])
            results, _ = compiled(graph)(stored)
            loose = [
                np.full(np.shape(x), 1e-5 if x.dtype == np.float32 else 1e-12) * (1 + np.abs(x))
                if x.dtype.kind == "f"
                else np.zeros(np.shape(x))
                for x in expected
            ]
            assert_within(results, expected, loose)


def _backwards(arrays):
    return [np.array(np.flip(x), order="C") for x in arrays], lambda x: sw.flip(x) if x.ndim else x


def _transposed(arrays):
    def back(x):
        return sw.permute_dims(x, tuple(range(x.ndim))[::-1]) if x.ndim > 1 else x

    return [np.array(x.T, order="C") for x in arrays], back


def _every_second(arrays):
    wide = [np.repeat(x, 2, axis=-1) if x.ndim else x for x in arrays]
    return wide, lambda x: x[..., ::2] if x.ndim else x


@pytest.mark.parametrize("name", [name for name in CORE if TABLE[name].vjp is not None])
def test_gradients_give_the_interpreters_results(name):
    for sample in dtypes_of(name):
        places = tuple(i for i, x in enumerate(sample.operands) if x.dtype.kind == "f")
        if not places or sum(x.size for x in sample.operands) > 4000:
            continue

        def loss(*operands, sample=sample, places=places):
            results = apply(TABLE[name], *operands, **sample.params)
            results = results if isinstance(results, tuple) else (results,)
            weighed = [(y * _weights(y)).sum() for y in results if y.dtype.kind == "f"]
            return sum(weighed[1:], weighed[0]) if weighed else (operands[places[0]] * 0.0).sum()

        gradient = sw.grad(loss, argnums=places)
        operands = [np.asarray(x, order="C") for x in sample.operands]
        graph = trace_function(lambda *xs, f=gradient: list(f(*xs)), tuple(map(tensor, operands))).graph
        if obstacle(optimize(graph)) is not None:
            assert name == "cast"
            continue
        expected = run(graph, operands)
        results, _ = compiled(graph)(operands)
        assert_within(results, expected, tolerances(graph, operands, expected, run))


def _weights(y):
    return sw.tensor(array(*y.shape, seed=5).astype(y.dtype))


@pytest.mark.parametrize("name", CORE)
def test_any_number_of_threads_gives_the_same_bits(name, monkeypatch):
    monkeypatch.setenv("SLOPEWISE_CACHE", "off")  # what is forced here is nobody else's code
    monkeypatch.setattr(program, "_WORTH_SHARING", -1.0)
    monkeypatch.setattr(program.Program, "_useful_threads", lambda self, most: most)
    for sample in list(dtypes_of(name))[-2:]:
        if not can_be_compiled(name, sample):
            continue
        graph = graph_of(name, sample)
        operands = [np.asarray(x, order="C") for x in sample.operands]
        executables = [compiled(graph, n_threads) for n_threads in (1, 2, 3)]
        results = [executable(operands)[0] for executable in executables]
        assert_same_bits(results[1], results[0])
        assert_same_bits(results[2], results[0])
        if name in {"add", "exp", "matmul"}:
            shared = executables[1].program
            assert any(map(shared.shared, shared.launches)), "nothing was shared, so nothing was tested"


def test_truth_values_reduce_over_many_elements():
    for name in ("any", "all"):
        for value in (False, True):
            operand = np.full((3, 100), value)
            operand[1, 77] = not value
            sample = Sample((operand,), {"axes": (1,)})
            graph = graph_of(name, sample)
            assert_same_bits(compiled(graph)([operand])[0], run(graph, [operand]))
    assert booleans(2).dtype == np.bool_
