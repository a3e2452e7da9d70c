"""Elementwise primitives as machine code against what NumPy computes eagerly."""

import math

import numpy as np
import pytest
from llvmlite import ir
from register_loops import compile_loop

from slopewise.compiler.native.arithmetic.elementwise import (
    EMITTERS,
    emit,
    is_supported,
    typed_constant,
    vector,
)
from slopewise.compiler.native.emission.loops import value_type
from slopewise.engine.aval import Aval
from slopewise.engine.errors import SlopewiseError
from slopewise.engine.primitive import TABLE
from slopewise.engine.primitives import elementwise

DTYPES = [np.dtype(code) for code in "?bBhHiIqQfd"]
ROWS = {row.name: row for row in vars(elementwise).values() if type(row).__name__ == "Primitive" and row.core}

# Not exact: within 2 eps (n + 8), n = 1, of the result on absolute values, the bound for each primitive.
INEXACT = {
    *("exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh"),
    *("cosh", "tanh", "asinh", "acosh", "atanh", "sigmoid", "erf", "pow", "atan2", "hypot", "logaddexp"),
}


def edges(dtype):
    """Return values of a dtype among which the exceptions are."""
    if dtype.kind == "b":
        return np.array([False, True])
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        near = [0, 1, 2, 3, 5, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 100, 127, 128, 255, 256, 32767, 65535]
        numbers = {*near, *(-k for k in near), info.min, info.min + 1, info.max, info.max - 1}
        return np.array(sorted(k for k in numbers if info.min <= k <= info.max), dtype)
    info = np.finfo(dtype)
    sizes = [0.0, 0.3, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 7.25, 12.0, 100.0, 255.5, 300.7, 70000.0, 2.0**31]
    sizes += [2.0**31 - 128, 2.0**32, 2.0**62, 2.0**63, 1e19, 2.0**64, 1e30, float(info.max), math.inf]
    sizes += [float(info.tiny), float(info.smallest_subnormal), float(info.eps), 1 - float(info.epsneg)]
    return np.array([*sizes, *(-size for size in sizes), math.nan]).astype(dtype)


