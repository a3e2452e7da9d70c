"""`einsum`: sums of products of tensors, as transposes, reshapes, sums and matrix products.

Operands carry a label for each axis. Labels that nobody else needs are summed at once; then operands are
joined two at a time, the pair with the smallest result first.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import combinations
from typing import NamedTuple

from numpy.typing import ArrayLike

from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError
from slopewise.engine.primitive import apply
from slopewise.engine.primitives import indexed
from slopewise.engine.tensor import Tensor

__all__ = ["einsum"]

# A label is a letter; the axes that an ellipsis stands for have the labels -1 (the last), -2, ...
Label = str | int
Labels = tuple[Label, ...]


class Term(NamedTuple):
    """A tensor and the label of each of its axes."""

    tensor: Tensor
    labels: Labels

    def size(self, label: Label) -> int:
        return self.tensor.shape[self.labels.index(label)]


def einsum(subscripts: str, /, *operands: ArrayLike) -> Tensor:
    """Return a sum of products of tensors, by Einstein's convention.

    Parameters
    ----------
    subscripts : letters name the axes of each operand, a comma between operands, and those of the result
        after "->", as in "ij,jk->ik". An axis that is not in the result is summed; a letter twice in one
        operand takes its diagonal; "..." stands for the axes that have no letter, which broadcast. Without
        "->" the result has the axes of "..." and the letters that occur once, in alphabetical order
    operands : Tensor, one for each part; sizes of one letter must agree, or be 1

    Raises
    ------
    ArgumentError
        If the subscripts cannot be read, or do not fit the number of operands.
    ShapeError
        If an operand has other axes than its subscripts say, or sizes of one letter differ.

    Notes
    -----
    NumPy's convention. Integers keep their dtype.

    Examples
    --------
    >>> import slopewise as sw
    >>> import slopewise.array as xp
    >>> a = sw.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> xp.einsum("ij,jk->ik", a, a)
    tensor([[ 7., 10.],
            [15., 22.]])
    >>> xp.einsum("ii", a)
    tensor(5.)
    """
    if not isinstance(subscripts, str):
        raise ArgumentError(f"einsum needs its subscripts first, as in 'ij,jk->ik', not {subscripts!r}")
    inputs, output = _parse(subscripts, len(operands))
    tensors = ops.promote(*operands)
    if tensors[0].dtype.kind == "b":
        raise DtypeError("einsum needs numbers, not booleans; convert them with .astype('int64')")
    terms = [_term(tensor, text) for tensor, text in zip(tensors, inputs, strict=True)]
    sizes = _sizes(terms, inputs)
    kept = _output_labels(terms, inputs, output)
    terms = [_drop_broadcast(_diagonal(term), sizes) for term in terms]
    return _contract(terms, kept, sizes)


# ---- reading the subscripts


def _parse(subscripts: str, count: int) -> tuple[list[str], str | None]:
    """Return the text of each operand and of the result, which is None if there is no arrow."""
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    inputs = left.split(",")
    for part in (*inputs, right):
        letters = part.replace("...", "", 1)
        if not all(letter.isascii() and letter.isalpha() for letter in letters):
            raise ArgumentError(
                f"einsum cannot read {part!r} in {subscripts!r}: axes are named by letters, or '...'"
            )
    if len(inputs) != count:
        raise ArgumentError(f"einsum: {subscripts!r} describes {len(inputs)} operands, but {count} came")
    return inputs, right if arrow else None


def _labels(text: str, ndim: int) -> Labels | None:
    """Return a label for each axis, or None if their number does not fit."""
    before, ellipsis, after = text.partition("...")
    hidden = ndim - len(before) - len(after)
    if hidden < 0 or (hidden and not ellipsis):
        return None
    return (*before, *range(-hidden, 0), *after)


def _term(tensor: Tensor, text: str) -> Term:
    labels = _labels(text, tensor.ndim)
    if labels is None:
        raise ShapeError(
            f"einsum: {text!r} names {len(text.replace('...', ''))} axes, "
            f"but the operand has shape {tensor.shape}"
        )
    return Term(tensor, labels)


def _sizes(terms: Sequence[Term], inputs: Sequence[str]) -> dict[Label, int]:
    """Return the size of each label; a size of 1 gives way to any other."""
    sizes: dict[Label, int] = {}
    for term, text in zip(terms, inputs, strict=True):
        own: dict[Label, int] = {}
        for label, size in zip(term.labels, term.tensor.shape, strict=True):
            if own.setdefault(label, size) != size:
                raise ShapeError(
                    f"einsum: {label!r} stands for axes of sizes {own[label]} and {size} "
                    f"in {text!r} of shape {term.tensor.shape}"
                )
        for label, size in own.items():
            known = sizes.get(label, 1)
            if known != size and 1 not in (known, size):
                name = "'...'" if isinstance(label, int) else repr(label)
                raise ShapeError(f"einsum: {name} stands for axes of sizes {known} and {size}")
            sizes[label] = known if size == 1 else size
    return sizes


def _output_labels(terms: Sequence[Term], inputs: Sequence[str], output: str | None) -> Labels:
    hidden = max((sum(isinstance(label, int) for label in term.labels) for term in terms), default=0)
    if output is None:
        counts = Counter("".join(inputs).replace(".", ""))
        return (*range(-hidden, 0), *sorted(letter for letter, n in counts.items() if n == 1))
    if hidden and "..." not in output:
        raise ArgumentError(f"einsum: the operands have axes under '...', but the result {output!r} has not")
    labels = _labels(output, len(output.replace("...", "")) + hidden)
    assert labels is not None
    known = {label for term in terms for label in term.labels}
    for label, n in Counter(labels).items():
        if n > 1:
            raise ArgumentError(f"einsum: the result names {label!r} more than once")
        if label not in known:
            raise ArgumentError(f"einsum: the result names {label!r}, which no operand has")
    return labels


# ---- preparing each operand


def _diagonal(term: Term) -> Term:
    """Take the diagonal over axes of one label."""
    tensor, labels = term
    for label, n in Counter(labels).items():
        if n > 1:
            axes = tuple(axis for axis, other in enumerate(labels) if other == label)
            index = ops.arange(tensor.shape[axes[0]])
            tensor = apply(indexed.gather, tensor, *[index] * n, axes=axes)
            labels = (label, *(other for other in labels if other != label))
    return Term(tensor, labels)


def _drop_broadcast(term: Term, sizes: dict[Label, int]) -> Term:
    """Drop axes of size 1 which stand for longer ones: other operands bring their size."""
    dropped = tuple(axis for axis, label in enumerate(term.labels) if term.size(label) != sizes[label])
    if not dropped:
        return term
    labels = tuple(label for axis, label in enumerate(term.labels) if axis not in dropped)
    return Term(ops.squeeze(term.tensor, dropped), labels)


# ---- contracting


def _contract(terms: list[Term], output: Labels, sizes: dict[Label, int]) -> Tensor:
    while len(terms) > 1:
        i, j = min(combinations(range(len(terms)), 2), key=lambda pair: _growth(terms, pair, output, sizes))
        rest = [term for k, term in enumerate(terms) if k not in (i, j)]
        kept = _needed(rest, output)
        terms = [*rest, _join(_sum_out(terms[i], terms[j], kept), _sum_out(terms[j], terms[i], kept), kept)]
    last = _sum_unneeded(terms[0], set(output))
    return ops.transpose(last.tensor, [last.labels.index(label) for label in output])


def _needed(terms: Sequence[Term], output: Labels) -> set[Label]:
    return set(output).union(*[term.labels for term in terms])


def _growth(terms: Sequence[Term], pair: tuple[int, int], output: Labels, sizes: dict[Label, int]) -> int:
    """Return how many more elements the join of a pair has than the two together."""
    i, j = pair
    kept = _needed([term for k, term in enumerate(terms) if k not in pair], output)
    joined = math.prod(sizes[label] for label in {*terms[i].labels, *terms[j].labels} & kept)
    return joined - terms[i].tensor.size - terms[j].tensor.size


def _sum_unneeded(term: Term, needed: Collection[Label]) -> Term:
    summed = tuple(axis for axis, label in enumerate(term.labels) if label not in needed)
    if not summed:
        return term
    labels = tuple(label for label in term.labels if label in needed)
    return Term(ops.sum(term.tensor, summed, dtype=term.tensor.dtype), labels)


def _sum_out(term: Term, partner: Term, kept: set[Label]) -> Term:
    return _sum_unneeded(term, kept.union(partner.labels))


def _join(a: Term, b: Term, kept: set[Label]) -> Term:
    """Multiply two terms and sum over what nobody else needs of their shared labels, by a matrix product."""
    shared = tuple(label for label in a.labels if label in b.labels)
    stack = tuple(label for label in shared if label in kept)
    inner = tuple(label for label in shared if label not in kept)
    rows = tuple(label for label in a.labels if label not in shared)
    columns = tuple(label for label in b.labels if label not in shared)
    if inner:
        product = ops.matmul(_grouped(a, stack, rows, inner), _grouped(b, stack, inner, columns))
    else:
        product = ops.multiply(_grouped(a, stack, rows, ()), _grouped(b, stack, (), columns))
    sizes = [a.size(label) for label in stack + rows] + [b.size(label) for label in columns]
    return Term(product.reshape(tuple(sizes)), stack + rows + columns)


def _grouped(term: Term, *groups: Labels) -> Tensor:
    """Return the tensor with three axes, each for a group of labels."""
    order = [term.labels.index(label) for group in groups for label in group]
    shape = tuple(math.prod(term.size(label) for label in group) for group in groups)
    return ops.transpose(term.tensor, order).reshape(shape)
