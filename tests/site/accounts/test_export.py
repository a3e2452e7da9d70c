"""The export: whole whatever its size, in little memory, one at a time."""

import io
import json
import tempfile
import tracemalloc
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slopewise.site.accounts.export import AT_ONCE, ExportBusyError, Exports, LongText, write_json
from slopewise.site.storage.tables import Account

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PLAIN = st.none() | st.booleans() | st.integers() | TEXTS
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20)


@given(VALUES, st.lists(TEXTS))
def test_what_is_written_in_pieces_reads_as_if_it_were_written_at_once(value, pieces):
    file = io.BytesIO()
    row = {"text": LongText(iter(pieces)), "value": value}
    write_json(file, {"rows": iter([row, value]), "value": value, "none": iter(())})
    found = json.loads(file.getvalue())
    assert found["rows"] == [{"text": "".join(pieces), "value": value}, value]
    assert (found["value"], found["none"]) == (value, [])


def test_an_export_takes_little_memory_however_large_it_is():
    def rows():
        for number in range(100):
            yield {"number": number, "text": LongText("x" * 2**16 for _ in range(4))}

    with tempfile.TemporaryFile() as file:
        tracemalloc.start()
        write_json(file, {"rows": rows()})
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert file.tell() > 25 * 2**20
    assert most < 2**20


def test_an_account_has_one_export_at_a_time_and_a_server_a_few():
    exports, files = Exports(), [io.BytesIO() for _ in range(AT_ONCE + 1)]
    accounts = [uuid.uuid4() for _ in files]
    exports.begin(accounts[0], files[0])
    with pytest.raises(ExportBusyError, match="already"):
        exports.begin(accounts[0], io.BytesIO())
    for account, file in zip(accounts[1:-1], files[1:-1], strict=True):
        exports.begin(account, file)
    with pytest.raises(ExportBusyError, match="Others"):
        exports.begin(accounts[-1], files[-1])
    files[1].close()
    exports.begin(accounts[-1], files[-1])
    del file, files[0]  # whose answer was never sent
    exports.begin(accounts[0], io.BytesIO())


def test_an_export_in_many_parts_is_whole_and_in_order(site, browser, monkeypatch):
    """Also where rows of one moment lie in two parts."""
    monkeypatch.setattr("slopewise.site.accounts.export.PART", 3)
    somebody = browser().sign_up()
    cards = [row["card"] for row in somebody.get("/api/queue").json()["cards"][:5]]
    start = datetime(2026, 1, 5, 12, tzinfo=UTC)
    reviews = [
        {
            "id": str(uuid.uuid4()),
            "kind": "review",
            "card": cards[number % 5],
            "grade": "good",
            "at": (start + timedelta(minutes=number // 4)).isoformat(),
        }
        for number in range(19)
    ]
    rests = [
        {"id": str(uuid.uuid4()), "kind": "suspend", "card": card, "at": start.isoformat()} for card in cards
    ]
    assert somebody.send("/api/log", {"entries": [*reviews, *rests]}).status_code == 200
    for number in range(4):
        assert somebody.post("/cards/own", {"front": f"q{number}", "back": "a"}).status_code == 303
    found = somebody.get("/account/export.json").json()
    ids = [row["id"] for row in sorted(reviews, key=lambda row: (row["at"], row["id"]))]
    assert [row["id"] for row in found["reviews"]] == ids
    assert sorted(row["id"] for row in found["events"]) == sorted(row["id"] for row in rests)
    assert [row["card"] for row in found["schedule"]] == sorted(cards)
    assert [row["front"] for row in found["own_cards"]] == [f"q{number}" for number in range(4)]
    table = somebody.get("/account/reviews.csv").text.splitlines()
    assert len(table) == 20
    assert table[0].startswith("reviewed_at,card,deck")


def test_a_second_export_is_refused_in_one_sentence_until_the_first_has_ended(site, browser):
    somebody = browser().sign_up()
    with site.app.state.database.reading() as session:
        account = session.query(Account.id).where(Account.email == somebody.email).scalar()
    with site.app.state.workshop.shelf.scratch() as file:
        site.app.state.exports.begin(account, file)
        answer = somebody.get("/account/export.json")
        assert answer.status_code == 503
        assert "already" in answer.text
    assert [somebody.get("/account/export.json").status_code for _ in range(3)] == [200] * 3
    assert not list(site.app.state.workshop.shelf.folder.glob("tmp*"))
