"""Own data over HTTP: pasted, uploaded, generated; what it holds, trained on, shared, exported, deleted."""

import io
import re
import time
from datetime import timedelta

import pytest

from slopewise.data import generate_table, read_table

FLOWERS = "height,width,kind\n" + "\n".join(
    f"{0.1 * row + (3 if row % 2 else 0):.1f},{0.05 * row:.2f},{'rose' if row % 2 else 'daisy'}"
    for row in range(60)
)
PASSWORD = "correct horse battery staple"


def paste(somebody, text=FLOWERS, name="Flowers", **fields):
    return somebody.post("/data", {"how": "paste", "text": text, "name": name, **fields}, page="/data")


def pasted(somebody, text=FLOWERS, name="Flowers"):
    answer = paste(somebody, text, name)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def upload(somebody, name, content):
    token = somebody.token("/data")
    return somebody.client.post("/data/upload", data={"form_token": token}, files={"file": (name, content)})


def trained(somebody, address, patience=60, **fields):
    """Train, and look at the page until it has ended; return its address and its text."""
    fields = {"target": "kind", "epochs": "5", "hidden": "8", **fields}
    answer = somebody.post(f"{address}/runs", fields, page=address)
    assert answer.status_code == 303, answer.text
    run = answer.headers["location"]
    for _ in range(10 * patience):
        text = somebody.get(run).text
        if 'http-equiv="refresh"' not in text:
            return run, text
        time.sleep(0.1)
    raise AssertionError("the training did not end")


def folder_of(site, address):
    return site.app.state.workshop.shelf.folder / address.rpartition("/")[2].replace("-", "")


def test_a_pasted_table_is_described_trained_on_and_reported_in_the_page(site, browser):
    somebody = browser()
    address = pasted(somebody)
    text = somebody.get(address).text
    for piece in (
        "60 rows, 3 columns",
        "No cell is missing",
        "No row repeats another",
        "Predicting kind is classification",
        "Always saying “daisy” is right in 50.0%",
        '<th scope="row">height</th><td>number</td>',
    ):
        assert piece in text, piece
    assert "<svg" in text
    run, text = trained(somebody, address)
    assert "Test balanced accuracy" in text or "Test accuracy" in text
    assert re.search(r"<iframe[^>]+ sandbox title=", text)
    answer = somebody.get(f"{run}/report")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "allow-same-origin" not in policy
    assert "allow-scripts" not in policy
    assert "Predicting kind from Flowers.csv" in answer.text
    assert "slopewise fit Flowers.csv --target kind" in answer.text
    assert "<script" not in answer.text
    assert str(site.app.state.workshop.shelf.folder) not in answer.text
    assert "frame-src 'self'" in somebody.get(run).headers["content-security-policy"]


def test_the_report_is_the_one_that_fit_writes(browser, tmp_path, monkeypatch):
    """Same table, same settings, same scores: the page trains by the code of the command."""
    from slopewise.cli.app import run as command

    somebody = browser()
    address = pasted(somebody)
    page, _ = trained(somebody, address, epochs="60", hidden="8")
    report = somebody.get(f"{page}/report").text
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLOPEWISE_TARGET", "interpreter")
    (tmp_path / "Flowers.csv").write_text(FLOWERS + "\n")
    arguments = "fit Flowers.csv --target kind --epochs 60 --hidden 8 --out run --quiet"
    assert command(arguments.split()) == 0
    own = (tmp_path / "run" / "report.html").read_text()

    def figures(text):
        """Return the numbers of the page, those apart that say when and on what machine."""
        found = re.findall(r"<dd>(.*?)</dd>", re.sub(r"[0-9.]+\s*s of training", "", text))
        return [figure for figure in found if not re.search(" UTC|THREADS|not limited", figure)]

    assert len(figures(report)) >= 10
    assert figures(report) == figures(own)
