"""Batches hold each row once, in an order of (seed, epoch), and go on where they stopped."""

import copy
import json
import pickle
from itertools import chain

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import slopewise as sw
from slopewise.data import ArrayDataset, DataLoader, Dataset, Subset, Table, train_test_split
from slopewise.engine.errors import ArgumentError, DataError, DtypeError, ShapeError
from slopewise.engine.random import permutation

X = np.arange(20, dtype=np.float64).reshape(10, 2)
Y = np.arange(10)


def rows_of(batches):
    return [y.tolist() for _, y in batches]


def flat(batches):
    return list(chain.from_iterable(batches))


class Squares(Dataset):
    """A dataset that takes arrays of row numbers."""

    def __len__(self):
        return 10

    def __getitem__(self, index):
        return X[index] ** 2, Y[index]


class OneByOne:
    """A dataset as PyTorch has them: one row for one number, no arrays."""

    def __len__(self):
        return 10

    def __getitem__(self, index):
        assert type(index) is int
        return X[index] ** 2, Y[index]


@given(
    n_rows=st.integers(1, 50),
    batch_size=st.integers(1, 20) | st.just("full"),
    shuffle=st.booleans(),
    drop_last=st.booleans(),
    seed=st.integers(0, 2**64 - 1),
)
def test_an_epoch_holds_each_row_once_in_batches_of_true_size(n_rows, batch_size, shuffle, drop_last, seed):
    size = n_rows if batch_size == "full" else batch_size
    if drop_last and n_rows < size:
        with pytest.raises(ArgumentError, match="no batch is left"):
            DataLoader((np.arange(n_rows),), batch_size, shuffle, seed, drop_last)
        return
    loader = DataLoader((np.arange(n_rows),), batch_size, shuffle, seed, drop_last)
    batches = [rows.tolist() for (rows,) in loader]
    assert len(batches) == len(loader)
    kept = n_rows // size * size if drop_last else n_rows
    expected = permutation(n_rows, seed, call=0) if shuffle else np.arange(n_rows)
    assert flat(batches) == expected[:kept].tolist()
    assert all(len(batch) == size for batch in batches[:-1])


def test_each_epoch_has_its_own_order_which_only_seed_and_epoch_decide():
    loader = DataLoader((X, Y), 4, shuffle=True, seed=3)
    epochs = [flat(rows_of(loader)) for _ in range(3)]
    assert epochs == [permutation(10, 3, call=epoch).tolist() for epoch in range(3)]
    assert loader.epoch == 3
    loader.set_epoch(1)
    assert flat(rows_of(loader)) == epochs[1]
    assert loader.order(2).tolist() == epochs[2]


def test_an_epoch_left_early_is_over():
    loader = DataLoader((X, Y), 4, shuffle=True)
    for _ in loader:
        break
    assert (loader.epoch, loader.position) == (0, 1)
    assert flat(rows_of(loader)) == permutation(10, 0, call=1).tolist()
    firsts = {tuple(next(iter(loader))[1].tolist()) for _ in range(5)}
    assert len(firsts) > 1


@given(stop=st.integers(0, 12), batch_size=st.integers(1, 4), shuffle=st.booleans())
def test_a_loader_goes_on_in_the_middle_of_an_epoch(stop, batch_size, shuffle):
    def new_loader():
        return DataLoader((X, Y), batch_size, shuffle=shuffle, seed=5)

    whole = new_loader()
    stream = [rows for _ in range(3) for rows in rows_of(whole)]
    loader, seen = new_loader(), []
    state = loader.state_dict()
    for _ in range(2):
        for _, y in loader:
            if len(seen) == stop:
                break
            seen.append(y.tolist())
            state = loader.state_dict()
        if len(seen) == stop:
            break
    resumed = new_loader()
    resumed.load_state_dict(json.loads(json.dumps(state)))
    while resumed.epoch < 3:
        seen.extend(rows_of(resumed))
    assert seen == stream


def test_two_loops_over_one_loader_do_not_disturb_each_other():
    loader = DataLoader((X, Y), 5, shuffle=True)
    outer = []
    for _, y in loader:
        outer += y.tolist()
        list(loader)
    assert outer == permutation(10, 0, call=0).tolist()


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ({"batch_size": 2}, "batch_size"),
        ({"shuffle": False}, "shuffle"),
        ({"seed": 1}, "seed"),
        ({"drop_last": True}, "drop_last"),
    ],
)
def test_the_state_of_another_loader_is_refused(other, name):
    state = DataLoader((X, Y), **{"batch_size": 3, "shuffle": True, **other}).state_dict()
    with pytest.raises(ArgumentError, match=f"the state is of a loader with {name}="):
        DataLoader((X, Y), batch_size=3, shuffle=True).load_state_dict(state)


def test_a_broken_state_is_refused():
    loader = DataLoader((X, Y), 3)
    state = loader.state_dict()
    for broken, message in [
        ({}, "a loader's state has"),
        ({**state, "position": 5}, "position 5 is beyond the 4 batches"),
        ({**state, "position": -1}, "position is a whole number"),
        ({**state, "epoch": 0.5}, "epoch is a whole number"),
    ]:
        with pytest.raises(ArgumentError, match=message):
            loader.load_state_dict(broken)


def test_batches_are_tensors_of_the_dtype_of_the_model():
    x, y, flag = next(iter(DataLoader((X, Y, Y > 3), 4)))
    assert all(isinstance(part, sw.Tensor) for part in (x, y, flag))
    assert (x.dtype, y.dtype, flag.dtype) == (np.float32, np.int64, np.bool_)
    assert next(iter(DataLoader((X,), 4, dtype=None)))[0].dtype == np.float64
    assert next(iter(DataLoader((X.astype(np.float32),), 4, dtype="float64")))[0].dtype == np.float64


