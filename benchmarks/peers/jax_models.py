"""The workloads' models in JAX: a pure function of weights, running statistics and a batch.

Images lie with their channels innermost, Keras's own layout; XLA's CPU is about as fast with either.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks import layers
from benchmarks.workloads import BETAS, EPSILON, LEARNING_RATE, Workload, make_data

Arrays = dict[str, jax.Array]
State = dict[str, Any]


def start(workload: Workload, prng: str, seed: int) -> State:
    """Return weights, running statistics, the optimizer's state and the key of dropout."""
    weights = {name: jnp.asarray(value) for name, value in channels_last_weights(workload).items()}
    running = {}
    for i, layer in enumerate(workload.layers):
        if isinstance(layer, layers.BatchNorm):
            running[f"{i}.mean"], running[f"{i}.var"] = jnp.zeros(layer.width), jnp.ones(layer.width)
    state = {"weights": weights, "running": running, "key": jax.random.key(seed, impl=prng)}
    if workload.optimizer == "adam":
        state["m"] = {name: jnp.zeros_like(value) for name, value in weights.items()}
        state["v"] = {name: jnp.zeros_like(value) for name, value in weights.items()}
        state["step"] = jnp.zeros((), jnp.float32)
    return state


def channels_last_weights(workload: Workload) -> dict[str, np.ndarray]:
    """Return the weights as (in, out), kernels as (height, width, in, out), flattened images to match."""
    weights, shape = layers.make_weights(workload.layers), workload.row
    flattened: layers.Shape | None = None
    for i, layer in enumerate(workload.layers):
        name = f"{i}.weight"
        if isinstance(layer, layers.Conv):
            weights[name] = weights[name].transpose(2, 3, 1, 0)
        elif isinstance(layer, layers.Flatten):
            flattened = shape
        elif isinstance(layer, layers.Linear):
            weight = weights[name].T
            if flattened is not None:
                weight = weight.reshape(*flattened, layer.n_out).transpose(1, 2, 0, 3)
            weights[name], flattened = np.ascontiguousarray(weight.reshape(layer.n_in, layer.n_out)), None
        shape = layers.output_shape(layer, shape)
    return weights


def channels_last_data(workload: Workload) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows; images as (height, width, channels), classes as int32."""
    X, y = make_data(workload)
    if any(isinstance(layer, layers.Conv) for layer in workload.layers):
        X = np.ascontiguousarray(X.transpose(0, 2, 3, 1))
    return X, y.astype(np.int32) if y.dtype.kind == "i" else y


def update(workload: Workload, state: State, x: jax.Array, y: jax.Array) -> tuple[State, jax.Array]:
    """Return the state after one step, and the loss."""
    key, used = state["key"], None
    if workload.has_dropout:
        key, used = jax.random.split(key)

    def loss_of(weights: Arrays) -> tuple[jax.Array, Arrays]:
        prediction, running = forward(workload, weights, state["running"], x, used)
        return mean_loss(workload, prediction, y), running

    (loss, running), gradients = jax.value_and_grad(loss_of, has_aux=True)(state["weights"])
    return {**state, **descend(workload, state, gradients), "running": running, "key": key}, loss


def forward(
    workload: Workload, weights: Arrays, running: Arrays, x: jax.Array, key: jax.Array | None
) -> tuple[jax.Array, Arrays]:
    """Return the model's outputs in training mode, and the new running statistics."""
    running = dict(running)
    for i, layer in enumerate(workload.layers):
        own = {name.removeprefix(f"{i}."): w for name, w in weights.items() if name.startswith(f"{i}.")}
        match layer:
            case layers.Linear():
                x = x @ own["weight"] + own["bias"]
            case layers.ReLU():
                x = jax.nn.relu(x)
            case layers.BatchNorm():
                mean, var, n = x.mean(0), x.var(0), x.shape[0]
                running[f"{i}.mean"] = 0.9 * running[f"{i}.mean"] + 0.1 * mean
                running[f"{i}.var"] = 0.9 * running[f"{i}.var"] + 0.1 * var * (n / max(n - 1, 1))
                x = (x - mean) * (lax.rsqrt(var + 1e-5) * own["weight"]) + own["bias"]
            case layers.Dropout(p):
                kept = jax.random.bernoulli(jax.random.fold_in(key, i), 1.0 - p, x.shape)
                x = jnp.where(kept, x / (1.0 - p), 0.0)
            case layers.Conv():
                x = lax.conv_general_dilated(
                    x, own["weight"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
                )
                x = x + own["bias"]
            case layers.MaxPool():
                x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
            case layers.Flatten():
                x = x.reshape(x.shape[0], -1)
            case layers.Encoder():
                x = _encode(own, layer, x)
            case layers.MeanTokens():
                x = x.mean(1)
    return x, running


def _encode(own: Arrays, layer: layers.Encoder, x: jax.Array) -> jax.Array:
    batch, tokens, width = x.shape
    projected = x @ own["self_attn.in_proj_weight"].T + own["self_attn.in_proj_bias"]
    split = projected.reshape(batch, tokens, 3, layer.heads, width // layer.heads)
    q, k, v = (split[:, :, part] for part in range(3))
    attended = jax.nn.dot_product_attention(q, k, v).reshape(batch, tokens, width)
    attended = attended @ own["self_attn.out_proj.weight"].T + own["self_attn.out_proj.bias"]
    x = _layer_norm(x + attended, own["norm1.weight"], own["norm1.bias"])
    inner = jax.nn.relu(x @ own["linear1.weight"].T + own["linear1.bias"])
    outer = inner @ own["linear2.weight"].T + own["linear2.bias"]
    return _layer_norm(x + outer, own["norm2.weight"], own["norm2.bias"])


def _layer_norm(x: jax.Array, weight: jax.Array, bias: jax.Array) -> jax.Array:
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(var + 1e-5) * weight + bias


def mean_loss(workload: Workload, prediction: jax.Array, y: jax.Array) -> jax.Array:
    """Return the mean loss of a batch."""
    if workload.loss == "bce_with_logits":
        return jnp.mean(jax.nn.softplus(prediction) - y * prediction)
    shifted = prediction - lax.stop_gradient(prediction.max(1, keepdims=True))
    chosen = jnp.take_along_axis(shifted, y[:, None], 1)[:, 0]
    return jnp.mean(jnp.log(jnp.exp(shifted).sum(1)) - chosen)


def descend(workload: Workload, state: State, gradients: Arrays) -> State:
    """Return the new weights and the optimizer's new state."""
    if workload.optimizer == "sgd":
        weights = jax.tree.map(lambda w, g: w - LEARNING_RATE * g, state["weights"], gradients)
        return {"weights": weights}
    beta1, beta2 = BETAS
    step = state["step"] + 1
    m = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, state["m"], gradients)
    v = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, state["v"], gradients)
    size, root = LEARNING_RATE / (1 - beta1**step), jnp.sqrt(1 - beta2**step)
    weights = jax.tree.map(
        lambda w, m, v: w - size * m / (jnp.sqrt(v) / root + EPSILON), state["weights"], m, v
    )
    return {"weights": weights, "m": m, "v": v, "step": step}
