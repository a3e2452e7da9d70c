"""Loading a content archive into a site that runs."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from archives import make_deck, sample_decks, whatever_is_loaded
from sqlalchemy import select

from slopewise.cli.app import run
from slopewise.engine.errors import DataError
from slopewise.site.administration import Administration
from slopewise.site.content import load_course
from slopewise.site.content.archive import pack
from slopewise.site.content.library import load_pro_decks
from slopewise.site.loaded_content import Libraries
from slopewise.site.storage.content_tables import LoadedArchive
from slopewise.site.storage.tables import AuditEntry


@pytest.fixture(autouse=True)
def nothing_loaded(site):
    with whatever_is_loaded(site):
        yield


@pytest.fixture
def load(site, tmp_path, capsys):
    """Load decks by the command line, as an owner does; return status, output and error."""
    address = site.app.state.configuration.database

    def command(version="1.0", decks=None, *options, name="harbours", data=None):
        file = tmp_path / "decks.zip"
        file.write_bytes(pack(name, version, decks or sample_decks()) if data is None else data)
        status = run(["site", "import-content", str(file), "--database", address, *options])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return command


@pytest.fixture
def member(site, browser):
    somebody = browser().sign_up()
    until = datetime.now(UTC) + timedelta(days=9)
    Administration(site.app.state.database, datetime.now(UTC)).grant_pro(somebody.email, until)
    return somebody


def versions(site):
    with site.app.state.database.reading() as session:
        return dict(session.execute(select(LoadedArchive.name, LoadedArchive.version)).all())


def test_a_running_site_shows_loaded_decks_at_once(load, member, browser):
    anonymous = browser()
    assert member.get("/cards/pro-harbour").status_code == 404
    status, out, _ = load()
    assert status == 0
    assert out.splitlines()[0] == "harbours 1.0 is loaded:"
    assert "  All about the orchard: 2 cards" in out
    assert "premium harbour answer" in member.get("/cards/pro-harbour").text
    assert "All about the harbour" in anonymous.get("/cards").text
    assert "All about the harbour" in anonymous.get("/membership").text
    assert "premium harbour answer" not in anonymous.get("/cards/pro-harbour").text


def test_words_in_a_formula_of_an_archive_are_words_on_its_page(load, member):
    deck = sample_decks()[0]
    hostile = r"$\text{<img src=x onerror=alert(1)>}$ and $$\text{</mtext><script>alert(1)</script>}$$"
    assert load("1.0", [replace(deck, cards=(replace(deck.cards[0], back=hostile),))])[0] == 0
    page = member.get("/cards/pro-harbour").text
    assert "&lt;img src=x" in page.replace("\u00a0", " ")
    assert "<img src" not in page
    assert "<script>" not in page
    bad = replace(deck, cards=(replace(deck.cards[0], back=r"$\href{javascript:alert(1)}{x}$"),))
    with pytest.raises(DataError, match="harbour-1: the formula"):
        load("1.1", [bad])


def test_a_newer_version_takes_the_place_of_the_one_before(site, load, member):
    load("1.9")
    lighthouse = make_deck("pro-lighthouse", "lighthouse", 3)
    assert load("1.10", [lighthouse])[1].startswith("harbours 1.10 is loaded, in the place of 1.9:")
    assert member.get("/cards/pro-harbour").status_code == 404
    assert "premium lighthouse answer" in member.get("/cards/pro-lighthouse").text
    assert versions(site) == {"harbours": "1.10"}


def test_a_card_keeps_its_identity_and_its_reviews_over_versions(load, member):
    load("1.0")
    deck = sample_decks()[0]
    entry = {"id": "00000000-0000-4000-8000-00000000abcd", "kind": "review", "card": str(deck.cards[0].uuid)}
    sent = member.send("/api/log", {"entries": [{**entry, "grade": "good", "at": "2026-01-05T12:00:00Z"}]})
    assert sent.json()["refused"] == []
    again = replace(deck, cards=(replace(deck.cards[0], back="A better harbour answer."), *deck.cards[1:]))
    load("1.1", [again])
    kept = member.get("/account/export.json").json()["schedule"]
    assert [(row["back"], row["reviews"]) for row in kept] == [("A better harbour answer.", 1)]
    load("1.2", [make_deck("pro-lighthouse", "lighthouse")])  # the card is gone; its reviews are not
    answer = member.get("/account/export.json").json()
    assert answer["reviews"][0]["card"] == str(deck.cards[0].uuid)
    assert "front" not in answer["reviews"][0]
    for page in ("/review", "/api/queue", "/review/resting", "/"):
        assert member.get(page).status_code == 200, page


def test_an_older_version_and_another_build_are_refused_unless_forced(site, load):
    load("1.2")
    status, _, error = load("1.1")
    assert status == 2
    assert "version 1.2 of harbours is loaded, and this is 1.1, an older one" in error
    other = [make_deck("pro-lighthouse", "lighthouse")]
    assert "another build of version 1.2" in load("1.2", other)[2]
    assert versions(site) == {"harbours": "1.2"}
    assert load("1.1", None, "--force")[0] == 0
    assert versions(site) == {"harbours": "1.1"}


def test_loading_the_same_file_again_changes_nothing(site, load):
    load()
    assert load()[1] == "harbours 1.0 is loaded already; nothing was changed\n"
    assert audited(site).count("import-content 1.0") == 1


def audited(site):
    with site.app.state.database.reading() as session:
        query = select(AuditEntry.action).where(AuditEntry.action.startswith("import-content"))
        start = max(0, len(list(session.scalars(query))) - 3)
        return list(session.scalars(query.order_by(AuditEntry.id)))[start:]


def test_the_owner_sees_what_is_loaded(site, load, browser):
    owner = browser().sign_up()
    Administration(site.app.state.database, datetime.now(UTC)).create_admin(owner.email)
    assert "None is loaded" in owner.get("/owner").text
    load("1.0")
    load("2.3", [make_deck("pro-lighthouse", "lighthouse", 3)], name="lights")
    text = owner.get("/owner").text
    table = re.search(r'aria-label="Content archives that are loaded">(.*?)</table>', text, re.DOTALL)[1]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in table.split("<tr>")[2:]]
    assert [[row[0], row[1], row[3]] for row in rows] == [["harbours", "1.0", "4"], ["lights", "2.3", "3"]]
    assert '<a href="/cards/pro-lighthouse">All about the lighthouse</a>' in rows[1][2]
    assert f"{datetime.now(UTC):%Y}" in rows[1][4]


def test_loading_is_in_the_audit_log_and_a_refusal_is_not(site, load):
    load("7.1")
    load("7.0")
    load("7.2", data=b"no archive")
    assert audited(site)[-1] == "import-content 7.1"


@pytest.mark.parametrize("broken", ["cut", "second deck"])
def test_what_does_not_fit_changes_nothing(site, load, member, broken):
    load("1.0")
    data = pack(
        "harbours", "1.1", [make_deck("pro-lighthouse", "lighthouse"), make_deck("pro-orchard", "orchard")]
    )
    data = data[:-100] if broken == "cut" else data.replace(b"premium orchard", b"premium ORCHARD")
    status, _, error = load(data=data)
    assert status == 2
    assert re.search(r"decks\.zip: .*(no content archive|checksum)", error)
    assert error.count("\n") == 1
    assert versions(site) == {"harbours": "1.0"}
    assert "premium harbour answer" in member.get("/cards/pro-harbour").text


def test_a_deck_of_another_archive_or_of_the_package_is_not_replaced(site, load):
    load()
    assert "two decks are called pro-harbour" in load(name="others")[2]
    shipped = make_deck(load_pro_decks()[0].slug, "lighthouse")
    assert "two decks are called" in load(name="others", decks=[shipped])[2]
    assert versions(site) == {"harbours": "1.0"}
    assert load(name="others", decks=[make_deck("pro-lighthouse", "lighthouse")])[0] == 0
    assert versions(site) == {"harbours": "1.0", "others": "1.0"}


def test_an_archive_that_comes_while_another_is_compared_with_the_rest_is_not_overlooked(
    site, load, monkeypatch
):
    """Both bring a deck of one name; who is second sees the first."""
    from slopewise.site import loaded_content

    compare = loaded_content.Library

    def compare_slowly(*arguments):
        monkeypatch.setattr(loaded_content, "Library", compare)
        assert load(name="others")[0] == 0
        return compare(*arguments)

    monkeypatch.setattr(loaded_content, "Library", compare_slowly)
    assert "another archive was loaded at the same time" in load()[2]
    assert "two decks are called pro-harbour" in load()[2]
    assert versions(site) == {"others": "1.0"}


def test_a_file_that_is_not_there_is_told_in_one_line(capsys, ready_database):
    status = run(["site", "import-content", "/nowhere/decks.zip", "--database", ready_database()])
    assert status == 2
    assert "cannot read /nowhere/decks.zip: No such file" in capsys.readouterr().err


def test_a_library_is_made_anew_only_when_content_changed(site, load):
    libraries, database = Libraries(load_course(), []), site.app.state.database
    before = libraries.now(database)
    assert libraries.now(database) is before
    load()
    after = libraries.now(database)
    assert after is not before
    assert libraries.now(database) is after


def test_an_archive_that_cannot_be_read_any_more_hides_no_other(site, load, member, browser, caplog):
    load()
    with site.app.state.database.writing() as session:
        now = datetime.now(UTC)
        session.add(LoadedArchive(name="broken", version="1.0", digest="0" * 64, loaded_at=now, file=b"x"))
    assert "premium harbour answer" in member.get("/cards/pro-harbour").text
    assert "the archive broken cannot be shown" in caplog.text
    owner = browser().sign_up()
    Administration(site.app.state.database, now).create_admin(owner.email)
    assert "cannot be read by this version: build and load it anew" in owner.get("/owner").text


def test_who_loads_half_an_archive_loads_nothing(site, tmp_path, monkeypatch):
    """The rows and the audit log are one transaction."""
    from slopewise.site import loaded_content

    def fail(*arguments, **options):
        raise DataError("half way")

    monkeypatch.setattr(loaded_content, "note", fail)
    file = tmp_path / "decks.zip"
    file.write_bytes(pack("harbours", "1.0", sample_decks()))
    with pytest.raises(DataError, match="half way"):
        Administration(site.app.state.database, datetime.now(UTC)).import_content(file)
    assert versions(site) == {}
