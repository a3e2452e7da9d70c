"""`slopewise site`: what it refuses before it serves."""

import re
import socket
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from typer.main import get_command

from slopewise.cli import site
from slopewise.cli.app import app, run

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "site.md").read_text(encoding="utf-8")


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


def test_every_library_of_the_extra_is_asked_for_before_the_site_is_imported():
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["site"]
    known = packages_distributions()
    asked = {known[name][0].lower().replace("_", "-") for name in site._NEEDED}
    assert asked == {re.match(r"[\w-]+", line)[0] for line in extra} - {"pysqlite3"}


def test_without_the_extra_one_line_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setattr(site, "find_spec", lambda name: None if name == "stripe" else name)
    for command in ([], ["revoke-pro", "a@example.org"], ["backup", "a.zip"]):
        assert run(["site", *command]) == 2
        told = "slopewise: error: the site needs stripe; install them with: pip install 'slopewise[site]'\n"
        assert capsys.readouterr().err == told
