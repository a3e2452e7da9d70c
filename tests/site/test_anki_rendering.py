"""What is left of hostile HTML, and of bytes that are no messages."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slopewise.engine.errors import DataError
from slopewise.site.anki import protobuf
from slopewise.site.anki.collection import RawCard, Template
from slopewise.site.anki.media import is_video, kind_of
from slopewise.site.anki.rendering import ATTRIBUTES, MEDIA_PATH, TAGS, sanitised, sides

PIECES = st.sampled_from(
    [
        *(
            "<script>",
            "</script>",
            "<img src=x onerror=alert(1)>",
            "<svg onload=x>",
            "</svg>",
            "<math>",
            "<style>",
        ),
        *(
            "<b",
            ">",
            "<",
            '"',
            "'",
            "=",
            "/",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "javascript:",
            "&lt;",
            "&#60;",
        ),
        *(
            "[sound:a.mp3]",
            '[sound:"><script>]',
            "<audio src=a.mp3>",
            "<img src='a.png'",
            "<iframe srcdoc='",
            "x",
        ),
        *(
            "<a href=",
            "<form action=/log-out>",
            "<template>",
            "<p style=",
            "<td colspan=2 onclick=x>",
            "\x00",
            "é",
        ),
    ]
)
MEDIA = {"a.png": "00000000-0000-0000-0000-000000000001", "a.mp3": "00000000-0000-0000-0000-000000000002"}


class Found(HTMLParser):
    """All tags and attributes of a text, as a parser sees them."""

    def __init__(self, text):
        super().__init__()
        self.seen = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))


@given(st.lists(PIECES | st.text(max_size=8), max_size=30).map("".join))
def test_no_tag_or_attribute_is_left_but_those_that_are_allowed(html):
    for tag, attributes in Found(sanitised(html, MEDIA.get)).seen:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES.get(tag, set())
        assert attributes.get("src", MEDIA_PATH).startswith(MEDIA_PATH)


@given(st.lists(PIECES | st.text(max_size=8), max_size=20).map("".join))
def test_what_is_sanitised_stays_as_it_is(html):
    once = sanitised(html, MEDIA.get)
    kept = {f"{MEDIA_PATH}{name}": name for name in MEDIA.values()}
    assert sanitised(once.replace("[sound:", "(sound:"), kept.get) == once.replace("[sound:", "(sound:")


@given(st.binary(max_size=200))
def test_bytes_that_are_no_message_are_refused_and_nothing_else_happens(data):
    try:
        found = list(protobuf.messages(data, 1))
    except DataError:
        return
    assert all(piece in data for piece in found)


@pytest.mark.parametrize(
    "content",
    [b"", b"<svg>", b"<?xml version='1.0'?><svg/>", b"<html>", b"%PDF-1.7", b"PK\x03\x04"],
)
def test_what_could_hold_script_is_no_medium(content):
    assert kind_of(content) is None
    assert not is_video(content)


def mp4(brand, *tracks):
    """Return what an MP4 begins with and what its tracks declare."""
    return b"\x00\x00\x00\x18ftyp" + brand + b"".join(b"moovhdlr" + bytes(8) + kind for kind in tracks)


def ogg(packet):
    return b"OggS" + bytes(22) + b"\x01" + bytes([len(packet)]) + packet


@pytest.mark.parametrize("brand", [b"M4A ", b"isom", b"mp42"])
def test_an_mp4_is_a_sound_only_without_pictures(brand):
    assert kind_of(mp4(brand, b"soun")) == "audio/mp4"
    assert kind_of(mp4(brand, b"vide", b"soun")) is None
    assert is_video(mp4(brand, b"vide", b"soun"))
    assert kind_of(mp4(b"heic", b"pict")) is None
    assert not is_video(mp4(b"heic", b"pict"))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (ogg(b"OpusHead"), "audio/ogg"),
        (ogg(b"\x01vorbis"), "audio/ogg"),
        (ogg(b"\x80theora"), None),
        (b"\x1aE\xdf\xa3webm", None),
        (b"RIFF....AVI LIST", None),
        (b"RIFF....WAVEfmt ", "audio/wav"),
        (b"fLaC....", "audio/flac"),
    ],
)
def test_sounds_are_kept_and_videos_told_apart(content, kind):
    assert kind_of(content) == kind
    assert is_video(content) == (kind is None)


def test_a_formula_as_anki_writes_it_stays_words():
    assert sanitised(r"\(\text{&lt;img src=x onerror=x&gt;}\)", {}.get) == (
        r"\(\text{&lt;img src=x onerror=x&gt;}\)"
    )


def shown(question, answer, values, ordinal=0, is_cloze=False):
    return sides(RawCard("g", ordinal, "d", values, Template(question, answer), is_cloze), {}.get)


@pytest.mark.parametrize(
    ("text", "number", "front", "back"),
    [
        (
            "{{c1::outer {{c2::inner::h}} tail::hint}} end",
            1,
            "<b>[hint]</b> end",
            "<b>outer inner tail</b> end",
        ),
        ("{{c1::outer {{c2::inner::h}} tail}}", 2, "outer <b>[h]</b> tail", "outer <b>inner</b> tail"),
        ("{{c1::a {{c1::b}} c}}", 1, "<b>[…]</b>", "<b>a <b>b</b> c</b>"),
        ("{{c1,2::both}} and {{c2::two}}", 1, "<b>[…]</b> and two", "<b>both</b> and two"),
        ("{{c1,2::both}} and {{c2::two}}", 2, "<b>[…]</b> and <b>[…]</b>", "<b>both</b> and <b>two</b>"),
        ("{{c1::a::b::c}}", 1, "<b>[b::c]</b>", "<b>a</b>"),
        ("x }} {{c01::y}}}} {{c0::z}}", 1, "x }} <b>[…]</b>}} z", "x }} <b>y</b>}} z"),
        ("{{c1::x\ny}}", 1, "<b>[…]</b>", "<b>x\ny</b>"),
    ],
)
def test_deletions_hide_what_anki_hides(text, number, front, back):
    """The cases are those that Anki 26.9.3 was asked for, with its own marks for ours."""
    template = "{{cloze:Text}}"
    assert shown(template, template, {"Text": text}, number - 1, True) == (front, back)


@pytest.mark.parametrize("text", ["{{c1::unclosed", "{{C1::upper}}", "{{c2::another}}", "none"])
def test_a_question_without_its_deletion_is_no_card(text):
    assert shown("{{cloze:Text}}", "{{cloze:Text}}", {"Text": text}, 0, True) is None


def test_a_picture_that_would_show_what_masks_hide_is_no_card():
    masked = "{{c1::image-occlusion:rect:left=.1:top=.1:width=.2:height=.2}}"
    question = "{{cloze:Occlusion}}<div>{{Image}}</div>"
    assert shown(question, question, {"Occlusion": masked, "Image": "a picture"}, 0, True) is None


def test_readings_above_letters_are_shown_where_the_template_asks_for_them():
    values = {"R": "日本[にほん] と 犬[いぬ]だ [sound:x.mp3] a<b>b</b>[c]"}
    front, back = shown("{{kanji:R}}|{{kana:R}}", "{{furigana:R}}", values)
    assert front == "日本 と犬だ  a<b>b</b>[c]|にほん といぬだ  a<b>b</b>[c]"
    assert back == ("<ruby>日本<rt>にほん</rt></ruby> と<ruby>犬<rt>いぬ</rt></ruby>だ  a<b>b</b>[c]")


def test_what_anki_speaks_is_not_written_on_the_question():
    assert shown("{{A}}{{tts en_US voices=x:B}}", "{{B}}", {"A": "a", "B": "said"}) == ("a", "said")
