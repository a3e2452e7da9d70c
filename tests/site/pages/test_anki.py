"""Packages of Anki over HTTP: out by genanki, in from genanki and from hostile hands."""

import base64
import io
import json
import re
import sqlite3
import stat
import zipfile
from contextlib import closing
from datetime import UTC, datetime, timedelta

import genanki
import pytest
import zstandard

from slopewise.site.administration import Administration
from slopewise.site.anki import archive as archive_module
from slopewise.site.content.library import load_pro_decks

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
MP3 = b"ID3\x04\x00\x00\x00\x00\x00\x00" + bytes(200)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"></svg>'
MODEL = genanki.Model(
    1607392319,
    "Simple",
    fields=[{"name": "Question"}, {"name": "Answer"}],
    templates=[{"name": "Card 1", "qfmt": "{{Question}}", "afmt": '{{FrontSide}}<hr id="answer">{{Answer}}'}],
)


def notes(*pairs, model=MODEL):
    return [
        genanki.Note(model=model, fields=list(fields), guid=f"guid-{n}") for n, fields in enumerate(pairs)
    ]


def package(tmp_path, made, media=None, deck="Physics::Waves"):
    """Return the bytes of a package that genanki writes."""
    found = genanki.Deck(2059400110, deck)
    for note in made:
        found.add_note(note)
    files = []
    for name, content in (media or {}).items():
        (tmp_path / name).write_bytes(content)
        files.append(str(tmp_path / name))
    whole = genanki.Package(found)
    whole.media_files = files
    whole.write_to_file(str(tmp_path / "deck.apkg"))
    return (tmp_path / "deck.apkg").read_bytes()


