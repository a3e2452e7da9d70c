"""The full Pro decks: sixty cards each, numbers and formulas from the engine, in no package."""

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from pro.build import AGREES, FOLDERS, build, formulas_of, main, read_deck

from slopewise.engine.errors import DataError
from slopewise.site.content import load_course, markup
from slopewise.site.content.archive import unpack
from slopewise.site.content.lesson import parse_toml
from slopewise.site.content.library import load_pro_decks

ROOT = Path(__file__).parents[2]
NAMES = [folder.name for folder in FOLDERS]
FORMULAS = [(folder.name, formula) for folder in FOLDERS for formula in formulas_of(folder)]
SIZE = 60


@pytest.fixture(scope="module")
def decks():
    return {folder.name: read_deck(folder) for folder in FOLDERS}


def written(name):
    """Return the texts of a deck as they are written, before numbers come in."""
    rows = parse_toml(ROOT / "pro" / "decks" / name / "cards.toml")["card"]
    return {f"{row['id']}, {side}": row[side] for row in rows for side in ("front", "back")}


def test_there_are_three_decks():
    assert NAMES == ["diagnosis", "interview", "mathematics"]


@pytest.mark.parametrize("name", NAMES)
def test_a_deck_is_whole(decks, name):
    deck = decks[name]
    assert len(deck.cards) == SIZE
    assert {card.skill for card in deck.cards} == set(deck.skills)
    assert {tag for card in deck.cards for tag in card.tags} <= {"important", "definition", "review", "extra"}
    assert sum("important" in card.tags for card in deck.cards) >= 10


@pytest.mark.parametrize("name", NAMES)
def test_no_side_begins_with_a_number_that_markdown_takes_for_a_list(decks, name):
    for card in decks[name].cards:
        for side in (card.front, card.back):
            assert not markup.block(side).startswith(("<ol", "<ul")), card.id


@pytest.mark.parametrize(
    ("name", "formula"), FORMULAS, ids=[f"{name}-{formula.name}" for name, formula in FORMULAS]
)
def test_a_formula_agrees_with_the_engine(name, formula):
    left, right = (np.asarray(side, float) for side in formula.sides())
    assert left.shape == right.shape
    np.testing.assert_allclose(left, right, **AGREES)


@pytest.mark.parametrize("name", NAMES)
def test_no_displayed_formula_and_no_decimal_number_is_typed(name):
    for place, text in written(name).items():
        prose = re.sub(r"```.*?```|`[^`]*`|\{\{.*?\}\}|\{%.*?%\}|\]\([^)]*\)", " ", text, flags=re.DOTALL)
        assert "$$" not in prose, place
        assert re.findall(r"\d+\.\d+", prose) == [], place


@pytest.mark.parametrize("name", NAMES)
def test_every_formula_and_number_is_used(name):
    text = "".join(written(name).values())
    for formula in formulas_of(ROOT / "pro" / "decks" / name):
        assert f"formula.{formula.name} " in text or f"${formula.latex}$" in text, formula.name


@pytest.mark.parametrize("name", NAMES)
def test_each_card_is_set_without_rest(decks, name):
    for card in decks[name].cards:
        for text in (card.front, card.back):
            shown = markup.block(text)
            assert not re.search(
                r"\$|\{\{|\\\w", re.sub(r"<(pre|code|math).*?</\1>", "", shown, flags=re.S)
            ), card.id


@pytest.mark.parametrize("name", NAMES)
def test_sentences_are_short(decks, name):
    for card in decks[name].cards:
        for text in (card.front, card.back):
            words = markup.plain(re.sub(r"```.*?```|\$\$.*?\$\$", " ", text, flags=re.S))
            for sentence in re.split(r"(?<=[.?!:;])\s", words):
                assert len(sentence.split()) <= 48, (card.id, sentence)


@pytest.mark.slow
def test_no_card_is_there_twice_in_pro_decks_or_free_ones(decks):
    def key(text):
        return " ".join(re.findall(r"[a-z]+", markup.plain(text).lower()))

    free = {key(card.front) for lesson in load_course().lessons for card in lesson.cards}
    free |= {key(card.front) for deck in load_pro_decks() for card in deck.cards}
    fronts = [key(card.front) for deck in decks.values() for card in deck.cards]
    backs = [key(card.back) for deck in decks.values() for card in deck.cards]
    assert free.isdisjoint(fronts)
    assert len(set(fronts)) == len(fronts)
    assert len(set(backs)) == len(backs)


@pytest.mark.slow
def test_the_archive_is_the_decks_and_the_same_each_time(decks, tmp_path):
    file = tmp_path / "archive.zip"
    assert main(["--out", str(file)]) == 0
    assert file.read_bytes() == build()
    assert list(unpack(file.read_bytes()).decks) == list(decks.values())


def test_a_formula_that_does_not_hold_builds_nothing(monkeypatch, tmp_path, capsys):
    import pro.decks.diagnosis.facts as facts

    from slopewise.site.content.lesson import Formula

    monkeypatch.setattr(facts, "FORMULAS", (*facts.FORMULAS, Formula("wrong", "1 = 2", lambda: (1.0, 2.0))))
    with pytest.raises(DataError, match="the formula wrong does not hold"):
        read_deck(ROOT / "pro" / "decks" / "diagnosis")
    assert main(["--out", str(tmp_path / "archive.zip")]) == 2
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.slow
def test_neither_wheel_nor_sdist_holds_a_pro_deck(decks, tmp_path):
    """Both are built from what git keeps, by the build backend itself: nothing comes from the network."""
    tree = tmp_path / "tree"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes((ROOT / name).read_bytes())
    assert (tree / "pro" / "decks" / "diagnosis" / "cards.toml").is_file()
    for kind in ("wheel", "sdist"):
        program = f"from setuptools import build_meta; build_meta.build_{kind}({str(tmp_path)!r})"
        subprocess.run(
            [sys.executable, "-c", program], cwd=tree, check=True, capture_output=True, timeout=300
        )
    held = {}
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        held |= {f"wheel: {name}": wheel.read(name) for name in wheel.namelist()}
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as sdist:
        held |= {f"sdist: {item.name}": sdist.extractfile(item).read() for item in sdist if item.isfile()}
    sample = "content/decks/sample_diagnosis/cards.toml"
    assert sum(name.endswith(sample) for name in held) == 2  # the same look finds the sample deck
    assert [name for name in held if "/pro/" in name or ": pro/" in name] == []
    words = [text.encode() for name in decks for text in written(name).values()]
    assert [name for name, content in held.items() if any(word in content for word in words)] == []
