"""Settings: what they read, what they refuse, and that an address says the same thing back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slopewise.engine.errors import ArgumentError
from slopewise.site.labs import Choice, Lab, Number, Points, Text, Toggle, Whole

NUMBER = Number("lr", "Rate", 0.1, 0.0, 1.0, 0.01)
WHOLE = Whole("k", "Folds", 4, 2, 10)
CHOICE = Choice("way", "Way", "a", (("a", "A"), ("b", "B")))
TOGGLE = Toggle("on", "On", False)
TEXT = Text("f", "Expression", "x", 10)
POINTS = Points("own", "Rows", 3, (-1.0, 1.0), (-3.0, 3.0))
CLASSES = Points("drawn", "Rows", 3, (-5.0, 5.0), (-5.0, 5.0), ("a", "b"))
LAB = Lab("lab", "", (NUMBER, WHOLE, CHOICE, TOGGLE, TEXT, POINTS, CLASSES), lambda values: [])


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        (NUMBER, "nan"),
        (NUMBER, "inf"),
        (NUMBER, "1.1"),
        (NUMBER, ""),
        (NUMBER, "1e400"),
        (WHOLE, "2.5"),
        (WHOLE, "11"),
        (WHOLE, "９"),
        (CHOICE, "c"),
        (TOGGLE, "yes"),
        (TEXT, ""),
        (TEXT, "x" * 11),
        (TEXT, "a\x00b"),
    ],
)
def test_a_setting_refuses_and_says_what_is_possible(setting, text):
    with pytest.raises(ArgumentError, match=rf"\({setting.name}\)"):
        setting.read(text)


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text):
    for setting in LAB.settings:
        try:
            value = setting.read(text)
        except ArgumentError:
            continue
        assert setting.read(setting.write(value)) is not None


@given(st.floats(0, 1), st.integers(2, 10), st.sampled_from("ab"), st.booleans())
def test_an_address_says_what_was_chosen(rate, k, way, on):
    values = LAB.read({"lr": f"{rate:.6g}", "k": str(k), "way": way, "on": "1" if on else "0"})
    again = LAB.read(LAB.write(values))
    assert again["lr"] == pytest.approx(values["lr"], rel=1e-5)
    assert (again["k"], again["way"], again["on"]) == (k, way, on)


def test_an_address_without_settings_is_the_default():
    values = {"lr": 0.1, "k": 4, "way": "a", "on": False, "f": "x", "own": "none", "drawn": "none"}
    assert LAB.read({}) == values
    assert LAB.write(LAB.read({})) == {}


DEEP = Toggle("deep", "Deep", False, only_when=("way", ("b",)))
DEPTH = Whole("depth", "Depth", 3, 1, 9, only_when=("deep", (True,)))
CHOOSING = Lab("lab", "", (CHOICE, DEEP, DEPTH), lambda values: [])


def test_a_setting_that_does_not_count_is_its_default_and_is_not_in_the_address():
    there = CHOOSING.read({"way": "b", "deep": "1", "depth": "7"})
    assert there == {"way": "b", "deep": True, "depth": 7}
    assert CHOOSING.write(there) == {"way": "b", "deep": "1", "depth": "7"}
    assert CHOOSING.read({"way": "a", "deep": "1", "depth": "7"}) == CHOOSING.read({})
    assert CHOOSING.read({"way": "b", "deep": "0", "depth": "7"})["depth"] == 3


def test_what_a_setting_rests_on_stands_before_it_and_has_that_value():
    with pytest.raises(AssertionError, match="must stand before"):
        Lab("lab", "", (DEEP, CHOICE), lambda values: [])
    with pytest.raises(ArgumentError):
        Lab("lab", "", (CHOICE, Toggle("on", "On", False, only_when=("way", ("c",)))), lambda values: [])


def test_a_setting_that_does_not_count_refuses_bad_text_all_the_same():
    with pytest.raises(ArgumentError, match="depth"):
        CHOOSING.read({"depth": "deep"})


@pytest.mark.parametrize(
    "text", ["x", "1", "0.1 2 3", "2 0", "0 nan", "0 9", "0 0;" * 4, "inf 0", "0 0;" * 99]
)
def test_what_is_no_point_is_refused_in_one_line(text):
    with pytest.raises(ArgumentError, match=r"\(own\)") as caught:
        POINTS.read(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["0 0", "0 0 c", "0 0 a b", "x1,x2,class"])
def test_a_point_of_no_class_is_refused(text):
    with pytest.raises(ArgumentError, match=r"\(drawn\).*row 1|\(drawn\).*classes"):
        CLASSES.read(text)


@pytest.mark.parametrize(
    "text",
    [
        "0.5 2 a; -1 0.25 b",
        "x1,x2,class\r\n0.5,2,a\r\n-1,0.2500,b\r\n",
        "0.5\t2\ta\n\u22121\t0.25\tb",
        "x1;x2;class\n0.5;2;a\n-1;0.25;b",
    ],
)
def test_a_pasted_table_is_read_as_the_points_of_an_address(text):
    assert CLASSES.read(text) == "0.5 2 a; -1 0.25 b"
    assert CLASSES.rows(CLASSES.read(text)) == [(0.5, 2.0, "a"), (-1.0, 0.25, "b")]


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5), st.sampled_from("ab")), max_size=3))
def test_points_come_back_from_an_address(drawn):
    value = CLASSES.read("; ".join(f"{x} {y} {kind}" for x, y, kind in drawn))
    assert CLASSES.read(CLASSES.write(value)) == value
    for (x, y, kind), (a, b, expected) in zip(CLASSES.rows(value), drawn, strict=True):
        assert (x, y, kind) == (pytest.approx(a, abs=6e-4), pytest.approx(b, abs=6e-4), expected)
