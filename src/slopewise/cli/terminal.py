"""What the commands print: a live bar on a terminal, plain lines elsewhere, nothing when told so."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TextIO

from slopewise.evaluate.display import count, interval, percent, score_value, visible
from slopewise.evaluate.evaluation import Evaluation, Part
from slopewise.evaluate.scorecards import kind_of
from slopewise.evaluate.verdict import MAIN_SCORE
from slopewise.train.files import write_error

PLAIN_LINES = 10  # lines of progress where there is no terminal, about
MOST_CLASSES = 8  # a larger confusion matrix does not fit a terminal
NAME_WIDTH = 16


def say(text: str = "", *, file: TextIO | None = None) -> None:
    """Print a line at once, also into a pipe; when its reader has gone, the work goes on unseen.

    Raises
    ------
    RunError
        If what the stream goes to cannot be written, such as a file on a full disk.
    """
    stream = file or sys.stdout
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError:
        discard(stream)
    except OSError as error:
        discard(stream)  # else Python tries the line again as it ends
        name = "standard error" if stream is sys.stderr else "standard output"
        raise write_error(Path(name), error) from error


def discard(stream: TextIO) -> None:
    """Let what is written to a stream from now on, and what it still holds, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


WIDE = 110  # columns of a terminal in which nothing needs to be shortened


class Progress(Protocol):
    """Shows how training goes on."""

    def update(self, record: Mapping[str, Any]) -> None:
        """Show an epoch that has ended."""

    def advance(self, epochs: float) -> None:
        """Show how far training has come, in epochs."""


class NoProgress:
    """Shows nothing."""

    def update(self, record: Mapping[str, Any]) -> None:
        """Show nothing."""

    def advance(self, epochs: float) -> None:
        """Show nothing."""


@contextmanager
def progress(epochs: int, *, done: int = 0, quiet: bool = False) -> Iterator[Progress]:
    """Show the progress of training: a bar on a terminal, some plain lines elsewhere.

    Parameters
    ----------
    epochs : int
        The most epochs there will be.
    done : int
        How many of them were made before, in a run that is resumed.
    quiet : bool
    """
    if quiet:
        yield NoProgress()
    elif sys.stdout.isatty():
        with _bar(epochs, done) as bar:
            yield bar
    else:
        yield PlainProgress(epochs)


