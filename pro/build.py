"""Builds the content archive: `make pro-content`, or `python -m pro.build --out FILE`.

Decks are folders like the sample deck of the package: `deck.toml`, `cards.toml` and `facts.py`, whose
`facts()` computes the numbers and whose `FORMULAS` check the displayed formulas. Both happen here, once; the
archive holds finished text, and no code travels in it.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from slopewise.engine.errors import DataError
from slopewise.site.content.archive import pack
from slopewise.site.content.lesson import FolderReader, Formula, parse_toml, read_cards, text_environment
from slopewise.site.content.library import ProDeck
from slopewise.site.content.typed_formulas import unproved_formulas, wrong_sums
from slopewise.site.content.typed_numbers import unproved_numbers, written_items

HERE = Path(__file__).parent
FOLDERS = sorted(file.parent for file in (HERE / "decks").glob("*/deck.toml"))
AGREES = {"rtol": 1e-5, "atol": 1e-9}


def formulas_of(folder: Path) -> tuple[Formula, ...]:
    """Return the formulas of a deck that are checked."""
    formulas: tuple[Formula, ...] = import_module(f"pro.decks.{folder.name}.facts").FORMULAS
    return formulas


def read_deck(folder: Path) -> ProDeck:
    """Read a deck's folder, its numbers computed and its formulas checked.

    Raises
    ------
    DataError
        If a file does not fit, the two sides of a formula differ, or nothing proves a number or a relation
        that is typed.
    """
    formulas = formulas_of(folder)
    for formula in formulas:
        left, right = (np.asarray(side, float) for side in formula.sides())
        if left.shape != right.shape or not np.allclose(left, right, **AGREES):
            raise DataError(
                f"{folder / 'facts.py'}: the formula {formula.name} does not hold: {left} is not {right}"
            )
    facts = import_module(f"pro.decks.{folder.name}.facts")
    items = written_items(folder)
    proved = [formula.latex for formula in formulas]
    for problem in (
        *unproved_numbers(items, facts.TYPED),
        *unproved_formulas(items, proved, getattr(facts, "GIVEN", ())),
    ):
        raise DataError(f"{folder / 'facts.py'}: {problem}")
    context = {
        **facts.facts(),
        "formula": SimpleNamespace(**{formula.name: f"\n\n$${formula.latex}$$\n\n" for formula in formulas}),
    }
    read = FolderReader(folder, text_environment(), context)
    about = read.toml("deck.toml")
    skills = {row["id"]: row["name"] for row in about["skill"]}
    cards = tuple(read_cards(read, "cards.toml", about["slug"]))
    for card in cards:
        for wrong in wrong_sums(f"{card.front}\n{card.back}"):
            raise DataError(f"{folder / 'cards.toml'}: card {card.id}: {wrong} does not add up")
    return ProDeck(
        about["slug"],
        about["title"],
        about["summary"],
        skills,
        cards,
    )


def build() -> bytes:
    """Return the archive of all decks."""
    about = parse_toml(HERE / "archive.toml")
    return pack(about["name"], about["version"], [read_deck(folder) for folder in FOLDERS])


def main(arguments: list[str] | None = None) -> int:
    """Write the archive, and return the exit status."""
    parser = argparse.ArgumentParser(description="Build the content archive of the Pro decks.")
    about = parse_toml(HERE / "archive.toml")
    default = HERE.parent / "build" / f"{about['name']}-{about['version']}.zip"
    parser.add_argument("--out", type=Path, default=default)
    file: Path = parser.parse_args(arguments).out
    try:
        data = build()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    except (DataError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{file}: {len(data)} bytes. Load it with: slopewise site import-content {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