def repacked(content, change):
    """Return a package whose entries went through a function from name and bytes to name and bytes."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            for new_name, data in change(name, source.read(name)):
                target.writestr(new_name, data)
    return out.getvalue()


def bring(somebody, content, name="deck.apkg"):
    return somebody.client.post(
        "/cards/imported",
        data={"form_token": somebody.token("/account")},
        files={"package": (name, content, "application/octet-stream")},
    )


def brought(somebody, content):
    """Bring a package in, and return the page that tells what became of it."""
    answer = bring(somebody, content)
    assert answer.status_code == 303, answer.text
    return somebody.get(answer.headers["location"]).text


def kept(somebody):
    return somebody.get("/account/export.json").json()["imported_cards"]


@pytest.fixture
def learner(browser):
    return browser().sign_up()


def test_cards_with_media_come_in_and_are_shown_where_cards_are(tmp_path, learner):
    made = notes(('<b>Wave</b><img src="wave.png">', "A swing [sound:tone.mp3]"), ("Two", "2"))
    page = brought(learner, package(tmp_path, made, {"wave.png": PNG, "tone.mp3": MP3}))
    assert "Cards: 2 added." in page
    assert "Physics::Waves" in page
    queue = learner.get("/api/queue?deck=own").json()["cards"]
    assert len(queue) == 2
    for text in (page, queue[0]["html"], learner.get("/review?deck=own").text):
        image = re.search(r'<img src="(/cards/media/[0-9a-f-]{36})"', text)[1]
        sound = re.search(r'<audio [^>]*src="(/cards/media/[0-9a-f-]{36})"', text)[1]
    answer = learner.get(image)
    assert answer.content == PNG
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert learner.get(sound).headers["content-type"] == "audio/mpeg"
    part = learner.get(sound, headers={"range": "bytes=3-7"})
    assert (part.status_code, part.content) == (206, MP3[3:8])
    assert part.headers["content-range"] == f"bytes 3-7/{len(MP3)}"
    assert "media-src 'self'" in learner.get("/review").headers["content-security-policy"]
    card = queue[0]["card"]
    entry = {"id": "6e1f2a4c-0000-4000-8000-000000000001", "kind": "review", "card": card, "grade": "good"}
    receipt = learner.send("/api/log", {"entries": [{**entry, "at": "2026-01-05T12:00:00Z"}]}).json()
    assert receipt["stored"] == [entry["id"]]


def test_a_video_is_left_out_and_said(tmp_path, learner):
    video = b"\x00\x00\x00\x18ftypisom" + b"moovhdlr" + bytes(8) + b"vide" + bytes(200)
    made = notes(("Look [sound:film.mp4]", "A swing [sound:tone.mp3] [sound:lost.mp3]"))
    page = brought(learner, package(tmp_path, made, {"film.mp4": video, "tone.mp3": MP3}))
    assert (
        "Media left out: 2 that are missing, too large, or neither raster images nor sound (videos: 1)."
        in page
    )
    assert "film.mp4" not in str(kept(learner))


def test_media_are_read_by_their_owner_alone(tmp_path, learner, browser):
    page = brought(learner, package(tmp_path, notes(('<img src="a.png">', "x")), {"a.png": PNG}))
    image = re.search(r"/cards/media/[0-9a-f-]{36}", page)[0]
    assert browser().get(image, headers={"accept": "application/json"}).status_code == 401
    assert browser().sign_up().get(image).status_code == 404


def test_a_package_that_comes_again_updates_its_cards_and_doubles_none(tmp_path, learner):
    brought(learner, package(tmp_path, notes(("One", "1"), ("Two", "2"))))
    before = {row["guid"]: row["id"] for row in kept(learner)}
    page = brought(learner, package(tmp_path, notes(("One", "1"), ("Two, better", "2"), ("Three", "3"))))
    assert "Cards: 1 added, 1 updated, 1 known already." in page
    rows = kept(learner)
    assert sorted(row["front"] for row in rows) == ["One", "Three", "Two, better"]
    assert {row["guid"]: row["id"] for row in rows if row["guid"] in before} == before


def test_own_cards_and_imported_ones_go_out_and_come_back_without_doubles(tmp_path, learner, browser):
    learner.post("/cards/own", {"front": "a < b?\x1f", "back": "yes\nno"})
    brought(
        learner,
        package(tmp_path, notes(('Wave <img src="a.png">', "[sound:b.mp3]")), {"a.png": PNG, "b.mp3": MP3}),
    )
    answer = learner.get("/cards/own.apkg")
    assert answer.headers["content-disposition"] == 'attachment; filename="slopewise-own-cards.apkg"'
    assert "Cards: 0 added, 2 known already." in brought(learner, answer.content)
    other = browser().sign_up()
    assert "Cards: 2 added." in brought(other, answer.content)
    fronts = sorted(row["front"] for row in kept(other))
    assert re.fullmatch(r'Wave <img src="/cards/media/[0-9a-f-]{36}">', fronts[0])
    assert fronts[1] == "a &lt; b?"
    backs = sorted(row["back"] for row in kept(other))
    assert backs[0].startswith("<audio ")
    assert backs[1] == "yes<br>no"


def test_a_free_deck_goes_out_with_identities_that_stay(browser, course, tmp_path):
    slug = course.outlines[3].slug
    first, second = (browser().get(f"/cards/{slug}.apkg").content for _ in range(2))
    guids = []
    for number, content in enumerate((first, second)):
        with zipfile.ZipFile(io.BytesIO(content)) as found:
            (tmp_path / f"{number}.db").write_bytes(found.read("collection.anki2"))
        with closing(sqlite3.connect(tmp_path / f"{number}.db")) as connection:
            guids.append(connection.execute("SELECT guid FROM notes").fetchall())
            fields = connection.execute("SELECT flds FROM notes").fetchall()
    assert guids[0] == guids[1]
    assert {guid for (guid,) in guids[0]} == {str(card) for card in course.outlines[3].cards}
    assert any(r"\(" in text for (text,) in fields)  # formulas as Anki sets them
    assert not any("$" in text for (text,) in fields)


def test_a_deck_of_the_course_that_comes_back_adds_nothing(learner, course):
    content = learner.get(f"/cards/{course.outlines[3].slug}.apkg").content
    assert f"Cards: 0 added, {len(course.outlines[3].cards)} known already." in brought(learner, content)


def test_pro_decks_are_given_out_to_nobody(site, browser):
    member = browser().sign_up()
    Administration(site.app.state.database, datetime.now(UTC)).grant_pro(
        member.email, datetime.now(UTC) + timedelta(days=3)
    )
    for somebody in (browser(), browser().sign_up(), member):
        answer = somebody.get(f"/cards/{load_pro_decks()[0].slug}.apkg")
        assert answer.status_code == 403
        assert "Pro decks stay on this site" in answer.text


def test_script_in_fields_and_templates_is_taken_out(tmp_path, learner):
    model = genanki.Model(
        1607392320,
        "Hostile",
        fields=[{"name": "Question"}, {"name": "Answer"}],
        templates=[
            {
                "name": "Card 1",
                "qfmt": "<script>alert(0)</script><style>*{display:none}</style>{{Question}}",
                "afmt": "<iframe src='https://evil.example'></iframe>{{Answer}}",
            }
        ],
    )
    front = (
        '<b onclick="alert(1)" style="position:fixed" class="site" id="main">Q</b>'
        "<img src=x onerror=alert(2)>"
        '<img src="https://evil.example/i.png"><svg onload=alert(3)><a xlink:href="javascript:x"/></svg>'
    )
    back = (
        '<form action="/log-out"><button>ok</button></form><a href="javascript:alert(4)">link</a>'
        "<meta http-equiv=refresh>"
    )
    page = brought(learner, package(tmp_path, notes((front, back), model=model)))
    row = kept(learner)[0]
    assert (row["front"], row["back"]) == ("<b>Q</b>", "oklink")
    assert "alert(" not in page
    assert "evil.example" not in page


def test_of_media_only_raster_images_and_sound_are_kept_whatever_their_names_say(tmp_path, learner):
    front = 'Q <img src="a.svg"><img src="b.png"><img src="c.png"><img src="gone.png">'
    media = {"a.svg": SVG, "b.png": b"<html><script>alert(1)</script>", "c.png": PNG}
    page = brought(learner, package(tmp_path, notes((front, "A")), media))
    assert "Media left out: 3" in page
    assert kept(learner)[0]["front"].count("<img") == 1


def test_clozes_and_sections_of_templates_become_cards(tmp_path, learner):
    cloze = genanki.Note(
        genanki.CLOZE_MODEL, ["{{c1::Tape}} before {{c2::backward::order}}", "more"], guid="c"
    )
    choice = genanki.Model(
        1607392321,
        "Sections",
        fields=[{"name": "Q"}, {"name": "A"}, {"name": "Hint"}],
        templates=[
            {
                "name": "1",
                "qfmt": "{{Q}}{{#Hint}} ({{Hint}}){{/Hint}}{{^Hint}} !{{/Hint}}",
                "afmt": "{{text:A}}",
            },
            {"name": "2", "qfmt": "{{A}}", "afmt": "{{FrontSide}}<hr id=answer>{{Q}}"},
        ],
    )
    made = [cloze, *notes(("One", "1", ""), ("Two", "2", "even"), model=choice)]
    brought(learner, package(tmp_path, made))
    found = {(row["guid"], row["ordinal"]): (row["front"], row["back"]) for row in kept(learner)}
    assert found["c", 0][0] == "<b>[…]</b> before backward"
    assert found["c", 1] == ("Tape before <b>[order]</b>", "Tape before <b>backward</b><br>\nmore")
    assert found["guid-0", 0] == ("One !", "1")
    assert found["guid-1", 0] == ("Two (even)", "2")
    assert found["guid-1", 1] == ("2", "Two")


def varint(number):
    out = b""
    while True:
        out += bytes([number & 127 | (128 if number > 127 else 0)])
        number >>= 7
        if not number:
            return out


def message(field, content):
    return varint(field << 3 | 2) + varint(len(content)) + content


def new_package(tmp_path, front='Q <img src="wave.png">', back="A"):
    """Return a package as Anki writes it since 2.1.50: zstd, protobuf, and the tables of schema 18."""
    file = tmp_path / "collection.anki21b"
    with closing(sqlite3.connect(file)) as connection:
        connection.create_collation(
            "unicase", lambda a, b: (a.casefold() > b.casefold()) - (a.casefold() < b.casefold())
        )
        connection.executescript(
            "CREATE TABLE notes (id integer primary key, guid text, mid integer, flds text);"
            "CREATE TABLE cards (id integer primary key, nid integer, did integer, ord integer);"
            "CREATE TABLE notetypes (id integer primary key, name text COLLATE unicase, config blob);"
            "CREATE UNIQUE INDEX idx_notetypes_name ON notetypes (name);"
            "CREATE TABLE fields (ntid integer, ord integer, name text COLLATE unicase, config blob,"
            " primary key (ntid, ord)) WITHOUT ROWID;"
            "CREATE TABLE templates (ntid integer, ord integer, name text COLLATE unicase, config blob,"
            " primary key (ntid, ord)) WITHOUT ROWID;"
            "CREATE TABLE decks (id integer primary key, name text COLLATE unicase);"
        )
        connection.execute("INSERT INTO notetypes VALUES (7, 'Basic', ?)", (message(3, b".card {}"),))
        connection.executemany("INSERT INTO fields VALUES (7, ?, ?, '')", [(0, "Front"), (1, "Back")])
        template = message(1, b"{{Front}}") + message(2, b"{{FrontSide}}\n\n<hr id=answer>\n\n{{Back}}")
        connection.execute("INSERT INTO templates VALUES (7, 0, 'Card 1', ?)", (template,))
        connection.execute("INSERT INTO decks VALUES (1, 'Physics' || char(31) || 'Waves')")
        connection.execute("INSERT INTO notes VALUES (1, 'new-guid', 7, ?)", (f"{front}\x1f{back}",))
        connection.execute("INSERT INTO cards VALUES (1, 1, 1, 0)")
        connection.commit()
    out = io.BytesIO()
    pack = zstandard.ZstdCompressor().compress
    with zipfile.ZipFile(out, "w") as target:
        target.writestr("meta", message(1, b"")[:0] + b"\x08\x03")
        target.writestr("collection.anki2", b"an old collection that says: please update")
        target.writestr("collection.anki21b", pack(file.read_bytes()))
        target.writestr("media", pack(message(1, message(1, b"wave.png") + b"\x10\x44")))
        target.writestr("0", pack(PNG))
    return out.getvalue()


def test_packages_of_newer_anki_are_read_too(tmp_path, learner):
    brought(learner, new_package(tmp_path))
    row = kept(learner)[0]
    assert row["deck"] == "Physics::Waves"
    assert re.fullmatch(r'Q <img src="/cards/media/[0-9a-f-]{36}">', row["front"])
    assert row["back"] == "A"


def broken(tmp_path, how):
    """Return a hostile or broken package."""
    good = package(tmp_path, notes(("One", "1")))
    if how == "no zip":
        return b"this is no zip archive at all"
    if how == "empty":
        return b""
    if how == "cut":
        return good[: len(good) // 2]
    if how == "no collection":
        return repacked(good, lambda name, data: [] if name.startswith("collection") else [(name, data)])
    if how == "no sqlite":
        return repacked(good, lambda name, data: [(name, b"not a database" * 100)])
    if how == "torn sqlite":
        return repacked(good, lambda name, data: [(name, data[:5000] + b"\xff" * (len(data) - 5000))])
    if how == "traversal":
        return repacked(good, lambda name, data: [(name, data), ("../../evil.txt", b"x")])
    if how == "absolute":
        return repacked(good, lambda name, data: [(name, data), ("/etc/evil", b"x")])
    if how == "link":
        info = zipfile.ZipInfo("0")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        return repacked(good, lambda name, data: [(name, data), (info, b"/etc/passwd")])
    if how == "bomb":
        return repacked(good, lambda name, data: [(name, bytes(60 * 2**20) if name != "media" else data)])
    if how == "many files":
        most = archive_module.MOST_ENTRIES
        return repacked(
            good, lambda name, data: [(name, data)] + [(str(n), b"") for n in range(most // 2 + 1)]
        )
    if how == "view":
        return with_collection(
            tmp_path,
            "CREATE VIEW notes AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
            " SELECT x AS id, x AS guid, 1 AS mid, '' AS flds FROM n;"
            "CREATE TABLE cards (id, nid, did, ord); CREATE TABLE col (models, decks);",
        )
    if how == "models":
        return with_collection(
            tmp_path,
            "CREATE TABLE notes (id, guid, mid, flds); CREATE TABLE cards (id, nid, did, ord);"
            "CREATE TABLE col (models, decks); INSERT INTO col VALUES ('[[[[', '{}');",
        )
    if how == "ordinal":
        script = "CREATE TABLE notes (id, guid, mid, flds); CREATE TABLE cards (id, nid, did, ord);"
        models = '{"1": {"type": 1, "flds": [{"name": "T"}], "tmpls": [{"qfmt": "{{cloze:T}}", "afmt": ""}]}}'
        script += f"CREATE TABLE col (models, decks); INSERT INTO col VALUES ('{models}', '{{}}');"
        return with_collection(
            tmp_path,
            script + "INSERT INTO notes VALUES (1, 'g', 1, 'x'); INSERT INTO cards VALUES (1, 1, 1, 1e300);",
        )
    assert how == "zstd bomb"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        target.writestr("collection.anki21b", zstandard.ZstdCompressor(level=19).compress(bytes(200 * 2**20)))
    return out.getvalue()


def with_collection(tmp_path, script):
    file = tmp_path / "hostile.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(script)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        target.writestr("collection.anki2", file.read_bytes())
        target.writestr("media", "{}")
    return out.getvalue()


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("no zip", "This is no package of Anki: it is no zip archive."),
        ("cut", "This is no package of Anki: it is no zip archive."),
        ("no collection", "This is no package of Anki: it holds no collection."),
        ("no sqlite", "The collection in the package is damaged"),
        ("torn sqlite", "The collection in the package"),
        ("traversal", "which leads out of it; no Anki writes that."),
        ("absolute", "which leads out of it; no Anki writes that."),
        ("link", "The package holds a link"),
        ("bomb", "packed more densely than cards ever are."),
        ("zstd bomb", "in the package is larger than 48 MiB."),
        ("many files", "files; 5000 are the most."),
        ("view", "The collection in the package holds no notes and cards."),
        ("models", "The collection in the package is not laid out as Anki does it."),
        ("ordinal", "The collection in the package is not laid out as Anki does it."),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_hostile_and_broken_packages_are_refused_in_one_line(tmp_path, learner, how, says):
    answer = bring(learner, broken(tmp_path, how))
    assert answer.status_code == 400
    told = re.search(r'role="alert">([^<]*)<', answer.text)[1]
    assert says in told
    assert "\n" not in told
    assert kept(learner) == []


def test_zeros_and_halves_of_characters_are_taken_out(tmp_path, learner):
    deck = json.dumps({"1": {"name": "Half \ud800 deck \x00"}})
    models = json.dumps(
        {"1": {"flds": [{"name": "Q"}], "tmpls": [{"qfmt": "{{Q}} \udfff", "afmt": "back\x00"}]}}
    )
    script = "CREATE TABLE notes (id, guid, mid, flds); CREATE TABLE cards (id, nid, did, ord);"
    script += f"CREATE TABLE col (models, decks); INSERT INTO col VALUES ('{models}', '{deck}');"
    script += "INSERT INTO notes VALUES (1, 'g' || char(0), 1, 'front' || char(0));"
    brought(learner, with_collection(tmp_path, script + "INSERT INTO cards VALUES (1, 1, 1, 0);"))
    row = kept(learner)[0]
    assert (row["guid"], row["deck"], row["front"], row["back"]) == ("g", "Half ? deck", "front ?", "back")


def test_no_file_is_said_in_a_line(learner):
    answer = bring(learner, b"", "")
    assert answer.status_code == 400
    assert "Choose a file that Anki exported" in answer.text


def test_a_file_beyond_the_limit_is_refused(learner):
    assert bring(learner, bytes(11 * 2**20)).status_code == 413


def test_decks_and_cards_are_deleted_with_their_media(tmp_path, site, learner, browser):
    first = package(tmp_path, notes(('<img src="a.png">', "1"), ("Two", "2")), {"a.png": PNG})
    page = brought(learner, first)
    image = re.search(r"/cards/media/[0-9a-f-]{36}", page)[0]
    card = next(row["id"] for row in kept(learner) if "img" in row["front"])
    assert browser().sign_up().post("/cards/imported/delete", {"card": card}).status_code == 404
    assert learner.post("/cards/imported/delete", {"card": card}).status_code == 303
    assert learner.get(image).status_code == 404
    assert learner.post("/cards/imported/delete", {"card": "nonsense"}).status_code == 404
    assert learner.post("/cards/imported/delete", {"deck": "Physics::Waves"}).status_code == 303
    assert kept(learner) == []
    assert learner.post("/cards/imported/delete", {"deck": "Physics::Waves"}).status_code == 404


def test_there_is_an_end_to_the_room(tmp_path, learner, monkeypatch):
    from slopewise.site.accounts import arriving_cards

    monkeypatch.setattr(arriving_cards, "MOST_MEDIA", 100)
    answer = bring(learner, package(tmp_path, notes(("One [sound:a.mp3]", "1")), {"a.mp3": MP3}))
    assert answer.status_code == 400
    assert "Delete decks you no longer need." in answer.text
    monkeypatch.setattr(arriving_cards, "MOST_CARDS", 1)
    answer = bring(learner, package(tmp_path, notes(("One", "1"), ("Two", "2"))))
    assert "There is room for 1 cards from Anki." in answer.text
    assert kept(learner) == []


def test_a_deleted_account_takes_its_cards_and_media_along(tmp_path, site, learner):
    from slopewise.site.storage.anki_tables import CardMedium, ImportedCard

    brought(learner, package(tmp_path, notes(('<img src="a.png">', "1")), {"a.png": PNG}))

    def counts():
        with site.app.state.database.reading() as session:
            return session.query(ImportedCard).count(), session.query(CardMedium).count()

    before = counts()
    learner.post("/account/delete", {"password": "correct horse battery staple"})
    assert counts() == (before[0] - 1, before[1] - 1)


def test_the_list_of_media_is_a_list_of_names_never_of_places(tmp_path, learner):
    content = package(tmp_path, notes(('Q <img src="x"><img src="y">', "A")), {"a.png": PNG})
    listed = json.dumps({"collection.anki2": "x", "../0": "y"})
    content = repacked(content, lambda name, data: [(name, listed if name == "media" else data)])
    assert "Media left out: 2" in brought(learner, content)
