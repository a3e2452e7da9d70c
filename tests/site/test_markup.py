"""Markdown and formulas as HTML: what an author or an archive writes never becomes an element of the page."""

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slopewise.engine.errors import ArgumentError
from slopewise.site.content import markup

PIECES = st.sampled_from(
    [
        *(
            "<img src=x onerror=alert(1)>",
            "<script>",
            "</mtext>",
            "</math>",
            "<style>",
            "&lt;",
            "&#60;",
            "<!--",
        ),
        *("\\text{", "\\mathrm{", "\\operatorname{", "\\frac{", "\\color{", "\\href{", "\\style{"),
        *("\\class{", "\\tag{", "\\left<", "\\right>", "\\begin{matrix}", "\\end{matrix}", "\\hspace{"),
        *("{", "}", "x", "_", "^", "&", "\\\\", '"', "'", " ", "<", ">", "javascript:alert(1)", "onclick=x"),
    ]
)


class Elements(HTMLParser):
    """What a browser would make of HTML: its elements with their attributes, and its words."""

    def __init__(self, html):
        super().__init__()
        self.found, self.words = [], ""
        self.feed(str(html))  # Markup would escape what is added to it
        self.close()

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words += data

    def handle_comment(self, data):
        raise AssertionError(data)


def is_formula(html):
    """Whether there are elements of MathML alone, without an address, a style or a script."""
    refused = {"href", "src", "style", "class", "id"}
    return all(
        (tag == "math" or tag in ("none", "mprescripts") or tag.startswith("m"))
        and not any(name in refused or name.startswith("on") for name in attributes)
        for tag, attributes in Elements(html).found
    )


@given(st.lists(PIECES, max_size=12).map("".join))
def test_a_formula_becomes_mathml_alone_or_is_refused(latex):
    try:
        drawn = markup.math(latex)
    except ArgumentError:
        return
    assert is_formula(drawn)


@pytest.mark.parametrize(
    "words", ["<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "&lt;b&gt; & <b>"]
)
def test_words_in_a_formula_are_words(words):
    drawn = markup.block(rf"$\text{{{words}}}$ and $$\text{{{words}}}$$")
    assert [
        tag for tag, _ in Elements(drawn).found if tag not in ("p", "span", "div", "math", "mrow", "mtext")
    ] == []
    assert "<img" not in drawn
    assert "<script" not in drawn


def test_signs_of_formulas_are_shown_as_they_are():
    elements = Elements(markup.math(r"a < b \ge \lVert c \rVert"))
    assert elements.words == "a<b≥‖c‖"


@pytest.mark.parametrize(
    ("latex", "says"),
    [
        (r"\href{javascript:alert(1)}{x}", "<mrow href>, which no formula may have"),
        (r"\style{position:fixed}{x}", "<mrow style>, which no formula may have"),
        (r"\class{told}{x}", "<mrow class>, which no formula may have"),
        (r"\color{red;background:url(//a.example)}{x}", "<mstyle mathcolor>, which no formula may have"),
        (r"\newcommand{\a}[1]{#1#1#1}\a{\a{\a{x}}}", "defines a command of its own"),
        (r"\def\a{x}\a", "defines a command of its own"),
        ("x" * 5000, "is too long"),
        (r"\nosuchcommand{x}", "does not know"),
        (r"x \foo", "does not know"),
        ("{" * 2000, "cannot set the formula"),
    ],
)
def test_a_formula_that_cannot_be_set_is_refused(latex, says):
    begun = time.perf_counter()
    with pytest.raises(ArgumentError, match="the formula") as caught:
        markup.math(latex)
    assert says in str(caught.value)
    assert time.perf_counter() - begun < 5


def test_markup_does_not_let_html_through():
    drawn = markup.block("<script>alert(1)</script> [x](javascript:alert(1))")
    assert {tag for tag, _ in Elements(drawn).found} == {"p"}


def test_code_says_how_far_in_each_line_begins_and_reads_as_it_was():
    text = "def f(x):\n    if x < 1:\n        return x\n\nf(1)"
    drawn = markup.code(text)
    lines = [
        named["class"].split() for tag, named in Elements(drawn).found if "line" in named.get("class", "")
    ]
    assert lines == [["line"], ["line", "in-1"], ["line", "in-2"], ["line"], ["line"]]
    assert Elements(drawn).words == text + "\n"


def test_a_prime_stands_beside_its_letter_and_a_power_above():
    assert '<mrow><mi>f</mi><mo lspace="0" rspace="0">′</mo></mrow>' in markup.math("f'(x)")
    assert "<msup><mi>f</mi><mn>2</mn></msup>" in markup.math("f^2")
