"""The lab of backpropagation: the tape of an expression, walked forward and then backward."""

from __future__ import annotations

import math
from collections.abc import Sequence

import slopewise as sw
from slopewise.engine.errors import ArgumentError
from slopewise.engine.tape_reader import Contribution, Tape, read_tape
from slopewise.engine.tensor import Tensor
from slopewise.site.content.lessons.n07_backpropagation.expression import INPUTS, Expression, parse
from slopewise.site.drawing import brief, draw_tape_graph
from slopewise.site.drawing.tape_graph import sign_of
from slopewise.site.labs import Figure, Frame, Lab, Number, Prediction, Table, Text, Values

NUDGE = 1e-5  # of the finite differences


def run(values: Values) -> list[Frame]:
    """Record the tape of the expression, and show it step by step."""
    expression = parse(str(values["f"]))
    inputs = {name: float(values[name]) for name in INPUTS if name in expression.inputs()}
    return list(TapeWalk(expression, inputs).frames())


def record(expression: Expression, inputs: dict[str, float]) -> Tape:
    """Return the tape of an expression at some inputs."""
    leaves = {name: sw.tensor(value, dtype=sw.float64, requires_grad=True) for name, value in inputs.items()}
    with sw.GradientTape(keep_values=True):
        result = expression.compute(leaves)
    assert isinstance(result, Tensor)
    return read_tape(result, leaves)


