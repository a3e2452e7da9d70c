"""Recurrent layers: RNN, LSTM and GRU, each a scan over time. Names and gate orders are PyTorch's."""

from __future__ import annotations

import math
from typing import Any

from slopewise.engine import ops
from slopewise.engine.control import scan
from slopewise.engine.creation import zeros
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError
from slopewise.engine.tensor import Tensor
from slopewise.nn.activations import relu, sigmoid, tanh
from slopewise.nn.dropout import Dropout
from slopewise.nn.initializers import uniform
from slopewise.nn.inputs import floating_input, positive_integer, probability
from slopewise.nn.module import Module
from slopewise.nn.parameter import Parameter

States = tuple[Tensor, ...]


class _Recurrent(Module):
    """Layers of a recurrence, each perhaps in both directions; a subclass says what one step is.

    Weights of layer k are `weight_ih_l{k}`, (gates · hidden, inputs), `weight_hh_l{k}`, (gates · hidden,
    hidden), and the biases `bias_ih_l{k}` and `bias_hh_l{k}`; those that go back in time end in `_reverse`.
    """

    n_gates = 1
    n_states = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        self.input_size = positive_integer("input_size", input_size)
        self.hidden_size = positive_integer("hidden_size", hidden_size)
        self.num_layers = positive_integer("num_layers", num_layers)
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = probability("dropout", dropout)
        if dropout and num_layers == 1:
            raise ArgumentError("dropout acts between layers: it needs num_layers of at least 2")
        self.bidirectional = bidirectional
        for layer in range(num_layers):
            size = input_size if layer == 0 else hidden_size * len(self._directions())
            for suffix in self._directions():
                self._make_weights(f"_l{layer}{suffix}", size)
        self.between = Dropout(dropout) if dropout else None

    def _directions(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    def _make_weights(self, suffix: str, inputs: int) -> None:
        rows, bound = self.n_gates * self.hidden_size, 1.0 / math.sqrt(self.hidden_size)
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows, inputs),
            "weight_hh": (rows, self.hidden_size),
        }
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        for name, shape in shapes.items():
            setattr(self, name + suffix, Parameter(uniform(shape, -bound, bound)))

    def step(self, states: States, from_input: Tensor, from_hidden: Tensor) -> States:
        """Return the next states; the first of them is also the output.

        Parameters
        ----------
        states : the states so far, each (batch, hidden)
        from_input, from_hidden : what input and hidden state send to the gates, (batch, gates · hidden)
        """
        raise NotImplementedError

    # ---- the call

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        x = floating_input(self, x, self._parameter("weight_ih_l0").dtype)
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size:
            layout = "(batch, time, features)" if self.batch_first else "(time, batch, features)"
            raise ShapeError(
                f"{self._title()} needs {self.input_size} features in shape {layout}, got {x.shape}"
            )
        single = x.ndim == 2
        if single:
            x = ops.expand_dims(x, 1)
        elif self.batch_first:
            x = ops.swapaxes(x, 0, 1)
        if x.shape[0] == 0:
            raise ShapeError(f"{self._title()} needs at least one time step, got none")
        starts = self._start(x, state, single)
        output, ends = self._layers(x, starts)
        if single:
            return ops.squeeze(output, 1), self._packed(tuple(ops.squeeze(end, 1) for end in ends))
        return (ops.swapaxes(output, 0, 1) if self.batch_first else output), self._packed(ends)

    def _layers(self, x: Tensor, starts: States) -> tuple[Tensor, States]:
        """Run all layers on x (time, batch, features); states are (layers · directions, batch, hidden)."""
        ends: list[States] = []
        for layer in range(self.num_layers):
            if layer and self.between is not None:
                x = self.between(x)
            outputs = []
            for suffix in self._directions():
                start = tuple(states[len(ends)] for states in starts)
                end, output = self._run(f"_l{layer}{suffix}", x, start, reverse=bool(suffix))
                ends.append(end)
                outputs.append(output)
            x = outputs[0] if len(outputs) == 1 else ops.concatenate(outputs, -1)
        return x, tuple(ops.stack(list(states)) for states in zip(*ends, strict=True))

    def _run(self, suffix: str, x: Tensor, start: States, reverse: bool) -> tuple[States, Tensor]:
        """Run one layer in one direction; what the inputs send to the gates is one product for all times."""
        weight_hh = self._parameter("weight_hh" + suffix)
        bias_ih = self._parameter("bias_ih" + suffix) if self.bias else None
        bias_hh = self._parameter("bias_hh" + suffix) if self.bias else None
        gates = ops.linear(x, self._parameter("weight_ih" + suffix), bias_ih)

        def body(states: States, from_input: Tensor) -> tuple[States, Tensor]:
            following = self.step(states, from_input, ops.linear(states[0], weight_hh, bias_hh))
            return following, following[0]

        end, outputs = scan(body, start, gates, reverse=reverse)
        return end, outputs

    def _parameter(self, name: str) -> Parameter:
        return getattr(self, name)  # type: ignore[no-any-return]

    def _start(self, x: Tensor, state: Any, single: bool) -> States:
        """Return the states to begin with, zeros by default, each (layers · directions, batch, hidden)."""
        shape = (self.num_layers * len(self._directions()), x.shape[1], self.hidden_size)
        if state is None:
            return tuple(zeros(shape, x.dtype) for _ in range(self.n_states))
        given = (state,) if isinstance(state, Tensor) else tuple(map(ops.as_tensor, state))
        if len(given) != self.n_states:
            raise ArgumentError(f"{self._title()} has {self.n_states} states, {len(given)} were given")
        wanted = (shape[0], shape[2]) if single else shape
        for part in given:
            if part.shape != wanted:
                raise ShapeError(f"{self._title()} needs a state of shape {wanted}, got {part.shape}")
            if part.dtype != x.dtype:
                raise DtypeError(f"{self._title()} needs a state in {x.dtype}, got {part.dtype}")
        return tuple(ops.expand_dims(part, 1) for part in given) if single else given

    def _packed(self, states: States) -> Any:
        return states[0] if self.n_states == 1 else states

    def _gates(self, gates: Tensor) -> list[Tensor]:
        size = self.hidden_size
        return [gates[:, i * size : (i + 1) * size] for i in range(self.n_gates)]

    def _title(self) -> str:
        return f"{type(self).__name__}({self.input_size}, {self.hidden_size})"

    def extra_repr(self) -> str:
        defaults = zip(
            ("num_layers", "bias", "batch_first", "dropout", "bidirectional"),
            (1, True, True, 0.0, False),
            strict=True,
        )
        shown = [f"{name}={getattr(self, name)}" for name, value in defaults if getattr(self, name) != value]
        return ", ".join([str(self.input_size), str(self.hidden_size), *shown])


