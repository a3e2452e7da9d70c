"""The solver "lbfgs": SciPy's L-BFGS-B over the engine's value and gradient of the whole data."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from slopewise.compiler import compile as compile_function
from slopewise.engine.creation import tensor
from slopewise.engine.mode import no_grad
from slopewise.engine.tensor import Tensor
from slopewise.estimators.network import MultilayerPerceptron
from slopewise.estimators.objective import DATA_LOSSES, Objective
from slopewise.estimators.rows import Rows

if TYPE_CHECKING:
    from slopewise.estimators.multilayer_perceptron import BaseMultilayerPerceptron

Vector = NDArray[np.float64]


def fit_quasi_newton(
    estimator: BaseMultilayerPerceptron, model: MultilayerPerceptron, rows: Rows
) -> MultilayerPerceptron:
    """Minimise the objective over all rows, in float64; sets `loss_` and `n_iter_`.

    Returns
    -------
    MultilayerPerceptron : with the weights found, in float64

    References
    ----------
    C. Zhu, R. Byrd, P. Lu, J. Nocedal, "Algorithm 778: L-BFGS-B", ACM Trans. Math. Software 23 (1997).
    Stopping criteria are those of scikit-learn: the largest element of the gradient against `tol`,
    `max_iter` iterations, `max_fun` evaluations.
    """
    from scipy.optimize import minimize

    model = model.astype("float64")
    result = minimize(
        _value_and_gradient(estimator, model, rows),
        _pack([parameter.numpy() for parameter in model.parameters()]),
        method="L-BFGS-B",
        jac=True,
        options={"maxfun": estimator.max_fun, "maxiter": estimator.max_iter, "gtol": estimator.tol},
        callback=_printer() if estimator.verbose else None,
    )
    _load(model, result.x)
    estimator.n_iter_ = max(1, min(int(result.nit), estimator.max_iter))
    estimator.loss_ = estimator._reported_loss(float(result.fun), lambda: _mean_squared_error(model, rows))
    if result.status != 0:
        _warn_of_no_convergence(estimator.n_iter_, estimator.max_iter, result)
    return model


def _value_and_gradient(
    estimator: BaseMultilayerPerceptron, model: MultilayerPerceptron, rows: Rows
) -> Callable[[Vector], tuple[float, Vector]]:
    """Return the objective as SciPy wants it: a function of one vector, traced once."""
    objective = Objective(model, DATA_LOSSES[estimator.out_activation_], estimator.alpha)
    parameters = list(model.parameters())
    x, y = tensor(rows.X, "float64"), tensor(rows.target)
    weight = None if rows.sample_weight is None else tensor(rows.sample_weight)

    @compile_function
    def backward() -> Tensor:
        model.zero_grad()
        loss = objective(model(x), y, sample_weight=weight)
        loss.backward()
        return loss.detach()

    def evaluate(vector: Vector) -> tuple[float, Vector]:
        _load(model, vector)
        loss = backward()
        return loss.item(), _pack([_gradient(parameter) for parameter in parameters])

    return evaluate


def _gradient(parameter: Tensor) -> NDArray[Any]:
    assert parameter.grad is not None
    return parameter.grad.numpy()


def _pack(arrays: list[NDArray[Any]]) -> Vector:
    return np.concatenate([array.ravel() for array in arrays])


def _load(model: MultilayerPerceptron, vector: Vector) -> None:
    start = 0
    with no_grad():
        for parameter in model.parameters():
            parameter.copy_(vector[start : start + parameter.size].reshape(parameter.shape))
            start += parameter.size


def _mean_squared_error(model: MultilayerPerceptron, rows: Rows) -> float:
    with no_grad():
        prediction = model(tensor(rows.X, "float64")).numpy()
    by_row = np.mean((prediction - rows.target) ** 2, axis=1)
    return float(np.average(by_row, weights=rows.sample_weight))


def _printer() -> Callable[..., None]:
    """Return a callback that prints a line an iteration, in the form of the other solvers."""
    iteration = 0

    def show(intermediate_result: Any) -> None:
        nonlocal iteration
        iteration += 1
        print(f"Iteration {iteration}, loss = {intermediate_result.fun:.8f}")

    return show


def _warn_of_no_convergence(iterations: int, max_iter: int, result: Any) -> None:
    from sklearn.exceptions import ConvergenceWarning

    advice = "scale the features, for example with StandardScaler"
    if iterations >= max_iter:
        advice = f"raise max_iter={max_iter}, or {advice}"
    warnings.warn(
        f"lbfgs failed to converge after {iterations} iteration(s) (status={result.status}): "
        f"{result.message}; {advice}",
        ConvergenceWarning,
        stacklevel=6,
    )
