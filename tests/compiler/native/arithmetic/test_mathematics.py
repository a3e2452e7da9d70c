"""Mathematical functions as machine code against higher precision, in units of the last place (ULP)."""

import math
from functools import cache

import numpy as np
import pytest
from llvmlite import ir
from register_loops import compile_loop

from slopewise.compiler.native.arithmetic.mathematics import FUNCTIONS, call
from slopewise.compiler.native.emission.loops import value_type

SINGLE, DOUBLE = np.dtype("f"), np.dtype("d")
FORMATS = [SINGLE, DOUBLE]
BINARY = {"atan2", "pow", "hypot", "logaddexp"}

# The largest errors in ULP, in float32 and in float64. Those of exp, log, tanh, sigmoid, erf, sin and cos are
# promised to be at most 2 and 4; the others are what is reached, rounded up.
LARGEST = {
    "exp": (1.2, 1.2),
    "expm1": (1.9, 2.1),
    "sinh": (1.8, 1.9),
    "cosh": (1.7, 1.7),
    "tanh": (1.5, 1.5),
    "sigmoid": (1.9, 1.9),
    "erf": (1.6, 2.0),
    "log": (1.0, 1.0),
    "log1p": (1.6, 1.6),
    "log2": (1.9, 1.9),
    "log10": (2.0, 2.0),
    "asinh": (2.0, 2.0),
    "acosh": (2.2, 2.2),
    "atanh": (2.3, 2.3),
    "sin": (1.6, 1.6),
    "cos": (1.6, 1.6),
    "tan": (3.2, 3.2),
    "asin": (2.5, 2.5),
    "acos": (1.4, 1.4),
    "atan": (2.5, 2.5),
    "atan2": (2.5, 2.5),
    "pow": (1.5, 1.5),
    "hypot": (1.4, 1.4),
    "logaddexp": (2.5, 2.5),
}

longdouble_is_longer = pytest.mark.skipif(
    np.finfo(np.longdouble).nmant <= np.finfo(np.float64).nmant,
    reason="this system has no floating-point format longer than float64",
)


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _erf(x):
    """Return 2 / sqrt(pi) x e^(-x^2) sum (2 x^2)^n / (2 n + 1)!!, whose terms are all positive."""
    inside = np.where(np.abs(x) < 7, x, 0)
    square = 2 * inside * inside
    term = np.ones_like(x)
    total = np.ones_like(x)
    for n in range(1, 250):
        term = term * (square / (2 * n + 1))
        total += term
    scale = x.dtype.type("1.12837916709551257389615890312154517")
    near = scale * inside * np.exp(-inside * inside) * total
    return np.where(np.isnan(x), x, np.where(np.abs(x) < 7, near, np.sign(x)))


