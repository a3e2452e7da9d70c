"""Streaming metrics of predicted classes."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.creation import scalar_like, zeros
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError
from slopewise.engine.mode import no_grad
from slopewise.engine.tensor import Tensor
from slopewise.metrics.streaming import FLOAT64, Mean, Metric, State, as_tensor, row_weight

INT64 = np.dtype(np.int64)


class _Classification(Metric):
    """What metrics of classes share: the forms in which predictions come, and the check of the targets'
    range.

    `init`, `update` and `compute` keep (own state, the smallest target, how far one lies beyond the last
    class).
    """

    def init(self) -> State:
        return self._start(), zeros((), INT64), zeros((), INT64)

    def update(self, state: State, prediction: Any, target: Any, weight: Any = None) -> State:
        own, lowest, excess = state
        with no_grad():
            prediction, target = as_tensor(prediction), as_tensor(target)
            scores, target, weight = _flat_classes(self.name, prediction, target, weight)
            if not target.size:
                return state
            last = scalar_like(self._n_classes(scores) - 1, INT64)
            return (
                self._add(own, scores, target, weight),
                ops.minimum(lowest, ops.min(target)),
                ops.maximum(excess, ops.max(target) - last),
            )

    def compute(self, state: State) -> Any:
        own, lowest, excess = state
        if lowest.item() < 0:
            raise ArgumentError(f"{self.name}: a target is {lowest.item()}, but classes count from 0")
        if excess.item() > 0:
            raise ArgumentError(f"{self.name}: a target lies {excess.item()} beyond the last class")
        return self._finish(own)

    def _n_classes(self, scores: Tensor) -> int:
        """Return how many classes there are, as far as the form of predictions tells."""
        if scores.ndim == 2:
            return scores.shape[1]
        return 2 if scores.dtype.kind == "f" else np.iinfo(INT64).max  # class numbers may go on

    @abstractmethod
    def _start(self) -> State: ...

    @abstractmethod
    def _add(self, own: State, scores: Tensor, target: Tensor, weight: Tensor | None) -> State: ...

    @abstractmethod
    def _finish(self, own: State) -> Any: ...


def _flat_classes(
    name: str, prediction: Tensor, target: Tensor, weight: Any
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return scores (rows, classes), or (rows,) for two classes, int64 targets (rows,) and float64
    weights (rows,).

    Positions in a sequence become rows.
    """
    one_score = prediction.shape == target.shape and (target.ndim == 1 or target.shape[-1:] == (1,))
    by_class = prediction.ndim > 1 and prediction.shape[:-1] == target.shape and prediction.shape[-1] > 1
    if not (one_score or by_class):
        raise ShapeError(
            f"{name}: prediction has shape {prediction.shape} and target {target.shape}: give scores "
            "(rows, classes) and class numbers (rows,), or, for two classes, one score a row and a target "
            "of the same shape"
        )
    if weight is not None:
        weight = row_weight(name, weight, target.shape[0])
    if target.ndim > 1:
        if weight is not None:
            weight = ops.broadcast_to(weight.reshape((-1,) + (1,) * (target.ndim - 1)), target.shape)
            weight = weight.reshape((target.size,))
        prediction = prediction.reshape((target.size,) if one_score else (target.size, prediction.shape[-1]))
        target = target.reshape((target.size,))
    return prediction, target.astype(INT64), weight


def _predicted(scores: Tensor, threshold: float) -> Tensor:
    """Return the predicted class of each row, int64."""
    if scores.ndim == 2:
        return ops.argmax(scores, axis=1)
    if scores.dtype.kind in "biu":
        return scores.astype(INT64)  # class numbers
    return (scores > threshold).astype(INT64)


class _MeanOverRows(_Classification):
    """A mean over rows of what `_row_values` returns."""

    def _start(self) -> State:
        return Mean().init()

    def _add(self, own: State, scores: Tensor, target: Tensor, weight: Tensor | None) -> State:
        return Mean().update(own, self._row_values(scores, target), weight)

    def _finish(self, own: State) -> float:
        return Mean().compute(own)

    @abstractmethod
    def _row_values(self, scores: Tensor, target: Tensor) -> Tensor: ...


