"""Columns of a table become one float32 matrix of features, by what the training rows alone taught."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slopewise.data.columns import INPUT_KINDS, ColumnInfo, infer_column
from slopewise.data.encoders import (
    ENCODERS,
    CategoryEncoder,
    Encoder,
    Features,
    encoder_from_dict,
    encoder_to_dict,
)
from slopewise.data.tables import Table, checked_rows, shown
from slopewise.engine.errors import ArgumentError, DataError

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Preprocessor:
    """What was learned from the training rows about the input columns.

    Numbers are imputed by the median and standardised, truth values become 0 and 1, categories one-hot, dates
    a trend and cycles: `slopewise.data.encoders` has the rules. Columns that no model can use are left out,
    each with its reason.

    Attributes
    ----------
    encoders : tuple, one for each column that is used, in the order of the table
    dropped : dict, name of a column that is not used -> why

    Examples
    --------
    >>> import polars as pl
    >>> table = Table.from_frame(pl.DataFrame({"size": [1.0, 3.0, None], "colour": ["red", "blue", "red"]}))
    >>> prep = Preprocessor.fit(table, rows=np.array([0, 1]))
    >>> prep.feature_names
    ['size', 'colour = blue', 'colour = red']
    >>> prep.transform(table).tolist()
    [[-1.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """

    encoders: tuple[Encoder, ...]
    dropped: dict[str, str] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        table: Table,
        rows: Sequence[int] | Rows | None = None,
        exclude: Collection[str] = (),
        kinds: Mapping[str, str] | None = None,
    ) -> Preprocessor:
        """Learn from the given rows; no other cell is looked at.

        Parameters
        ----------
        rows : 0-based row numbers of the training rows; None is all
        exclude : names of columns that are no inputs: the target, and others
        kinds : dict, name -> one of number, boolean, category, date, in place of the kind that was inferred

        Raises
        ------
        DataError
            If a name is no column, a column is not of the kind asked for, or no column is left.
        """
        index = None if rows is None else checked_rows(rows, table.n_rows)
        if index is not None and not len(index):
            raise DataError(f"{table.label}: there is no training row to learn from")
        asked = dict(kinds or {})
        _check_names(table, exclude, asked)
        infos = [infer_column(table, name, index) for name in table.names if name not in exclude]
        chosen = {info.name: asked.get(info.name, info.kind) for info in infos}
        if not any(kind in INPUT_KINDS for kind in chosen.values()):
            chosen.update(_counters_as_numbers(table, infos))
        encoders = tuple(
            ENCODERS[kind].fit(table, name, index) for name, kind in chosen.items() if kind in INPUT_KINDS
        )
        dropped = {info.name: info.reason for info in infos if chosen[info.name] not in INPUT_KINDS}
        if not encoders:
            listed = "; ".join(f"{name!r}: {reason}" for name, reason in dropped.items())
            others = listed or f"there is none but {', '.join(map(repr, table.names))}"
            raise DataError(f"{table.label}: no column is left as an input ({others}); add columns")
        return cls(encoders, dropped)

    @property
    def feature_names(self) -> list[str]:
        """Names of the features, in the order of the matrix's columns."""
        return [name for encoder in self.encoders for name in encoder.feature_names]

    @property
    def inputs(self) -> list[str]:
        """Names of the columns that are used."""
        return [encoder.name for encoder in self.encoders]

    @property
    def kinds(self) -> dict[str, str]:
        """The kind as which each column is used."""
        return {encoder.name: encoder.kind for encoder in self.encoders}

    @property
    def text_columns(self) -> list[str]:
        """Names of columns that hold categories: read them with `read_table(path, text=...)`.

        A file whose cells of such a column all look like numbers then still reads `1.50` as it is written.
        """
        return [encoder.name for encoder in self.encoders if isinstance(encoder, CategoryEncoder)]

    def transform(self, table: Table, rows: Sequence[int] | Rows | None = None) -> Features:
        """Return the features of the given rows.

        Parameters
        ----------
        table : Table; columns that training did not use are ignored
        rows : 0-based row numbers, in any order; None is all

        Returns
        -------
        float32 array, shape (n_rows, n_features)

        Raises
        ------
        DataError
            If a column is absent, or holds what its kind cannot be; the message names the column and the
            first row.
        """
        index = None if rows is None else checked_rows(rows, table.n_rows)
        n_rows = table.n_rows if index is None else len(index)
        widths = [len(encoder.feature_names) for encoder in self.encoders]
        features = np.empty((n_rows, sum(widths)), dtype=np.float32)
        start = 0
        for encoder, width in zip(self.encoders, widths):  # by column: the table is never copied whole
            encoder.write(table, index, features[:, start : start + width])
            start += width
        return features

    def unseen(self, table: Table) -> list[str]:
        """Return a sentence on each column in which cells are categories that training never saw.

        Such cells count as no category at all. Codes that lost their zeros on the way are told as that.

        Examples
        --------
        >>> import polars as pl
        >>> prep = Preprocessor.fit(Table.from_frame(pl.DataFrame({"zip": ["01067", "10115", "01067"]})))
        >>> print(*prep.unseen(Table.from_frame(pl.DataFrame({"zip": ["1067", "10115"]}))))
        column 'zip': 1 of 2 cells are no category of training, such as '1067'; training had '01067': were \
zeros lost?
        """
        sentences = []
        for encoder in self.encoders:
            if not isinstance(encoder, CategoryEncoder):
                continue
            cells = encoder.unseen(table)
            if len(cells):
                lost = {word.lstrip("0"): word for word in encoder.categories if word.startswith("0")}
                zeros = next((lost[word] for word in cells.unique(maintain_order=True) if word in lost), None)
                hint = "" if zeros is None else f"; training had {shown(zeros)}: were zeros lost?"
                example = cells[0] if zeros is None else zeros.lstrip("0")
                sentences.append(
                    f"column {encoder.name!r}: {len(cells):,} of {table.n_rows:,} cells are no category of "
                    f"training, such as {shown(example)}{hint}"
                )
        return sentences

    def to_dict(self) -> dict[str, Any]:
        """Return what was learned, for JSON; floats survive it to the bit."""
        return {
            "columns": [encoder_to_dict(encoder) for encoder in self.encoders],
            "dropped": dict(self.dropped),
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Preprocessor:
        """Return the preprocessor that `to_dict` wrote.

        Raises
        ------
        DataError
            If the record is none of a preprocessor's.
        """
        columns, dropped = record.get("columns"), record.get("dropped")
        if not isinstance(columns, list) or not isinstance(dropped, dict):
            raise DataError("not the record of a preprocessor: it needs 'columns' and 'dropped'")
        return cls(tuple(encoder_from_dict(column) for column in columns), dict(dropped))


def _check_names(table: Table, exclude: Collection[str], kinds: Mapping[str, str]) -> None:
    if isinstance(exclude, str):
        raise ArgumentError(f"exclude is a list of names; give [{exclude!r}]")
    for name in (*exclude, *kinds):
        table.column(name)
    for name, kind in kinds.items():
        if kind not in INPUT_KINDS:
            raise ArgumentError(
                f"column {name!r} cannot be used as {kind!r}; kinds are {', '.join(INPUT_KINDS)}"
            )


def _counters_as_numbers(table: Table, infos: Sequence[ColumnInfo]) -> dict[str, str]:
    """Return what counts the rows as a number: where nothing else is left, it is the input."""
    counters = [
        info.name for info in infos if info.kind == "identifier" and table[info.name].dtype.is_numeric()
    ]
    return dict.fromkeys(counters, "number")
