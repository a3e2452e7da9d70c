"""`slopewise cards` as a person uses it, in a pseudo-terminal, and as a program does, in a pipe."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from slopewise.cli.app import run
from slopewise.cli.cards import TOKEN_VARIABLE

PROGRAM = Path(sys.executable).with_name("slopewise")
PATIENCE = 60  # seconds, on a machine that has much else to do


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder for settings, and nothing in the environment."""
    for name in (TOKEN_VARIABLE, "SLOPEWISE_SITE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


def log_in(live, somebody, monkeypatch):
    class Piped:
        def isatty(self):
            return False

        def readline(self):
            return f"{somebody.card_token}\n"

    monkeypatch.setattr(sys, "stdin", Piped())
    return run(["cards", "log-in", "--site", live.address])


class Terminal:
    """A person at a terminal of 80 columns."""

    def __init__(self, *arguments):
        self.output = ""
        self._master, other = pty.openpty()
        environment = os.environ | {"TERM": "xterm", "COLUMNS": "80", "LINES": "40"}
        self.process = subprocess.Popen(
            [PROGRAM, *arguments],
            stdin=other,
            stdout=other,
            stderr=other,
            env=environment,
            start_new_session=True,
        )
        os.close(other)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Leave no process and no terminal behind, also where a test has failed."""
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def see(self, text):
        """Wait until a text is shown after what was seen before, and return what came up to it."""
        until = time.monotonic() + PATIENCE
        while text not in self.output:
            assert time.monotonic() < until, f"{text!r} is not in {self.output!r}"
            self._read(0.2)
        before, _, self.output = self.output.partition(text)
        return before

    def press(self, keys):
        time.sleep(0.05)  # keys that are pressed before the question are thrown away
        os.write(self._master, keys.encode())

    def end(self):
        until = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < until
            self._read(0.1)
        self._read(0.1)
        return self.process.returncode

    def _read(self, seconds):
        if select.select([self._master], [], [], seconds)[0]:
            try:
                got = os.read(self._master, 65536).decode(errors="replace")
            except OSError:  # it has ended
                return
            self.output += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", got)


def reviews(somebody):
    rows = somebody.get("/account/export.json").json()["reviews"]
    return [(row["grade"], row["taken_back"]) for row in rows]


@pytest.mark.slow
def test_a_day_at_the_terminal(live, somebody, home, monkeypatch):
    assert log_in(live, somebody, monkeypatch) == 0
    somebody.post("/cards/own", {"front": "a question\x1b[2J of mine", "back": "an answer"})
    with Terminal("cards") as terminal:
        terminal.see("20 left")
        assert "an answer" not in terminal.see("space")
        terminal.press("3")  # means nothing before the answer is shown
        terminal.press(" ")
        assert "a question�[2J of mine" not in terminal.see("an answer")
        terminal.see("4 easy")
        terminal.press("4")
        terminal.see("19 left")
        terminal.see("quit")
        terminal.press("\r")
        terminal.see("4 easy")
        terminal.press("1")
        terminal.see("18 left")
        terminal.see("quit")
        terminal.press("u")
        terminal.see("Taken back.")
        terminal.see("19 left")
        terminal.see("quit")
        terminal.press("s")
        terminal.see("It rests")
        terminal.see("quit")
        terminal.press("q")
        terminal.see("1 card reviewed.")
        assert terminal.end() == 0
    assert reviews(somebody) == [("easy", False), ("again", True)]
    assert "1 card rests" in somebody.get("/review").text


@pytest.mark.slow
@pytest.mark.parametrize("way", ["ctrl-c", "killed"])
def test_whoever_goes_in_the_middle_of_an_outage_loses_nothing(live, somebody, home, monkeypatch, way):
    assert log_in(live, somebody, monkeypatch) == 0
    with Terminal("cards") as terminal:
        terminal.see("quit")
        live.stop()
        for left, key in (("19 left", "3"), ("18 left", "2")):
            terminal.press(" ")
            terminal.see("4 easy")
            terminal.press(key)
            terminal.see(left)
            terminal.see("quit")
        if way == "ctrl-c":
            terminal.press("\x03")
            terminal.see("2 answers wait on this device")
            assert terminal.end() == 130
        else:
            terminal.process.send_signal(signal.SIGKILL)
            assert terminal.end() == -signal.SIGKILL
    assert reviews(somebody) == []
    live.start()
    assert run(["cards", "--due"]) == 0
    assert reviews(somebody) == [("good", False), ("hard", False)]


def test_log_in_keeps_the_token_and_due_prints_counts(live, somebody, home, monkeypatch, capsys):
    assert log_in(live, somebody, monkeypatch) == 0
    out = capsys.readouterr().out
    assert "0 to repeat, 20 new" in out
    assert somebody.card_token not in out
    assert run(["cards", "--due"]) == 0
    assert capsys.readouterr().out == "0 to repeat, 20 new\n"
    assert run(["cards"]) == 0  # there is no terminal: counts, and no question
    assert capsys.readouterr().out == "0 to repeat, 20 new\n"
    assert run(["cards", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == {
        "site": live.address,
        "due": 0,
        "new": 20,
        "later": 0,
        "resting": 0,
        "next_at": None,
        "waiting": 0,
        "offline": False,
    }
    live.stop()
    assert run(["cards", "--due"]) == 0
    told = capsys.readouterr()
    assert told.out == "0 to repeat, 20 new\n"
    assert "cannot be reached" in told.err


def test_log_out_revokes_the_token_and_forgets_the_cards(live, somebody, home, monkeypatch, capsys):
    log_in(live, somebody, monkeypatch)
    run(["cards", "--due"])
    assert list(home.rglob("cards.json"))
    assert run(["cards", "log-out"]) == 0
    assert "the token is revoked" in capsys.readouterr().out
    assert not list(home.rglob("cards.json"))
    assert not list(home.rglob("token"))
    header = {"authorization": f"Bearer {somebody.card_token}"}
    assert somebody.get("/api/terminal/queue", headers=header).status_code == 401
    assert run(["cards", "log-out"]) == 0
    assert "no token" in capsys.readouterr().out


def test_a_token_of_the_environment_is_used_and_kept_nowhere(live, somebody, home, monkeypatch, capsys):
    monkeypatch.setenv(TOKEN_VARIABLE, somebody.card_token)
    monkeypatch.setenv("SLOPEWISE_SITE", live.address)
    assert run(["cards", "--due"]) == 0
    assert capsys.readouterr().out == "0 to repeat, 20 new\n"
    assert not [
        file for file in home.rglob("*") if file.is_file() and somebody.card_token in file.read_text()
    ]


@pytest.mark.parametrize(
    ("arguments", "token", "says"),
    [
        (["--site", "http://learn.example.org"], "", "needs https"),
        (["--site", "nonsense"], "", "--site is an address"),
        (["--site", "http://127.0.0.1:1"], "", "slopewise cards log-in --site http://127.0.0.1:1"),
        (["--site", "http://127.0.0.1:1"], "slopewise-cards-" + "x" * 43, "cannot be reached"),
        (["--site", "http://127.0.0.1:1"], "two\nlines", "is no token"),
        (["--token", "x"], "", "--help"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(home, monkeypatch, capsys, arguments, token, says):
    if token:
        monkeypatch.setenv(TOKEN_VARIABLE, token)
    assert run(["cards", *arguments]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    if token:
        assert token not in error


def test_a_token_that_is_not_known_is_not_kept(live, somebody, home, monkeypatch, capsys):
    somebody.card_token += "x"
    assert log_in(live, somebody, monkeypatch) == 2
    assert "does not know this token" in capsys.readouterr().err
    assert not list(home.rglob("token"))


def test_the_command_needs_nothing_of_the_extra_for_the_site():
    """It runs where FastAPI, SQLAlchemy and all else that serves are not installed."""
    extra = (
        "fastapi",
        "starlette",
        "sqlalchemy",
        "uvicorn",
        "argon2",
        "limits",
        "fsrs",
        "platformdirs",
        "nh3",
    )
    program = f"""
import sys
for name in {extra!r}:
    sys.modules[name] = None
from slopewise.cli.app import run
import slopewise.cli.cards_screen
status = run(["cards", "--due", "--site", "http://127.0.0.1:1"])
server = [name for name in sys.modules if name.startswith("slopewise.site.") and ".terminal" not in name]
print(status, server)
"""
    environment = os.environ | {TOKEN_VARIABLE: "slopewise-cards-" + "x" * 43}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60
    )
    assert done.stdout == "2 []\n"
    assert "cannot be reached" in done.stderr
