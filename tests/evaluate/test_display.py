"""Numbers and text as people read them."""

import unicodedata
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from hypothesis import given
from hypothesis import strategies as st

from slopewise.evaluate.display import MINUS, duration, number, percent, score_value, visible


@given(st.text(max_size=200), st.integers(5, 60))
def test_visible_text_is_short_one_line_and_fit_for_xml(text, longest):
    shown = visible(text, longest)
    assert 0 < len(shown) <= max(longest, len("(empty)"))
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cs", "Cn"}
    assert not set(shown) & set("\n\r\t\x0b\x0c\x1b\u2028\u2029\u202e")
    assert ElementTree.fromstring(f"<t>{escape(shown)}</t>").text == shown


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=60))
def test_plain_text_is_shown_as_it_is(text):
    assert visible(text) == text


@given(st.floats(0, 1))
def test_only_all_is_shown_as_100_percent_and_only_none_as_0(share):
    assert (percent(share) == "100%") == (share == 1)
    assert (percent(share) == "0%") == (share == 0)
    assert percent(share) not in ("100.0%", "0.0%")


@given(st.floats(-1e12, 1e12))
def test_numbers_keep_four_digits(value):
    text = number(value)
    assert "-" not in text.replace("e-", "e")
    assert text.startswith(MINUS) == (value < 0)
    shown = float(text.replace(",", "").replace(MINUS, "-"))
    assert abs(shown - value) <= max(0.5 if abs(value) >= 1000 else 0, 5.01e-4 * abs(value))


@given(st.floats(0, 1e6))
def test_a_duration_never_has_60_seconds_or_minutes(seconds):
    assert not {"60"} & set(duration(seconds).replace("\u00a0", " ").split())


def test_what_rounds_to_zero_has_no_sign():
    assert (number(-0.0), score_value("r2", -0.0004), score_value("mae", -0.0)) == ("0", "0.000", "0.000")
