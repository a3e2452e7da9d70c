"""Parts of a table: shares that add up, and records that are checked."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slopewise.data import Split, split
from slopewise.data.partition import apportion
from slopewise.engine.errors import DataError


@given(
    counts=st.lists(st.integers(0, 40), min_size=1, max_size=10).map(np.array),
    share=st.floats(0, 1),
)
def test_apportioned_places_fill_the_size_within_the_counts(counts, share):
    size = int(share * counts.sum())
    places = apportion(counts, size)
    assert places.sum() == size
    assert ((places >= 0) & (places <= counts)).all()


def test_a_split_survives_json():
    parts = split(50, seed=2**63)
    assert Split.from_dict(json.loads(json.dumps(parts.to_dict()))) == parts


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"train": [0], "validation": [1]},
        {"train": [0], "validation": [1], "test": [0]},
        {"train": [0.5], "validation": [1], "test": [2]},
        {"train": [-1], "validation": [1], "test": [2]},
        {"train": [True], "validation": [2], "test": [3]},
        {"train": [2**70], "validation": [2], "test": [3]},
        [],
    ],
)
def test_a_broken_record_of_a_split_is_refused(record):
    with pytest.raises(DataError, match="make the split again"):
        Split.from_dict(record)
