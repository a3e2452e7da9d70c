"""Behaviour that surprises people, on record: what mathematics or a convention asks for, not defects.

A change here is a change of behaviour that users will notice.
"""

import math

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine import ops


def test_a_nan_in_the_branch_that_where_does_not_take_still_spoils_the_gradient():
    """where gives the dead branch the gradient 0, but 0 times the infinite slope behind it is nan.

    The way out is a second where inside: log(where(x > 0, x, 1)).
    """
    x = sw.tensor([0.0, -1.0, 2.0])
    naive = sw.grad(lambda x: ops.where(x > 0, x * ops.log(x), 0.0).sum())(x).tolist()
    assert math.isnan(naive[0])
    safe = sw.grad(lambda x: ops.where(x > 0, x * ops.log(ops.where(x > 0, x, 1.0)), 0.0).sum())(x)
    assert safe.tolist()[:2] == [0.0, 0.0]


def test_a_tensor_of_python_floats_is_float32_even_from_large_numbers():
    with pytest.warns(RuntimeWarning, match="overflow"):
        assert sw.tensor([1e300]).tolist() == [math.inf]
    assert sw.tensor(np.array([1e300])).tolist() == [1e300]


def test_a_numpy_scalar_is_a_number_like_pythons_and_not_an_array():
    assert sw.tensor(np.float64(0.5)).dtype == np.float32
    assert sw.tensor(np.asarray(0.5)).dtype == np.float64


def test_an_integer_tensor_meets_a_python_float_in_float32():
    assert (sw.tensor([16777217]) + 0.0).tolist() == [16777216.0]


def test_column_against_row_broadcasts_to_a_matrix():
    """A loss written by hand on shapes (N, 1) and (N,) compares every prediction with every target."""
    assert (sw.tensor(np.zeros((3, 1))) - sw.tensor(np.zeros(3))).shape == (3, 3)


def test_equality_is_elementwise_so_a_tensor_is_not_found_in_a_list_by_value():
    x = sw.tensor([1.0, 2.0])
    assert (x == sw.tensor([1.0, 2.0])).tolist() == [True, True]
    assert {x: "by identity"}[x] == "by identity"


def test_plus_equals_gives_the_handle_a_new_value_and_others_keep_the_old():
    x = sw.tensor([1.0])
    same, other = x, x[:]
    x += 1.0
    assert same.tolist() == [2.0]
    assert other.tolist() == [1.0]


def test_an_assignment_through_an_index_of_an_index_is_lost():
    """x[0] is a new tensor, so x[0][1] = v changes that one; x[0, 1] = v is meant."""
    x = sw.tensor([[1.0, 2.0]])
    x[0][1] = 9.0
    assert x.tolist() == [[1.0, 2.0]]
    x[0, 1] = 9.0
    assert x.tolist() == [[1.0, 9.0]]


def test_gradients_add_up_until_someone_sets_them_to_none():
    w = sw.tensor([1.0], requires_grad=True)
    for _ in range(3):
        (w * 2.0).sum().backward()
    assert w.grad.tolist() == [6.0]


def test_detach_hides_a_dependence_that_finite_differences_see():
    assert sw.grad(lambda x: x.detach() * x)(sw.tensor(3.0)).item() == 3.0


def test_a_compiled_function_prints_when_it_is_traced_and_not_when_it_runs():
    calls = []
    double = sw.compile(lambda x: calls.append("traced") or x * 2.0)
    assert [double(sw.tensor(float(i))).item() for i in range(3)] == [0.0, 2.0, 4.0]
    assert calls == ["traced"]


def test_a_compiled_function_keeps_the_python_values_of_the_day_it_was_traced():
    scale = [2.0]
    scaled = sw.compile(lambda x: x * scale[0])
    assert scaled(sw.tensor(1.0)).item() == 2.0
    scale[0] = 5.0
    assert scaled(sw.tensor(1.0)).item() == 2.0


def test_a_python_number_as_an_argument_is_traced_for_each_value():
    power = sw.compile(lambda x, p: x**p)
    for p in (1, 2, 3):
        power(sw.tensor(2.0), p)
    assert power.n_traces == 3
