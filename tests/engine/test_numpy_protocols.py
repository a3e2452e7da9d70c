"""What NumPy's functions make of tensors: ours where both have a name, else arrays or one clear line."""

import operator

import numpy as np
import pytest

import slopewise as sw
import slopewise.array as xp
from slopewise.engine.errors import DtypeError, TraceError
from slopewise.engine.numpy_protocols import _ufuncs


def tracked(*values):
    return sw.tensor([*values], requires_grad=True)


def gradient_of(function, x):
    x.grad = None
    function(x).sum().backward()
    return x.grad.tolist()


@pytest.mark.parametrize("ufunc", [np.sin, np.exp, np.sqrt, np.absolute, np.arctan, np.square, np.log1p])
def test_functions_of_elements_are_ours_and_carry_gradients(ufunc):
    x = tracked(0.5, 2.0)
    assert ufunc(x).numpy().tolist() == pytest.approx(ufunc(x.numpy()).tolist(), rel=1e-6)
    ours = next(function for theirs, function in _ufuncs().items() if theirs is ufunc)
    assert gradient_of(ufunc, x) == gradient_of(ours, x)


def test_every_ufunc_of_the_standard_has_ours_behind_it():
    names = {ufunc.__name__ for ufunc in _ufuncs()}
    assert {"add", "power", "matmul", "arccos", "invert", "left_shift", "logical_not", "maximum"} <= names
    assert _ufuncs()[np.power] is xp.pow


BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.matmul]
BINARY += [operator.floordiv, operator.mod, operator.eq, operator.ne, operator.lt, operator.ge]


@pytest.mark.parametrize("operation", BINARY)
@pytest.mark.parametrize("left", [np.array([1.0, 3.0], np.float32), np.array([2, 5]), np.float64(2.0)])
def test_an_array_before_the_operator_is_as_a_tensor_there(operation, left):
    if operation is operator.matmul and left.ndim == 0:
        pytest.skip("a number is no matrix")
    x = tracked(2.0, 3.0)
    result, expected = operation(left, x), operation(sw.asarray(left) if left.ndim else float(left), x)
    assert isinstance(result, sw.Tensor)
    assert (result.dtype, result.tolist()) == (expected.dtype, expected.tolist())
    assert result.requires_grad == expected.requires_grad


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "std", "var"])
def test_reductions_carry_gradients(name):
    x = sw.tensor([[1.0, 2.0], [3.0, 5.0]], requires_grad=True)
    reduce = getattr(np, name)
    assert reduce(x).item() == pytest.approx(float(reduce(x.numpy())))
    assert reduce(x, 0).tolist() == pytest.approx(reduce(x.numpy(), 0).tolist())
    assert reduce(x, axis=1, keepdims=True).shape == (2, 1)
    assert gradient_of(reduce, x) == gradient_of(getattr(xp, name), x)


def test_other_functions_look_at_the_value():
    x = tracked(3.0, 1.0)
    assert np.sort(x).tolist() == [1, 3]
    assert np.concatenate([x, x]).tolist() == [3, 1, 3, 1]
    assert np.allclose(x, [3, 1])
    assert np.interp(2.0, (0.0, 4.0), x).tolist() == 2
    assert type(np.linalg.norm(x, axis=0)) is np.float32
    assert type(np.sum(x, dtype=np.float64)) is np.float64  # an argument that NumPy alone knows


def test_in_place_arithmetic_on_an_array_leaves_it_an_array():
    total = np.zeros(2, np.float32)
    before = total
    total += tracked(1.0, 2.0)
    assert total is before
    assert total.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: np.cbrt(x), r"^np.cbrt cannot do this with tensors; give it arrays.*: x.numpy\(\)$"),
        (lambda x: np.add.reduce(x), "^np.add.reduce cannot do this"),
        (
            lambda x: np.add(x, 1, where=[True, False]),
            "^np.add cannot .*; leave out where, or give it arrays",
        ),
        (lambda x: np.add(1.0, 1.0, out=x), "^np.add cannot .*; leave out out, or"),
        (lambda x: np.frompyfunc(float, 1, 1)(x), r"^float \(vectorized\) cannot do this"),
    ],
)
def test_what_has_no_counterpart_says_so_in_one_line(call, message):
    with pytest.raises(DtypeError, match=message):
        call(tracked(1.0, 2.0))


def test_traced_functions_take_numpys_names():
    @sw.compile
    def scaled(x):
        return np.exp(np.ones(2, np.float32) * x) / np.sum(x) * np.shape(x)[0]

    x = sw.tensor([1.0, 3.0])
    assert np.allclose(scaled(x), np.exp(x.numpy()) / 4 * 2, rtol=1e-5)
    with pytest.raises(TraceError, match="conversion to NumPy needs the value"):
        sw.compile(lambda x: np.sort(x))(x)
