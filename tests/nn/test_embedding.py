"""Embedding: duplicates, padding, indices that do not exist."""

import numpy as np
import pytest

import slopewise as sw
from slopewise import nn
from slopewise.engine.errors import ArgumentError, DtypeError


def test_rows_are_picked_and_duplicates_add_up():
    layer = nn.Embedding(5, 2)
    indices = sw.tensor([[1, 1], [4, 1]])
    y = layer(indices)
    assert np.array_equal(y.numpy(), layer.weight.numpy()[indices.numpy()])
    y.sum().backward()
    assert layer.weight.grad.numpy()[:, 0].tolist() == [0.0, 3.0, 0.0, 0.0, 1.0]


def test_the_padding_is_zero_and_stays():
    layer = nn.Embedding(5, 2, padding_idx=-1)
    assert layer.padding_idx == 4
    assert not layer.weight.numpy()[4].any()
    (layer(sw.tensor([4, 0, 4])) ** 2 + layer(sw.tensor([4]))).sum().backward()
    assert not layer.weight.grad.numpy()[4].any()
    assert layer.weight.grad.numpy()[0].any()
    only = nn.Embedding(5, 2, padding_idx=0)
    only(sw.tensor([0])).sum().backward()
    assert not only.weight.grad.numpy().any()


@pytest.mark.parametrize("dtype", ["int8", "int32", "uint8", "int64"])
def test_every_integer_dtype_is_an_index(dtype):
    layer = nn.Embedding(200, 2)
    assert np.array_equal(layer(np.array([3, 100], dtype)).numpy(), layer.weight.numpy()[[3, 100]])


def test_shapes_of_indices_are_kept():
    layer = nn.Embedding(5, 3)
    assert layer(sw.tensor(2)).shape == (3,)
    assert layer(np.zeros((2, 0), np.int64)).shape == (2, 0, 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: nn.Embedding(5, 2)(np.array([[0, 1], [5, 0]])),
            ArgumentError,
            r"index\[1, 0\] is 5, but rows go",
        ),
        (lambda: nn.Embedding(5, 2)(np.array([-1])), ArgumentError, r"Embedding\(5, 2\): index\[0\] is -1"),
        (lambda: nn.Embedding(5, 2)(np.array([1.0])), DtypeError, "needs integer indices, not float64"),
        (lambda: nn.Embedding(5, 2, padding_idx=5), ArgumentError, "padding_idx 5 is not one of 5 rows"),
        (lambda: nn.Embedding(0, 2), ArgumentError, "num_embeddings must be"),
    ],
)
def test_bad_arguments_and_indices_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
