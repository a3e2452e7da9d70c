"""Folds test each row once, and are scikit-learn's when they are not shuffled."""

import json
import pathlib

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from slopewise import data
from slopewise.data import GroupKFold, KFold, StratifiedKFold, TimeSeriesSplit
from slopewise.engine.errors import ArgumentError, DataError, ShapeError

REFERENCE = json.loads((pathlib.Path(__file__).parents[1] / "reference" / "folds.json").read_text())
seeds = st.integers(0, 2**64 - 1)


@pytest.mark.parametrize("case", REFERENCE["cases"], ids=lambda case: f"{case['name']}-{case['arguments']}")
def test_folds_are_those_of_scikit_learn(case):
    splitter = getattr(data, case["name"])(**case["arguments"])
    folds = list(splitter.split(np.zeros(case["rows"]), case.get("y"), case.get("groups")))
    assert [[train.tolist(), test.tolist()] for train, test in folds] == case["folds"]
    assert len(folds) == splitter.get_n_splits()


def assert_each_row_is_tested_once(folds, n_rows):
    assert sorted(np.concatenate([test for _, test in folds]).tolist()) == list(range(n_rows))
    for train, test in folds:
        assert train.dtype == test.dtype == np.int64
        assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(n_rows))


@given(n_rows=st.integers(5, 60), k=st.integers(2, 5), seed=seeds)
def test_shuffled_folds_test_each_row_once_in_equal_sizes(n_rows, k, seed):
    folds = list(KFold(k, shuffle=True, seed=seed).split(range(n_rows)))
    assert_each_row_is_tested_once(folds, n_rows)
    sizes = [len(test) for _, test in folds]
    assert max(sizes) - min(sizes) <= 1


@given(labels=st.lists(st.sampled_from("abc"), min_size=12, max_size=60), k=st.integers(2, 4), seed=seeds)
def test_stratified_folds_hold_each_class_in_proportion(labels, k, seed):
    assume(min(labels.count(label) for label in set(labels)) >= k)
    folds = list(StratifiedKFold(k, shuffle=True, seed=seed).split(labels, labels))
    assert_each_row_is_tested_once(folds, len(labels))
    for label in set(labels):
        held = [sum(labels[row] == label for row in test) for _, test in folds]
        assert max(held) - min(held) <= 1


@given(
    groups=st.lists(st.integers(0, 9), min_size=12, max_size=60),
    k=st.integers(2, 4),
    shuffle=st.booleans(),
    seed=seeds,
)
def test_grouped_folds_never_share_a_group(groups, k, shuffle, seed):
    assume(len(set(groups)) >= k)
    groups = np.array(groups)
    folds = list(GroupKFold(k, shuffle=shuffle, seed=seed).split(groups, groups=groups))
    assert_each_row_is_tested_once(folds, len(groups))
    assert all(not set(groups[train]) & set(groups[test]) for train, test in folds)


@given(n_rows=st.integers(8, 80), k=st.integers(2, 5), gap=st.integers(0, 2))
def test_folds_of_time_test_only_what_comes_later(n_rows, k, gap):
    assume(n_rows // (k + 1) > gap)
    tested = []
    for train, test in TimeSeriesSplit(k, gap=gap).split(range(n_rows)):
        assert train[0] == 0
        assert test[0] - train[-1] == gap + 1
        tested.extend(test.tolist())
    assert tested == list(range(tested[0], n_rows))


@pytest.mark.parametrize("make", [KFold, StratifiedKFold, GroupKFold])
def test_the_seed_decides_the_order_of_dealing(make):
    y = np.arange(60) % 20
    folds = [next(make(3, shuffle=True, seed=seed).split(y, y, y))[1].tolist() for seed in (1, 1, 2)]
    assert folds[0] == folds[1] != folds[2]


def test_a_rare_class_is_warned_about():
    with pytest.warns(UserWarning, match="class 'b' has 1 rows and is missing in some of 2 folds"):
        list(StratifiedKFold(2).split(list("aaab"), list("aaab")))


@pytest.mark.parametrize(
    ("splitter", "arguments", "error", "message"),
    [
        (KFold(3), ([1, 2],), DataError, "2 rows are too few for 3 folds"),
        (
            StratifiedKFold(3),
            ([1, 2, 3], [0.5, 1.5, 2.5]),
            DataError,
            "largest class has 1 rows, .* use KFold",
        ),
        (StratifiedKFold(2), ([1, 2],), ArgumentError, "StratifiedKFold.split needs y"),
        (StratifiedKFold(2), ([1, 2], [1]), ShapeError, "y has 1 values for 2 rows"),
        (GroupKFold(2), ([1, 2], None, [1, 1]), DataError, "1 groups are too few"),
        (GroupKFold(2), ([1, 2],), ArgumentError, "needs groups"),
        (TimeSeriesSplit(5), ([1, 2],), DataError, "2 rows are too few"),
        (TimeSeriesSplit(2, gap=9), (list(range(9)),), DataError, "with a gap of 9"),
    ],
)
def test_what_cannot_be_folded_says_why(splitter, arguments, error, message):
    with pytest.raises(error, match=message):
        list(splitter.split(*arguments))


@pytest.mark.parametrize("arguments", [{"n_splits": 1}, {"n_splits": 2.5}, {"n_splits": True}])
def test_a_number_of_folds_is_a_whole_number_of_at_least_2(arguments):
    for make in (KFold, StratifiedKFold, GroupKFold, TimeSeriesSplit):
        with pytest.raises(ArgumentError, match="n_splits is a whole number of at least 2"):
            make(**arguments)
    with pytest.raises(ArgumentError, match="gap is a whole number of at least 0"):
        TimeSeriesSplit(gap=-1)
