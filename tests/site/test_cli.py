"""`slopewise site`: what it refuses before it serves."""

import re
import socket
from pathlib import Path

import pytest
from typer.main import get_command

from slopewise.cli.app import app, run

DOCS = (Path(__file__).parents[2] / "docs" / "site.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "0.0.0.0", "--port", "0"], "add --public-url"),
        (["--public-url", "http://learn.example.org", "--port", "0"], "https"),
        (["--database", "mysql://elsewhere", "--port", "0"], "--database"),
        (["--database", "nonsense", "--port", "0"], "--database"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(arguments, message, capsys):
    assert run(["site", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_port_that_is_taken_is_told(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert run(["site", "--port", str(taken.getsockname()[1])]) == 2
    assert "choose another with --port" in capsys.readouterr().err


def test_the_docs_name_every_command_and_option_and_no_other():
    group = get_command(app).commands["site"]
    options = {
        name: {option for one in made.params for option in one.opts if option.startswith("--")}
        for name, made in [("", group), *group.commands.items()]
    }
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", DOCS))
    assert set.union(*options.values()) - named == set()
    called = set()
    for words, rest in re.findall(r"slopewise site(?: ([a-z]+(?:-[a-z]+)*)\b)?((?:\\\n|[^`\n|])*)", DOCS):
        called.add(words)
        assert set(re.findall(r"--[a-z-]+", rest)) <= options.get(words, set()) | options[""], (words, rest)
    assert called == set(options)