class PlainProgress:
    """Prints a line now and then, without control characters."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self.every = max(1, epochs // PLAIN_LINES)

    def update(self, record: Mapping[str, Any]) -> None:
        """Print the first epoch, and each `every`-th."""
        epoch = record["epoch"]
        if epoch == 1 or epoch % self.every == 0:
            say(f"epoch {epoch}/{self.epochs}  {epoch_text(record)}")

    def advance(self, epochs: float) -> None:
        """Print nothing: lines are for whole epochs."""


class _LiveProgress:
    """Moves a rich progress bar."""

    def __init__(self, bar: Any, task: Any, epochs: int, done: int) -> None:
        self.bar, self.task, self.epochs, self.done = bar, task, epochs, done
        self.started = time.monotonic()

    def update(self, record: Mapping[str, Any]) -> None:
        self.bar.update(self.task, status=epoch_text(record, short=self.bar.console.width < WIDE))
        self.advance(record["epoch"])

    def advance(self, epochs: float) -> None:
        spent = time.monotonic() - self.started
        left = spent / max(epochs - self.done, 1e-9) * (self.epochs - epochs)
        text = time_left(left) if epochs < self.epochs else ""
        self.bar.update(self.task, completed=epochs, epoch=min(int(epochs) + 1, self.epochs), left=text)


@contextmanager
def _bar(epochs: int, done: int) -> Iterator[_LiveProgress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(markup=False, highlight=False, emoji=False)
    columns = (
        TextColumn("epoch {task.fields[epoch]}/{task.total}", markup=False),
        BarColumn(bar_width=24 if console.width >= WIDE else 10),
        TextColumn("{task.fields[status]}", markup=False),
        TextColumn("{task.fields[left]}", markup=False, style="dim"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=epochs, completed=done, epoch=done + 1, status="", left="")
        yield _LiveProgress(bar, task, epochs, done)


def time_left(seconds: float) -> str:
    """Return an upper bound of the time left, as early stopping may come sooner.

    Examples
    --------
    >>> time_left(0.4), time_left(75), time_left(4000)
    ('≤ 0:01 left', '≤ 1:15 left', '≤ 1:06:40 left')
    """
    whole = max(1, round(seconds))
    hours, minutes = whole // 3600, whole % 3600 // 60
    clock = f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"
    return f"≤ {clock} left"


def epoch_text(record: Mapping[str, Any], *, short: bool = False) -> str:
    """Return the losses and the validation score of an epoch; `short` fits in a narrow terminal.

    Examples
    --------
    >>> epoch_text({"epoch": 3, "loss": 0.25, "validation_loss": 0.5, "validation_accuracy": 0.875})
    'loss 0.2500  validation loss 0.5000  accuracy 87.5%'
    """
    texts = [f"loss {record['loss']:.4f}"]
    if "validation_loss" in record:
        texts.append(f"{'val.' if short else 'validation'} loss {record['validation_loss']:.4f}")
    if "validation_accuracy" in record:
        texts.append(f"{'acc.' if short else 'accuracy'} {percent(record['validation_accuracy'])}")
    return "  ".join(texts)


# ---- the plan and the result -----------------------------------------------------------------------------


def result_lines(evaluation: Evaluation, parts: Sequence[Part]) -> list[str]:
    """Return the scores of parts, the one that counts first, and for classes a confusion matrix of it."""
    titles = [_score_title(evaluation, part) for part in parts]
    width = max(len(title) for title in titles)
    lines = [f"{t:<{width}}  {_score_text(evaluation, part)}" for t, part in zip(titles, parts, strict=True)]
    first = parts[0]
    if evaluation.task == "classification" and 2 <= len(evaluation.classes) <= MOST_CLASSES:
        lines += ["", *confusion_lines(evaluation.classes, first.confusion)]
    return lines


def _score_title(evaluation: Evaluation, part: Part) -> str:
    return f"{part.name} {kind_of(MAIN_SCORE[evaluation.task]).title.lower()}"


def _score_text(evaluation: Evaluation, part: Part) -> str:
    score = part.score(MAIN_SCORE[evaluation.task])
    kind = kind_of(score.name)
    noise = interval(score.name, score.low, score.high)
    reach = f" (95% interval {noise})" if noise != "–" else ""
    constant = {
        "most frequent class": f"always {visible(evaluation.most_frequent, NAME_WIDTH)}",
        "median": "always the median",
    }[kind.baseline]
    return (
        f"{score_value(score.name, score.value)}{reach}, "
        f"baseline {score_value(score.name, score.baseline)} ({constant}), {count(part.rows, 'row')}"
    )


def confusion_lines(classes: Sequence[str], matrix: Sequence[Sequence[int]]) -> list[str]:
    """Return a confusion matrix as aligned text, true classes down, predicted ones across.

    Examples
    --------
    >>> print("\\n".join(confusion_lines(["ant", "bee"], [[9, 1], [0, 10]])))
    true \\ predicted  ant  bee
    ant                 9    1
    bee                 0   10
    """
    from rich.cells import cell_len  # wide characters take two places

    names = [visible(name, NAME_WIDTH) for name in classes]
    corner = "true \\ predicted"
    first = max(len(corner), *(cell_len(name) for name in names))
    widths = [
        max(cell_len(name), *(len(count(row[place])) for row in matrix)) for place, name in enumerate(names)
    ]
    header = "  ".join(
        [
            corner + " " * (first - len(corner)),
            *(_right(name, width) for name, width in zip(names, widths, strict=True)),
        ]
    )
    rows = [
        "  ".join(
            [
                name + " " * (first - cell_len(name)),
                *(count(value).rjust(width) for value, width in zip(line, widths, strict=True)),
            ]
        )
        for name, line in zip(names, matrix, strict=True)
    ]
    return [header, *rows]


def _right(text: str, width: int) -> str:
    from rich.cells import cell_len

    return " " * (width - cell_len(text)) + text


def scores_record(evaluation: Evaluation) -> dict[str, Any]:
    """Return scores, 95% intervals and baselines by part, for `--json`."""
    record: dict[str, Any] = {"scores": {}, "intervals": {}, "baselines": {}}
    for part in evaluation.parts:
        record["scores"][part.name] = {score.name: score.value for score in part.scores}
        record["intervals"][part.name] = {score.name: [score.low, score.high] for score in part.scores}
        record["baselines"][part.name] = {score.name: score.baseline for score in part.scores}
    return record
