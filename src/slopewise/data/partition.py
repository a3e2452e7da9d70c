"""Parts of a table: row numbers of training, validation and test, by class, by group or by time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slopewise.engine.errors import DataError

Rows = NDArray[np.int64]
Sizes = tuple[int, int, int]
PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers (0-based, int64) of the three parts; each row is in one of them at most.

    Examples
    --------
    >>> parts = Split(np.array([0, 3, 4]), np.array([2]), np.array([1]))
    >>> parts
    Split(train=3, validation=1, test=1)
    >>> Split.from_dict(parts.to_dict()) == parts
    True
    """

    train: Rows
    validation: Rows
    test: Rows

    @property
    def sizes(self) -> dict[str, int]:
        """How many rows each part has."""
        return {name: len(getattr(self, name)) for name in PARTS}

    def __repr__(self) -> str:
        return f"Split({', '.join(f'{name}={size}' for name, size in self.sizes.items())})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Split):
            return NotImplemented
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in PARTS)

    __hash__ = None  # type: ignore[assignment]

    def arrays(self) -> dict[str, Rows]:
        """Return the parts by their names."""
        return {name: getattr(self, name) for name in PARTS}

    def to_dict(self) -> dict[str, list[int]]:
        """Return the parts as lists, for JSON."""
        return {name: rows.tolist() for name, rows in self.arrays().items()}

    @classmethod
    def from_dict(cls, record: dict[str, list[int]]) -> Split:
        """Return the split that `to_dict` wrote.

        Raises
        ------
        DataError
            If a part is missing, is not a list of row numbers, or shares a row with another.
        """
        parts = []
        for name in PARTS:
            rows = record.get(name) if isinstance(record, dict) else None
            if not isinstance(rows, list) or not all(type(row) is int and 0 <= row < 2**63 for row in rows):
                raise DataError(f"a saved split needs {name!r}, a list of row numbers; make the split again")
            parts.append(np.array(rows, dtype=np.int64))
        together = np.concatenate(parts)
        if len(np.unique(together)) != len(together):
            raise DataError("a saved split has a row twice; make the split again")
        return cls(*parts)


def split_by_class(codes: Rows, order: Rows, sizes: Sizes) -> Split:
    """Take each part's rows in random order, each class its share; with one class that is a plain split."""
    counts = np.bincount(codes)
    n_train, n_validation, n_test = sizes
    n_parts = sum(size > 0 for size in sizes)
    in_test = apportion(counts, n_test, reserve=np.minimum(counts, n_parts - 1))
    left = counts - in_test
    in_validation = apportion(left, n_validation, reserve=np.minimum(left, 1 if n_train else 0))
    # Rank of each row among those of its class, in the given order: the first train, the last test.
    by_class = order[np.argsort(codes[order], kind="stable")]
    first_of_class = np.cumsum(counts) - counts
    rank = np.empty(len(codes), dtype=np.int64)
    rank[by_class] = np.arange(len(codes)) - first_of_class[codes[by_class]]
    in_train = left - in_validation
    part = (rank >= in_train[codes]).astype(np.int64) + (rank >= (in_train + in_validation)[codes])
    parts = (order[part[order] == number] for number in range(3))
    return Split(*parts)


def apportion(counts: Rows, size: int, reserve: Rows | None = None) -> Rows:
    """Share `size` places among classes in proportion to their counts, by largest remainder.

    Every class that has rows beyond `reserve` gets a place if there are enough for all such classes. No class
    gets more than its rows beyond `reserve` unless the places could not be filled otherwise.

    Examples
    --------
    >>> apportion(np.array([50, 30, 20, 2]), 10).tolist()
    [4, 3, 2, 1]
    """
    total = int(counts.sum())
    if size == 0 or total == 0:
        return np.zeros_like(counts)
    quota = counts * (size / total)
    room = counts - (np.zeros_like(counts) if reserve is None else reserve)
    places: Rows = np.minimum(np.floor(quota + 1e-9).astype(np.int64), room)
    needy = (places == 0) & (room > 0)
    if np.count_nonzero(room > 0) <= size:
        places[needy] = 1
    while (over := int(places.sum()) - size) > 0:  # places given to the needy come from the best served
        can_give = np.flatnonzero(places > 1)
        givers = can_give[np.argsort((quota - places)[can_give], kind="stable")][:over]
        places[givers] -= 1
    for limit in (room, counts):
        while (left := size - int(places.sum())) > 0:
            open_to = np.flatnonzero(places < limit)
            if not len(open_to):
                break
            takers = open_to[np.argsort((places - quota)[open_to], kind="stable")][:left]
            places[takers] += 1
    return places


def split_by_group(codes: Rows, n_groups: int, order: Rows, sizes: Sizes) -> Split:
    """Give each group, in the order of its first row, to the part that is least full for its size."""
    counts: list[int] = np.bincount(codes, minlength=n_groups).tolist()
    wanted = [number for number, size in enumerate(sizes) if size > 0]
    if n_groups < len(wanted):
        raise DataError(
            f"{n_groups} groups cannot fill {len(wanted)} parts without a group on both sides; "
            "leave a part out"
        )
    _, first = np.unique(codes[order], return_index=True)
    part_of_group = np.zeros(n_groups, dtype=np.int64)
    filled = [0, 0, 0]
    for group in codes[order][np.sort(first)].tolist():
        emptiest = min(wanted, key=lambda number: (filled[number] / sizes[number], -sizes[number]))
        part_of_group[group] = emptiest
        filled[emptiest] += counts[group]
    part = part_of_group[codes]
    return Split(*(order[part[order] == number] for number in range(3)))


def split_by_time(moments: NDArray[Any], sizes: Sizes) -> Split:
    """Take the oldest rows for training and the newest for the test; equal moments stay together."""
    order = np.argsort(moments, kind="stable").astype(np.int64)
    ordered = moments[order]
    changes = np.concatenate([[0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, [len(order)]])
    borders = [
        int(changes[np.argmin(np.abs(changes - border))]) for border in (sizes[0], sizes[0] + sizes[1])
    ]
    parts = Split(order[: borders[0]], order[borders[0] : borders[1]], order[borders[1] :])
    for (name, size), wanted in zip(parts.sizes.items(), sizes):
        if wanted and not size:
            raise DataError(
                f"the {name} part would be empty, since rows of the same time stay together and there are "
                f"{len(changes) - 1} different times; give other sizes or a finer time"
            )
    return parts