class TapeWalk:
    """The tape of an expression, and how far a learner has walked along it."""

    def __init__(self, expression: Expression, inputs: dict[str, float]) -> None:
        self.expression, self.inputs = expression, inputs
        self.tape = record(expression, inputs)
        self.entries = self.tape.entries
        self.names = self._names()
        self.results = [entry.number for entry in self.entries if entry.inputs]
        self.output = self.results[-1]
        self._check_values()
        self.asked: set[str] = set()

    def frames(self) -> Sequence[Frame]:
        made = [self._start()]
        made += [self._forward(count) for count in range(1, len(self.results) + 1)]
        made += [self._seed()]
        made += [self._backward(count) for count in range(1, len(self.tape.contributions) + 1)]
        return [*made, self._check()]

    # ---- names and numbers

    def _names(self) -> dict[int, str]:
        names, count = {}, 0
        for entry in self.entries:
            if entry.inputs:
                count += 1
                names[entry.number] = f"v{count}"
            elif entry.operation == "leaf":
                names[entry.number] = entry.name
            else:
                names[entry.number] = brief(entry.value.item())
        names[max(number for number in names if self.entries[number].inputs)] = "L"
        return names

    def _check_values(self) -> None:
        for number in self.results:
            if not math.isfinite(self._value(number)):
                raise ArgumentError(
                    f"at these inputs {self._spelt(number)} has no finite value; choose other inputs"
                )
        for number, gradient in self.tape.gradients.items():
            if not math.isfinite(gradient.item()):
                raise ArgumentError(
                    f"at these inputs the gradient at {self.names[number]} is not finite; choose other inputs"
                )

    def _value(self, number: int) -> float:
        value: float = self.entries[number].value.item()
        return value

    def _spelt(self, number: int) -> str:
        """Return how a result was made: ``v1 = w × x``."""
        entry = self.entries[number]
        names = [self.names[source] for source in entry.inputs]
        sign = sign_of(entry.operation)
        made = f"{names[0]} {sign} {names[1]}" if len(names) == 2 else f"{sign}({names[0]})"
        return f"{self.names[number]} = {made}"

    def _known(self, forward: int, backward: int) -> tuple[dict[int, str], dict[int, str]]:
        """Return values and gradients known after so many results and contributions."""
        done = set(self.results[:forward])
        values = {e.number: brief(e.value.item()) for e in self.entries if not e.inputs or e.number in done}
        gradients = {self.output: "1"} if backward >= 0 else {}
        for contribution in self.tape.contributions[: max(backward, 0)]:
            gradients[contribution.target] = brief(contribution.total.item())
        return values, gradients

    # ---- frames

    def _start(self) -> Frame:
        given = ", ".join(f"{name} = {brief(value)}" for name, value in self.inputs.items())
        return self._frame(
            "Before the forward pass",
            f"The tape will hold {len(self.results)} operations. So far only the inputs are known: {given}. "
            "Dashed boxes are constants.",
            forward=0,
            backward=-1,
            current=[e.number for e in self.entries if not e.inputs],
            prediction=self._order_question(),
        )

    def _forward(self, count: int) -> Frame:
        number = self.results[count - 1]
        numbers = [brief(self._value(source)) for source in self.entries[number].inputs]
        return self._frame(
            f"Forward {count} of {len(self.results)}: {self._spelt(number)}",
            f"The operation takes {' and '.join(numbers)} and gives {brief(self._value(number))}. "
            "The tape notes the operation and the values that went in: the way back will need them.",
            forward=count,
            backward=-1,
            current=[number],
        )

    def _seed(self) -> Frame:
        return self._frame(
            "Turn round: the gradient of L with respect to itself is 1",
            "The forward pass is done. The backward pass starts at the result with 1: if L grows by a "
            "little, L "
            "grows by just as much. Now walk the same boxes in the opposite order.",
            forward=len(self.results),
            backward=0,
            current=[self.output],
            formula=r"\frac{\partial L}{\partial L} = 1",
            prediction=self._question(0),
        )

    def _backward(self, count: int) -> Frame:
        contribution = self.tape.contributions[count - 1]
        source, target = self.names[contribution.source], self.names[contribution.target]
        incoming, local = contribution.incoming.item(), _local(contribution)
        added = contribution.gradient.item()
        words = (
            f"What comes in at {source} is {brief(incoming)}. The local derivative of {source} with "
            f"respect to "
            f"{target} is {brief(local)}. Their product, {brief(added)}, goes to {target}"
        )
        if contribution.accumulates:
            words += (
                f", where something had arrived before: {target} is used more than once, so the "
                f"contributions "
                f"are **added**. It stands at {brief(contribution.total.item())}."
            )
        else:
            words += "."
        return self._frame(
            f"Backward {count} of {len(self.tape.contributions)}: from {source} to {target}",
            words,
            forward=len(self.results),
            backward=count,
            current=[contribution.source, contribution.target],
            formula=self._product(contribution),
            edge={(contribution.target, contribution.source): f"× {brief(local)}"},
            prediction=self._question(count),
        )

    def _check(self) -> Frame:
        rows = []
        for entry in self.entries:
            if entry.operation != "leaf":
                continue
            ours = self.tape.gradients[entry.number].item() if entry.number in self.tape.gradients else 0.0
            nudged = self._finite_difference(entry.name)
            rows.append((entry.name, brief(ours, 6), brief(nudged, 6), brief(abs(ours - nudged), 1)))
        return self._frame(
            "Check: nudge each input, and look",
            f"Each input is moved by {brief(NUDGE, 1)} up and down, and the forward pass is run again. "
            f"That took {2 * len(rows)} forward passes; backpropagation took one forward and one backward "
            f"pass "
            "for all inputs together.",
            forward=len(self.results),
            backward=len(self.tape.contributions),
            formula=r"\frac{\partial L}{\partial w} \approx \frac{L(w + h) - L(w - h)}{2 h}",
            table=Table(
                "Gradients by backpropagation and by finite differences",
                ("Input", "Backpropagation", "Finite differences", "They differ by"),
                rows,
            ),
        )

    def _finite_difference(self, name: str) -> float:
        ends = []
        for sign in (1, -1):
            moved = {**self.inputs, name: self.inputs[name] + sign * NUDGE}
            result = self.expression.compute({n: sw.tensor(v, dtype=sw.float64) for n, v in moved.items()})
            assert isinstance(result, Tensor)
            ends.append(result.item())
        return float(ends[0] - ends[1]) / (2 * NUDGE)

    # ---- predictions

    def _order_question(self) -> Prediction:
        leaves = len(self.inputs)
        passes = leaves + 1
        return Prediction(
            f"How many passes over the tape will it take to get the gradients of all {leaves} inputs?"
            if leaves > 1
            else "How many passes over the tape will it take to get the gradient of the input?",
            (
                "One forward",
                "One forward and one backward",
                f"{passes} forward, one for each input and one more",
            ),
            1,
            "Step through them: the backward pass visits each operation once, whatever the number of inputs.",
        )

    def _question(self, count: int) -> Prediction | None:
        """Ask about the next contribution, if it is the first of a kind worth asking about."""
        if count >= len(self.tape.contributions):
            return None
        following = self.tape.contributions[count]
        incoming, local = following.incoming.item(), _local(following)
        kind = "sum" if following.accumulates else "product" if local not in (0.0, 1.0) else ""
        if not kind or kind in self.asked:
            return None
        total = following.total.item()
        wrong = [following.gradient.item(), local, incoming, -total, incoming + local, 2 * total]
        numbers = [total]
        for number in wrong:
            if len(numbers) < 4 and all(brief(number) != brief(other) for other in numbers):
                numbers.append(number)
        if len(numbers) < 3:
            return None
        self.asked.add(kind)
        numbers.sort()
        source, target = self.names[following.source], self.names[following.target]
        because = f"{brief(incoming)} comes in, times the local derivative {brief(local)}"
        if following.accumulates:
            because += f", added to the {brief(total - following.gradient.item())} that was there"
        question = (
            f"Next, {source} sends a gradient to {target}, which has one already. What will stand at "
            f"{target}?"
            if following.accumulates
            else f"{self._spelt(following.source)}. Next, {source} passes a gradient to {target}: "
            "what will stand there?"
        )
        return Prediction(
            question, tuple(brief(number) for number in numbers), numbers.index(total), f"{because}."
        )

    # ---- looks

    def _frame(
        self,
        title: str,
        words: str,
        *,
        forward: int,
        backward: int,
        current: Sequence[int] = (),
        formula: str = "",
        edge: dict[tuple[int, int], str] | None = None,
        table: Table | None = None,
        prediction: Prediction | None = None,
    ) -> Frame:
        values, gradients = self._known(forward, backward)
        walked = {(c.target, c.source) for c in self.tape.contributions[: max(backward, 0)]}
        picture = draw_tape_graph(
            self.entries,
            names=self.names,
            values=values,
            gradients=gradients,
            current=current,
            edges=edge,
            backward=walked,
            title="The tape as a graph",
            description=words.replace("**", ""),
        )
        caption = "Values in blue go forward; gradients in rust, marked ∂, come back"
        return Frame(
            title,
            words,
            figures=(Figure(caption, picture, True),),
            table=table or self._table(values, gradients, current),
            formula=formula,
            prediction=prediction,
        )

    def _table(self, values: dict[int, str], gradients: dict[int, str], current: Sequence[int]) -> Table:
        rows = []
        for entry in self.entries:
            made = self._spelt(entry.number).partition(" = ")[2] if entry.inputs else entry.operation
            if entry.operation == "leaf":
                made = "input"
            rows.append(
                (
                    self.names[entry.number],
                    made,
                    values.get(entry.number, "not yet"),
                    gradients.get(entry.number, "not yet" if entry.operation != "constant" else "none"),
                )
            )
        place = current[0] if len(current) == 1 else None
        return Table("The tape", ("Name", "Made from", "Value", "Gradient"), rows, current=place)

    def _product(self, contribution: Contribution) -> str:
        source, target = (
            _tex_name(self.names[contribution.source]),
            _tex_name(self.names[contribution.target]),
        )
        incoming, local = _tex(contribution.incoming.item()), _tex(_local(contribution))
        before = contribution.total.item() - contribution.gradient.item()
        start = f"{_tex(before)} + " if contribution.accumulates else ""
        sign = "="
        if contribution.accumulates:
            sign = rf"\leftarrow \frac{{\partial L}}{{\partial {target}}} +"
        middle = (
            rf"\frac{{\partial L}}{{\partial {source}}} \cdot \frac{{\partial {source}}}{{\partial {target}}}"
        )
        return (
            rf"\frac{{\partial L}}{{\partial {target}}} {sign} {middle} \qquad "
            rf"{start}{incoming} \cdot {local} = {_minus(contribution.total.item())}"
        )


def _local(contribution: Contribution) -> float:
    assert contribution.local_derivative is not None, "all operations of the lab are elementwise"
    value: float = contribution.local_derivative.item()
    return value


def _minus(value: float) -> str:
    return brief(value).replace("−", "-")


def _tex(value: float) -> str:
    text = _minus(value)
    return f"({text})" if value < 0 else text


def _tex_name(name: str) -> str:
    return f"v_{{{name[1:]}}}" if name.startswith("v") else name


LAB = Lab(
    title="Walk the tape",
    task="Type an expression of w, x, b and y, then step: forward through its operations, and back with the "
    "gradient. Try `x*x*x + x` for a value that is used more than once, and `sigmoid(w*x + b)` for a neuron.",
    settings=(
        Text(
            "f",
            "Expression",
            "(w*x + b - y)^2",
            60,
            "+ − * / ^, exp, log, sqrt, sin, tanh, sigmoid, relu, abs",
        ),
        Number("w", "Input w", 0.5, -10, 10, 0.1),
        Number("x", "Input x", 3.0, -10, 10, 0.1),
        Number("b", "Input b", 1.0, -10, 10, 0.1),
        Number("y", "Input y", 1.0, -10, 10, 0.1),
    ),
    run=run,
    step_name="step",
)
