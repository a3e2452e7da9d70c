"""A trained network with its preprocessing: what turns rows of a table into predictions."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slopewise import nn
from slopewise.data import Preprocessor, Table, TargetEncoder
from slopewise.engine.creation import tensor
from slopewise.engine.errors import RunError
from slopewise.engine.mode import no_grad
from slopewise.engine.seeding import manual_seed
from slopewise.train.networks import build_network
from slopewise.train.run_folder import RunFolder
from slopewise.train.trainer import evaluation_mode

Floats = NDArray[np.float64]

ROWS_AT_ONCE = 65536


@dataclass(frozen=True)
class TableModel:
    """Predicts a column of a table from its other columns.

    Attributes
    ----------
    inputs : Preprocessor
    target : TargetEncoder
    hidden : tuple of int
        Units of each hidden layer.
    network : Module
        With as many outputs as there are classes, or one.

    Examples
    --------
    A run folder holds one:

    >>> model = TableModel.load(RunFolder.open("runs/penguins-1"))  # doctest: +SKIP
    >>> model.predict(sw.data.read_table("new.csv"))  # doctest: +SKIP
    """

    inputs: Preprocessor
    target: TargetEncoder
    hidden: tuple[int, ...]
    network: nn.Module

    @classmethod
    def build(
        cls, inputs: Preprocessor, target: TargetEncoder, hidden: Sequence[int], seed: int = 0
    ) -> TableModel:
        """Return a model that is not trained yet; its weights follow from the seed."""

        def seeded() -> nn.Module:
            manual_seed(seed)
            return build_network(len(inputs.feature_names), hidden, len(target.classes or [0]))

        # In a context of its own: the seed that the caller has set stays as it is.
        return cls(inputs, target, tuple(hidden), copy_context().run(seeded))

    @property
    def outputs(self) -> int:
        """How many outputs the network has."""
        return len(self.target.classes or [0])

    @property
    def text_columns(self) -> list[str]:
        """Names of the columns that hold words, also the target: for `read_table(path, text=...)`.

        In a file that happens to hold digits alone, cells then still are the words that training had.
        """
        worded = any(isinstance(label, str) for label in self.target.classes or [])
        return [*self.inputs.text_columns, *([self.target.name] if worded else [])]

    def probabilities(self, table: Table | Any, rows: NDArray[np.int64] | None = None) -> Floats:
        """Return the probability of each class, shape (rows, classes).

        Parameters
        ----------
        table : Table, or any data frame that `Table.from_frame` takes
        rows : 0-based row numbers; None is all

        Raises
        ------
        DataError
            If a column of the table is absent or of another kind.
        """
        logits = self._outputs(table, rows)
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
        probabilities: Floats = shifted / shifted.sum(axis=1, keepdims=True)
        return probabilities

    def values(self, table: Table | Any, rows: NDArray[np.int64] | None = None) -> Floats:
        """Return the predicted numbers in the target's unit, shape (rows,).

        Raises
        ------
        DataError
            If a column of the table is absent or of another kind.
        """
        values: Floats = self.target.inverse(self._outputs(table, rows)[:, 0])
        return values

    def predict(self, table: Table | Any, rows: NDArray[np.int64] | None = None) -> NDArray[Any]:
        """Return the predicted labels or numbers, shape (rows,)."""
        if self.target.classes is None:
            return self.values(table, rows)
        return self.target.inverse(self.probabilities(table, rows).argmax(axis=1))

    def _outputs(self, data: Table | Any, rows: NDArray[np.int64] | None) -> Floats:
        table = Table.from_frame(data)
        rows = np.arange(table.n_rows) if rows is None else rows
        found = np.empty((len(rows), self.outputs))
        with evaluation_mode(self.network), no_grad():
            for start in range(0, len(rows), ROWS_AT_ONCE):  # the features of all rows may be a large matrix
                features = self.inputs.transform(table, rows[start : start + ROWS_AT_ONCE])
                found[start : start + ROWS_AT_ONCE] = self.network(tensor(features)).numpy()
        return found

    def save(self, run: RunFolder) -> None:
        """Write model.json and model.safetensors."""
        description = {
            "task": self.target.task,
            "target": self.target.to_dict(),
            "inputs": self.inputs.to_dict(),
            "network": {"kind": "mlp", "hidden": list(self.hidden)},
        }
        weights = {name: np.asarray(value) for name, value in self.network.state_dict().items()}
        run.save_model(description, weights)

    @classmethod
    def load(cls, run: RunFolder) -> TableModel:
        """Read the model of a run.

        Raises
        ------
        RunError
            If the run has none yet, or its files are damaged.
        """
        description, weights = run.load_model()
        try:
            inputs = Preprocessor.from_dict(description["inputs"])
            target = TargetEncoder.from_dict(description["target"])
            model = cls.build(inputs, target, description["network"]["hidden"])
            model.network.load_state_dict(weights)
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{run.path / 'model.json'} is damaged ({error}): fit again") from error
        return model
