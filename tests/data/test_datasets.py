"""Datasets give rows and batches by number; subsets of them too."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import slopewise as sw
from slopewise.data import ArrayDataset, Dataset, Subset
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError

X = np.arange(12, dtype=np.float64).reshape(6, 2)
Y = np.arange(6)
W = np.linspace(0, 1, 6)


class Doubled(Dataset):
    def __len__(self):
        return 6

    def __getitem__(self, index):
        return 2 * X[index], Y[index]


def test_an_array_dataset_gives_rows_and_batches_of_what_it_has():
    dataset = ArrayDataset(X, Y, W)
    x, y, w = dataset[2]
    assert (x.tolist(), y, w) == ([4, 5], 2, W[2])
    xs, ys, ws = dataset[np.array([4, 0])]
    assert (xs.tolist(), ys.tolist(), ws.tolist()) == ([[8, 9], [0, 1]], [4, 0], [W[4], W[0]])
    assert ArrayDataset(X)[1].tolist() == [2, 3]
    assert len(ArrayDataset(X, sample_weight=W)[0]) == 2


def test_arrays_are_not_copied():
    assert np.shares_memory(ArrayDataset(X).arrays[0], X)
    assert ArrayDataset(sw.tensor([1.0, 2.0])).arrays[0].tolist() == [1, 2]


@given(outer=st.lists(st.integers(0, 5), min_size=1, max_size=8), data=st.data())
@pytest.mark.parametrize("dataset", [ArrayDataset(X, Y), Doubled()], ids=["arrays", "custom"])
def test_a_subset_of_a_subset_is_a_subset_of_the_dataset(dataset, outer, data):
    inner = data.draw(st.lists(st.integers(-len(outer), len(outer) - 1), min_size=1, max_size=8))
    nested = Subset(Subset(dataset, outer), inner)
    rows = np.array(outer)[inner]
    assert nested.dataset is dataset
    assert nested.indices.tolist() == rows.tolist()
    for got, expected in zip(nested[np.arange(len(nested))], dataset[rows]):
        assert np.array_equal(got, expected)
    assert nested[0][1] == dataset[rows[0]][1]


def test_a_subset_of_an_object_with_single_rows_gives_single_rows():
    assert Subset(["a", "b", "c"], [2, 0])[0] == "c"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ArrayDataset(X, Y[:3]), ShapeError, "X has 6, y has 3"),
        (lambda: ArrayDataset(np.array(["a"])), DtypeError, "X holds <U1, not numbers; turn labels"),
        (lambda: ArrayDataset(np.float64(1)), ShapeError, "X is a scalar"),
        (lambda: ArrayDataset(X, sample_weight=-W), ArgumentError, "sample_weight of row 2 is -0.2"),
        (lambda: ArrayDataset(X, sample_weight=W * np.nan), ArgumentError, "sample_weight of row 1 is nan"),
        (lambda: ArrayDataset(X, sample_weight=X), ShapeError, r"sample_weight has shape \(6, 2\)"),
        (lambda: Subset(ArrayDataset(X), [6]), ArgumentError, "row 6 is outside of 6 rows"),
        (lambda: Subset((X, Y), [0]), ArgumentError, "ArrayDataset"),
    ],
)
def test_what_is_no_dataset_says_why(make, error, message):
    with pytest.raises(error, match=message):
        make()
