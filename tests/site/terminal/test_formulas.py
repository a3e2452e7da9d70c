"""Formulas as lines of text: they say what the formula says, and nothing raw is left in any of the course."""

import math
import re
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from latex2mathml.converter import convert

from slopewise.site.content import markup
from slopewise.site.content.library import load_pro_decks
from slopewise.site.terminal.formulas import formula_text
from slopewise.site.terminal.html_tree import read_html

ROOT = Path(__file__).parents[3]
VALUES = {"x": 2.5, "y": 0.75, "w": 1.25}


def line(latex):
    return formula_text(next(read_html(convert(latex)).iter("math")))


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"w_{t+1} = w_t - \eta \, \nabla L(w_t)", "wₜ₊₁ = wₜ − η ∇L(wₜ)"),
        (r"\frac{1}{2n}", "1/(2n)"),
        (r"\frac{a}{b} c", "(a/b)c"),
        (r"\frac{a + b}{c}", "(a + b)/c"),
        (r"\frac{\partial L}{\partial y} \frac{\partial y}{\partial w}", "(∂L/∂y)(∂y/∂w)"),
        (r"L = \frac{1}{n} \sum_{i=1}^{n} (\hat{y}_i - y_i)^2", "L = (1/n) ∑ᵢ₌₁ⁿ (ŷᵢ − yᵢ)²"),
        (r"\hat{w} = (X^\top X)^{-1} X^\top y", "ŵ = (XᵀX)⁻¹Xᵀy"),
        (r"\mathrm{softmax}(z)_i", "softmax(z)ᵢ"),
        (r"\max_{k \leq K} s_k", "max_(k ≤ K) sₖ"),
        (r"2 \ln K", "2 ln K"),
        (r"s_{\text{after}} x", "s_after x"),
        (r"\lVert x \rVert_2 \leq \sqrt{n} \; \max_i |x_i|", "‖x‖₂ ≤ √n maxᵢ |xᵢ|"),
        (r"\sqrt[3]{x + 1} - \sqrt{2x}", "³√(x + 1) − √(2x)"),
        (r"-0.5 \cdot (-3)", "−0.5 · (−3)"),
        (r"f''(x)", "f″(x)"),
        (r"e^{-\frac{x}{2}}", "e^(−x/2)"),
        (r"x_{i,j}", "x_(i, j)"),
        (r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", "(1, 2; 3, 4)"),
        (r"a \qquad b", "a \u00a0\u00a0b"),
        (r"\text{batch size}", "batch size"),
    ],
)
def test_formulas_are_set_as_people_write_them(latex, text):
    assert line(latex) == text


def decks_of_checkout():
    """The full Pro decks, which are in the checkout and not in the package."""
    sys.path.insert(0, str(ROOT))
    try:
        from pro.build import FOLDERS, read_deck

        return [read_deck(folder) for folder in FOLDERS]
    finally:
        sys.path.remove(str(ROOT))


def leaves(math_element):
    return [leaf.text for leaf in math_element.iter() if leaf.tag in ("mi", "mn") and leaf.text]


def plain(text):
    """Return letters and digits without what sets them small or puts a mark on them."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


@pytest.mark.slow
def test_no_formula_of_the_course_or_the_pro_decks_leaves_anything_raw_or_out(course):
    cards = [card for lesson in course.lessons for card in lesson.cards]
    cards += [card for deck in (*load_pro_decks(), *decks_of_checkout()) for card in deck.cards]
    formulas = 0
    for card in cards:
        for side in (card.front, card.back):
            for element in read_html(markup.block(side)).iter("math"):
                formulas += 1
                text = formula_text(element)
                assert text, card.id
                assert not re.search(r"[\\${}&]|<|>\w", text.replace("< ", "")), (card.id, text)
                for opening, closing in ("()", "[]", "⌈⌉"):
                    assert text.count(opening) == text.count(closing), (card.id, text)
                for leaf in leaves(element):
                    known = plain(leaf).replace("⊤", "T").replace("∗", "*")
                    assert known in plain(text).replace("ϵ", "ε" if known == "ε" else "ϵ"), (
                        card.id,
                        leaf,
                        text,
                    )
    assert formulas > 200
    assert len(cards) > 350


@st.composite
def factors(draw, inner):
    """A factor as LaTeX with its value."""
    kind = draw(st.sampled_from(["number", "letter", "group", "fraction", "power", "root"]))
    if kind == "number":
        number = draw(st.integers(1, 19))
        return str(number), float(number)
    if kind == "letter":
        name = draw(st.sampled_from(sorted(VALUES)))
        return name, VALUES[name]
    (a, x), (b, y) = draw(inner), draw(inner)
    if kind == "group":
        return rf"\left( {a} \right)", x
    if kind == "fraction":
        assume(abs(y) > 1e-3)
        return rf"\frac{{{a}}}{{{b}}}", x / y
    if kind == "root":
        assume(x >= 0)
        return rf"\sqrt{{{a}}}", math.sqrt(x)
    name, exponent = draw(st.sampled_from(sorted(VALUES))), draw(st.integers(-3, 3))
    return f"{name}^{{{exponent}}}", VALUES[name] ** exponent


@st.composite
def sums(draw, inner):
    """Terms added, each a product with and without a dot."""
    latex, value = "", 0.0
    for number in range(draw(st.integers(1, 3))):
        sign = draw(st.sampled_from("+-")) if number else ""
        first, term = draw(factors(inner))
        for _ in range(draw(st.integers(0, 2))):
            more, by = draw(factors(inner))
            dot = r" \cdot " if more[0].isdigit() or draw(st.booleans()) else " "
            first, term = first + dot + more, term * by
        latex, value = f"{latex} {sign} {first}", value + (-term if sign == "-" else term)
    assume(abs(value) < 1e9)
    return latex.strip(), value


EXPRESSIONS = st.deferred(
    lambda: st.one_of(st.just(("3", 3.0)), st.just(("x", VALUES["x"])), sums(EXPRESSIONS))
)
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def computed(text):
    """Compute a line as somebody would who reads it."""
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda found: f"**({found[0].translate(SUPERSCRIPTS)})", text)
    text = re.sub(r"√(\d+|[a-z])", r"√(\1)", text).replace("√", "R")
    text = re.sub(r"(?<=[\w)])(?<!R) ?(?=[(a-zR])", "*", text)
    return eval(text.replace("·", "*").replace("−", "-"), {"R": math.sqrt, **VALUES})


@given(sums(EXPRESSIONS))
def test_a_line_has_the_value_of_its_formula(expression):
    latex, value = expression
    assert computed(line(latex)) == pytest.approx(value, rel=1e-9, abs=1e-6), (latex, line(latex))


@given(st.text("\\{}<>&;/ abmxrwotsufin=\"'", max_size=200))
def test_whatever_stands_in_a_formula_becomes_a_line(text):
    for element in read_html(f"<math><mfrac>{text}</mfrac></math>").iter("math"):
        assert "\n" not in formula_text(element)
