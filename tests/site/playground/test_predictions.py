"""Predictions in the playground: judged by the engine's numbers, and kept as cards when they fail."""

from urllib.parse import parse_qsl

import pytest

from slopewise.engine.errors import ArgumentError
from slopewise.site.playground.design import read_design
from slopewise.site.playground.predictions import Question
from slopewise.site.playground.training import answer_training


def scores_at(design, steps):
    asked = {"job": "predictions", "values": design.values, "step": 0, "seconds": 60.0, "snapshots": {}}
    return [answer_training(asked | {"until": step})["view"]["scores"] for step in steps]


@pytest.mark.parametrize(
    ("query", "kind", "step", "to", "answer", "word"),
    [
        ({}, "update", 0, 1, 0, "It goes from 0."),
        ({"lr": "10", "batch": "1"}, "update", 20, 21, None, "It goes from"),
        ({"lr": "0.00001"}, "update", 3, 4, 2, "nearly zero"),
        ({}, "train", 0, 200, None, "After 200 updates it is 0."),
        ({"data": "linear", "lr": "10", "batch": "2000"}, "train", 0, 400, 0, "not a number"),
        ({"layers": "linear:8,relu,dropout:0.4"}, "rewind", 9, 0, 0, "and again"),
        ({"optimizer": "lbfgs", "batch": "2000"}, "rewind", 5, 4, 0, "follow from the seeds"),
    ],
)
def test_a_prediction_is_judged_by_the_engines_numbers(query, kind, step, to, answer, word):
    question = Question(kind, step, to, read_design(query))
    scores = scores_at(question.design, question.way)
    made = question.answered(scores)
    if kind == "update":
        before, after = scores[0][2], scores[-1][2]
        answer = {-1: 0, 1: 1, 0: 2}[(after > before) - (after < before)] if answer is None else answer
    elif answer is None:
        answer = 0 if scores[-1][5] < 0.7 else 1 if scores[-1][5] <= 0.95 else 2
    assert made["answer"] == answer
    assert word in made["because"]
    assert "SGD" in made["question"] or "LBFGS" in made["question"]  # a card stands alone


@pytest.mark.parametrize(
    ("kind", "step", "to"),
    [("update", 3, 3), ("update", 3, 5), ("train", 5, 5), ("rewind", 2, 2), ("x", 0, 1), ("train", 0, 501)],
)
def test_what_cannot_be_asked_is_refused(kind, step, to):
    with pytest.raises(ArgumentError, match="predict"):
        Question(kind, step, to, read_design({}))


def judged(somebody, query):
    answer = somebody.send("/playground/verdicts", {"query": query}, page="/playground")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_failed_prediction_becomes_a_card_with_its_numbers_and_the_way_back_to_that_step(site, browser):
    somebody = browser().sign_up()
    query = "data=circles&lr=0.05&step=3&ask=update&to=4"
    right = next(k for k in range(3) if judged(somebody, f"{query}&guess={k}")["right"])
    wrong = judged(somebody, f"{query}&guess={(right + 1) % 3}")
    assert not wrong["right"]
    asked = site.get(f"/playground/question?{query}").json()
    assert wrong["guess"] == asked["choices"][(right + 1) % 3]
    kept = somebody.send("/api/predictions", {"failed": [{"slug": "playground", "query": wrong["query"]}]})
    assert kept.json() == {"kept": [0], "refused": []}
    (card,) = somebody.get("/account/export.json").json()["own_cards"]
    assert card["source"] == "/playground?data=circles&lr=0.05&step=3&ask=update&to=4"
    assert asked["question"] in card["front"]
    assert wrong["because"] in card["back"]
    assert wrong["guess"] in card["back"]
    design = read_design({"data": "circles", "lr": "0.05"})
    before, after = (row[2] for row in scores_at(design, (3, 4)))
    assert f"It goes from {before:.5g} to {after:.5g}." in card["back"]
    page = somebody.get(card["source"])
    assert page.status_code == 200
    assert 'data-step="3"' in page.text
    assert 'data-ask="update" data-to="4"' in page.text
    assert asked["question"] in page.text
    right_row = {"slug": "playground", "query": f"{query}&guess={right}"}
    refused = somebody.send("/api/predictions", {"failed": [right_row]}).json()["refused"]
    assert "prediction that failed" in refused[0]["because"]
    progress = {row["item"]: row for row in somebody.get("/account/export.json").json()["progress"]}
    assert progress["playground/3"]["value"] == {"right": False, "choices": 3}
    assert somebody.get("/progress").status_code == 200


def test_without_script_a_guess_is_judged_and_can_be_kept(browser):
    somebody = browser().sign_up()
    address = "/playground?ask=train&step=0&to=12"
    pages = [
        somebody.post(address, {"data": "spirals", "guess": str(k)}, page="/playground").text
        for k in range(3)
    ]
    assert sum("You were right." in page for page in pages) == 1
    assert all("After 12 updates the loss is" in page for page in pages)
    wrong = next(page for page in pages if "It went otherwise." in page)
    assert 'form="keep-prediction"' in wrong
    query = wrong.partition('name="query" value="')[2].partition('"')[0].replace("&amp;", "&")
    assert dict(parse_qsl(query))["data"] == "spirals"
    answer = somebody.post("/labs/playground/cards", {"query": query}, page="/playground")
    assert answer.status_code == 303
    assert "/playground?data=spirals" in somebody.get("/cards/own").text
    stranger = browser()
    assert "keep-prediction" not in stranger.post(address, {"guess": "0"}, page="/playground").text
    none = stranger.post(address, {"data": "spirals"}, page="/playground")
    assert none.status_code == 400
    assert "choose one of the answers first" in none.text


@pytest.mark.parametrize(
    "query",
    [
        "",
        "ask=update",
        "ask=update&to=1&guess=9",
        "ask=train&to=9999&guess=0",
        "ask=rewind&step=3&to=x",
        "lr=x",
    ],
)
def test_what_was_no_prediction_is_refused_in_a_line(browser, query):
    somebody = browser().sign_up()
    answer = somebody.send("/playground/verdicts", {"query": query}, page="/playground")
    assert answer.status_code == 400
    assert "\n" not in answer.json()["error"]
    row = {"slug": "playground", "query": query}
    assert somebody.send("/api/predictions", {"failed": [row]}).json()["kept"] == []


def test_cards_of_own_data_lead_to_own_data_and_are_made_for_nobody_else(browser):
    somebody, other = browser().sign_up(), browser().sign_up()
    text = "a,b,kind\n" + "\n".join(f"{row % 7},{row % 5},{'xy'[row % 2]}" for row in range(60))
    made = somebody.post("/data", {"how": "paste", "text": text, "name": "Mine"}, page="/data")
    own = made.headers["location"].rpartition("/")[2]
    query = f"data=own&own={own}&ask=update&step=0&to=1"
    wrong = next(q for k in range(3) if not judged(somebody, q := f"{query}&guess={k}")["right"])
    row = {"failed": [{"slug": "playground", "query": wrong}]}
    assert other.send("/api/predictions", row).json()["kept"] == []
    assert somebody.send("/api/predictions", row).json()["kept"] == [0]
    (card,) = somebody.get("/account/export.json").json()["own_cards"]
    assert f"own={own}" in card["source"]
    assert "own data, Mine" in card["front"]