class Accuracy(_MeanOverRows):
    """The share of rows whose predicted class is the true one.

    Parameters
    ----------
    threshold : float; where one score stands for two classes, class 1 is predicted above it: 0 for
    logits, 0.5 for
        probabilities. Integer predictions are class numbers.

    Examples
    --------
    >>> import slopewise as sw
    >>> metric = sw.metrics.Accuracy()
    >>> metric.compute(metric.update(metric.init(), sw.tensor([1.5, -0.5, 0.5]), sw.tensor([1, 0, 0])))
    0.6666666666666666
    """

    name = "accuracy"
    higher_is_better = True

    def __init__(self, threshold: float = 0.0) -> None:
        self.threshold = threshold

    def _row_values(self, scores: Tensor, target: Tensor) -> Tensor:
        return ops.equal(_predicted(scores, self.threshold), target)


class TopKAccuracy(_MeanOverRows):
    """The share of rows whose true class is among the k highest scores; of equal scores the first classes
    come first.

    Examples
    --------
    >>> import slopewise as sw
    >>> metric = sw.metrics.TopKAccuracy(k=2)
    >>> scores = sw.tensor([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]])
    >>> metric.compute(metric.update(metric.init(), scores, sw.tensor([2, 2])))
    0.5
    """

    name = "top_k_accuracy"
    higher_is_better = True

    def __init__(self, k: int = 5) -> None:
        if k < 1:
            raise ArgumentError(f"top_k_accuracy: k must be at least 1, not {k}")
        self.k = k

    def _row_values(self, scores: Tensor, target: Tensor) -> Tensor:
        if scores.ndim != 2:
            raise ShapeError("top_k_accuracy needs predictions of shape (rows, classes)")
        own = _score_of_target(scores, target)
        ahead = ops.bitwise_invert(scores <= own)  # a nan is ahead of everything, as it is for argmax
        earlier = (scores == own) & (ops.arange(scores.shape[1]) < target.reshape((-1, 1)))
        return ops.sum(ahead | earlier, axis=1) < self.k


def _score_of_target(scores: Tensor, target: Tensor) -> Tensor:
    """Return each row's score of its true class, shape (rows, 1); targets that are no class count as the
    nearest."""
    inside = ops.clip(target, 0, scores.shape[1] - 1)
    return scores[ops.arange(scores.shape[0]), inside].reshape((-1, 1))


class LogLoss(_MeanOverRows):
    """The mean of -ln(probability given to the true class), in nats.

    Parameters
    ----------
    from_logits : predictions are logits, (rows, classes) or (rows,) for two classes; otherwise
    probabilities, which are kept
        off 0 and 1 by the machine epsilon of their dtype, as in `slopewise.metrics.log_loss`

    Examples
    --------
    >>> import slopewise as sw
    >>> metric = sw.metrics.LogLoss(from_logits=False)
    >>> state = metric.update(metric.init(), sw.tensor([[0.5, 0.5], [0.25, 0.75]]), sw.tensor([0, 1]))
    >>> round(metric.compute(state), 4)
    0.4904
    """

    name = "log_loss"
    higher_is_better = False

    def __init__(self, from_logits: bool = True) -> None:
        self.from_logits = from_logits

    def _row_values(self, scores: Tensor, target: Tensor) -> Tensor:
        if scores.dtype.kind != "f":
            raise DtypeError(f"log_loss needs floating predictions, not {scores.dtype}")
        eps = float(np.finfo(scores.dtype).eps)
        scores = scores.astype(FLOAT64)
        if scores.ndim == 1:
            scores = ops.stack(
                [ops.zeros(scores.shape, FLOAT64) if self.from_logits else 1 - scores, scores], 1
            )
        given = _score_of_target(scores, target)
        if self.from_logits:
            return (ops.logsumexp(scores, axis=1, keepdims=True) - given).reshape((-1,))
        return -ops.log(ops.clip(given, eps, 1 - eps)).reshape((-1,))


