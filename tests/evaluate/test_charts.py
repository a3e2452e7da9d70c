"""Charts as SVG."""

from xml.etree import ElementTree

import pytest

from slopewise.evaluate import charts

NAMES = {"title": "A title", "description": "What it shows."}


def drawn(svg):
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg")
    assert "width" not in root.attrib
    return root


@pytest.mark.parametrize(
    ("training", "validation", "best"),
    [
        ([1.0, 0.5, 0.4], [1.0, 0.6, 0.7], 2),
        ([1.0], [1.0], 1),
        ([1.0, None, float("nan"), float("inf")], [], None),
        ([0.0, 0.0], [0.0, 0.0], 2),
    ],
)
def test_curves_of_any_length_are_drawn(training, validation, best):
    root = drawn(charts.curves(training, validation, best, axis="loss", **NAMES))
    assert root[0].text == "A title"
    assert root[1].text == "What it shows."
    assert root.attrib["aria-label"] == "A title. What it shows."


@pytest.mark.parametrize("points", [[[1.0, 2.0], [3.0, 3.5]], [[5.0, 5.0]], [[0.0, 0.0]], [[-1e300, 1e300]]])
def test_points_are_drawn_even_when_there_is_but_one(points):
    drawn(charts.predicted_against_actual(points, **NAMES))


def test_a_histogram_marks_no_error_only_where_it_lies_within():
    within = charts.histogram([-1.0, 0.5, 2.0], [3, 4], **NAMES)
    beside = charts.histogram([1.0, 1.5, 2.0], [3, 4], **NAMES)
    assert charts.COLOURS["ink"] in within
    assert charts.COLOURS["ink"] not in beside
