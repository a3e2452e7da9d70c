"""The programs that cards show. `tests/pro/test_programs.py` holds each against the engine."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def softmax(z):  # type: ignore[no-untyped-def]
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def gradient_check(f, gradient, x, step=1e-5):  # type: ignore[no-untyped-def]
    worst = 0.0
    for k in range(x.size):
        e = np.zeros_like(x)
        e.flat[k] = step
        slope = (f(x + e) - f(x - e)) / (2 * step)
        worst = max(worst, abs(slope - gradient.flat[k]) / max(1, abs(slope)))
    return worst


def folds(n, k, order):  # type: ignore[no-untyped-def]
    parts = np.array_split(order, k)
    for i in range(k):
        yield np.concatenate(parts[:i] + parts[i + 1 :]), parts[i]


def auc(scores, labels):  # type: ignore[no-untyped-def]
    positive, negative = scores[labels == 1], scores[labels == 0]
    wins = (positive[:, None] > negative).mean()
    ties = (positive[:, None] == negative).mean()
    return wins + ties / 2


def adam(w, gradient, state, t, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8):  # type: ignore[no-untyped-def]
    m, v = state
    m = b1 * m + (1 - b1) * gradient
    v = b2 * v + (1 - b2) * gradient**2
    step = (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
    return w - lr * step, (m, v)


def fit_line(x, y, lr, epochs):  # type: ignore[no-untyped-def]
    w, b = 0.0, 0.0
    for _ in range(epochs):
        error = w * x + b - y
        w -= lr * 2 * (error * x).mean()
        b -= lr * 2 * error.mean()
    return w, b


def layer_backward(x, w, g):  # type: ignore[no-untyped-def]
    # y = relu(x @ w + b), and g is the gradient of the loss in y
    g = g * (x @ w[:-1] + w[-1] > 0)
    return g @ w[:-1].T, np.vstack([x.T @ g, g.sum(axis=0)])


class Value:
    def __init__(self, data: float, inputs: Any = ()) -> None:
        self.data, self.inputs, self.grad = data, inputs, 0.0

    def __add__(self, other: Value) -> Value:
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other: Value) -> Value:
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))

    def backward(self) -> None:
        order: list[Value] = []
        seen = set()

        def visit(node: Value) -> None:
            if node not in seen:
                seen.add(node)
                for source, _ in node.inputs:
                    visit(source)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for source, slope in node.inputs:
                source.grad += slope * node.grad


def log_sum_exp(z):  # type: ignore[no-untyped-def]
    top = max(z)
    return top + math.log(sum(math.exp(v - top) for v in z))


def reservoir(stream, k, draw):  # type: ignore[no-untyped-def]
    kept = []
    for seen, row in enumerate(stream):
        if seen < k:
            kept.append(row)
        elif (place := draw(seen + 1)) < k:  # a whole number from 0 to seen
            kept[place] = row
    return kept
