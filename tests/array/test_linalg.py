"""Linear algebra: conventions, singular matrices, empty ones, complex ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import slopewise as sw
import slopewise.array as xp
from slopewise.engine.errors import ArgumentError, AxisError, GradientError, ShapeError

MATRIX = np.array([[2.0, 0.5, -0.25], [0.75, 1.5, 0.125], [-0.5, 0.25, 1.75]])
HERMITIAN = np.array([[3.0, 1 - 1j], [1 + 1j, 4.0]])


def test_a_vector_on_the_right_of_a_stack_is_one_vector_for_all() -> None:
    stack = sw.tensor(np.stack([MATRIX, MATRIX.T]))
    b = sw.tensor([1.0, 2.0, 3.0], dtype="float64")
    solution = xp.linalg.solve(stack, b)
    assert solution.shape == (2, 3)
    np.testing.assert_allclose((stack @ solution[..., None])[..., 0].numpy(), [b.numpy()] * 2, rtol=1e-12)


def test_inverse_and_solution_agree() -> None:
    x = sw.tensor(MATRIX)
    np.testing.assert_allclose((xp.linalg.inv(x) @ x).numpy(), np.eye(3), atol=1e-12)
    np.testing.assert_allclose(
        xp.linalg.matrix_power(x, -2).numpy(), np.linalg.matrix_power(MATRIX, -2), rtol=1e-12
    )


@pytest.mark.parametrize("function", [xp.linalg.inv, lambda x: xp.linalg.solve(x, xp.ones(2))])
def test_a_singular_matrix_is_said(function: Any) -> None:
    with pytest.raises(ArgumentError, match="Singular matrix"):
        function(xp.ones((2, 2)))


def test_a_matrix_without_a_root_is_said() -> None:
    with pytest.raises(ArgumentError, match="positive definite"):
        xp.linalg.cholesky(-xp.eye(2))


def test_determinants_of_nothing_and_of_stacks() -> None:
    assert xp.linalg.det(xp.zeros((0, 0))).item() == 1.0
    assert xp.linalg.det(xp.ones((4, 1, 1))).shape == (4,)
    sign, logabsdet = xp.linalg.slogdet(xp.zeros((2, 2)))
    assert (sign.item(), logabsdet.item()) == (0.0, -math.inf)


def test_the_gradient_of_slogdet_is_the_inverse_transposed() -> None:
    x = sw.tensor(MATRIX, requires_grad=True)
    xp.linalg.slogdet(x).logabsdet.backward()
    np.testing.assert_allclose(x.grad.numpy(), np.linalg.inv(MATRIX).T, rtol=1e-12)


@pytest.mark.parametrize("function", [xp.linalg.det, lambda x: xp.linalg.slogdet(x).logabsdet])
def test_a_determinant_has_a_value_but_no_gradient_where_a_matrix_is_singular(function: Any) -> None:
    x = sw.tensor([[1.0, 2.0], [2.0, 4.0]], requires_grad=True)
    y = function(x)
    assert y.item() in (0.0, -math.inf)
    with pytest.raises(GradientError, match="needs invertible matrices"):
        y.backward()


def test_the_gradient_of_cholesky_is_symmetric() -> None:
    x = sw.tensor(MATRIX @ MATRIX.T, requires_grad=True)
    xp.sum(xp.linalg.cholesky(x) * sw.tensor(np.arange(9.0).reshape(3, 3))).backward()
    np.testing.assert_allclose(x.grad.numpy(), x.grad.numpy().T, rtol=1e-12)


@pytest.mark.parametrize("upper", [False, True])
def test_factors_of_a_hermitian_matrix_multiply_to_it(upper: bool) -> None:
    factor = xp.linalg.cholesky(sw.tensor(HERMITIAN), upper=upper).numpy()
    product = factor.conj().T @ factor if upper else factor @ factor.conj().T
    np.testing.assert_allclose(product, HERMITIAN, rtol=1e-12)


def test_decompositions_multiply_to_what_they_came_from() -> None:
    x = sw.tensor(MATRIX)
    q, r = xp.linalg.qr(x)
    np.testing.assert_allclose((q @ r).numpy(), MATRIX, rtol=1e-12)
    u, s, vh = xp.linalg.svd(x)
    np.testing.assert_allclose(((u * s) @ vh).numpy(), MATRIX, rtol=1e-12)
    symmetric = sw.tensor(MATRIX + MATRIX.T)
    values, vectors = xp.linalg.eigh(symmetric)
    np.testing.assert_allclose(((vectors * values) @ vectors.mT).numpy(), symmetric.numpy(), rtol=1e-12)
    with pytest.raises(ArgumentError, match="mode must be"):
        xp.linalg.qr(x, mode="raw")


def test_an_error_names_the_decomposition_that_has_no_gradient() -> None:
    x = sw.tensor(MATRIX, requires_grad=True)
    for name, part in (
        ("svd", xp.linalg.svd(x).S),
        ("eigh", xp.linalg.eigh(x).eigenvalues),
        ("qr", xp.linalg.qr(x).R),
        ("pinv", xp.linalg.pinv(x)),
    ):
        with pytest.raises(GradientError, match=f"'{name}' has no gradient"):
            xp.sum(part).backward()


@pytest.mark.parametrize("ord", [2, 1, 3, 0.5, math.inf])
def test_norms_at_zero_have_subgradient_zero_or_share_it(ord: float) -> None:
    x = sw.tensor([0.0, 0.0], requires_grad=True)
    norm = xp.linalg.vector_norm(x, ord=ord)
    norm.backward()
    assert norm.item() == 0.0
    assert x.grad.tolist() == [0.0, 0.0]


def test_norms_of_nothing_are_zero() -> None:
    empty = xp.zeros((2, 0))
    for ord in (2, 1, math.inf, 3):
        assert xp.linalg.vector_norm(empty, axis=1, ord=ord).tolist() == [0.0, 0.0]
    assert xp.linalg.matrix_norm(empty).item() == 0.0


def test_norms_of_complex_numbers_are_real() -> None:
    x = sw.tensor([[3 + 4j, 0j]])
    assert xp.linalg.vector_norm(x).item() == 5.0
    assert xp.linalg.matrix_norm(x, ord=1).dtype == xp.float32


def test_a_rank_counts_singular_values_above_the_tolerance() -> None:
    x = sw.tensor(np.diag([1.0, 1e-3, 0.0]))
    assert xp.linalg.matrix_rank(x).item() == 2
    assert xp.linalg.matrix_rank(x, rtol=1e-2).item() == 1
    assert xp.linalg.matrix_rank(xp.zeros((0, 3))).item() == 0


def test_vecdot_conjugates_the_first_vector() -> None:
    x, y = sw.tensor([1 + 2j]), sw.tensor([3 - 1j])
    assert xp.vecdot(x, y).item() == (1 - 2j) * (3 - 1j)


@pytest.mark.parametrize(
    ("shape_a", "shape_b", "expected"),
    [
        ((3,), (3,), ()),
        ((3,), (3, 2), (2,)),
        ((2, 3), (3,), (2,)),
        ((4, 1, 2, 3), (5, 3, 2), (4, 5, 2, 2)),
        ((3,), (4, 3, 2), (4, 2)),
        ((2, 0), (0, 3), (2, 3)),
    ],
)
def test_matmul_takes_vectors_and_stacks_and_differentiates_both(
    shape_a: Any, shape_b: Any, expected: Any
) -> None:
    a = np.sin(np.arange(float(np.prod(shape_a))) + 1).reshape(shape_a)
    b = np.cos(np.arange(float(np.prod(shape_b))) + 1).reshape(shape_b)
    result = xp.matmul(sw.tensor(a), sw.tensor(b))
    assert result.shape == expected
    np.testing.assert_allclose(result.numpy(), a @ b, rtol=1e-12)
    sw.check_gradients(xp.matmul, a, b)


X = xp.ones((2, 3))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: xp.matmul(X, X), ShapeError, r"cannot multiply \(2, 3\) by \(2, 3\)"),
        (lambda: xp.matmul(X, 1.0), ShapeError, "at least one axis"),
        (lambda: xp.tensordot(X, X, axes=1), ShapeError, r"cannot pair axis 1 of shape \(2, 3\) with axis 0"),
        (lambda: xp.tensordot(X, X, axes=3), ArgumentError, "cannot pair 3 axes"),
        (lambda: xp.tensordot(X, X, axes=([0], [0, 1])), ArgumentError, "as many axes"),
        (lambda: xp.vecdot(X, xp.ones(2)), ShapeError, "vectors of one size"),
        (lambda: xp.vecdot(X, X, axis=2), AxisError, "axis 2"),
        (lambda: xp.linalg.inv(X), ShapeError, "square matrices"),
        (lambda: xp.linalg.det(xp.ones(3)), ShapeError, "square matrices"),
        (lambda: xp.linalg.solve(xp.eye(2), xp.ones(3)), ShapeError, "as many rows"),
        (lambda: xp.linalg.cross(X, X, axis=0), ShapeError, "three elements along axis 0"),
        (lambda: xp.linalg.outer(X, X), ShapeError, "two vectors"),
        (lambda: xp.linalg.diagonal(xp.ones(3)), ShapeError, "at least two axes"),
        (lambda: xp.linalg.matrix_power(X, 2), ShapeError, "square matrices"),
        (lambda: xp.linalg.matrix_power(xp.eye(2), 0.5), ArgumentError, "whole number"),
        (lambda: xp.linalg.matrix_norm(X, ord=5), ArgumentError, "not 5"),
        (lambda: xp.linalg.matrix_norm(xp.ones(3)), ShapeError, "at least two axes"),
        (lambda: xp.linalg.matrix_rank(xp.ones(3)), ShapeError, "at least two axes"),
        (lambda: xp.fft.fft(X, norm="unit"), ArgumentError, "not 'unit'"),
        (lambda: xp.fft.fft(X, n=0), ArgumentError, "a size of at least 1"),
        (lambda: xp.fft.fftfreq(0), ArgumentError, "at least one sample"),
    ],
)
def test_what_does_not_fit_is_said(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call()
