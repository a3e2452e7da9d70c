"""How a step's outputs become the next one's inputs, where many steps are made in one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Loop:
    """How the inputs and outputs of a step become those of the next one.

    Attributes
    ----------
    carried : by output, the input that it is in the next step
    input_steps, output_steps : how many bytes an input or output moves on with each step, 0 if it stays
    """

    carried: Mapping[int, int]
    input_steps: Mapping[int, int]
    output_steps: Mapping[int, int]

    def __hash__(self) -> int:
        parts = (self.carried, self.input_steps, self.output_steps)
        return hash(tuple([tuple(sorted(part.items())) for part in parts]))


ONCE = Loop({}, {}, {})