class ConfusionMatrix(_Classification):
    """The weight of the rows of each true class (down) that were given each predicted class (across).

    `compute` returns a float64 array, shape (classes, classes).

    Parameters
    ----------
    n_classes : int
    threshold : float; see `Accuracy`

    Examples
    --------
    >>> import slopewise as sw
    >>> metric = sw.metrics.ConfusionMatrix(n_classes=2)
    >>> metric.compute(metric.update(metric.init(), sw.tensor([0, 1, 1]), sw.tensor([0, 0, 1]))).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """

    name = "confusion_matrix"
    higher_is_better = True

    def __init__(self, n_classes: int = 2, threshold: float = 0.0) -> None:
        if n_classes < 2:
            raise ArgumentError(f"{self.name}: n_classes must be at least 2, not {n_classes}")
        self.n_classes = n_classes
        self.threshold = threshold

    def _n_classes(self, scores: Tensor) -> int:
        if scores.ndim == 2 and scores.shape[1] != self.n_classes:
            raise ShapeError(
                f"{self.name}: predictions have {scores.shape[1]} classes, but it was made for "
                f"{self.n_classes}; pass {type(self).__name__}(n_classes={scores.shape[1]})"
            )
        return self.n_classes

    def _start(self) -> State:
        return zeros((self.n_classes, self.n_classes), FLOAT64)

    def _add(self, own: State, scores: Tensor, target: Tensor, weight: Tensor | None) -> State:
        classes = ops.arange(self.n_classes)
        given = (_predicted(scores, self.threshold).reshape((-1, 1)) == classes).astype(FLOAT64)
        if weight is not None:
            given = given * weight.reshape((-1, 1))
        true = (target.reshape((-1, 1)) == classes).astype(FLOAT64)
        return own + true.T @ given

    def _finish(self, own: State) -> Any:
        return np.array(own)


class _FromConfusion(ConfusionMatrix):
    """A share for each class of the confusion matrix, and its mean over the classes.

    Classes of which there is neither a true nor a predicted row count as 0; scores of finished
    predictions do the same with classes that `labels` names.
    """

    def __init__(self, n_classes: int = 2, average: str | None = "macro", threshold: float = 0.0) -> None:
        super().__init__(n_classes, threshold)
        if average not in ("macro", "binary", None):
            raise ArgumentError(f"{self.name}: average is {average!r}: use 'macro', 'binary' or None")
        if average == "binary" and n_classes != 2:
            raise ArgumentError(f"{self.name}: average='binary' is for two classes, not {n_classes}")
        self.average = average

    def _finish(self, own: State) -> Any:
        matrix = np.array(own)
        part, whole = self._share(np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1))
        shares = np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
        if self.average is None:
            return shares
        return float(shares[1] if self.average == "binary" else shares.mean())

    @staticmethod
    @abstractmethod
    def _share(hits: Any, predicted: Any, true: Any) -> tuple[Any, Any]:
        """Return part and whole, for each class."""


class Precision(_FromConfusion):
    """Of the rows that were given a class, the share that belongs to it; 0 if there are none.

    Parameters
    ----------
    n_classes : int
    average : "macro", the plain mean over the classes; "binary", class 1 of two; None, an array with a
    value for each threshold : float; see `Accuracy`

    Examples
    --------
    >>> import slopewise as sw
    >>> metric = sw.metrics.Precision(average=None)
    >>> metric.compute(metric.update(metric.init(), sw.tensor([0, 1, 1]), sw.tensor([0, 0, 1]))).tolist()
    [1.0, 0.5]
    """

    name = "precision"

    @staticmethod
    def _share(hits: Any, predicted: Any, true: Any) -> tuple[Any, Any]:
        return hits, predicted


class Recall(_FromConfusion):
    """Of the rows that belong to a class, the share that was given it; 0 if there are none. Parameters:
    see `Precision`.

    Examples
    --------
    >>> import slopewise as sw
    >>> metric = sw.metrics.Recall(average=None)
    >>> metric.compute(metric.update(metric.init(), sw.tensor([0, 1, 1]), sw.tensor([0, 0, 1]))).tolist()
    [0.5, 1.0]
    """

    name = "recall"

    @staticmethod
    def _share(hits: Any, predicted: Any, true: Any) -> tuple[Any, Any]:
        return hits, true


class F1(_FromConfusion):
    """The harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN). Parameters: see `Precision`.

    Examples
    --------
    >>> import slopewise as sw
    >>> metric = sw.metrics.F1(average="binary")
    >>> round(metric.compute(metric.update(metric.init(), sw.tensor([0, 1, 1]), sw.tensor([0, 0, 1]))), 4)
    0.6667
    """

    name = "f1"

    @staticmethod
    def _share(hits: Any, predicted: Any, true: Any) -> tuple[Any, Any]:
        return 2 * hits, predicted + true