def samples(name, dtypes, params):
    """Return operands: all combinations of the edges, and drawn ones, to a multiple of 8."""
    generator = np.random.default_rng(sum(map(ord, name)))
    grids = np.meshgrid(*map(edges, dtypes), indexing="ij")
    drawn = [generator.choice(edges(dtype), 600) for dtype in dtypes]
    for operand, dtype in zip(drawn, dtypes):
        if dtype.kind == "f":
            operand[:400] = generator.normal(0, 3, 400)
        elif dtype.kind in "iu":
            operand[:400] = generator.integers(*_bounds(dtype), 400, dtype, endpoint=True)
    operands = [np.concatenate([grid.ravel(), extra]) for grid, extra in zip(grids, drawn)]
    if name == "pow" and dtypes[0].kind == "i":
        operands[1] = np.where(operands[1] < 0, ~operands[1], operands[1])  # negative ones are an error
    if name == "cast" and dtypes[0].kind == "f" and params["dtype"].kind in "iu":
        # out of range NumPy gives what the processor gives; ours is the subject of a test below
        low, high = _bounds(params["dtype"])
        operands = [x[(x > float(low) - 1) & (x < float(high))] for x in operands]
    return [np.resize(operand, -(-operand.size // 8) * 8) for operand in operands]


def _bounds(dtype):
    info = np.iinfo(dtype)
    return info.min, info.max


def cases():
    """Return each elementwise core primitive with each dtype that it takes and the compiler supports."""
    found = []
    for name, row in ROWS.items():
        for dtype in DTYPES:
            if name == "cast":
                found += [(name, (dtype,), {"dtype": target}) for target in DTYPES]
                continue
            arity = 3 if name == "select" else _arity(name)
            dtypes = (np.dtype(bool), dtype, dtype) if name == "select" else (dtype,) * arity
            try:
                row.infer(*(Aval((8,), d) for d in dtypes))
            except SlopewiseError:
                continue
            found.append((name, dtypes, {}))
    return found


def _arity(name):
    two = "gate add sub mul div pow maximum minimum floor_divide remainder atan2 hypot logaddexp copysign"
    two += " nextafter eq ne lt le gt ge and or xor shift_left shift_right"
    return 2 if name in two.split() else 1


def run(name, dtypes, params, operands, lanes):
    result = ROWS[name].infer(*(Aval((8,), d) for d in dtypes), **params).dtype
    loop = compile_loop(
        lambda builder, values: emit(builder, name, values, dtypes, result, params), dtypes, result, lanes
    )
    return loop(*operands)


def bits(array):
    """Return the bits, with one pattern for all nan: hardware gives them either sign."""
    if array.dtype.kind != "f":
        return array
    array = np.where(np.isnan(array), array.dtype.type(np.nan), array)
    return array.view(f"u{array.dtype.itemsize}")


@pytest.mark.parametrize(
    ("name", "dtypes", "params"),
    [pytest.param(*c, id="-".join([c[0], *(d.name for d in (*c[1], *c[2].values()))])) for c in cases()],
)
def test_agrees_with_numpy_on_edges(name, dtypes, params):
    assert is_supported(name, dtypes)
    operands = samples(name, dtypes, params)
    with np.errstate(all="ignore"):
        expected = ROWS[name].compute(*operands, **params)
    for lanes in (1, 4, 8):
        found = run(name, dtypes, params, operands, lanes)
        assert found.dtype == expected.dtype
        if name in INEXACT and dtypes[0].kind == "f":
            check_near(found, expected, operands)
        else:
            check_same(found, expected, operands)


def check_same(found, expected, operands):
    wrong = np.flatnonzero(bits(found) != bits(expected))
    assert wrong.size == 0, [(*(o[i] for o in operands), found[i], expected[i]) for i in wrong[:5]]


def check_near(found, expected, operands):
    with np.errstate(all="ignore"):
        scale = np.maximum(np.abs(expected), np.finfo(expected.dtype).smallest_subnormal)
        near = np.abs(found - expected) <= 18 * np.finfo(expected.dtype).eps * scale
        tiny = np.abs(found - expected) <= 4 * np.finfo(expected.dtype).smallest_subnormal
    same = (found == expected) & (np.signbit(found) == np.signbit(expected))
    near = (near | tiny) & ((np.signbit(found) == np.signbit(expected)) | (expected != 0))
    wrong = np.flatnonzero(~(near | same | (np.isnan(found) & np.isnan(expected))))
    assert wrong.size == 0, [(*(o[i] for o in operands), found[i], expected[i]) for i in wrong[:5]]


WRAPPED = {  # what x86 makes of 3e9, -3e9, 1e20, nan, inf, -inf, -1.5, 300.7
    "int8": [0, 0, 0, 0, 0, 0, -1, 44],
    "uint8": [0, 0, 0, 0, 0, 0, 255, 44],
    "int16": [0, 0, 0, 0, 0, 0, -1, 300],
    "uint16": [0, 0, 0, 0, 0, 0, 65535, 300],
    "int32": [*[-(2**31)] * 6, -1, 300],
    "uint32": [3000000000, 2**31, 0, 2**31, 0, 2**31, 2**32 - 1, 300],
    "int64": [3000000000, -3000000000, *[-(2**63)] * 4, -1, 300],
    "uint64": [3000000000, 2**64 - 3000000000, 0, 2**63, 0, 2**63, 2**64 - 1, 300],
}


@pytest.mark.parametrize("source", ["f", "d"])
@pytest.mark.parametrize("target", WRAPPED)
def test_conversions_out_of_range_wrap_as_on_x86(source, target):
    x = np.array([3e9, -3e9, 1e20, math.nan, math.inf, -math.inf, -1.5, 300.7], source)
    for lanes in (1, 8):
        found = run("cast", (x.dtype,), {"dtype": np.dtype(target)}, [x], lanes)
        assert found.tolist() == WRAPPED[target]


def test_every_elementwise_core_primitive_has_an_emitter():
    named = {name for name, row in TABLE.items() if row.core and row.elementwise}
    assert len(named) > 50
    assert named == set(ROWS)
    assert named == set(EMITTERS)


@pytest.mark.parametrize("code", ["e", "F", "D"])
def test_half_precision_and_complex_numbers_are_not_supported(code):
    assert not is_supported("add", [np.dtype(code)] * 2)
    assert not is_supported("cast", [np.dtype("f"), np.dtype(code)])


def test_what_is_not_elementwise_is_not_supported():
    assert not is_supported("sum", [np.dtype("f")])


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("lanes", [1, 4])
def test_a_constant_fills_all_lanes(dtype, lanes):
    for number in edges(dtype)[::5]:
        loop = compile_loop(
            lambda builder, values, n=number: typed_constant(n, dtype, lanes), [dtype], dtype, lanes
        )
        found = loop(np.zeros(8, dtype))
        assert (bits(found) == bits(np.full(8, number, dtype))).all()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_scalar_is_spread_over_a_vector(dtype):
    place = ir.Constant(ir.IntType(32), 2)

    def third_everywhere(builder, values):
        return vector(builder, builder.extract_element(values[0], place), 4)

    x = np.arange(8).astype(dtype)
    found = compile_loop(third_everywhere, [dtype], dtype, 4)(x)
    assert found.tolist() == [x[2]] * 4 + [x[6]] * 4


def test_a_scalar_of_one_lane_stays_as_it_is():
    kind = value_type(np.dtype("f"), 1)
    scalar = ir.Constant(kind, 1.0)
    assert vector(ir.IRBuilder(), scalar, 1) is scalar
