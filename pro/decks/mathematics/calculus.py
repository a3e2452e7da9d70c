"""Gradients of vectors and matrices, and products with Jacobians."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import slopewise as sw
import slopewise.array as xp
from pro.decks.sides import Sides, double
from slopewise.engine.tensor import Tensor
from slopewise.site.content.lesson import Formula

_DRAW = np.random.Generator(np.random.Philox(21))
X, V, U = (_DRAW.normal(size=3) for _ in range(3))
A, B = _DRAW.normal(size=(3, 3)), _DRAW.normal(size=(3, 3))
ROWS, LAYERS = 64, 100


def _f(x: Tensor) -> Tensor:
    """A smooth function of three numbers with no symmetry."""
    made: Tensor = xp.sum(xp.exp(x) * xp.sin(double([1.0, 2.0, 3.0]) * x)) + x[0] * x[1] * x[2]
    return made


def _g(x: Tensor) -> Tensor:
    made: Tensor = xp.tanh(double(A) @ x)
    return made


def _h(x: Tensor) -> Tensor:
    made: Tensor = xp.exp(double(B) @ x)
    return made


def _slope() -> Sides:
    return sw.jvp(_f, (double(X),), (double(V),))[1].numpy(), sw.grad(_f)(double(X)).numpy() @ V


def _steepest_in_max_norm() -> Sides:
    gradient = sw.grad(_f)(double(X)).numpy()
    corners = np.array(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, -1)
    return (gradient @ corners).max(), np.abs(gradient).sum()


def _signs() -> Sides:
    """The best of many directions whose largest entry is 1, and the signs of the gradient."""
    gradient = sw.grad(_f)(double(X)).numpy()
    axis = np.linspace(-1, 1, 21)
    directions = np.array(np.meshgrid(axis, axis, axis)).reshape(3, -1)
    return directions[:, (gradient @ directions).argmax()], np.sign(gradient)


def _change_of_coordinates() -> Sides:
    return sw.grad(lambda w: _f(double(A) @ w))(double(X)).numpy(), A.T @ sw.grad(_f)(double(A @ X)).numpy()


def _chain() -> Sides:
    whole = sw.jacobian(lambda x: _h(_g(x)))(double(X)).numpy()
    return whole, sw.jacobian(_h)(_g(double(X))).numpy() @ sw.jacobian(_g)(double(X)).numpy()


def _quadratic() -> Sides:
    return sw.grad(lambda x: xp.sum(x * (double(A) @ x)))(double(X)).numpy(), (A + A.T) @ X


def _trace() -> Sides:
    return sw.grad(lambda a: xp.sum(xp.permute_dims(a, (1, 0)) * double(B)))(double(A)).numpy(), B.T


def _inverse() -> Sides:
    inverse = np.linalg.inv(A)
    return sw.jvp(sw.linalg.inv, (double(A),), (double(B),))[1].numpy(), -inverse @ B @ inverse


def _times_its_inverse() -> Sides:
    return (double(A) @ sw.linalg.inv(double(A))).numpy(), np.eye(3)


def _layer() -> Sides:
    x, w, g = (_DRAW.normal(size=shape) for shape in ((5, 3), (3, 2), (5, 2)))
    _, pull = sw.vjp(lambda w: double(x) @ w, double(w))
    return pull(double(g))[0].numpy(), x.T @ g


def _softmax() -> Sides:
    p = sw.softmax(double(X)).numpy()
    return sw.jacobian(lambda z: sw.softmax(z))(double(X)).numpy(), np.diag(p) - np.outer(p, p)


def _length(x: Tensor) -> Tensor:
    made: Tensor = xp.sqrt(xp.sum(x * x))
    return made


def _unit() -> Sides:
    return sw.grad(_length)(double(X)).numpy(), X / np.linalg.norm(X)


def _normalised() -> Sides:
    u = X / np.linalg.norm(X)
    found = sw.jacobian(lambda x: x / _length(x))(double(X)).numpy()
    return found, (np.eye(3) - np.outer(u, u)) / np.linalg.norm(X)


def _hessian_product() -> Sides:
    return sw.jvp(sw.grad(_f), (double(X),), (double(V),))[1].numpy(), sw.hessian(_f)(double(X)).numpy() @ V


def _adjoint() -> Sides:
    forward = sw.jvp(_g, (double(X),), (double(V),))[1].numpy()
    backward = sw.vjp(_g, double(X))[1](double(U))[0].numpy()
    return U @ forward, backward @ V


def _rows_by_vmap() -> Sides:
    _, pull = sw.vjp(_g, double(X))
    return sw.vmap(lambda u: pull(u)[0])(double(np.eye(3))).numpy(), sw.jacobian(_g)(double(X)).numpy()


def _symmetric() -> Sides:
    found = sw.hessian(_f)(double(X)).numpy()
    return found, found.T


def _remainder(step: float) -> float:
    x, h = double(X), step * V
    second = _f(x).item() + sw.grad(_f)(x).numpy() @ h + 0.5 * h @ sw.hessian(_f)(x).numpy() @ h
    return abs(_f(double(X + h)).item() - second)


def _fixed_point(theta: float) -> float:
    z = 0.0
    for _ in range(200):
        z = 0.5 * math.tanh(z) + theta
    return z


def _implicit() -> Sides:
    theta, step = 0.3, 1e-5
    z = _fixed_point(theta)
    by_nudging = (_fixed_point(theta + step) - _fixed_point(theta - step)) / (2 * step)
    inner = sw.grad(lambda z: 0.5 * xp.tanh(z))(double(z)).item()
    return by_nudging, 1 / (1 - inner)


def _segments() -> Sides:
    return min(LAYERS / k + k for k in range(1, LAYERS + 1)), 2 * math.sqrt(LAYERS)


def _best_number_of_segments() -> Sides:
    return min(range(1, LAYERS + 1), key=lambda k: LAYERS / k + k), math.sqrt(LAYERS)


def _outer() -> Sides:
    found = sw.grad(lambda w: xp.sum(double(U) * (w @ double(V))))(double(A)).numpy()
    return found, np.outer(U, V)


def _checkpointed() -> Sides:
    def loss(x: Tensor) -> Tensor:
        made: Tensor = xp.sum(_h(_g(x)))
        return made

    def again(x: Tensor) -> Tensor:
        made: Tensor = xp.sum(sw.checkpoint(lambda y: _h(_g(y)))(x))
        return made

    return sw.grad(again)(double(X)).numpy(), sw.grad(loss)(double(X)).numpy()


FORMULAS = (
    Formula("slope", r"D_v f(x) = \nabla f(x)^\top v", _slope),
    Formula(
        "max_norm", r"\max_{\|v\|_\infty \leq 1} \nabla f^\top v = \|\nabla f\|_1", _steepest_in_max_norm
    ),
    Formula("signs", r"v = \mathrm{sign}(\nabla f)", _signs),
    Formula("coordinates", r"\nabla_w f(A w) = A^\top (\nabla f)(A w)", _change_of_coordinates),
    Formula("chain", r"J_{h \circ g}(x) = J_h(g(x)) \, J_g(x)", _chain),
    Formula("quadratic", r"\nabla_x \, x^\top A x = (A + A^\top) x", _quadratic),
    Formula("trace", r"\nabla_A \, \mathrm{tr}(A B) = B^\top", _trace),
    Formula("inverse", r"\mathrm{d}(A^{-1}) = -A^{-1} \, \mathrm{d}A \, A^{-1}", _inverse),
    Formula("undone", r"A A^{-1} = I", _times_its_inverse),
    Formula("layer", r"\nabla_W L = X^\top G", _layer),
    Formula("softmax", r"J = \mathrm{diag}(p) - p p^\top", _softmax),
    Formula("unit", r"\nabla \|x\| = \frac{x}{\|x\|}", _unit),
    Formula("normalised", r"J = \frac{1}{\|x\|} (I - u u^\top)", _normalised),
    Formula(
        "hvp", r"H v = \frac{\mathrm{d}}{\mathrm{d} \epsilon} \nabla f(x + \epsilon v)", _hessian_product
    ),
    Formula("adjoint", r"u^\top (J v) = (J^\top u)^\top v", _adjoint),
    Formula("rows", r"J = \mathrm{vmap}(u \mapsto J^\top u)(I)", _rows_by_vmap),
    Formula("symmetric", r"H = H^\top", _symmetric),
    Formula("implicit", r"\frac{\mathrm{d} z}{\mathrm{d} \theta} = \frac{1}{1 - \partial_z f(z)}", _implicit),
    Formula("segments", r"\min_k \left(\frac{n}{k} + k\right) = 2 \sqrt{n}", _segments),
    Formula("checkpoints", r"k = \sqrt{n}", _best_number_of_segments),
    Formula("outer", r"\nabla_W \, u^\top W v = u v^\top", _outer),
    Formula("recomputed", r"\nabla L_{\mathrm{recomputed}} = \nabla L", _checkpointed),
)


def facts() -> dict[str, Any]:
    """Return what the cards call by name."""
    return {
        "remainder": _remainder(1e-2) / _remainder(5e-3),
        "layers": LAYERS,
        "kept": int(2 * math.sqrt(LAYERS)),
    }
