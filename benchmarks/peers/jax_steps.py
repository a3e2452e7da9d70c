"""JAX, one jitted and donated update a batch: a Python loop over slices of the permuted data."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.peers import jax_models
from benchmarks.workloads import SEED, Workload


def prepare(workload: Workload, prng: str = "threefry2x32") -> Callable[[np.ndarray], float]:
    """Return a function that makes one pass; `prng` is the random generator of dropout."""
    X, y = map(jnp.asarray, jax_models.channels_last_data(workload))
    state = jax_models.start(workload, prng, SEED)

    @partial(jax.jit, donate_argnums=(0, 1))
    def step(
        state: Any, total: jax.Array, X: jax.Array, y: jax.Array, first: jax.Array
    ) -> tuple[Any, jax.Array]:
        xb = lax.dynamic_slice_in_dim(X, first, workload.batch)
        yb = lax.dynamic_slice_in_dim(y, first, workload.batch)
        state, loss = jax_models.update(workload, state, xb, yb)
        return state, total + loss

    permute = jax.jit(lambda X, y, order: (X[order], y[order]))

    def run(order: np.ndarray) -> float:
        nonlocal state
        X_epoch, y_epoch = permute(X, y, order)
        total = jnp.zeros(())
        for first in range(0, workload.rows, workload.batch):
            state, total = step(state, total, X_epoch, y_epoch, first)
        return float(total) / workload.steps

    return run
