"""What a training run was like, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from slopewise.engine.errors import ArgumentError

Record = dict[str, Any]


class History:
    """A record per epoch: losses, metrics, learning rate and time.

    Attributes
    ----------
    records : list of dict
        Keys: ``epoch`` (from 1), ``step`` (updates so far), ``loss`` and the metrics on the training rows
        while they were learnt from, the same with the prefix ``validation_``, ``lr``, ``seconds``.
    stopped : str
        Why training ended before its last epoch, or "".

    Examples
    --------
    >>> history = History([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}])
    >>> history["loss"]
    [0.5, 0.25]
    """

    def __init__(self, records: list[Record] | None = None, stopped: str = "") -> None:
        self.records: list[Record] = [] if records is None else records
        self.stopped = stopped

    def __getitem__(self, name: str) -> list[Any]:
        if self.records and name not in self.records[-1]:
            known = ", ".join(self.records[-1])
            raise ArgumentError(f"the history has no '{name}'; it has {known}")
        return [record.get(name) for record in self.records]

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return iter(self.records)

    def __repr__(self) -> str:
        last = ", ".join(
            f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in (self.records[-1] if self.records else {}).items()
        )
        ended = f", stopped: {self.stopped}" if self.stopped else ""
        return f"<History of {len(self.records)} epochs; last: {last or 'none'}{ended}>"