REFERENCES = {
    name: getattr(
        np, {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2"}.get(name, name)
    )
    for name in ("exp", "expm1", "sinh", "cosh", "tanh", "log", "log1p", "log2", "log10", "sin", "cos", "tan")
    + ("asin", "acos", "atan", "atan2", "hypot", "logaddexp")
} | {
    "pow": np.power,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "sigmoid": _sigmoid,
    "erf": _erf,
}


@cache
def compiled(name, dtype, lanes=8):
    arity = 2 if name in BINARY else 1
    return compile_loop(lambda builder, x: call(builder, name, x), [dtype] * arity, dtype, lanes)


def patterns(dtype, count, seed):
    """Return numbers with evenly spread bits, so that all exponents, nan and infinities are among them."""
    width = 8 * dtype.itemsize
    stride = (2**width // count) | 1
    bits = np.arange(count, dtype=np.uint64) * np.uint64(stride) + np.uint64(seed)
    return bits.astype(f"u{dtype.itemsize}").view(dtype)


def arguments(name, dtype, count, seed=0):
    """Return numbers of all sizes, and as many of moderate size, where functions are interesting."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(2 if name in BINARY else 1):
        spread = np.repeat([0.05, 1.0, 8.0, 200.0], count // 4)
        moderate = (generator.standard_normal(count) * spread).astype(dtype)
        positive = np.abs(1 + generator.standard_normal(count) * spread / 10).astype(dtype)
        found.append(np.concatenate([patterns(dtype, count, seed), moderate, positive]))
    if name in BINARY:
        found[1] = generator.permutation(found[1])
    return found


def reference(name, operands):
    longer = np.float64 if operands[0].dtype == SINGLE else np.longdouble
    with np.errstate(all="ignore"):
        return REFERENCES[name](*(x.astype(longer) for x in operands))


def errors(name, operands):
    """Return the errors in ULP; infinite where nan, infinities or signs of zeros differ."""
    found, exact = compiled(name, operands[0].dtype)(*operands), reference(name, operands)
    with np.errstate(all="ignore"):
        rounded = exact.astype(found.dtype)
        size = np.abs(rounded)
        if name == "logaddexp":
            # the sum of the larger operand and of a term that inherits the rounding of x - y; they may cancel
            apart = np.abs(np.subtract(*operands))
            size = np.fmax(size, np.fmax(np.abs(np.maximum(*operands)), apart * np.exp(-apart)))
        unit = np.spacing(size).astype(exact.dtype)
        error = np.abs(found.astype(exact.dtype) - exact) / unit
    both_nan = np.isnan(found) & np.isnan(rounded)
    same = (found == rounded) & (np.signbit(found) == np.signbit(rounded))
    plain = np.isfinite(found) & np.isfinite(rounded) & ((rounded != 0) | same)
    # at the edge of the range, either of the largest number and infinity may be the nearest
    largest = np.isinf(rounded) & (np.abs(found) == np.finfo(found.dtype).max)
    return np.select([both_nan | (same & ~np.isfinite(found)) | largest, plain], [0.0, error], np.inf)


def check(name, dtype, count, seed=0):
    operands = arguments(name, dtype, count, seed)
    error = errors(name, operands)
    worst = int(np.argmax(error))
    assert error[worst] <= LARGEST[name][FORMATS.index(dtype)], (
        f"{name} is wrong by {float(error[worst]):.3f} ULP at {[x[worst].item() for x in operands]}"
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_is_within_its_units_of_the_last_place(name):
    check(name, SINGLE, 1 << 16)


@longdouble_is_longer
@pytest.mark.parametrize("name", FUNCTIONS)
def test_float64_is_within_its_units_of_the_last_place(name):
    check(name, DOUBLE, 1 << 13)


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_is_within_its_units_of_the_last_place_on_millions(name):
    check(name, SINGLE, 1 << 20, seed=12345)


@longdouble_is_longer
@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_float64_is_within_its_units_of_the_last_place_on_many(name):
    check(name, DOUBLE, 1 << 16, seed=12345)


@pytest.mark.parametrize("name", ["exp", "log", "tanh", "sigmoid", "erf", "sin", "cos"])
def test_promised_errors_are_kept(name):
    assert LARGEST[name][0] <= 2
    assert LARGEST[name][1] <= 4


def test_the_measure_finds_wrong_results(monkeypatch):
    monkeypatch.setitem(REFERENCES, "exp", lambda x: np.exp(x) * (1 + 3e-7))
    with pytest.raises(AssertionError, match="exp is wrong by"):
        check("exp", SINGLE, 1 << 12)


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_number_of_lanes_does_not_change_the_bits(name, dtype):
    operands = arguments(name, dtype, 1 << 10)
    eight = compiled(name, dtype)(*operands)
    for lanes in (1, 4):
        found = compiled(name, dtype, lanes)(*operands)
        assert (found.view("u1") == eight.view("u1")).all() or np.array_equal(found, eight, equal_nan=True)


SPECIAL = {  # argument: result, by C99 Annex F
    "exp": [(0.0, 1.0), (-0.0, 1.0), (math.inf, math.inf), (-math.inf, 0.0), (1e5, math.inf), (-1e5, 0.0)],
    "expm1": [(0.0, 0.0), (-0.0, -0.0), (math.inf, math.inf), (-math.inf, -1.0), (1e5, math.inf)],
    "log": [(1.0, 0.0), (0.0, -math.inf), (-0.0, -math.inf), (math.inf, math.inf), (-1.0, math.nan)],
    "log1p": [(0.0, 0.0), (-0.0, -0.0), (-1.0, -math.inf), (-1.5, math.nan), (math.inf, math.inf)],
    "log2": [(1.0, 0.0), (8.0, 3.0), (0.125, -3.0), (0.0, -math.inf), (-math.inf, math.nan)],
    "log10": [(1.0, 0.0), (0.0, -math.inf), (math.inf, math.inf), (-2.0, math.nan)],
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (math.inf, 1.0), (-math.inf, -1.0), (30.0, 1.0), (-1e30, -1.0)],
    "sinh": [(-0.0, -0.0), (math.inf, math.inf), (-math.inf, -math.inf), (-1e5, -math.inf)],
    "cosh": [(0.0, 1.0), (math.inf, math.inf), (-math.inf, math.inf), (-1e5, math.inf)],
    "sigmoid": [(0.0, 0.5), (math.inf, 1.0), (-math.inf, 0.0), (1e30, 1.0), (-1e30, 0.0)],
    "erf": [(0.0, 0.0), (-0.0, -0.0), (math.inf, 1.0), (-math.inf, -1.0), (10.0, 1.0), (-1e30, -1.0)],
    "sin": [(0.0, 0.0), (-0.0, -0.0), (math.inf, math.nan), (-math.inf, math.nan)],
    "cos": [(0.0, 1.0), (-0.0, 1.0), (math.inf, math.nan), (-math.inf, math.nan)],
    "tan": [(0.0, 0.0), (-0.0, -0.0), (math.inf, math.nan)],
    "asin": [(0.0, 0.0), (-0.0, -0.0), (1.5, math.nan), (-math.inf, math.nan)],
    "acos": [(1.0, 0.0), (1.5, math.nan), (-1.5, math.nan), (math.inf, math.nan)],
    "atan": [(0.0, 0.0), (-0.0, -0.0)],
    "asinh": [(-0.0, -0.0), (math.inf, math.inf), (-math.inf, -math.inf)],
    "acosh": [(1.0, 0.0), (0.5, math.nan), (-5.0, math.nan), (math.inf, math.inf), (-math.inf, math.nan)],
    "atanh": [(-0.0, -0.0), (1.0, math.inf), (-1.0, -math.inf), (2.0, math.nan), (-math.inf, math.nan)],
}
SPECIAL_PAIRS = {
    "pow": [
        (2.0, 3.0, 8.0),
        (0.0, -1.0, math.inf),
        (-0.0, -3.0, -math.inf),
        (-0.0, -2.0, math.inf),
        (-0.0, 3.0, -0.0),
        (0.0, 0.0, 1.0),
        (math.nan, 0.0, 1.0),
        (1.0, math.nan, 1.0),
        (-1.0, math.inf, 1.0),
        (-8.0, 3.0, -512.0),
        (-8.0, 0.5, math.nan),
        (-math.inf, 3.0, -math.inf),
        (-math.inf, 0.5, math.inf),
        (-math.inf, -3.0, -0.0),
        (0.5, math.inf, 0.0),
        (0.5, -math.inf, math.inf),
        (2.0, -math.inf, 0.0),
        (-2.0, 1e30, math.inf),
    ],
    "atan2": [
        (0.0, 0.0, 0.0),
        (-0.0, 0.0, -0.0),
        (0.0, 1.0, 0.0),
        (-0.0, math.inf, -0.0),
        (1.0, math.inf, 0.0),
        (math.nan, 1.0, math.nan),
        (1.0, math.nan, math.nan),
    ],
    "hypot": [
        (3.0, 4.0, 5.0),
        (0.0, -0.0, 0.0),
        (math.inf, math.nan, math.inf),
        (math.nan, -math.inf, math.inf),
        (math.nan, 1.0, math.nan),
    ],
    "logaddexp": [
        (math.inf, math.inf, math.inf),
        (-math.inf, -math.inf, -math.inf),
        (-math.inf, 2.0, 2.0),
        (1.0, math.inf, math.inf),
        (-math.inf, math.inf, math.inf),
        (math.nan, 1.0, math.nan),
        (1.0, math.nan, math.nan),
    ],
}
ROWS = [(name, row) for table in (SPECIAL, SPECIAL_PAIRS) for name, rows in table.items() for row in rows]


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
@pytest.mark.parametrize("lanes", [1, 8])
def test_special_values_are_those_of_c99(dtype, lanes):
    assert SPECIAL.keys() | SPECIAL_PAIRS.keys() == FUNCTIONS.keys()
    for name, (*operands, expected) in ROWS:
        found = compiled(name, dtype, lanes)(*(np.full(8, x, dtype) for x in operands))
        wanted = np.full(8, expected, dtype)
        assert np.array_equal(found, wanted, equal_nan=True), (name, operands, found[0])
        assert math.isnan(expected) or (np.signbit(found) == np.signbit(wanted)).all(), (name, operands)


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_nan_stays_nan(name, dtype):
    operands = [np.full(8, math.nan, dtype)] * (2 if name in BINARY else 1)
    assert np.isnan(compiled(name, dtype)(*operands)).all()


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_an_angle_beyond_the_fast_path_does_not_change_its_neighbours(name, dtype):
    near = np.linspace(-9e4, 9e4, 64).astype(dtype)
    mixed = near.copy()
    mixed[::8] = 1e7
    there = np.arange(64) % 8 != 0
    assert (compiled(name, dtype)(mixed)[there] == compiled(name, dtype)(near)[there]).all()


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
def test_multiples_of_half_a_turn_are_reduced_without_loss(dtype):
    x = (np.arange(1, 31001) * np.pi).astype(dtype)
    x = x[: x.size - x.size % 8]
    assert np.max(errors("sin", [x])) <= 2


def test_a_function_is_emitted_once_per_type():
    module = ir.Module()
    kinds = [value_type(SINGLE, 1), value_type(SINGLE, 8), value_type(DOUBLE, 4)]
    for kind in kinds:
        function = ir.Function(module, ir.FunctionType(kind, [kind]), f"f{kinds.index(kind)}")
        builder = ir.IRBuilder(function.append_basic_block())
        builder.ret(call(builder, "exp", [call(builder, "exp", function.args)]))
    own = [name for name in module.globals if name.startswith("sw.")]
    assert own == ["sw.exp.f32", "sw.exp.v8f32", "sw.exp.v4f64"]
    assert all(module.globals[name].linkage == "internal" for name in own)
