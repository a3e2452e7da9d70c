"""Updates by the hundred: the rest of an epoch in one call of machine code, as far as time allows.

Which updates are made, and their bits, are those of `Trainer.advance`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from slopewise.compiler.steps import StepLoop, step_loop
from slopewise.data.loader import DataLoader, Rows
from slopewise.engine.tree import flatten, unflatten
from slopewise.train.orders import ORDERS
from slopewise.train.step import Batch, Running, with_weight

if TYPE_CHECKING:
    from slopewise.compiler import CompiledFunction


class ManyUpdates:
    """Makes updates of one run on a loader whose data is in memory.

    Parameters
    ----------
    update : the compiled update, (batches, running) -> running
    loader : its batches must be rows of arrays
    accumulate : how many batches make an update
    """

    def __init__(self, update: CompiledFunction, loader: DataLoader, accumulate: int) -> None:
        self._update = update
        self._loader = loader
        self._accumulate = accumulate
        self._loop: StepLoop | None = None
        found = loader.arrays()
        self._impossible = found is None
        self._arrays = [np.ascontiguousarray(array) for array in found[0]] if found else []
        self._order: Rows | None = None
        self._order_of_epoch = -1

    def left(self) -> int:
        """Return how many updates of whole batches are left of the epoch."""
        loader = self._loader
        whole = loader.n_rows // loader.batch_size
        return max(whole - loader.position, 0) // self._accumulate

    def make(self, running: Running, seconds: float) -> tuple[Running, int]:
        """Make updates until the time is up or only a smaller batch is left.

        Returns
        -------
        the running sums, and how many updates were made; none if machine code cannot make them
        """
        left = self.left()
        if self._impossible or not left:
            return running, 0
        order = self._rows_in_order()
        start = self._loader.position * self._loader.batch_size
        loop = self._current_loop(running)
        if loop is None:
            return running, 0
        state, structure = flatten(running)
        new_state, done = loop.run(self._arrays, state, order[start:], left, seconds)
        return unflatten(structure, new_state), done

    def _current_loop(self, running: Running) -> StepLoop | None:
        """Return the loop of the update as it is now, or None if it can only be made by itself."""
        if self._loop is None or not self._loop.traced.guards_hold():
            size = self._loader.batch_size
            batches: list[Batch] = [  # for their shapes
                with_weight(self._loader.batch(np.arange(size))) for _ in range(self._accumulate)
            ]
            self._loop = step_loop(self._update, batches, running)
            self._impossible = self._loop is None
        return self._loop

    def _rows_in_order(self) -> Any:
        """Return the epoch's rows of the arrays, in order."""
        loader = self._loader
        if self._order is None or self._order_of_epoch != loader.epoch:
            found = loader.arrays()
            assert found is not None
            rows = found[1]
            shuffled = loader.shuffle
            order = ORDERS.take(loader.n_rows, loader.seed, loader.epoch) if shuffled else loader.order()
            loader.use_order(loader.epoch, order)  # for the smaller batch at its end
            self._order = np.ascontiguousarray(order if rows is None else rows[order], np.int64)
            self._order_of_epoch = loader.epoch
        return self._order
