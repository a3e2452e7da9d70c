"""Looking things up by name."""

from __future__ import annotations

import pytest

from slopewise.engine.errors import ArgumentError
from slopewise.engine.names import look_up

TABLE = {"cross_entropy": 1, "mse": 2}


@pytest.mark.parametrize("name", ["cross_entropy", "Cross-Entropy", " cross entropy "])
def test_case_hyphens_and_spaces_make_no_difference(name):
    assert look_up(name, TABLE, "loss") == 1


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("crossentropy", "did you mean 'cross_entropy'?"),
        ("q", "use one of cross_entropy, mse"),
        (3, "not int"),
    ],
)
def test_what_is_not_there_is_told_with_the_way_out(name, way_out):
    with pytest.raises(ArgumentError) as caught:
        look_up(name, TABLE, "loss")
    assert way_out in str(caught.value)
