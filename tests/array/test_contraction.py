"""einsum against NumPy's, on subscripts that hypothesis draws, and its errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import slopewise as sw
import slopewise.array as xp
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError

LETTERS = "abcdZ"


def _numbers(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.cos(np.arange(float(np.prod(shape))) * 1.3 + seed).reshape(shape)


@st.composite
def contractions(draw: Any) -> tuple[str, list[np.ndarray]]:
    """Draw subscripts with repeated and summed letters, sizes of 1, and ellipses; and operands for them."""
    sizes = {letter: draw(st.integers(1, 3)) for letter in LETTERS}
    hidden = tuple(draw(st.lists(st.integers(1, 2), max_size=2)))
    parts, operands = [], []
    for seed in range(draw(st.integers(1, 4))):
        letters = draw(st.text(LETTERS, max_size=3))
        narrow = draw(st.sets(st.sampled_from(LETTERS), max_size=1))  # letters whose axis has size 1 here
        shape = tuple(1 if letter in narrow else sizes[letter] for letter in letters)
        if draw(st.booleans()):
            place = draw(st.integers(0, len(letters)))
            own = tuple(
                draw(st.sampled_from((1, size))) for size in hidden[draw(st.integers(0, len(hidden))) :]
            )
            letters = f"{letters[:place]}...{letters[place:]}"
            shape = shape[:place] + own + shape[place:]
        parts.append(letters)
        operands.append(_numbers(shape, seed))
    text = ",".join(parts)
    if draw(st.booleans()):
        used = sorted(set(text) - set(".,"))
        output = draw(st.permutations(used).map(lambda p: "".join(p)))[: draw(st.integers(0, len(used)))]
        if "..." in text:
            place = draw(st.integers(0, len(output)))
            output = f"{output[:place]}...{output[place:]}"
        text += f"->{output}"
    return text, operands


@given(contractions())
def test_einsum_is_numpys(contraction: tuple[str, list[np.ndarray]]) -> None:
    subscripts, operands = contraction
    result = xp.einsum(subscripts, *map(sw.tensor, operands))
    expected = np.einsum(subscripts, *operands)
    assert result.shape == expected.shape
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("ii", [(3, 3)]),
        ("iij->j", [(2, 2, 3)]),
        ("iii->i", [(3, 3, 3)]),
        ("i,i,i->", [(3,), (3,), (3,)]),
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
        ("bij,bjk->bik", [(2, 3, 2), (2, 2, 3)]),
        ("...ij,...j->...i", [(2, 1, 3, 2), (4, 2)]),
        ("ij,j", [(2, 3), (1,)]),
        ("i,j->ji", [(2,), (3,)]),
        ("ijk->", [(2, 3, 2)]),
        ("ab,ab,cb->ac", [(2, 3), (2, 3), (4, 3)]),
        (",i->i", [(), (3,)]),
        ("ij,jk->ik", [(2, 0), (0, 3)]),
    ],
)
def test_gradients_of_einsum_agree_with_finite_differences(subscripts: str, shapes: list[Any]) -> None:
    operands = [sw.tensor(_numbers(shape, seed)) for seed, shape in enumerate(shapes)]
    sw.check_gradients(lambda *xs: xp.einsum(subscripts, *xs), *operands)


def test_the_same_operand_twice_gets_both_gradients() -> None:
    x = sw.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    xp.einsum("ij,ij->", x, x).backward()
    np.testing.assert_array_equal(x.grad.numpy(), 2 * x.detach().numpy())


def test_integers_keep_their_dtype() -> None:
    x = sw.tensor(np.arange(6, dtype=np.int16).reshape(2, 3))
    result = xp.einsum("ij,kj->ik", x, x)
    assert result.dtype == np.int16
    np.testing.assert_array_equal(result.numpy(), x.numpy() @ x.numpy().T)


def test_a_chain_of_products_is_joined_where_it_stays_small() -> None:
    """From the left this chain would make a matrix of 400 x 400 first."""
    from slopewise.engine.trace import trace_function

    a, b, c = xp.ones((400, 1)), xp.ones((1, 400)), xp.ones((400, 2))
    traced = trace_function(lambda *xs: xp.einsum("ij,jk,kl->il", *xs), (a, b, c))
    largest = max(np.prod(symbol.shape) for node in traced.graph.nodes for symbol in node.outputs)
    assert largest <= 800


@pytest.mark.parametrize(
    ("subscripts", "shapes", "error", "message"),
    [
        ("ij,jk", [(2, 3)], ArgumentError, "describes 2 operands, but 1 came"),
        ("i1", [(2, 3)], ArgumentError, "cannot read 'i1'"),
        ("i..j", [(2, 3)], ArgumentError, "cannot read 'i..j'"),
        ("......", [(2, 3)], ArgumentError, "cannot read"),
        ("i", [(2, 3)], ShapeError, "'i' names 1 axes, but the operand has shape"),
        ("ijk...", [(2, 3)], ShapeError, "names 3 axes"),
        ("ij,jk", [(2, 3), (2, 3)], ShapeError, "'j' stands for axes of sizes 3 and 2"),
        ("...i,...i", [(2, 3), (4, 3)], ShapeError, r"'\.\.\.' stands for axes of sizes 2 and 4"),
        ("ii", [(2, 3)], ShapeError, "'i' stands for axes of sizes 2 and 3"),
        ("ij->k", [(2, 3)], ArgumentError, "names 'k', which no operand has"),
        ("ij->ii", [(2, 3)], ArgumentError, "names 'i' more than once"),
        ("...i->i", [(2, 3)], ArgumentError, "the result 'i' has not"),
    ],
)
def test_errors_name_what_does_not_fit(subscripts: str, shapes: list[Any], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        xp.einsum(subscripts, *map(xp.zeros, shapes))


def test_booleans_have_to_be_converted() -> None:
    with pytest.raises(DtypeError, match="not booleans"):
        xp.einsum("i->", sw.tensor([True]))
