"""A card at a time on a terminal, and the keys that turn and grade it.

Lines follow each other; nothing is drawn over but the line that says the keys, so a screen reader can follow
and the terminal's memory holds the cards. Keys are read by Typer, on Windows as elsewhere.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import typer
from rich.console import Console, RenderableType
from rich.control import Control
from rich.padding import Padding
from rich.segment import ControlType
from rich.table import Table
from rich.text import Text

from slopewise.site.terminal.html_tree import printable
from slopewise.site.terminal.layout import card_side, plain_line
from slopewise.site.terminal.reviewing import GRADES, Card, Review

WIDEST = 90  # columns; longer lines are hard to read
ASK_SECONDS = 15
QUIT = ("q", "quit")
_COLOURS = {"again": "red", "hard": "yellow", "good": "green", "easy": "blue"}


class Screen:
    """Prints cards, and reads keys."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.console = Console(markup=False, highlight=False, emoji=False)
        self.console.width = min(self.console.width, WIDEST)

    def say(self, text: str) -> None:
        """Print a line."""
        self.console.print(Text(printable(text)))

    def front(self, card: Card, left: int) -> None:
        """Print where a card comes from, and its question."""
        name = plain_line(card.skill)
        place = Text.assemble((printable(card.deck), "bold"), (f" · {name}" if name else "", "dim"))
        for tag in card.tags:
            place.append(f"  {printable(tag)}", "dim italic")
        head = Table.grid(expand=True, padding=(0, 2, 0, 0))
        head.add_column(ratio=1)
        head.add_column(justify="right", no_wrap=True)
        head.add_row(place, Text(f"{left} left", "dim"))
        self.console.print()
        self.console.rule(style="dim")
        self.console.print(head)
        self._block(card_side(card.front))

    def back(self, card: Card) -> None:
        """Print the answer."""
        self.console.print(Padding(Text("─" * 12, "dim"), (0, 0, 0, 2)))
        self._block(card_side(card.back))
        if card.source.startswith("/"):
            self.console.print()
            self.note(f"Made in a lab, at this step: {self.address}{card.source}")

    def ask(self, *keys: tuple[str, str]) -> str:
        """Show which keys there are, wait for one of them, and take the line away again."""
        self.console.print()
        self.console.print(_named(keys), end="", no_wrap=True, overflow="ellipsis")
        known = {key for key, _ in keys}
        while (key := _key()) not in known:
            pass  # a key that means nothing here
        if self.console.is_dumb_terminal or self.console.legacy_windows:
            self.console.print()
        else:
            self.console.control(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2)))
        return key

    def note(self, text: str, style: str = "dim") -> None:
        """Print what became of a key."""
        self.console.print(Text(f"  {printable(text)}", style), soft_wrap=True)

    def _block(self, block: RenderableType) -> None:
        self.console.print(Padding(block, (1, 2, 0, 2)))


def review_at(screen: Screen, review: Review) -> None:
    """Show card after card until none is left, or the learner has had enough."""
    with _no_echo():
        if review.offline:
            fetched = f"{review.day.now.astimezone():%Y-%m-%d %H:%M}"
            screen.say(f"{review.offline}. These cards were fetched on {fetched}.")
        while _has_cards(screen, review):
            if not _show(screen, review):
                return


def _has_cards(screen: Screen, review: Review) -> bool:
    """Fetch more when the cards at hand are through; at the end let the last grade be taken back."""
    while not review.cards:
        answered = review.is_fresh or review.ask_again(ASK_SECONDS)
        if review.cards:
            break
        screen.say("")
        screen.say(_done_for_now(review) if answered else "These were all the cards at hand.")
        if not review.can_undo or screen.ask(("u", "take the last one back"), QUIT) == QUIT[0]:
            return False
        _undo(screen, review)
    return True


def _show(screen: Screen, review: Review) -> bool:
    """Show a card until something was done with it; return whether to go on."""
    card, turn = review.cards[0], [("space", "answer")]
    screen.front(card, len(review.cards))
    undo = [("u", "undo")] if review.can_undo else []
    while True:
        key = screen.ask(*turn, ("s", "rest"), *undo, QUIT)
        if key == "space":
            screen.back(card)
            turn = [(str(place), grade) for place, grade in enumerate(GRADES, 1)]
            continue
        if key == QUIT[0]:
            return False
        if key == "u":
            _undo(screen, review)
        elif key == "s":
            review.rest()
            screen.note("It rests until you wake it on the site." + _unsent(review))
        else:
            grade = GRADES[int(key) - 1]
            review.grade(grade)
            screen.note(grade + _unsent(review), _COLOURS[grade])
        return True


def _undo(screen: Screen, review: Review) -> None:
    if review.undo() or review.ask_again(ASK_SECONDS):
        screen.note("Taken back." + _unsent(review))
    else:
        screen.note("It will be taken back once there is a connection.")


def _unsent(review: Review) -> str:
    """Return a word on answers that could not be sent."""
    problem, waiting = review.sender.problem, len(review.sender.outbox)
    return f"  ({waiting} not sent yet)" if problem is not None and waiting else ""


def _key() -> str:
    """Wait for a key, and return it by the name under which it is asked for."""
    try:
        key = typer.getchar()
    except EOFError:
        return QUIT[0]
    # keys that were held down come together; those that are no letters begin with an escape
    key = (key if key.startswith("\x1b") else key[:1]).lower()
    return {" ": "space", "\r": "space", "\n": "space", "\x1b": QUIT[0]}.get(key, key)


def _named(keys: Sequence[tuple[str, str]]) -> Text:
    text = Text("  ")
    for key, name in keys:
        text.append(key, "bold")
        text.append(f" {name}   ", _COLOURS.get(name, "dim"))
    text.rstrip()
    return text


def _done_for_now(review: Review) -> str:
    next_at = review.day.next_at
    if next_at is None:
        return "Done for now. There is nothing to repeat."
    return f"Done for now. The next card comes back {_in_words(next_at - datetime.now(UTC))}."


def _in_words(wait: timedelta) -> str:
    """Return a time to wait: "in 8 minutes", "in 3 hours", "in 2 days".

    Examples
    --------
    >>> [_in_words(timedelta(minutes=minutes)) for minutes in (0, 8, 61, 3000)]
    ['in a minute', 'in 8 minutes', 'in an hour', 'in 2 days']
    """
    minutes = max(1, round(wait.total_seconds() / 60))
    for size, name, one in ((24 * 60, "day", "a day"), (60, "hour", "an hour"), (1, "minute", "a minute")):
        if minutes >= size:
            count = round(minutes / size)
            return f"in {count} {name}s" if count > 1 else f"in {one}"
    raise AssertionError("a minute is at least a minute")


@contextmanager
def _no_echo() -> Iterator[None]:
    """Keep keys that are pressed between two questions off the screen, where the system lets us."""
    try:
        import termios
    except ImportError:  # Windows: its keys are read without echo
        yield
        return
    stream = sys.stdin.fileno()
    before = termios.tcgetattr(stream)
    quiet = [*before]
    quiet[3] = before[3] & ~termios.ECHO
    termios.tcsetattr(stream, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(stream, termios.TCSADRAIN, before)
