"""scikit-learn's MLPClassifier: `partial_fit` is an epoch in batches, unshuffled.

For two classes it has one output, not two: the same function at the start and as much work, but an Adam that
goes another way, so that its loss on such a workload agrees only roughly.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.neural_network import MLPClassifier

from benchmarks.layers import Linear, make_weights
from benchmarks.workloads import BETAS, EPSILON, LEARNING_RATE, Workload, make_data


def prepare(workload: Workload) -> Callable[[np.ndarray], float]:
    """Return a function that makes one pass."""
    linear = [(i, layer) for i, layer in enumerate(workload.layers) if isinstance(layer, Linear)]
    X, y = make_data(workload)
    y = y.reshape(len(y)).astype(np.int64)
    model = MLPClassifier(
        hidden_layer_sizes=[layer.n_out for _, layer in linear[:-1]],
        solver=workload.optimizer,
        alpha=0.0,
        batch_size=workload.batch,
        learning_rate_init=LEARNING_RATE,
        momentum=0.0,
        nesterovs_momentum=False,
        shuffle=False,
        beta_1=BETAS[0],
        beta_2=BETAS[1],
        epsilon=EPSILON,
    )
    classes = np.arange(max(workload.outputs, 2))
    model.partial_fit(X[: workload.batch], y[: workload.batch], classes=classes)  # makes the weights
    weights = make_weights(workload.layers)
    for number, (i, _) in enumerate(linear):
        W, b = weights[f"{i}.weight"], weights[f"{i}.bias"]
        if number == len(linear) - 1 and workload.outputs == 2:
            W, b = W[1:] - W[:1], b[1:] - b[:1]
        model.coefs_[number][:] = W.T
        model.intercepts_[number][:] = b
    del model._optimizer  # so that the averages of that first step are forgotten

    def run(order: np.ndarray) -> float:
        model.partial_fit(X[order], y[order])
        return float(model.loss_)

    return run
