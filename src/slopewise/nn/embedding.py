"""Embedding: a vector for each of a set of things."""

from __future__ import annotations

import numpy as np

from slopewise.engine import ops
from slopewise.engine.creation import tensor
from slopewise.engine.errors import ArgumentError, DtypeError
from slopewise.engine.tensor import Tensor
from slopewise.nn.initializers import normal
from slopewise.nn.inputs import known_value, positive_integer
from slopewise.nn.module import Module
from slopewise.nn.parameter import Parameter


class Embedding(Module):
    """Rows of a table, picked by integer indices. An index that comes twice adds up both gradients.

    Initial rows are standard normal (PyTorch's default), that of the padding is zero.

    Parameters
    ----------
    num_embeddings : number of rows
    embedding_dim : size of a row
    padding_idx : a row that stays as it is: no gradient reaches it; negative counts from the end

    Attributes
    ----------
    weight : Parameter, shape (num_embeddings, embedding_dim), float32

    Raises
    ------
    DtypeError
        If the indices are not integers.
    ArgumentError
        If an index is negative or too large; the message names its place. In a traced call, which cannot
        look, a negative one counts from the end.

    Examples
    --------
    >>> import slopewise as sw
    >>> sw.nn.Embedding(10, 3, padding_idx=0)(sw.tensor([[1, 2], [0, 9]])).shape
    (2, 2, 3)
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None) -> None:
        self.num_embeddings = positive_integer("num_embeddings", num_embeddings)
        self.embedding_dim = positive_integer("embedding_dim", embedding_dim)
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ArgumentError(f"padding_idx {padding_idx} is not one of {num_embeddings} rows")
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        rows = normal((num_embeddings, embedding_dim)).numpy().copy()
        if self.padding_idx is not None:
            rows[self.padding_idx] = 0.0
        self.weight = Parameter(tensor(rows))

    def forward(self, indices: Tensor) -> Tensor:
        indices = ops.as_tensor(indices)
        if indices.dtype.kind not in "iu":
            raise DtypeError(f"{self._title()} needs integer indices, not {indices.dtype}")
        self._check_range(indices)
        rows: Tensor = self.weight[indices]
        if self.padding_idx is None:
            return rows
        is_padding = ops.expand_dims(ops.equal(indices, self.padding_idx), -1)
        return ops.where(is_padding, ops.detach(rows), rows)

    def _check_range(self, indices: Tensor) -> None:
        value = known_value(indices)
        if value is None or not value.size or (value.min() >= 0 and value.max() < self.num_embeddings):
            return
        place = tuple(int(i) for i in np.argwhere((value < 0) | (value >= self.num_embeddings))[0])
        shown = f"[{', '.join(map(str, place))}]" if place else ""
        raise ArgumentError(
            f"{self._title()}: index{shown} is {value[place]}, but rows go from 0 "
            f"to {self.num_embeddings - 1}"
        )

    def _title(self) -> str:
        return f"Embedding({self.num_embeddings}, {self.embedding_dim})"

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
