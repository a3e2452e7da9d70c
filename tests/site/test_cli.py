"""`slopewise site`: what it refuses before it serves."""

import socket

import pytest

from slopewise.cli.app import run


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
