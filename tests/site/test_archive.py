"""Content archives: what is in one, and that whatever does not fit is refused as a whole."""

import hashlib
import io
import json
import zipfile

import pytest
from archives import make_deck, sample_decks

from slopewise.engine.errors import DataError
from slopewise.site.content.archive import MANIFEST, MOST_BYTES, Version, pack, unpack

DECK = "decks/pro-harbour.json"


def packed(*, decks=None, version="1.0"):
    return pack("harbours", version, decks or sample_decks())


def files_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        return {name: source.read(name) for name in source.namelist()}


def zipped(files, compression=zipfile.ZIP_STORED):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as target:
        for name, content in files.items():
            target.writestr(name, content)
    return made.getvalue()


def changed(change, file=DECK):
    """Return an archive with something else in one file, the checksums made to fit."""
    files = files_of(packed())
    value = json.loads(files[file])
    change(value)
    files[file] = json.dumps(value).encode()
    if file != MANIFEST:
        manifest = json.loads(files[MANIFEST])
        for row in manifest["decks"]:
            row["sha256"] = hashlib.sha256(files[row["file"]]).hexdigest()
        files[MANIFEST] = json.dumps(manifest).encode()
    return zipped(files)


def test_what_is_packed_is_what_is_read():
    archive = unpack(packed())
    assert list(archive.decks) == sample_decks()
    assert (archive.name, archive.version) == ("harbours", Version("1.0"))


def test_the_same_decks_give_the_same_bytes():
    assert packed() == packed()
    assert packed() != packed(version="1.1")


def test_an_archive_holds_data_only():
    assert {name.rpartition(".")[2] for name in files_of(packed())} == {"json"}


@pytest.mark.parametrize(
    ("older", "newer"), [("1.0", "1.1"), ("1.9", "1.10"), ("1.9.9", "2.0"), ("1.0", "1.0.1")]
)
def test_versions_are_compared_by_their_numbers(older, newer):
    assert Version(older) < Version(newer)


def card(**values):
    return lambda deck: deck["cards"][0].update(values)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (card(front=""), "'front' has 1 to 4000 letters"),
        (card(front="x" * 4001), "'front' has 1 to 4000 letters"),
        (card(front=7), "'front' is not of the kind str"),
        (card(front="a\x07b"), "control letter"),
        (card(front="\ud800"), "control letter"),
        (card(back=r"$\nosuchcommand{x}$"), "harbour-1: the formula"),
        (card(back=r"$\frac{1}{$"), "harbour-1: cannot set the formula"),
        (lambda deck: deck["skills"][0].update(name=r"$\nosuchcommand$"), "a skill, recall: the formula"),
        (card(skill="flying"), "has no skill 'flying'"),
        (card(tags=["urgent"]), "tags are important"),
        (card(tags=[["x"]]), "tags are important"),
        (card(tags="important"), "'tags' is not of the kind list"),
        (card(uuid="x"), "unknown key 'uuid'"),
        (card(id="Harbour 1"), "does not match"),
        (card(id="harbour-2"), "two cards have the same id"),
        (lambda deck: deck["cards"][0].pop("back"), "lacks 'back'"),
        (lambda deck: deck.update(slug="own"), "does not match"),
        (lambda deck: deck.update(slug="pro-orchard"), "two decks have the same slug"),
        (lambda deck: deck.update(cards=[]), "1 to 500 cards, not 0"),
        (lambda deck: deck.update(cards={}), "'cards' is not of the kind list"),
        (lambda deck: deck.update(cards=[1]), "where an object is expected"),
        (lambda deck: deck.update(facts="import os"), "unknown key 'facts'"),
    ],
)
def test_a_deck_that_does_not_fit_is_refused_by_name(change, says):
    with pytest.raises(DataError) as refused:
        unpack(changed(change))
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda value: value.update(format=2), "format 2 is not known"),
        (lambda value: value.update(version="new"), "a version looks like 1.2"),
        (lambda value: value.update(version="1.0\n"), "control letter|looks like"),
        (lambda value: value.update(name="../x"), "does not match"),
        (lambda value: value.update(decks=[]), "1 to 20 decks"),
        (lambda value: value["decks"].pop(), "the manifest does not name it"),
        (lambda value: value["decks"][0].update(sha256="0" * 64), "its checksum differs"),
        (lambda value: value["decks"][0].update(file="decks/../../x"), "which is not in the archive"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(change, says):
    with pytest.raises(DataError, match=says):
        unpack(changed(change, MANIFEST))


def test_what_is_no_archive_is_refused():
    whole = packed()
    for data in (b"", b"PK", b"hello", whole[:-30], whole[40:], zipped({"other.txt": b"x"})):
        with pytest.raises(DataError, match="no content archive"):
            unpack(data)
    with pytest.raises(DataError, match=r"checksum|no content archive"):
        unpack(whole.replace(b"premium harbour question", b"premium harbour QUESTION", 1))
    with pytest.raises(DataError, match="not JSON"):
        unpack(zipped({MANIFEST: b"[" * 100_000}))


def test_an_archive_that_would_fill_the_memory_is_not_unpacked():
    bomb = zipped({MANIFEST: b" " * (MOST_BYTES + 1)}, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 100_000
    with pytest.raises(DataError, match="larger than 8 MB"):
        unpack(bomb)
    with pytest.raises(DataError, match="larger than 8 MB"):
        unpack(b"x" * (MOST_BYTES + 1))


def test_what_an_import_would_refuse_is_not_packed():
    with pytest.raises(DataError, match="does not match"):
        pack("harbours", "1.0", [make_deck("harbour", "harbour")])
