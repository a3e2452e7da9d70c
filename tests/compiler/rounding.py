"""How far a target may be from the interpreter, for whole programs: measured, not guessed.

A primitive that is fed the interpreter's inputs may differ from it by 2 eps (n + 8) times its result on
absolute values, n the length of its reduction. What that makes of a whole program is found by Monte Carlo
arithmetic (D. S. Parker, "Monte Carlo arithmetic: exploiting randomness in floating-point arithmetic", 1997):
the program runs several times with an error of that size added to each intermediate result. Its results
spread by what the program makes of such errors, a branch that hangs by a hair included.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from slopewise.engine.graph import Graph, GraphNode

N_RUNS = 5
SAFETY = 2.0

# what is exact in every target: it arranges, chooses or rounds what is there
EXACT = frozenset(
    {
        "neg",
        "abs",
        "sign",
        "relu",
        "gate",
        "floor",
        "ceil",
        "trunc",
        "round",
        "maximum",
        "minimum",
        "copysign",
    }
    | {
        "select",
        "cast",
        "detach",
        "alias",
        "max",
        "min",
        "gather",
        "scatter",
        "windows",
        "reshape",
        "transpose",
    }
    | {"broadcast_to", "slice", "pad", "flip", "concatenate", "random_bits", "nextafter"}
)


def reduction_length(node: GraphNode) -> int:
    """Return how many numbers are added or multiplied up for one result."""
    name, params = node.primitive.name, node.params
    shape = node.operands[0].shape if node.operands else ()
    if "axes" in params and name in {"sum", "prod", "log_softmax"}:
        return math.prod(shape[axis] for axis in params["axes"])
    if name in {"cumsum", "cumprod"}:
        return shape[params["axis"]]
    if name == "matmul":
        return shape[-2] if params["transpose_a"] else shape[-1]
    if name == "conv":
        return math.prod(node.operands[1].shape[2:])
    if name == "scatter_add":
        return math.prod(node.operands[1].shape)
    if name == "overlap_add":
        return math.prod(shape[len(shape) - len(params["space"]) :])
    return 0


def _magnitude(name, compute, result, arrays, params):
    """Return the result on absolute values."""
    if name in {"add", "sub"}:
        return np.abs(arrays[0]) + np.abs(arrays[1])
    if name in {"sum", "cumsum", "overlap_add"}:
        return compute(np.abs(arrays[0]), **params)
    if name == "scatter_add":
        return compute(np.abs(arrays[0]), *arrays[1:], **params)
    if name in {"matmul", "conv"}:
        return compute(np.abs(arrays[0]), np.abs(arrays[1]), **params)
    if name in {"log_softmax", "logaddexp"}:
        return np.abs(result) + 1  # a relative error in what the logarithm is of
    if name == "remainder":
        return np.abs(arrays[0])
    return np.abs(result)


def perturbed(graph: Graph, random: np.random.Generator) -> Graph:
    """Return a graph that adds to what each node makes the error that it may have."""
    nodes = []
    for node in graph.nodes:
        params = {k: perturbed(v, random) if isinstance(v, Graph) else v for k, v in node.params.items()}
        primitive = node.primitive
        if primitive.outputs == 1 and primitive.name not in EXACT and node.outputs[0].dtype.kind == "f":
            primitive = _with_error(primitive, reduction_length(node), random)
        nodes.append(GraphNode(primitive, node.operands, params, node.outputs, node.recorded))
    return Graph(graph.inputs, graph.constants, nodes, graph.outputs)


def _with_error(primitive, length, random):
    def compute(*arrays, **params):
        result = np.asarray(primitive.compute(*arrays, **params))
        magnitude = _magnitude(primitive.name, primitive.compute, result, arrays, params)
        size = 2 * np.finfo(result.dtype).eps * (length + 8)
        error = size * random.uniform(0.5, 1.0, result.shape) * random.choice([-1.0, 1.0], result.shape)
        moved = result + error * magnitude
        return np.where(np.isfinite(moved), moved, result).astype(result.dtype)

    return dataclasses.replace(primitive, compute=compute)


def tolerances(graph, arrays, expected, run):
    """Return for each result how far each element may be off: nan where nothing can be said of it.

    Parameters
    ----------
    expected : what the interpreter makes
    run : (graph, arrays) -> results
    """
    random = np.random.default_rng(0)
    runs = [run(perturbed(graph, random), arrays) for _ in range(N_RUNS)]
    return [_spread(value, [results[i] for results in runs]) for i, value in enumerate(expected)]


def _spread(expected, moved):
    if expected.dtype.kind != "f":
        same = np.all([other == expected for other in moved], axis=0)
        return np.where(same, 0.0, np.nan)
    wide = expected.astype(np.float64)
    with np.errstate(invalid="ignore"):
        spread = np.max([np.abs(other.astype(np.float64) - wide) for other in moved], axis=0)
    alike = np.all([(other == wide) | (np.isnan(other) & np.isnan(wide)) for other in moved], axis=0)
    # near the smallest numbers the error is no longer relative
    smallest = 64 * float(np.finfo(expected.dtype).smallest_subnormal)
    return np.where(alike & ~np.isfinite(wide), 0.0, SAFETY * spread + np.where(spread > 0, smallest, 0.0))


def assert_within(results, expected, allowed):
    """Check results against the interpreter's, within tolerances; nan and infinities must be where they were.

    Returns
    -------
    the share of elements of which something could be said
    """
    checked = total = 0
    assert len(results) == len(expected)
    for number, (result, wanted, tolerance) in enumerate(zip(results, expected, allowed, strict=True)):
        assert result.shape == wanted.shape
        assert result.dtype == wanted.dtype
        known = np.isfinite(tolerance)
        checked, total = checked + int(known.sum()), total + known.size
        a, b = result.astype(np.float64)[known], wanted.astype(np.float64)[known]
        with np.errstate(invalid="ignore"):
            good = (a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= tolerance[known])
        if not good.all():
            worst = np.flatnonzero(~good)[0]
            raise AssertionError(
                f"result {number}, {wanted.dtype}{list(wanted.shape)}: {(~good).sum()} are off; "
                f"the first is {a[worst]!r}, not {b[worst]!r} (allowed {tolerance[known][worst]:.3g})"
            )
    return checked / total if total else 1.0
