"""Drawings: well-formed, without colours or styles of their own, and of finite numbers only."""

import math
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slopewise.engine.errors import ArgumentError
from slopewise.site.content import load_course
from slopewise.site.content.opening import draw_opening
from slopewise.site.drawing import Plot, brief, draw_strips, fixed, linear, logarithmic
from slopewise.site.drawing.concept_map import draw_concept_map
from slopewise.site.drawing.scale import covering
from slopewise.site.labs.worker import find_lab


def check(svg):
    """Assert that a drawing can stand on a page with a strict policy."""
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        assert not {"style", "fill", "stroke", "onclick"} & set(element.attrib), element.attrib
        assert not any(word in text for text in element.attrib.values() for word in ("nan", "inf"))
    return root


def plot(**changes):
    options = {"x_title": "x", "y_title": "y", "title": "A < B & C", **changes}
    return Plot(linear(0, 1), linear(0, 1), **options)


def test_a_plot_escapes_its_words_and_carries_no_style():
    made = plot()
    made.line([(0.1, 0.1), (math.nan, 0.2), (0.5, math.inf), (0.6, 0.6)], "forward")
    made.dots([(0.5, 0.5), (2.0, 2.0), (math.nan, 0.0)], "ink")
    made.arrow((0.2, 0.2), (1e9, -1e9), "backward")
    made.rule("backward", x=0.3, label="<limit>")
    made.label(0.9, 0.99, "a & b")
    root = check(made.svg())
    assert root.attrib["aria-label"] == "A < B & C"
    assert len(root.findall(".//{*}circle") or root.findall(".//circle")) == 1


def test_contours_cover_the_frame_from_low_to_high():
    made = plot()
    xs = np.linspace(0, 1, 11)
    made.contours(xs, xs, xs[None, :] + xs[:, None], [0.5, 1.0, 2.0])
    kinds = [
        path.attrib["class"] for path in check(made.svg()).iter("path") if "contour" in path.attrib["class"]
    ]
    assert kinds == ["contour depth-1", "contour depth-3", "contour depth-6"]


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_of_a_linear_scale_lie_within_it_and_are_few(low, width):
    scale = linear(low, low + width)
    assert 2 <= len(scale.ticks) <= 11
    assert all(-1e-6 <= scale.place(value) <= 1 + 1e-6 for value, _ in scale.ticks)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=5))
def test_a_scale_covers_whatever_is_finite(values):
    finite = [value for value in values if math.isfinite(value) and abs(value) < 1e100]
    scale = covering(finite)
    assert all(0 <= scale.place(value) <= 1 for value in finite)


@pytest.mark.parametrize("ends", [(1.0, 1.0), (2.0, 1.0), (math.nan, 1.0), (0.0, math.inf)])
def test_a_scale_of_no_range_is_refused(ends):
    with pytest.raises(ArgumentError, match="runs"):
        linear(*ends)
    with pytest.raises(ArgumentError, match="runs"):
        logarithmic(*ends)


def test_numbers_are_written_as_people_read_them():
    assert brief(-0.0) == "0"
    assert brief(1e-12) == "1e−12"
    assert fixed(-1e-9) == "0.00"
    assert fixed(math.nan) == "not a number"


def test_strips_tell_their_numbers_in_words():
    root = check(
        draw_strips([("train", 1.0), ("test", None)], [("truth", 0.5, "backward")], title="Accuracy")
    )
    assert root.find("desc").text == "train 100%"


def test_both_concept_maps_link_every_concept_and_say_every_relation():
    course = load_course()
    root = check(f"<maps>{draw_concept_map(course.concepts, course.relations)}</maps>")
    assert len(root) == 2
    for drawn in root:
        assert [link.attrib["href"] for link in drawn.iter("a")] == [
            f"/lessons/{concept.lesson}" for concept in course.concepts
        ]
        labels = [group for group in drawn.iter("g") if group.attrib["class"] == "relation-label"]
        words = [" ".join(text.text for text in label.iter("text")) for label in labels]
        assert words == [relation.says for relation in course.relations]


@pytest.mark.parametrize(
    "entry", [e for e in load_course().entries if e.outline], ids=lambda entry: entry.slug
)
def test_every_drawing_of_a_lesson_is_sound(entry):
    lesson = entry.lesson
    for figure in lesson.figures.values():
        check(figure.svg)
    lab = find_lab(lesson.folder)
    for frame in lab.frames(lab.read({})):
        for figure in frame.figures:
            check(figure.svg)


def test_a_plot_that_picks_settings_says_where_its_frame_lies():
    made = Plot(
        linear(-2, 3), linear(0, 1), x_title="", y_title="", title="t", size=(400, 300), picks=("w1", "w2")
    )
    root = check(made.svg())
    assert root.attrib["data-picks"] == "w1 w2"
    assert root.attrib["data-ends"] == "-2 3 0 1"
    left, top, right, bottom = map(float, root.attrib["data-frame"].split())
    assert made.at(-2, 0) == (left, bottom)
    assert made.at(3, 1) == (right, top)
    assert "data-picks" not in plot().svg()


@pytest.mark.parametrize("width", [440, 560])
@pytest.mark.parametrize("y", [logarithmic(1e-12, 1.0), linear(0, 2e6), linear(0, 0.004), linear(-3, 3)])
def test_the_title_of_an_axis_stands_clear_of_its_ticks(width, y):
    root = check(Plot(linear(0, 1), y, x_title="x", y_title="loss", title="t", size=(width, 320)).svg())
    unit = 1.25 if "large" in root.attrib["class"] else 1.0
    texts = {text.text: text for text in root.iter("text")}
    title = float(texts["loss"].attrib["y"]) + 4
    for _, tick in y.ticks:
        width = unit * sum(4 if sign in "⁻⁰¹²³⁴⁵⁶⁷⁸⁹.," else 7 for sign in tick)
        assert float(texts[tick].attrib["x"]) - width > title


def test_the_opening_picture_is_sound_and_its_walk_is_found_again_in_the_lab_it_leads_to():
    opening = draw_opening()
    labels = [text.text for text in check(opening.svg).iter("text") if "label" in text.attrib["class"]]
    assert all(label in opening.caption for label in labels)
    address = urlsplit(opening.address)
    entry = load_course().entry(address.path.rpartition("/")[2])
    lab = find_lab(entry.lesson.folder)
    last = lab.frames(lab.read(dict(parse_qsl(address.query))))[-1]
    assert float(last.table.rows[-1][2]) == pytest.approx(float(labels[0]), abs=5e-4)
