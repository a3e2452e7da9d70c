"""The examples of the README run as they are written."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from slopewise.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder with the example data, as a reader of the README has it."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("number", range(3))
def test_python_examples_run(number, checkout):
    examples = blocks("python")
    assert len(examples) == 3
    exec(compile(examples[number], f"README.md, example {number + 1}", "exec"), {"__name__": "readme"})


@pytest.mark.slow
def test_commands_run(checkout, capsys):
    [commands] = blocks("sh")
    for line in commands.strip().splitlines():
        program, *arguments = shlex.split(line)
        assert program == "slopewise"
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code in (0, None), line
    assert (checkout / "runs/penguins/report.html").exists()
    assert (checkout / "predictions.csv").read_text().startswith("prediction,probability_Adelie")
    assert (checkout / "moons.csv").exists()


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
