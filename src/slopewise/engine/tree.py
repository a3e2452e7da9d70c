"""Nested lists, tuples and dicts of things, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

Structure = Hashable

_LEAF = "leaf"


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """Return the leaves of a tree in order, and a hashable description of its structure.

    Lists, tuples, named tuples and dicts are taken apart; everything else, None included, is a leaf.

    Examples
    --------
    >>> leaves, structure = flatten({"a": [1, 2], "b": (3,)})
    >>> leaves
    [1, 2, 3]
    >>> unflatten(structure, leaves)
    {'a': [1, 2], 'b': (3,)}
    """
    leaves: list[Any] = []
    return leaves, _flatten_into(tree, leaves)


def _flatten_into(tree: Any, leaves: list[Any]) -> Structure:
    kind = type(tree)
    if kind is dict:
        return (dict, tuple(tree), tuple(_flatten_into(child, leaves) for child in tree.values()))
    if kind is list or isinstance(tree, tuple):
        return (kind, None, tuple(_flatten_into(child, leaves) for child in tree))
    leaves.append(tree)
    return _LEAF


def unflatten(structure: Structure, leaves: Iterable[Any]) -> Any:
    """Put leaves into a structure that `flatten` returned."""
    return _build(structure, iter(leaves))


def _build(structure: Any, leaves: Any) -> Any:
    if structure is _LEAF:
        return next(leaves)
    kind, keys, children = structure
    parts = [_build(child, leaves) for child in children]
    if kind is dict:
        return dict(zip(keys, parts, strict=True))
    if hasattr(kind, "_fields"):
        return kind(*parts)
    return kind(parts)


def map_tree(function: Callable[[Any], Any], tree: Any) -> Any:
    """Apply a function to each leaf of a tree."""
    leaves, structure = flatten(tree)
    return unflatten(structure, map(function, leaves))
