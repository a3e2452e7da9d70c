"""The report: whole, self-contained, and deaf to what a table says."""

import dataclasses
import re
from html.parser import HTMLParser

import pytest

from slopewise.data import Table
from slopewise.evaluate import charts
from slopewise.evaluate.display import MINUS, visible
from slopewise.evaluate.report import render_report

VOID = {"meta", "link", "br", "img", "hr", "input", "wbr"}


class Page(HTMLParser):
    """Reads a page strictly: every element is closed where it should be."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.ids, self.text, self.attributes = [], [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attributes]
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attributes]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


def page_of(run):
    html = render_report(run.record, run.epochs, run.evaluation, run_name="runs/demo")
    return Page(html), html


@pytest.fixture(scope="module", params=["species_run", "mass_run"])
def page(request):
    return page_of(request.getfixturevalue(request.param))


def test_the_report_is_one_whole_page(page):
    parsed, _ = page
    assert len(parsed.ids) == len(set(parsed.ids))
    targets = {value[1:] for tag, name, value in parsed.attributes if tag == "a" and name == "href"}
    assert targets == {"scores", "learning", "errors", "data", "model", "repeat"} <= set(parsed.ids)
    assert parsed.tags.count("h1") == 1


def test_the_report_holds_no_script_and_loads_nothing(page):
    parsed, html = page
    assert not {"script", "iframe", "object", "embed", "form", "foreignobject", "base"} & set(parsed.tags)
    assert not [name for _, name, _ in parsed.attributes if name.startswith("on")]
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert ("meta", "content", policy) in parsed.attributes
    addresses = set(re.findall(r"[a-z]+://[^\"'\s<)]*", html))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    for _, name, value in parsed.attributes:
        if name in ("href", "src", "xlink:href"):
            assert value.startswith(("#", "data:image/svg+xml,"))


def test_charts_follow_the_theme(page):
    parsed, html = page
    drawn = {
        value.lower()
        for tag, name, value in parsed.attributes
        if tag not in ("circle", "svg")
        and name in ("fill", "stroke")
        and value not in ("none", "transparent")
    }
    assert drawn
    assert drawn <= set(charts.COLOURS.values())
    for colour in charts.COLOURS.values():
        assert f'[fill="{colour}"]' in html
        assert f'[stroke="{colour}"]' in html


def test_charts_have_names_and_descriptions(page):
    parsed, _ = page
    drawings = parsed.tags.count("figure")
    assert drawings >= 2
    assert parsed.tags.count("title") == drawings + 1
    assert parsed.tags.count("desc") == drawings


def test_a_report_on_classes_tells_what_matters(species_run):
    parsed, _ = page_of(species_run)
    score = species_run.evaluation.part("test").score("accuracy")
    assert f"{score.value:.1%}" in parsed.words
    for expected in (
        "Predicting species from penguins.csv",
        "Always answering “Adelie” would be right for 43.5%",
        "Training stopped after epoch 61",
        "The weights of epoch 41 were kept",
        "206 train, 69 validation, 69 test",
        "slopewise fit examples/data/penguins.csv --target species",
        "slopewise predict runs/demo new.csv",
        species_run.record["data"]["fingerprint"],
        "2026-11-21 20:00:02",
        "True class down, predicted class across",
    ):
        assert expected in parsed.words
    worst = species_run.evaluation.part("validation").worst[0]
    assert f"{worst.row} {worst.line} {worst.truth} {worst.predicted}" in parsed.words


def test_a_report_on_numbers_has_its_plots(mass_run):
    parsed, _ = page_of(mass_run)
    assert "Predicted and actual body_mass_g" in parsed.words
    assert "Errors: actual minus predicted body_mass_g" in parsed.words
    assert "True class" not in parsed.words


def test_numbers_below_zero_have_a_minus_sign_and_cells_the_hyphen_of_the_table(negative_run):
    parsed, _ = page_of(negative_run)
    part = negative_run.evaluation.part("test")
    r2 = part.score("r2").value
    assert r2 < 0
    assert f"{MINUS}{-r2:.3f}" in parsed.words.split()
    row = part.worst[0]
    cell = row.cells[part.worst_columns.index("x")]
    assert f"{row.row} {row.truth} {float(row.predicted):.4g}".replace("-", MINUS) in parsed.words
    assert cell in parsed.words.split()
    assert cell.startswith("-")


def test_a_run_that_was_stopped_says_how_to_go_on(species_run):
    record = {key: value for key, value in species_run.record.items() if key != "result"}
    record |= {"status": "training", "test_openings": []}
    parsed = Page(render_report(record, species_run.epochs[:3], run_name="runs/my run"))
    assert "slopewise resume 'runs/my run'" in parsed.words
    assert "the test rows are still sealed" in parsed.words
    assert "Stopped after epoch 3 of at most 200" in parsed.words
    parsed = Page(render_report(record, [], run_name="runs/demo"))
    assert "How it learned" not in parsed.words


def test_test_rows_that_were_opened_often_are_pointed_out(species_run):
    record = {**species_run.record, "test_openings": species_run.record["test_openings"] * 3}
    parsed = Page(render_report(record, species_run.epochs, species_run.evaluation))
    assert "The test rows have been opened 3 times" in parsed.words


def test_many_classes_are_listed_by_what_is_confused(species_run):
    many = [f"kind {number}" for number in range(50)]
    wide = [[1 if abs(a - b) == 1 else 9 * (a == b) for b in range(50)] for a in range(50)]
    evaluation = species_run.evaluation
    part = evaluation.part("test")
    classes = [dataclasses.replace(part.classes[0], number=number) for number in range(50)]
    part = dataclasses.replace(part, confusion=wide, classes=classes)
    parsed = Page(
        render_report(
            species_run.record,
            species_run.epochs,
            dataclasses.replace(evaluation, classes=many, parts=[part]),
        )
    )
    assert "50 classes are too many for a matrix" in parsed.words
    assert "kind 0 kind 1 1" in parsed.words
    assert "10 more classes have better scores" in parsed.words


def test_many_columns_are_cut_short(species_run):
    columns = [{**species_run.record["columns"][1], "name": f"column {number}"} for number in range(250)]
    record = {**species_run.record, "columns": columns}
    parsed = Page(render_report(record, species_run.epochs, species_run.evaluation))
    assert "column 199" in parsed.words
    assert "column 200" not in parsed.words
    assert "50 more columns are listed in run.json" in parsed.words


def test_a_run_of_a_table_in_memory_is_repeated_from_python(species_run):
    data = {**species_run.record["data"], "given": None, "path": None}
    record = {**species_run.record, "data": data, "command": None}
    parsed = Page(render_report(record, species_run.epochs, species_run.evaluation))
    assert "sw.fit_table(table, 'species', seed=0)" in parsed.words


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"stopped": "", "reason": ""}, "Training ran for all of its 61 epochs"),
        (
            {"stopped": "other", "reason": "the training loss is nan"},
            "after epoch 61: the training loss is nan.",
        ),
    ],
)
def test_the_report_says_how_training_ended(result, words, species_run):
    record = {**species_run.record, "result": {**species_run.record["result"], **result}}
    assert words in Page(render_report(record, species_run.epochs, species_run.evaluation)).words


def test_every_part_that_scrolls_can_be_reached_and_has_a_name(page):
    _, html = page
    regions = re.findall(r'<div class="scroll"[^>]*>', html)
    assert regions
    for region in regions:
        assert 'tabindex="0"' in region
        assert 'role="region"' in region
        assert "aria-label" in region


HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "]]> --> </style></svg></title> {{ 7 * 7 }} {% raw %}",
    "&lt;b&gt; &amp; é 🐧 \u202egnihton\u202c",
    "line one\nline two\x00\x1b[31m",
    "javascript:alert(1)",
    "x" * 5000,
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_a_table_holds_is_shown_and_never_obeyed(hostile, make_run):
    import polars as pl

    rows = 90
    frame = pl.DataFrame(
        {
            f"target {hostile}": [f"class {number % 3} {hostile}" for number in range(rows)],
            f"group {hostile}": [f"group {number % 4} {hostile}" for number in range(rows)],
            "x": [float(number) for number in range(rows)],
        }
    )
    table = Table.from_frame(frame)
    run = make_run(table, f"target {hostile}", dropped={"x": f"because {hostile}"})
    run.record["command"] += hostile
    run.record["data"]["name"] = hostile
    html = render_report(run.record, run.epochs, run.evaluation, run_name=hostile)
    parsed = Page(html)
    assert not {"script", "img"} & set(parsed.tags)
    assert not [name for _, name, _ in parsed.attributes if name.startswith("on")]
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e]", html)
    for text in (f"target {hostile}", f"class 1 {hostile}", f"group 1 {hostile}"):
        assert " ".join(visible(text).split()) in parsed.words
    assert max(len(word) for word in parsed.words.split()) <= 2000
