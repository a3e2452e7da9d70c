"""Reads what tests/reference/make_nn.py made with PyTorch."""

import json
from functools import cache
from pathlib import Path

import numpy as np


@cache
def cases():
    """Return the arrays of each case, by case and name."""
    with np.load(Path(__file__).parents[1] / "reference" / "nn.npz") as file:
        index, numbers = json.loads(str(file["index"])), file["numbers"]
    result, position = {}, 0
    for case, named in index.items():
        result[case] = {}
        for name, (dtype, shape) in named.items():
            size = int(np.prod(shape))
            result[case][name] = numbers[position : position + size].reshape(shape).astype(dtype)
            position += size
    assert position == numbers.size
    return result


def case(kind, name):
    return cases()[f"{kind}.{name}"]


def names(kind):
    return [name.removeprefix(f"{kind}.") for name in cases() if name.startswith(f"{kind}.")]


def part(arrays, prefix):
    """Return the arrays whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
