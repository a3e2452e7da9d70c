"""Where a value lies in memory, and how its elements are reached: a storage, an offset and strides.

Reshaping, transposing, broadcasting, slicing and flipping make another view of the same storage; nothing is
copied. Offsets and strides count elements, not bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum, auto

from slopewise.engine.aval import Dtype, Shape


class Place(Enum):
    """Who owns a storage."""

    INPUT = auto()
    OUTPUT = auto()
    CONSTANT = auto()
    ARENA = auto()


@dataclass(eq=False)
class Storage:
    """A contiguous run of elements. Known by identity.

    Attributes
    ----------
    place : who owns it
    index : which input, output or constant; for the arena, the offset in bytes once it is planned
    """

    place: Place
    index: int
    dtype: Dtype
    size: int

    @property
    def n_bytes(self) -> int:
        return self.size * self.dtype.itemsize


def contiguous_strides(shape: Shape) -> Shape:
    """Return the strides of a row-major array, in elements."""
    strides = []
    step = 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


@dataclass(frozen=True)
class View:
    """Elements of a storage, arranged in a shape."""

    storage: Storage
    shape: Shape
    strides: Shape
    offset: int = 0

    @staticmethod
    def whole(storage: Storage, shape: Shape) -> View:
        """View all of a storage in row-major order."""
        return View(storage, shape, contiguous_strides(shape))

    @property
    def dtype(self) -> Dtype:
        return self.storage.dtype

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def is_contiguous(self) -> bool:
        """Whether the elements follow one another in row-major order; axes of size 1 do not matter."""
        expected = contiguous_strides(self.shape)
        return self.size <= 1 or all(
            size == 1 or stride == step
            for size, stride, step in zip(self.shape, self.strides, expected, strict=True)
        )

    def transpose(self, axes: tuple[int, ...]) -> View:
        return replace(
            self,
            shape=tuple([self.shape[axis] for axis in axes]),
            strides=tuple([self.strides[axis] for axis in axes]),
        )

    def broadcast(self, shape: Shape) -> View:
        """Repeat along new axes in front and along axes of size 1: their stride becomes 0."""
        lead = len(shape) - len(self.shape)
        strides = (0,) * lead + tuple(
            [0 if n == 1 else step for n, step in zip(self.shape, self.strides, strict=True)]
        )
        return replace(self, shape=shape, strides=strides)

    def slice(self, starts: Shape, steps: Shape, shape: Shape) -> View:
        skipped = sum(start * stride for start, stride in zip(starts, self.strides, strict=True))
        strides = tuple([stride * step for stride, step in zip(self.strides, steps, strict=True)])
        return View(self.storage, shape, strides, self.offset + (skipped if math.prod(shape) else 0))

    def flip(self, axes: tuple[int, ...]) -> View:
        offset, strides = self.offset, list(self.strides)
        for axis in axes:
            offset += max(self.shape[axis] - 1, 0) * strides[axis]
            strides[axis] = -strides[axis]
        return replace(self, offset=offset, strides=tuple(strides))

    def windows(self, window: Shape, stride: Shape, dilation: Shape, shape: Shape) -> View:
        """Let a window slide over the last axes: (..., *places, *window)."""
        lead = len(self.shape) - len(window)
        steps = self.strides[lead:]
        places = tuple([step * s for step, s in zip(steps, stride, strict=True)])
        inside = tuple([step * d for step, d in zip(steps, dilation, strict=True)])
        return replace(self, shape=shape, strides=self.strides[:lead] + places + inside)

    def reshape(self, shape: Shape) -> View | None:
        """Return the view in another shape, or None if its elements would have to be copied for that."""
        if self.is_contiguous:
            return View(self.storage, shape, contiguous_strides(shape), self.offset)
        old = [(n, s) for n, s in zip(self.shape, self.strides, strict=True) if n != 1]
        strides = []
        for size in reversed(shape):
            if size == 1:
                strides.append(0)
                continue
            if not old or old[-1][0] % size:
                merged = _merge_last(old, size)
                if merged is None:
                    return None
                old = merged
            n, stride = old.pop()
            strides.append(stride)
            if n // size > 1:
                old.append((n // size, stride * size))
        return View(self.storage, shape, tuple(reversed(strides)), self.offset)


def _merge_last(axes: list[tuple[int, int]], size: int) -> list[tuple[int, int]] | None:
    """Merge last axes that lie behind one another until their size is a multiple of `size`."""
    axes = list(axes)
    while len(axes) > 1 and axes[-1][0] % size:
        (n, outer), (m, inner) = axes[-2:]
        if outer != inner * m:
            return None
        axes[-2:] = [(n * m, inner)]
    return axes if axes and axes[-1][0] % size == 0 else None
