"""What a large table's job has finished with is not held."""

import gc
import weakref

import numpy as np
import polars as pl
import pytest

from slopewise.data import Table
from slopewise.train import memory


class Circle:
    def __init__(self):
        self.itself = self


@pytest.mark.parametrize(("rows", "freed"), [(10, False), (1_000, True)])
def test_circles_are_collected_beside_a_large_table_only(monkeypatch, rows, freed):
    monkeypatch.setattr(memory, "_LARGE", 1_000)
    table = Table.from_frame(pl.DataFrame({"x": np.arange(rows)}))
    gc.disable()
    try:
        circle = weakref.ref(Circle())
        memory.release_freed_memory(table)
        assert (circle() is None) == freed
    finally:
        gc.enable()