class RNN(_Recurrent):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), the Elman network.

    Weights begin uniform in ±1/√hidden_size (PyTorch's default).

    Parameters
    ----------
    input_size, hidden_size : features of the input, and of the hidden state
    num_layers : how many layers; each takes the outputs of the one below
    nonlinearity : "tanh" or "relu"
    bias : whether the biases are there
    batch_first : True (unlike PyTorch's default) for inputs (batch, time, features), False for (time, batch,
        features)
    dropout : probability of dropping an output between layers, in training mode
    bidirectional : whether each layer also runs back in time; outputs are joined on the last axis

    Returns
    -------
    (outputs, state) : outputs of the last layer at all times, (batch, time, directions · hidden); the final
        state, (layers · directions, batch, hidden), which can be passed to the next call

    Notes
    -----
    Source: J. Elman, "Finding structure in time", Cognitive Science 14 (1990). An input without a batch axis,
    (time, features), works as well.

    Examples
    --------
    >>> import slopewise as sw
    >>> outputs, state = sw.nn.RNN(3, 5)(sw.nn.initializers.zeros((2, 7, 3)))
    >>> outputs.shape, state.shape
    ((2, 7, 5), (1, 2, 5))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ArgumentError(f"nonlinearity must be 'tanh' or 'relu', not {nonlinearity!r}")
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional)
        self.nonlinearity = nonlinearity

    def step(self, states: States, from_input: Tensor, from_hidden: Tensor) -> States:
        total = from_input + from_hidden
        return (tanh(total) if self.nonlinearity == "tanh" else relu(total),)


class LSTM(_Recurrent):
    """Long short-term memory: c_t = σ(f) c_{t-1} + σ(i) tanh(g), h_t = σ(o) tanh(c_t).

    The gates i, f, g, o, in this order, are W_ih x_t + b_ih + W_hh h_{t-1} + b_hh.

    Parameters
    ----------
    input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional : as of `RNN`

    Returns
    -------
    (outputs, (h, c)) : outputs as of `RNN`; the final states, each (layers · directions, batch, hidden)

    Notes
    -----
    Source: S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9 (1997), with the
    forget gate of F. Gers et al. (2000).

    Examples
    --------
    >>> import slopewise as sw
    >>> outputs, (h, c) = sw.nn.LSTM(3, 5, num_layers=2)(sw.nn.initializers.zeros((2, 7, 3)))
    >>> outputs.shape, h.shape, c.shape
    ((2, 7, 5), (2, 2, 5), (2, 2, 5))
    """

    n_gates = 4
    n_states = 2

    def step(self, states: States, from_input: Tensor, from_hidden: Tensor) -> States:
        i, f, g, o = self._gates(from_input + from_hidden)
        c = sigmoid(f) * states[1] + sigmoid(i) * tanh(g)
        return sigmoid(o) * tanh(c), c


class GRU(_Recurrent):
    """Gated recurrent unit: h_t = (1 - z) n + z h_{t-1}.

    The gates are r = σ(W_ir x + b_ir + W_hr h + b_hr), z likewise, and n = tanh(W_in x + b_in + r (W_hn h +
    b_hn)), in this order.

    Parameters
    ----------
    input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional : as of `RNN`

    Returns
    -------
    (outputs, state) : as of `RNN`

    Notes
    -----
    Source: K. Cho et al., "Learning phrase representations using RNN encoder-decoder", EMNLP 2014, with
    PyTorch's place of r.

    Examples
    --------
    >>> import slopewise as sw
    >>> outputs, state = sw.nn.GRU(3, 5, bidirectional=True)(sw.nn.initializers.zeros((2, 7, 3)))
    >>> outputs.shape, state.shape
    ((2, 7, 10), (2, 2, 5))
    """

    n_gates = 3

    def step(self, states: States, from_input: Tensor, from_hidden: Tensor) -> States:
        input_r, input_z, input_n = self._gates(from_input)
        hidden_r, hidden_z, hidden_n = self._gates(from_hidden)
        r, z = sigmoid(input_r + hidden_r), sigmoid(input_z + hidden_z)
        n = tanh(input_n + r * hidden_n)
        return (n + z * (states[0] - n),)
