"""The orders of epochs, each made by a thread of its own while the epoch before it runs as machine code.

An order is a function of (rows, seed, epoch), so who makes it, when and how, changes nothing. For a small
network shuffling in NumPy takes as long as half of the training; with random keys from machine code, a tenth.
"""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from slopewise.data.loader import Rows
from slopewise.engine.random import SHUFFLE_STREAM, order_of, permutation

Epoch = tuple[int, int, int]  # rows, seed, number

_WORTH_COMPILING = 4096  # rows; below, NumPy takes less than half a millisecond


def shuffled(rows: int, seed: int, epoch: int) -> Rows:
    """Return the order of an epoch, as `permutation` does; only where machine code can be made.

    Examples
    --------
    >>> bool((shuffled(5000, seed=0, epoch=3) == permutation(5000, seed=0, call=3)).all())
    True
    """
    if rows < _WORTH_COMPILING:
        return permutation(rows, seed, call=epoch)
    from slopewise.compiler.native.random_keys import random_keys

    return order_of(random_keys(rows, seed, SHUFFLE_STREAM, epoch))


class OrdersAhead:
    """Makes orders, and the next one ahead: at most one that nobody takes is made in vain.

    Examples
    --------
    >>> orders = OrdersAhead()
    >>> bool((orders.take(5, seed=0, epoch=3) == permutation(5, seed=0, call=3)).all())
    True
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._process = os.getpid()
        self._executor: ThreadPoolExecutor | None = None
        self._ahead: tuple[Epoch, Future[Rows]] | None = None

    def take(self, rows: int, seed: int, epoch: int) -> Rows:
        """Return the order of an epoch, and begin to make that of the next."""
        with self._lock:
            if self._process != os.getpid():  # a fork takes no threads along
                self._process, self._executor, self._ahead = os.getpid(), None, None
            ahead, self._ahead = self._ahead, None
            ready = ahead[1] if ahead is not None and ahead[0] == (rows, seed, epoch) else None
        order = shuffled(rows, seed, epoch) if ready is None else ready.result()
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(1, thread_name_prefix="slopewise-order")
            following = (rows, seed, epoch + 1)
            self._ahead = (following, self._executor.submit(shuffled, *following))
        return order

    def forget(self) -> None:
        """Let go of the order that was made ahead, where nobody will take it."""
        with self._lock:
            self._ahead = None


ORDERS = OrdersAhead()
