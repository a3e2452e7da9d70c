"""What is left of hostile HTML, and of bytes that are no messages."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slopewise.engine.errors import DataError
from slopewise.site.anki import protobuf
from slopewise.site.anki.media import is_video, kind_of
from slopewise.site.anki.rendering import ATTRIBUTES, MEDIA_PATH, TAGS, sanitised

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
