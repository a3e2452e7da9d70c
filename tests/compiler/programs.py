"""Random programs of tensors, for a target to reproduce.

A program is a list of steps over arrays. While it is drawn each step runs eagerly, so that the next one knows
shapes and dtypes, and so that steps whose results would overflow are left out: what is compared are numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from operations import BINARY, MOST_ELEMENTS, OPERATIONS, SIZES

import slopewise as sw
from slopewise.engine import ops
from slopewise.engine.creation import tensor

MOST = 1e4  # a larger magnitude, or no number at all, is left out of programs without special values


@dataclass
class Step:
    name: str
    operands: tuple[int, ...]
    params: dict[str, Any]

    def run(self, values: Sequence[Any]) -> Any:
        return OPERATIONS[self.name].run(*[values[place] for place in self.operands], **self.params)


@dataclass
class Program:
    """Arrays and steps; the results are those that no other step reads."""

    arrays: list[np.ndarray]
    steps: list[Step] = field(default_factory=list)

    def __call__(self, *inputs: Any) -> list[Any]:
        values = list(inputs)
        for step in self.steps:
            values.append(step.run(values))
        read = {place for step in self.steps for place in step.operands}
        return [value for place, value in enumerate(values) if place not in read]

    def gradients(self, *inputs: Any) -> list[Any]:
        """Return the gradients of the mean of all floating results, by the floating inputs."""
        places = tuple(place for place, array in enumerate(self.arrays) if array.dtype.kind == "f")

        def loss(*arguments: Any) -> Any:
            floating = [result for result in self(*arguments) if result.dtype.kind == "f" and result.size]
            return sum((ops.mean(result) for result in floating), start=ops.sum(arguments[places[0]]) * 0.0)

        return list(sw.grad(loss, argnums=places)(*inputs))


# ---- inputs

DTYPES = [np.float32, np.float64, np.int64, np.bool_]
EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 1e-3, 20.0]
SPECIAL = [np.nan, np.inf, -np.inf, 1e-40, -1e30]


@st.composite
def shapes(draw, most_axes=3):
    shape = tuple(draw(st.lists(st.sampled_from(SIZES), min_size=0, max_size=most_axes)))
    return shape if math.prod(shape) <= MOST_ELEMENTS // 2 else shape[:2]


@st.composite
def inputs(draw, shape, dtype, special=False):
    """Return an array: irregular numbers by a seed, with edge values at a few places."""
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    if dtype == np.bool_:
        return random.integers(0, 2, shape).astype(dtype)
    if dtype == np.int64:
        return random.integers(-9, 10, shape)
    array = random.normal(size=shape).astype(dtype)
    if array.size:
        edges = draw(st.lists(st.sampled_from(EDGES + SPECIAL * special), max_size=4))
        array.flat[random.integers(0, array.size, len(edges))] = edges
    return array


@st.composite
def programs(draw, most_steps=9, differentiable=False):
    """Return a program with one to three inputs, the first of them floating.

    Parameters
    ----------
    differentiable : leave out what gives no useful gradient, special values among it
    """
    special = not differentiable and draw(st.integers(0, 7)) == 0
    first = draw(st.sampled_from([np.float32, np.float32, np.float64]))
    arrays = [draw(inputs(draw(shapes()), first, special))]
    for _ in range(draw(st.integers(0, 2))):
        dtype = draw(st.sampled_from([first, first, np.int64, np.bool_]))
        shape = draw(st.sampled_from([arrays[0].shape, arrays[0].shape[-1:], draw(shapes())]))
        arrays.append(draw(inputs(shape, dtype, special)))
    program = Program(arrays)
    values = list(map(tensor, arrays))
    for _ in range(draw(st.integers(1, most_steps))):
        step = draw(steps(values))
        if step is None:
            continue
        result = step.run(values)
        if result.size <= MOST_ELEMENTS and (special or is_tame(result.numpy())):
            program.steps.append(step)
            values.append(result)
    assume(program.steps)
    return program


@st.composite
def programs_of(draw, name):
    """Return a program of one step, of the given kind."""
    dtype = draw(st.sampled_from([d for d in DTYPES if np.dtype(d).kind in OPERATIONS[name].kinds]))
    shape = draw(shapes())
    arrays = [draw(inputs(shape, dtype))]
    if name in BINARY:
        arrays.append(draw(inputs(draw(st.sampled_from([shape, shape[1:], ()])), dtype)))
        return Program(arrays, [Step(name, (0, 1), {})])
    params = OPERATIONS[name].choose(draw, tensor(arrays[0]))
    assume(params is not None)
    return Program(arrays, [Step(name, (0,), params)])


def is_tame(array: np.ndarray) -> bool:
    return array.dtype.kind == "b" or bool((np.abs(array) < MOST).all())


@st.composite
def steps(draw, values):
    """Return a step on some of the values, the last one more often; None if the draw fits no tensor."""
    place = draw(st.sampled_from([len(values) - 1, draw(st.integers(0, len(values) - 1))]))
    kind = values[place].dtype.kind
    name = draw(st.sampled_from([name for name, row in OPERATIONS.items() if kind in row.kinds]))
    if name in BINARY:
        partners = [
            i
            for i, value in enumerate(values)
            if value.dtype == values[place].dtype and fits(value.shape, values[place].shape)
        ]
        pair = (place, draw(st.sampled_from(partners)))
        return Step(name, pair if draw(st.booleans()) else pair[::-1], {})
    params = OPERATIONS[name].choose(draw, values[place])
    return None if params is None else Step(name, (place,), params)


def fits(one, other):
    try:
        return math.prod(np.broadcast_shapes(one, other)) <= MOST_ELEMENTS
    except ValueError:
        return False
