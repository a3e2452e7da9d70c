"""Convolution as machine code, all three ways of it."""

import numpy as np
import pytest

from slopewise.compiler.native.emission.views import Place, Storage, View
from slopewise.compiler.native.kernels import convolution
from slopewise.compiler.native.kernels.convolution.geometry import Geometry
from slopewise.compiler.native.kernels.convolution.places import PlacesPlan
from slopewise.compiler.native.kernels.convolution.plain import PlainPlan
from slopewise.compiler.native.kernels.convolution.sums import SumsPlan
from slopewise.compiler.native.kernels.kernel import Kernel
from slopewise.engine.aval import Aval
from slopewise.engine.graph import GraphNode
from slopewise.engine.primitive import TABLE


def kernel_of(way):
    """Return a kernel that always goes one way."""

    def plan(node, operands, results):
        return way(Geometry.of(node, *operands, results[0]))

    return Kernel(
        lambda emitter, node, operands, results, span: plan(node, operands, results).emit(emitter, span),
        lambda node, operands, results: plan(node, operands, results).extent,
        lambda node, operands, results: 1.0,
    )


WAYS = {
    "chosen": convolution.KERNELS["conv"],
    "places": kernel_of(PlacesPlan),
    "sums": kernel_of(SumsPlan),
    "plain": kernel_of(PlainPlan),
}


def settings(n, stride=1, padding=0, input_dilation=1, kernel_dilation=1):
    def per_axis(value):
        return value if isinstance(value, tuple) else (value,) * n

    pads = tuple(p if isinstance(p, tuple) else (p, p) for p in per_axis(padding))
    return {
        "stride": per_axis(stride),
        "padding": pads,
        "input_dilation": per_axis(input_dilation),
        "kernel_dilation": per_axis(kernel_dilation),
    }


