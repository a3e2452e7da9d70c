"""Names of other libraries lead to ours, and each way out that is told can be gone."""

import re

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine.foreign_names import FUNCTIONS, IN_NN, IN_OPTIM, METHODS


def resolve(path):
    found = sw
    for part in path.split(".")[1:]:
        found = getattr(found, part)
    return found


PLACES = [(sw, name) for name in FUNCTIONS] + [(sw.nn, name) for name in IN_NN]


@pytest.mark.parametrize(("module", "name"), PLACES + [(sw.optim, name) for name in IN_OPTIM])
def test_names_of_the_package_lead_to_what_exists(module, name):
    with pytest.raises(AttributeError, match=f"'{module.__name__}' has no attribute '{name}'; ") as caught:
        getattr(module, name)
    assert "\n" not in str(caught.value)
    assert all(resolve(path) for path in re.findall(r"sw(?:\.\w+)+", str(caught.value)))


@pytest.mark.parametrize("name", METHODS)
def test_names_of_a_tensor_lead_to_what_exists(name):
    x = sw.tensor([[1.0, 2.0]])
    with pytest.raises(AttributeError, match=f"a tensor has no attribute '{name}'; ") as caught:
        getattr(x, name)
    assert all(resolve(path) for path in re.findall(r"sw(?:\.\w+)+", str(caught.value)))
    assert all(hasattr(x, found) for found in re.findall(r"\bx\.(\w+)", str(caught.value)))


def test_what_is_a_function_of_the_package_is_told_for_a_tensor():
    with pytest.raises(AttributeError, match=r"a tensor has no attribute 'exp'; use sw.exp\(x\)"):
        _ = sw.tensor([1.0]).exp
    with pytest.raises(AttributeError, match=r"a tensor has no attribute 'frobnicate'$"):
        _ = sw.tensor([1.0]).frobnicate
    assert not hasattr(sw.tensor([1.0]), "__cuda_array_interface__")


def test_random_tensors_come_from_the_seed():
    sw.manual_seed(5)
    first = sw.nn.initializers.normal((3, 4))
    sw.manual_seed(5)
    assert np.array_equal(first, sw.nn.initializers.normal((3, 4)))
