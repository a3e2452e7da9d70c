"""Classes and cards from Anki in Chromium: joined by keyboard, seen by the teacher, shown with media."""

import base64
import csv
import re
from datetime import UTC, datetime, timedelta

import genanki
import pytest

from slopewise.site.administration import Administration

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SOUND = (
    b"RIFF"
    + (8036).to_bytes(4, "little")
    + b"WAVEfmt "
    + bytes.fromhex("1000000001000100401f0000401f000001000800")
)
SOUND += b"data" + (8000).to_bytes(4, "little") + bytes(8000)  # a second of silence


@pytest.fixture
def teacher(new_reader, served):
    """A teacher with a class and an assignment."""
    teacher = new_reader()
    email = teacher.sign_up()
    until = datetime.now(UTC) + timedelta(days=30)
    Administration(served.application.state.database, datetime.now(UTC)).grant_pro(email, until)
    teacher.open("/classes")
    teacher.page.fill("#display_name", "Ms Noether")
    teacher.page.fill("#name", "Tuesday group")
    teacher.page.click("text=Make a class")
    teacher.page.wait_for_selector(".big-code")
    teacher.page.select_option("#target", "lesson gradient-descent")
    teacher.page.click("main button:text-is('Assign')")
    teacher.page.wait_for_selector("text=It is assigned.")
    return teacher


def test_a_class_is_joined_with_the_keyboard_and_seen_by_its_teacher(reader, page, teacher, violations):
    code = teacher.page.inner_text(".big-code")
    reader.sign_up()
    reader.open("/classes")
    page.focus("#code")
    page.keyboard.type(code.lower())
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Ms Noether holds this class.")
    assert violations(page) == []
    assert reader.fits()
    page.focus("#display_name")
    page.keyboard.type("Emmy")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # yes, share
    page.keyboard.press("Enter")
    page.wait_for_url("**/classes?done=joined")
    assert "You share your progress." in page.inner_text("main")
    reader.open("/")
    assert "Due in your classes" in page.inner_text("main")
    reader.open("/lessons/gradient-descent")
    page.check("[data-question] input >> nth=0")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.click("[data-question] summary >> nth=0")
    reader.open("/classes")
    assert re.search(r"1 of \d+ questions", page.inner_text("main"))
    assert violations(page) == []
    assert reader.fits()
    teacher.page.reload()
    for width in (1280, 375):
        teacher.page.set_viewport_size({"width": width, "height": 900})
        assert re.search(r"Emmy\s+1 of", teacher.page.inner_text(".roster tbody"))
        assert violations(teacher.page) == []
        assert teacher.fits()


def test_a_member_withdraws_consent_leaves_and_a_class_is_ended(reader, page, teacher, browser):
    code, place = teacher.page.inner_text(".big-code"), teacher.page.url.partition("?")[0]
    fields = {"code": code, "display_name": "Removed", "share": "yes"}
    assert browser().sign_up().post("/classes/join", fields).status_code == 303
    reader.sign_up()
    reader.open(f"/classes/join?code={code}")
    reader.type_into("#display_name", "Emmy")
    reader.tab_to("[name=share]")
    page.keyboard.press("Space")
    reader.press("Join the class")
    teacher.page.goto(place)
    teacher.tab_to("a", "Progress as CSV")
    with teacher.page.expect_download() as found:
        teacher.page.keyboard.press("Enter")
    rows = list(csv.reader(found.value.path().read_text().splitlines()))
    assert {row[0] for row in rows[1:]} == {"Emmy", "Removed"}
    assert "@" not in str(rows)

    reader.press("Stop sharing")
    assert "what the teacher could see of you is gone" in page.inner_text("main")
    teacher.page.goto(place)
    row = teacher.page.locator(".roster tr", has_text="Emmy")
    assert "shares no progress" in row.inner_text()

    teacher.page.locator(".roster tr", has_text="Removed").locator("summary").focus()
    teacher.page.keyboard.press("Enter")
    teacher.press("Remove from the class")
    assert "The member is removed, and the code is void." in teacher.page.inner_text("main")
    assert "Nobody can join now" in teacher.page.inner_text("main")
    teacher.press("Make")
    assert teacher.page.inner_text(".big-code") != code
    teacher.press("Take back")
    assert "It is no longer assigned." in teacher.page.inner_text("main")

    reader.open("/classes")
    reader.press("Leave the class")
    assert "You left the class. Your progress stays yours." in page.inner_text("main")
    assert reader.fits()
    teacher.page.goto(place)
    assert teacher.page.inner_text("#members") == "0 members"
    teacher.press("End the class")
    teacher.press("End the class", "button.danger")
    assert "The class has ended." in teacher.page.inner_text("main")
    teacher.watch.expected = ["status of 404"]
    assert teacher.page.goto(place).status == 404


def test_cards_from_anki_are_reviewed_with_their_images_and_sounds(reader, page, tmp_path, violations):
    for name, content in (("wave.png", PNG), ("tone.wav", SOUND)):
        (tmp_path / name).write_bytes(content)
    model = genanki.Model(
        1607392319,
        "Simple",
        fields=[{"name": "Q"}, {"name": "A"}],
        templates=[{"name": "1", "qfmt": "{{Q}}", "afmt": "{{FrontSide}}<hr id=answer>{{A}}"}],
    )
    deck = genanki.Deck(2059400110, "Physics")
    fields = ['A wave <img src="wave.png" alt="a wave">', "It sounds so: [sound:tone.wav]"]
    deck.add_note(genanki.Note(model=model, fields=fields))
    package = genanki.Package(deck)
    package.media_files = [str(tmp_path / "wave.png"), str(tmp_path / "tone.wav")]
    package.write_to_file(str(tmp_path / "deck.apkg"))
    reader.sign_up()
    reader.open("/cards/imported")
    page.set_input_files("#package", str(tmp_path / "deck.apkg"))
    page.click("text=Import")
    page.wait_for_selector("text=Cards: 1 added.")
    page.click("text=Show the cards")
    assert violations(page) == []
    assert reader.fits()
    reader.open_review("own")
    page.wait_for_function("() => document.querySelector('.from-anki img')?.naturalWidth === 1")
    page.keyboard.press("Space")
    seconds = page.evaluate(
        "new Promise((done) => { const sound = document.querySelector('.from-anki audio');"
        " sound.addEventListener('loadedmetadata', () => done(sound.duration));"
        " sound.addEventListener('error', () => done(0)); sound.preload = 'auto'; sound.load(); })"
    )
    assert seconds == 1
    assert violations(page) == []
    assert reader.fits()
