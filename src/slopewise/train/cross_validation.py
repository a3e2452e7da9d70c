"""Cross-validation: a model of its own for each fold, judged on the rows that it did not see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slopewise.data import KFold, StratifiedKFold
from slopewise.engine.errors import ArgumentError
from slopewise.train.rows import rows_of
from slopewise.train.trainer import Trainer


def cross_validate(
    make_trainer: Callable[[], Trainer],
    X: Any,
    y: Any,
    *,
    cv: Any = 5,
    groups: Any = None,
    sample_weight: Any = None,
    return_train_score: bool = False,
    **fit_options: Any,
) -> dict[str, NDArray[Any]]:
    """Train and judge a fresh model on each fold.

    Parameters
    ----------
    make_trainer : callable without arguments
        Makes a new model, optimizer and Trainer. Each fold calls it, so that nothing is carried over; seed
        it inside (`slopewise.manual_seed`) for the same initial weights in each fold.
    X, y : arrays, shape (rows, ...)
    cv : int or splitter
        The number of folds, stratified by class if y holds integers, shuffled; or an object with
        ``split(X, y, groups)`` and ``get_n_splits``, such as `KFold`, `GroupKFold` or `TimeSeriesSplit`.
    groups : array, shape (rows,), optional
        For a splitter that keeps groups together.
    sample_weight : array, shape (rows,), optional
    return_train_score : bool
        Whether each model is judged on its training rows too.
    **fit_options
        Handed on to `Trainer.fit`: epochs, batch_size, callbacks and so on. Callbacks are used for all
        folds; make them in `make_trainer`'s place if they keep state.

    Returns
    -------
    dict of name to array, shape (folds,)
        ``test_loss`` and a ``test_<metric>`` for each metric, ``train_...`` likewise on request, and
        ``epochs`` (scikit-learn's `cross_validate` with the names of our metrics).

    Examples
    --------
    >>> import slopewise as sw
    >>> X, y = sw.data.generate("blobs", n=120, seed=0)
    >>> def make_trainer():
    ...     sw.manual_seed(0)
    ...     model = sw.nn.Linear(X.shape[1], 3)
    ...     optimizer = sw.optim.Adam(model.parameters(), lr=0.1)
    ...     return sw.Trainer(model, loss="cross_entropy", optimizer=optimizer, metrics=["accuracy"])
    >>> scores = sw.cross_validate(make_trainer, X, y, cv=3, epochs=20)
    >>> scores["test_accuracy"].shape
    (3,)
    """
    if "validation" in fit_options:
        raise ArgumentError(
            "cross_validate takes no `validation`: each fold is judged on the rows it left out"
        )
    X, y = rows_of("X", X), rows_of("y", y)
    weight = None if sample_weight is None else rows_of("sample_weight", sample_weight)
    results: dict[str, list[float]] = {}
    for train_rows, test_rows in _splitter(cv, y).split(X, y, groups):
        trainer = make_trainer()
        history = trainer.fit(
            X[train_rows], y[train_rows], sample_weight=_some(weight, train_rows), **fit_options
        )
        parts = {"test": test_rows, **({"train": train_rows} if return_train_score else {})}
        for part, rows in parts.items():
            for name, value in trainer.evaluate(X[rows], y[rows], _some(weight, rows)).items():
                results.setdefault(f"{part}_{name}", []).append(value)
        results.setdefault("epochs", []).append(len(history))
    return {name: np.asarray(values) for name, values in results.items()}


def _splitter(cv: Any, y: NDArray[Any]) -> Any:
    if hasattr(cv, "get_n_splits"):
        return cv
    if isinstance(cv, bool) or not isinstance(cv, int | np.integer):
        raise ArgumentError(f"cv must be a number of folds or a splitter such as KFold, not {cv!r}")
    if y.dtype.kind in "biu" and y.ndim == 1:
        return StratifiedKFold(int(cv), shuffle=True)
    return KFold(int(cv), shuffle=True)


def _some(weight: NDArray[Any] | None, rows: NDArray[np.int64]) -> NDArray[Any] | None:
    return None if weight is None else weight[rows]
