"""Tensor: making one, looking at it, copies, and handles that get new values."""

import copy
import pickle

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine.errors import GradientError


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        (1.5, "float32", ()),
        ([1.0, 2.0], "float32", (2,)),
        ([1, 2], "int64", (2,)),
        ([True, False], "bool", (2,)),
        ([1, 2.5], "float32", (2,)),
        ([1j], "complex64", (1,)),
        ([], "float32", (0,)),
        ([[], []], "float32", (2, 0)),
        (np.zeros(2), "float64", (2,)),
        (np.zeros(2, np.float16), "float16", (2,)),
        (np.zeros(2, ">f4"), "float32", (2,)),
        ([np.zeros(2), np.ones(2)], "float64", (2, 2)),
        (np.uint8(3), "uint8", ()),
        (range(3), "int64", (3,)),
    ],
)
def test_data_of_each_kind_gets_its_dtype_and_shape(data, dtype, shape):
    x = sw.tensor(data)
    assert (str(x.dtype), x.shape) == (dtype, shape)
    assert x.dtype.isnative


def test_a_list_of_tensors_is_stacked_and_keeps_their_gradient():
    a, b = sw.tensor(1.0, requires_grad=True), sw.tensor(2.0, requires_grad=True)
    stacked = sw.tensor([a, b, a])
    assert stacked.tolist() == [1.0, 2.0, 1.0]
    stacked.sum().backward()
    assert (a.grad.item(), b.grad.item()) == (2.0, 1.0)


def test_a_tensor_of_a_tensor_is_a_new_leaf():
    x = sw.tensor([1.0], requires_grad=True)
    y = sw.tensor(x * 2.0)
    assert not y.requires_grad
    assert sw.tensor(x, dtype="float64").dtype == np.float64


@pytest.mark.parametrize("dtype", ["float32", np.float64, "int8", bool, np.dtype("uint16"), "complex64"])
def test_a_dtype_can_be_asked_for(dtype):
    assert sw.tensor([0, 1], dtype=dtype).dtype == np.dtype(dtype)


# ---- looking at it


def test_what_it_is_can_be_asked():
    x = sw.tensor([[1.0, 2.0, 3.0]])
    assert (x.shape, x.ndim, x.size, len(x), x.device) == ((1, 3), 2, 3, 1, "cpu")
    assert x.T.shape == x.mT.shape == (3, 1)


def test_python_numbers_come_out():
    assert float(sw.tensor([1.5])) == 1.5
    assert int(sw.tensor(3.7)) == 3
    assert bool(sw.tensor([[0.0]])) is False
    assert complex(sw.tensor(1j)) == 1j
    assert [10, 20, 30][sw.tensor(2)] == 30
    assert f"{sw.tensor(1.23456):.2f}" == "1.23"
    assert f"{sw.tensor([1.0])}" == "tensor([1.])"


def test_it_is_iterated_over_by_rows():
    assert [row.tolist() for row in sw.tensor([[1, 2], [3, 4]])] == [[1, 2], [3, 4]]
    first, second = sw.tensor([1.0, 2.0])
    assert (first.item(), second.item()) == (1.0, 2.0)
    assert 2.0 in sw.tensor([1.0, 2.0])
    with pytest.raises(TypeError, match="no axes cannot be iterated over"):
        iter(sw.tensor(1.0))
    with pytest.raises(TypeError, match="no axes has no length"):
        len(sw.tensor(1.0))


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (sw.tensor([1.0, 2.5]), "tensor([1. , 2.5])"),
        (sw.tensor([1, 2]), "tensor([1, 2])"),
        (sw.tensor(np.zeros(1)), "tensor([0.], dtype=float64)"),
        (sw.tensor([1.0], requires_grad=True), "tensor([1.], requires_grad=True)"),
        (sw.tensor([1.0], requires_grad=True) * 2, "tensor([2.], made_by=mul)"),
        (sw.tensor([[1, 2], [3, 4]]), "tensor([[1, 2],\n        [3, 4]])"),
    ],
)
def test_it_shows_value_dtype_and_where_it_comes_from(x, text):
    assert repr(x) == text


def test_a_large_tensor_is_shown_in_short():
    assert len(repr(sw.tensor(np.zeros(100_000)))) < 200


