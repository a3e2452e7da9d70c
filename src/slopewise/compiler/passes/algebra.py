"""Algebra that is exact: a node is replaced only by what has the same bits for every input.

Each rule takes the graph in the making, a node's operands, its parameters and what it makes; it returns the
value that stands for the node, or None if it does not apply. There is no rule that reorders a sum, and none
like x + 0 = x, which does not hold at -0.0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from slopewise.compiler.passes.arithmetic_rules import ARITHMETIC
from slopewise.compiler.passes.arrangement_rules import ARRANGEMENT, through_broadcasts
from slopewise.compiler.passes.fold import known_value
from slopewise.compiler.passes.rewriting import Rewriting
from slopewise.engine.aval import Aval, aval_of
from slopewise.engine.graph import Graph, GraphNode, Symbol
from slopewise.engine.primitive import Primitive
from slopewise.engine.primitives.shapes import broadcast_to

Rule = Callable[["Algebra", tuple[Symbol, ...], dict[str, Any], Aval], Symbol | None]

# by the name of a primitive
RULES: dict[str, tuple[Rule, ...]] = {**ARITHMETIC, **ARRANGEMENT}


def algebra(graph: Graph) -> Graph:
    """Replace nodes by simpler ones with the same bits."""
    new = Algebra(graph)
    for node in graph.nodes:
        operands = new.operands(node)
        if len(node.outputs) == 1:
            new.place = node
            found = new.simplified(node.primitive, operands, node.params, aval_of(node.outputs[0]))
            if found is not None:
                new.replace(node.outputs[0], found)
                continue
        new.keep(node, operands)
    return new.finish()


class Algebra(Rewriting):
    """A graph in the making, with what rules ask of it."""

    place: GraphNode  # the node of the old graph that is being simplified

    def simplified(
        self, primitive: Primitive, operands: tuple[Symbol, ...], params: dict[str, Any], aval: Aval
    ) -> Symbol | None:
        """Return what the first rule that applies makes of an operation, or None."""
        for rule in RULES.get(primitive.name, ()):
            found = rule(self, operands, params, aval)
            if found is not None:
                return found
        return through_broadcasts(self, primitive, operands, params, aval) if primitive.elementwise else None

    def value(self, primitive: Primitive, *operands: Symbol, **params: Any) -> Symbol:
        """Return the result of an operation, simplified in its turn."""
        aval = primitive.infer(*map(aval_of, operands), **params)
        found = self.simplified(primitive, operands, params, aval)
        return self.emit(primitive, operands, params, self.place)[0] if found is None else found

    def operand(self, symbol: Symbol, primitive: Primitive) -> Symbol | None:
        """Return what a primitive of one operand was applied to, if that is how a value was made."""
        maker = self.makers.get(symbol)
        return maker.operands[0] if maker is not None and maker.primitive is primitive else None

    def number(self, symbol: Symbol) -> Any:
        """Return the one number that all elements of a constant are, or None."""
        value = known_value(self, symbol)
        if value is None or value.size == 0 or (value.size > 1 and any(value.strides)):
            return None
        return value.flat[0]

    def is_number(self, symbol: Symbol, wanted: float) -> bool:
        """Tell whether a value is a constant all of whose elements are one number; 0.0 is not -0.0."""
        number = self.number(symbol)
        return number is not None and number == wanted and np.signbit(number) == np.signbit(wanted)

    def widened(self, symbol: Symbol, aval: Aval) -> Symbol:
        """Return a value broadcast to a shape."""
        return symbol if symbol.shape == aval.shape else self.value(broadcast_to, symbol, shape=aval.shape)
