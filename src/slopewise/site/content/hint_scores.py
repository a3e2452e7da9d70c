"""How good hints are: precision and recall over labelled answers.

`python -m slopewise.site.content.hint_scores` prints them. The answers lie beside each lesson in
`answers/PROMPT.toml`, twenty for each prompt; a row holds the ideas that it has, as digits, and the text.
Phrasings may be written with an eye on the answers at even places. Those at odd places are kept back, so that
their scores tell how hints do on words that nobody looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from slopewise.engine.errors import DataError
from slopewise.site.content.hints import ideas_in, read_phrasing
from slopewise.site.content.lesson import LESSONS, parse_toml

ANSWERS = 20


@dataclass(frozen=True)
class Labelled:
    """An answer, whether each idea is in it, and whether each is hinted at."""

    lesson: str
    prompt: str
    text: str
    held: tuple[bool, ...]
    hinted: tuple[bool, ...]
    is_kept_back: bool


@dataclass(frozen=True)
class Score:
    """Precision: how many hints are right. Recall: how many ideas are hinted at."""

    right: int
    hinted: int
    held: int

    @property
    def precision(self) -> float:
        """Share of the hints that are right."""
        return self.right / self.hinted if self.hinted else 1.0

    @property
    def recall(self) -> float:
        """Share of the ideas that are hinted at."""
        return self.right / self.held if self.held else 1.0


def labelled(folder: Path) -> list[Labelled]:
    """Return the labelled answers of a lesson with their hints.

    Raises
    ------
    DataError
        If a prompt of the lesson lacks phrasings or has not twenty answers.
    """
    phrasings = parse_toml(folder / "prompts.toml")
    found = []
    for row in parse_toml(folder / "lesson.toml")["prompt"]:
        file = folder / "answers" / f"{row['id']}.toml"
        answers = parse_toml(file)["answers"]
        if row["id"] not in phrasings or len(answers) != ANSWERS:
            raise DataError(f"{file}: a prompt has phrasings and {ANSWERS} answers, not {len(answers)}")
        accepted = [[read_phrasing(text) for text in idea] for idea in phrasings[row["id"]]["accept"]]
        places = range(len(row["ideas"]))
        for number, (digits, text) in enumerate(answers):
            if not set(digits) <= set(map(str, places)):
                raise DataError(f"{file}: {text!r}: {digits} names an idea that there is not")
            held = tuple(str(place) in digits for place in places)
            hinted = tuple(ideas_in(text, accepted))
            found.append(Labelled(folder.name, row["id"], text, held, hinted, number % 2 == 1))
    return found


def score(answers: Iterable[Labelled]) -> Score:
    """Return precision and recall over all ideas of some answers."""
    pairs = [pair for answer in answers for pair in zip(answer.held, answer.hinted, strict=True)]
    return Score(
        right=sum(held and hinted for held, hinted in pairs),
        hinted=sum(hinted for _, hinted in pairs),
        held=sum(held for held, _ in pairs),
    )


def table(answers: Sequence[Labelled]) -> str:
    """Return a line for each prompt, and the three sums."""
    lines = [f"{'prompt':44} precision  recall"]
    for key in dict.fromkeys((answer.lesson, answer.prompt) for answer in answers):
        lines.append(
            _line(" ".join(key), [answer for answer in answers if (answer.lesson, answer.prompt) == key])
        )
    for name, kept_back in (("answers that were looked at", False), ("answers kept back", True)):
        lines.append(_line(name, [answer for answer in answers if answer.is_kept_back == kept_back]))
    lines.append(_line("all", answers))
    return "\n".join(lines)


def _line(name: str, answers: Iterable[Labelled]) -> str:
    found = score(answers)
    return f"{name:44} {found.precision:9.2f} {found.recall:7.2f}"


def folders() -> list[Path]:
    """Return the lessons that are written."""
    return sorted(LESSONS.glob("n[0-9][0-9]_*"))


if __name__ == "__main__":
    print(table([answer for folder in folders() for answer in labelled(folder)]))