def test_numpy_functions_take_it_and_numpy_arrays_meet_it_as_a_tensor():
    x = sw.tensor([1.0, 2.0])
    assert np.asarray(x).tolist() == [1.0, 2.0]
    assert np.asarray(x, dtype=np.float64).dtype == np.float64
    for y in (np.array([1.0, 1.0]) + x, x + np.array([1.0, 1.0]), np.float64(1.0) + x):
        assert isinstance(y, sw.Tensor)
        assert y.tolist() == [2.0, 3.0]
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(x, dtype=np.float64, copy=False)


def test_it_is_a_key_by_identity():
    x, y = sw.tensor([1.0]), sw.tensor([1.0])
    assert len({x, y, x}) == 2


# ---- copies


def test_a_pickled_tensor_comes_back_with_dtype_gradient_and_mark():
    w = sw.tensor(np.array([[1.0, 2.0]]), requires_grad=True)
    (w * 3.0).sum().backward()
    for again in (pickle.loads(pickle.dumps(w)), copy.deepcopy(w)):
        assert again.tolist() == w.tolist()
        assert again.dtype == w.dtype
        assert again.requires_grad
        assert again.is_leaf
        assert again.grad.tolist() == [[3.0, 3.0]]
        assert again.grad is not w.grad
        with sw.no_grad():
            again += 1.0
        assert w.tolist() == [[1.0, 2.0]]
    assert not pickle.loads(pickle.dumps(sw.tensor([1]))).requires_grad


def test_one_tensor_in_two_places_is_one_in_the_copy():
    w = sw.tensor([1.0])
    a, b = copy.deepcopy([w, w])
    assert a is b


def test_what_was_made_by_an_operation_cannot_be_copied_and_says_so():
    made = sw.tensor([1.0], requires_grad=True) * 2.0
    for attempt in (pickle.dumps, copy.deepcopy):
        with pytest.raises(
            GradientError, match=r"only leaf tensors can be copied or pickled.*detach\(\) it first"
        ):
            attempt(made)


# ---- new values for a handle


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("__iadd__", [8.0, 11.0]),
        ("__isub__", [4.0, 7.0]),
        ("__imul__", [12.0, 18.0]),
        ("__itruediv__", [3.0, 4.5]),
        ("__ifloordiv__", [3.0, 4.0]),
        ("__imod__", [0.0, 1.0]),
        ("__ipow__", [36.0, 81.0]),
    ],
)
def test_operators_in_place_keep_handle_shape_and_dtype(operator, expected):
    x = sw.tensor([6.0, 9.0])
    before = x
    assert getattr(x, operator)(2) is before
    assert before.tolist() == expected
    assert before.dtype == np.float32


def test_operators_in_place_for_integers_and_booleans():
    x = sw.tensor([6, 3])
    x &= 2
    x |= 1
    x <<= 3
    x >>= 1
    x ^= 1
    assert x.tolist() == [((((6 & 2) | 1) << 3) >> 1) ^ 1, ((((3 & 2) | 1) << 3) >> 1) ^ 1]
    m = sw.tensor([[1.0, 1.0], [0.0, 1.0]])
    m @= m
    assert m.tolist() == [[1.0, 2.0], [0.0, 1.0]]


def test_in_place_does_not_widen():
    x = sw.tensor([1.0])
    x += np.array([0.5])
    assert (x.tolist(), x.dtype) == ([1.5], np.float32)


def test_copy_takes_anything_that_broadcasts_and_keeps_leaf_and_dtype():
    w = sw.tensor([1.0, 2.0], requires_grad=True)
    with sw.no_grad():
        assert w.copy_(np.float64(7.0)) is w
        assert w.tolist() == [7.0, 7.0]
        w.copy_([1, 2])
    assert w.tolist() == [1.0, 2.0]
    assert w.dtype == np.float32
    assert w.is_leaf
    assert w.requires_grad


def test_a_function_without_operands_is_one_operation_too():
    two = sw.checkpoint(lambda: sw.tensor(1.0) + 1.0)
    assert two().item() == 2.0
    assert sw.compile(lambda: two() * 2.0)().item() == 4.0
    assert sw.compile(lambda: sw.tensor(3.0))().item() == 3.0
