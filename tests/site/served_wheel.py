"""The site from its wheel: all that pages need is in it."""

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from site_process import running_site

from slopewise.site.content import load_course

ROOT = Path(__file__).parents[2]
LEFT_OUT = ("__pycache__",)  # of folders; those whose names begin with a dot, too


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy: setuptools leaves files beside what it builds from."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(
        ROOT / "src", source / "src", ignore=shutil.ignore_patterns(*LEFT_OUT, ".*", "*.egg-info")
    )
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", folder, source], check=True, timeout=300)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_each_file_of_the_package(wheel):
    files = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src" / "slopewise").rglob("*")
        if path.is_file() and not any(part in LEFT_OUT or part.startswith(".") for part in path.parts)
    }
    with zipfile.ZipFile(wheel) as archive:
        assert files - set(archive.namelist()) == set()


def test_the_site_serves_from_the_wheel_alone(wheel, new_database, tmp_path):
    place = tmp_path / "installed"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", place, wheel]
    subprocess.run(command, check=True, timeout=300)
    environment = os.environ | {"PYTHONPATH": str(place)}
    where = [sys.executable, "-c", "import slopewise.site; print(slopewise.site.__file__)"]
    found = subprocess.run(
        where, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True
    )
    assert Path(found.stdout.strip()).is_relative_to(place)
    with running_site(new_database(), tmp_path, environment=environment) as site:
        front = site.ask("GET", "/")
        assert front[0] == 200
        for slug in (outline.slug for outline in load_course().outlines):
            status, text = site.ask("GET", f"/lessons/{slug}", timeout=120)
            assert (status, "<h1>" in text) == (200, True), slug
        assert len(shown_step(site, "gradient-descent", 1)) > 500
    assert '"error"' not in site.log.read_text()


def shown_step(site, slug, step):
    """Return the HTML of a step of a lab, once its run at the settings that it opens with is there."""
    until = time.monotonic() + 60
    while True:
        status, text = site.ask("GET", f"/labs/{slug}/frame?step={step}")
        assert status == 200, text
        made = json.loads(text)
        if made["state"] == "shown":
            return made["html"]
        assert time.monotonic() < until, "the lab is not run ahead"
        time.sleep(0.1)
