"""JAX, a whole epoch in one call: permutation and `lax.scan` over the batches, buffers donated."""

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


def prepare(workload: Workload, unroll: int = 1, prng: str = "threefry2x32") -> Callable[[np.ndarray], float]:
    """Return a function that makes one pass.

    Parameters
    ----------
    unroll : how many updates the scan's body holds
    prng : the random generator of dropout
    """
    X, y = map(jnp.asarray, jax_models.channels_last_data(workload))
    state = jax_models.start(workload, prng, SEED)

    @partial(jax.jit, donate_argnums=0)
    def epoch(state: Any, X: jax.Array, y: jax.Array, order: jax.Array) -> tuple[Any, jax.Array]:
        def batches(rows: jax.Array) -> jax.Array:
            return rows[order].reshape(workload.steps, workload.batch, *rows.shape[1:])

        def step(state: Any, batch: tuple[jax.Array, jax.Array]) -> tuple[Any, jax.Array]:
            return jax_models.update(workload, state, *batch)

        state, losses = lax.scan(step, state, (batches(X), batches(y)), unroll=unroll)
        return state, losses.mean()

    def run(order: np.ndarray) -> float:
        nonlocal state
        state, loss = epoch(state, X, y, order)
        return float(loss)

    return run
