"""Cards as a terminal shows them, whatever is in their HTML."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from slopewise.site.content import markup
from slopewise.site.terminal.html_tree import printable, read_html
from slopewise.site.terminal.layout import card_side, plain_line


def shown(html, width=40, colour=False):
    console = Console(
        file=io.StringIO(), width=width, force_terminal=colour, color_system="standard" if colour else None
    )
    console.print(card_side(html))
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one\n  two</p><p>three</p>", "one two\n\nthree"),
        ("loose <b>text</b><div>in a div</div> and after", "loose text\n\nin a div\n\nand after"),
        ("<p>a<br>b</p>", "a\nb"),
        ('<p class="plain">a\n  b</p>', "a\n  b"),
        ("<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>", " • a\n • b\n    • c"),
        ('<ol start="7"><li>a</li><li>b</li></ol>', " 7. a\n 8. b"),
        ('<pre class="code"><code>def f():\n    return 1\n</code></pre>', "  def f():\n      return 1"),
        ("<table><tr><th>x</th><th>y</th></tr><tr><td>1</td><td>22</td></tr></table>", "x  y\n1  22"),
        ("<p>see <img src='/x' alt='a curve'> <audio></audio></p>", "see [picture: a curve] [sound]"),
        ("<script>x()</script><p>ok</p>", "ok"),
        ("", "(empty)"),
        ("<p>x &lt; 2 [bold]y[/bold]</p>", "x < 2 [bold]y[/bold]"),
        ("<p>unclosed <b>bold", "unclosed bold"),
    ],
)
def test_html_is_laid_out_as_text(html, text):
    assert shown(html) == text


def test_code_keeps_its_colours_and_folds_rather_than_loses_a_long_line():
    code = str(markup.code("def f(argument):  # " + "long " * 12 + "end"))
    assert "\x1b[94m" in shown(code, 60, colour=True)  # `def`, as Pygments marked it
    plain = shown(code)
    assert plain.count("long") == 12
    assert "end" in plain


def test_formulas_stand_in_their_sentence():
    assert shown(markup.block("So $a + b = c$ in the end.")) == "So a + b = c in the end."
    assert plain_line(markup.inline("the rule $w_t$")) == "the rule wₜ"


@given(st.text(max_size=80))
def test_nothing_in_a_card_steers_the_terminal(text):
    for html in (text, f"<p>{text}</p>", f"<pre>{text}</pre>", f"<math><mi>{text}</mi></math>"):
        out = shown(html)
        assert not [letter for letter in out if ord(letter) < 32 and letter != "\n"]
        assert not set(out) & set("\x7f\x9b\u202e\u2066")


def test_escape_sequences_are_shown_as_boxes():
    assert shown("<p>a\x1b[2J\x1b]0;title\x07b\u202e</p>") == "a�[2J�]0;title�b�"
    assert printable("\x9b31m") == "�31m"


TAGS = ("b", "p", "ul", "li", "table", "tr", "td", "pre", "blockquote", "div")


@given(
    st.lists(
        st.sampled_from(["x", *(f"<{tag}>" for tag in TAGS), *(f"</{tag}>" for tag in TAGS)]), max_size=60
    )
)
def test_no_text_is_lost_however_tags_are_nested(parts):
    html = "".join(parts)
    assert "".join(read_html(html).itertext()).count("x") == parts.count("x")
    assert shown(html, 300).count("x") == parts.count("x")


def test_tags_within_tags_without_end_are_read():
    assert "deep" in shown("<div>" * 5000 + "deep")
    assert "deep" in shown("<ul><li>" * 2000 + "deep", 2000)
    assert plain_line("<math>" + "<msup>" * 3000 + "<mi>x</mi></math> after").endswith("after")