def test_one_array_gives_tensors_and_a_tuple_gives_tuples():
    assert isinstance(next(iter(DataLoader(X))), sw.Tensor)
    assert isinstance(next(iter(DataLoader(sw.tensor(X)))), sw.Tensor)
    assert isinstance(next(iter(DataLoader((X,)))), tuple)


def test_writing_to_a_batch_never_reaches_the_data():
    data = X.astype(np.float32)
    loader = DataLoader((data, Y), "full")
    for x, _ in loader:
        x *= 0
    assert np.array_equal(data, X)
    assert next(iter(loader))[0].numpy().any()


@pytest.mark.parametrize("dataset", [Squares(), OneByOne()], ids=["arrays of numbers", "single numbers"])
def test_custom_datasets_and_their_subsets_give_the_same_batches(dataset):
    for data, rows in ((dataset, np.arange(10)), (Subset(dataset, [7, 1, 1]), np.array([7, 1, 1]))):
        loader = DataLoader(data, 2, shuffle=True)
        order = rows[loader.order()]
        batches = list(loader)
        assert flat(rows_of(batches)) == order.tolist()
        assert np.concatenate([x.numpy() for x, _ in batches]).tolist() == (X[order] ** 2).tolist()


def test_a_subset_of_arrays_is_gathered_without_a_copy_of_it():
    dataset = ArrayDataset(X.astype(np.float32), Y, np.ones(10))
    loader = DataLoader(Subset(dataset, [9, 0, 4]), 2)
    batches = [[part.tolist() for part in batch] for batch in loader]
    assert batches == [[[[18, 19], [0, 1]], [9, 0], [1, 1]], [[[8, 9]], [4], [1]]]
    assert np.shares_memory(loader._source.arrays[0], dataset.arrays[0])


def test_a_table_of_numbers_is_its_matrix():
    table = Table.from_frame(pl.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5], "c": [True, False, True]}))
    assert next(iter(DataLoader(table, 2))).tolist() == [[1, 0.5, 1], [2, 1.5, 0]]


def test_tensors_can_be_split_and_loaded():
    train, test = train_test_split(sw.tensor(X), test_size=0.2)
    assert isinstance(train, sw.Tensor)
    assert (train.shape, test.shape) == ((8, 2), (2, 2))
    assert [batch.shape for batch in DataLoader(train, 5)] == [(5, 2), (3, 2)]


def test_arrays_on_disk_are_read_by_the_batch(tmp_path):
    np.save(tmp_path / "x.npy", X)
    on_disk = np.load(tmp_path / "x.npy", mmap_mode="r")
    loader = DataLoader(on_disk, 4)
    assert np.shares_memory(loader._source.arrays[0], on_disk)
    assert next(iter(loader)).dtype == np.float32


def test_a_loader_can_be_copied_and_pickled():
    loader = DataLoader((X, Y), 3, shuffle=True)
    next(iter(loader))
    for again in (copy.deepcopy(loader), pickle.loads(pickle.dumps(loader))):
        assert again.state_dict() == loader.state_dict()
        assert rows_of(again) == rows_of(copy.deepcopy(loader))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"data": (X, Y[:5])}, ShapeError, "array 1 has 10, array 2 has 5"),
        ({"data": [X, Y]}, ArgumentError, r"got list; write \(X, y\)"),
        ({"data": 5}, ArgumentError, "got int"),
        ({"data": (X, Y.astype(str))}, DtypeError, "array 2 holds <U21, not numbers"),
        ({"data": (np.zeros((0, 2)),)}, DataError, "no rows"),
        (
            {"data": X, "batch_size": 0},
            ArgumentError,
            "batch_size is a whole number of at least 1, or 'full', not 0",
        ),
        ({"data": X, "batch_size": 2.0}, ArgumentError, "batch_size is a whole number"),
        ({"data": X, "batch_size": "all"}, ArgumentError, "not 'all'"),
        ({"data": X, "batch_size": True}, ArgumentError, "not True"),
        ({"data": X, "dtype": "int64"}, ArgumentError, "a floating one or None, not int64"),
        ({"data": Table.from_frame(pl.DataFrame({"a": [1, None]}))}, DataError, "row 2: the cell is missing"),
        (
            {"data": Table.from_frame(pl.DataFrame({"a": ["1", "02"]}))},
            DataError,
            "row 2: the cell is a code",
        ),
        (
            {"data": Table.from_frame(pl.DataFrame({"a": ["x"]}))},
            DataError,
            "row 1: the cell is not a number",
        ),
    ],
)
def test_what_cannot_be_loaded_says_why(arguments, error, message):
    with pytest.raises(error, match=message):
        DataLoader(**arguments)


def test_single_rows_that_do_not_stack_say_why():
    with pytest.raises(ShapeError, match=r"some are \(1,\) and some \(2,\)"):
        list(DataLoader(Subset([np.zeros(1), np.zeros(2)], [0, 1])))
    with pytest.raises(ShapeError, match="same number of parts"):
        list(DataLoader(Subset([(1, 2), (1,)], [0, 1])))


def test_a_gather_of_a_batch_does_not_loop_over_rows(monkeypatch):
    taken = []

    class Counted(np.ndarray):
        def take(self, rows, axis=None):
            taken.append(len(rows))
            return np.asarray(self).take(rows, axis=axis)

    loader = DataLoader((X, Y), 4)
    monkeypatch.setattr(
        loader._source, "arrays", tuple(array.view(Counted) for array in loader._source.arrays)
    )
    assert len(list(loader)) == 3
    assert taken == [4, 4, 4, 4, 2, 2]