def numbers(shape, dtype="float32", seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def check(run_kernel, kernel, x, w, params):
    """Compare with float64, within what rounding may do: 2 eps (n + 8) times the sums of absolute values."""
    compute = TABLE["conv"].compute
    exact = compute(x.astype(np.float64), w.astype(np.float64), **params)
    size = compute(np.abs(x).astype(np.float64), np.abs(w).astype(np.float64), **params)
    bound = 2 * np.finfo(x.dtype).eps * (w[0, 0].size + 8) * size
    results = [
        run_kernel(kernel, "conv", x, w, n_threads=n_threads, vector_bytes=vector_bytes, **params)
        for n_threads, vector_bytes in ((1, 32), (3, 32), (1, None))
    ]
    np.testing.assert_array_equal(results[0], results[1])  # threads change no bit
    for result in results:
        assert (np.abs(result - exact) <= bound).all()


CASES = [
    # x, w, and settings: a small network's forward passes and gradients
    ((1, 3, 1, 28, 28), (1, 16, 1, 3, 3), {}),
    ((1, 2, 16, 13, 13), (1, 32, 16, 3, 3), {}),
    ((1, 2, 32, 11, 11), (1, 16, 32, 3, 3), {"padding": 2}),
    ((1, 16, 6, 13, 13), (1, 32, 6, 11, 11), {}),
    ((1, 1, 6, 28, 28), (1, 16, 6, 26, 26), {}),
    # strides, padding, cropping and dilation, alike along the axes or not
    ((2, 3, 4, 9, 8), (2, 5, 4, 3, 2), {"stride": (2, 3), "padding": ((1, 2), (0, 3))}),
    ((1, 2, 3, 10, 11), (1, 2, 3, 2, 3), {"kernel_dilation": (3, 2), "padding": 1}),
    ((1, 2, 3, 6, 7), (1, 4, 3, 3, 3), {"input_dilation": (2, 3), "padding": ((2, 1), (1, 0))}),
    ((1, 2, 3, 9, 9), (1, 4, 3, 3, 3), {"padding": ((-1, -2), (-2, 1))}),
    (
        (1, 2, 2, 5, 6),
        (1, 3, 2, 3, 4),
        {"stride": (3, 2), "input_dilation": (2, 3), "kernel_dilation": (2, 1), "padding": ((1, 3), (-1, 2))},
    ),
    ((1, 2, 3, 4, 4), (1, 2, 3, 1, 1), {}),
    ((1, 2, 3, 4, 4), (1, 2, 3, 4, 4), {}),
    ((1, 2, 3, 1, 1), (1, 2, 3, 1, 1), {"padding": 2}),
    # other numbers of axes
    ((1, 5, 3), (1, 4, 3), {}),
    ((1, 2, 3, 40), (1, 4, 3, 5), {"stride": 2, "padding": 2}),
    ((1, 2, 3, 50), (1, 4, 3, 48), {}),
    ((1, 2, 3, 5, 6, 7), (1, 4, 3, 2, 3, 2), {"stride": (2, 1, 1), "padding": (1, 0, 1)}),
    ((2, 1, 2, 3, 4, 3, 4), (2, 3, 2, 2, 2, 2, 2), {"input_dilation": 2}),
]


def ways_of(x, w, params):
    """Return the ways that serve a case."""
    dtype = np.dtype(np.float32)
    y = TABLE["conv"].infer(Aval(x, dtype), Aval(w, dtype), **settings(len(x) - 3, **params))
    node = GraphNode(TABLE["conv"], (), settings(len(x) - 3, **params), (), True)
    views = [View.whole(Storage(Place.INPUT, 0, dtype, 0), shape) for shape in (x, w, y.shape)]
    geometry = Geometry.of(node, *views)
    plans = {"places": PlacesPlan, "sums": SumsPlan}
    return ["chosen", "plain", *[way for way, plan in plans.items() if plan.fits(geometry)]]


@pytest.mark.parametrize(
    ("way", "x", "w", "params"),
    [(way, *case) for case in CASES for way in ways_of(*case)],
)
def test_all_ways_agree_with_the_interpreter(run_kernel, way, x, w, params):
    check(run_kernel, WAYS[way], numbers(x), numbers(w, seed=1), settings(len(x) - 3, **params))


def test_transposed_and_flipped_operands_are_read(run_kernel, arrangements):
    x, w, params = numbers((2, 3, 4, 9, 8)), numbers((2, 5, 4, 3, 2), seed=1), settings(2, padding=1)
    for arranged in arrangements(x)[1:]:
        check(run_kernel, WAYS["chosen"], arranged, w, params)
    for arranged in arrangements(w)[1:]:
        check(run_kernel, WAYS["chosen"], x, arranged, params)
    swapped = numbers((4, 3, 2, 9, 8)).swapaxes(0, 2)
    check(run_kernel, WAYS["chosen"], swapped, w[..., ::-1, ::-1], params)
    few = settings(2)
    check(
        run_kernel,
        WAYS["sums"],
        numbers((6, 3, 1, 9, 8)).swapaxes(0, 2),
        numbers((6, 4, 1, 7, 6)).swapaxes(0, 2),
        few,
    )
    one = np.broadcast_to(np.float32(2), (2, 5, 4, 3, 2))
    check(run_kernel, WAYS["chosen"], x, one, params)


@pytest.mark.parametrize("way", ["places", "sums", "plain"])
def test_float64_keeps_its_precision(run_kernel, way):
    x, w = numbers((1, 3, 4, 9, 8), "float64"), numbers((1, 5, 4, 4, 4), "float64", 1)
    check(run_kernel, WAYS[way], x, w, settings(2))


def test_channels_that_do_not_fit_the_scratch_memory_are_taken_in_parts(run_kernel):
    x, w = numbers((1, 1, 230, 4, 70)), numbers((1, 5, 230, 3, 3), seed=1)
    check(run_kernel, WAYS["places"], x, w, settings(2))


def test_many_channels_of_few_places_are_taken_in_parts(run_kernel):
    x, w = numbers((1, 2, 50, 15, 15)), numbers((1, 7, 50, 13, 13), seed=1)
    check(run_kernel, WAYS["sums"], x, w, settings(2))


@pytest.mark.parametrize(("x", "w"), [((1, 2, 0, 4, 4), (1, 3, 0, 2, 2)), ((1, 2, 3, 0, 4), (1, 3, 3, 2, 2))])
def test_sums_of_nothing_are_zero(run_kernel, x, w):
    params = settings(2, padding=1)
    result = run_kernel(WAYS["chosen"], "conv", numbers(x), numbers(w), n_threads=2, **params)
    np.testing.assert_array_equal(result, np.zeros(result.shape, "float32"))


@pytest.mark.parametrize("way", ["places", "sums", "plain"])
def test_infinity_stays_where_it_is_met(run_kernel, way):
    x, w = np.ones((1, 1, 2, 13, 13), "float32"), np.ones((1, 3, 2, 11, 11), "float32")
    x[0, 0, 1, 0, 0] = np.inf
    x[0, 0, 0, 5, 12] = np.nan
    expected = TABLE["conv"].compute(x, w, **settings(2))
    np.testing.assert_array_equal(run_kernel(WAYS[way], "conv", x, w, **settings(2)), expected)
