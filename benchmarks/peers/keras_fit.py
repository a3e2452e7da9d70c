"""Keras on JAX, jit-compiled: `fit` for one epoch over the permuted data, its own shuffle off."""

from __future__ import annotations

import os
from collections.abc import Callable

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

from benchmarks import layers
from benchmarks.peers.jax_models import channels_last_data, channels_last_weights
from benchmarks.workloads import BETAS, EPSILON, LEARNING_RATE, SEED, Workload


def prepare(workload: Workload) -> Callable[[np.ndarray], float]:
    """Return a function that makes one pass."""
    keras.utils.set_random_seed(SEED)
    X, y = channels_last_data(workload)
    model = _build(workload, X.shape[1:])
    model.compile(
        optimizer={
            "adam": lambda: keras.optimizers.Adam(LEARNING_RATE, *BETAS, epsilon=EPSILON),
            "sgd": lambda: keras.optimizers.SGD(LEARNING_RATE),
        }[workload.optimizer](),
        loss={
            "cross_entropy": lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "bce_with_logits": lambda: keras.losses.BinaryCrossentropy(from_logits=True),
        }[workload.loss](),
        jit_compile=True,
    )

    def run(order: np.ndarray) -> float:
        history = model.fit(X[order], y[order], batch_size=workload.batch, epochs=1, shuffle=False, verbose=0)
        return float(history.history["loss"][0])

    return run


def _build(workload: Workload, row: layers.Shape) -> keras.Model:
    inputs = x = keras.Input(row)
    loads: list[Callable[[], None]] = []
    weights = channels_last_weights(workload)
    for i, layer in enumerate(workload.layers):
        own = {name.removeprefix(f"{i}."): w for name, w in weights.items() if name.startswith(f"{i}.")}
        if isinstance(layer, layers.Encoder):
            x = _encode(x, layer, own, loads)
            continue
        made = _layer(layer)
        x = made(x)
        if own:
            made.set_weights([own["weight"], own["bias"], *made.get_weights()[2:]])
    for load in loads:
        load()
    return keras.Model(inputs, x)


def _layer(layer: layers.Layer) -> keras.layers.Layer:
    match layer:
        case layers.Linear(_, n_out):
            return keras.layers.Dense(n_out)
        case layers.ReLU():
            return keras.layers.ReLU()
        case layers.BatchNorm():
            return keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
        case layers.Dropout(p):
            return keras.layers.Dropout(p)
        case layers.Conv(_, n_out, size):
            return keras.layers.Conv2D(n_out, size, padding="same")
        case layers.MaxPool():
            return keras.layers.MaxPooling2D(2)
        case layers.Flatten():
            return keras.layers.Flatten()
        case layers.MeanTokens():
            return keras.layers.GlobalAveragePooling1D()
    raise ValueError(f"no single Keras layer for {layer}")


def _encode(
    x: keras.KerasTensor,
    layer: layers.Encoder,
    own: dict[str, np.ndarray],
    loads: list[Callable[[], None]],
) -> keras.KerasTensor:
    """Add the encoder layer; `loads` gets what sets its weights."""
    width, heads, head = layer.width, layer.heads, layer.width // layer.heads
    attention = keras.layers.MultiHeadAttention(heads, head)
    norm1, norm2 = (keras.layers.LayerNormalization(epsilon=1e-5) for _ in range(2))
    inner, outer = keras.layers.Dense(layer.inner, activation="relu"), keras.layers.Dense(width)
    x = norm1(x + attention(x, x))
    x = norm2(x + outer(inner(x)))

    def load() -> None:
        weight = own["self_attn.in_proj_weight"].reshape(3, heads, head, width)
        bias = own["self_attn.in_proj_bias"].reshape(3, heads, head)
        projections = [part for i in range(3) for part in (weight[i].transpose(2, 0, 1), bias[i])]
        joined = own["self_attn.out_proj.weight"].T.reshape(heads, head, width)
        attention.set_weights([*projections, joined, own["self_attn.out_proj.bias"]])
        for dense, name in ((inner, "linear1"), (outer, "linear2")):
            dense.set_weights([own[f"{name}.weight"].T, own[f"{name}.bias"]])
        for norm, name in ((norm1, "norm1"), (norm2, "norm2")):
            norm.set_weights([own[f"{name}.weight"], own[f"{name}.bias"]])

    loads.append(load)
    return x
