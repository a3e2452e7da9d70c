"""The lab of error analysis: its pictures, its counts, and what the lesson claims of them."""

import html
import re
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest

from slopewise.engine.errors import ArgumentError
from slopewise.site.content.lessons.n15_error_analysis.lab import LAB
from slopewise.site.content.lessons.n15_error_analysis.pictures import (
    FIXES,
    LEARNED,
    MORE,
    TAGS,
    USED,
    Network,
    accuracy,
    fresh,
    learned,
    take,
    validation,
)


def frames(**query):
    return LAB.frames(LAB.read(query))


def test_pictures_are_of_the_kinds_that_were_asked_for():
    pictures = validation(5)
    assert {tag: int((pictures.tag == tag).sum()) for tag in TAGS} == USED
    assert ((pictures.label != pictures.shape) == (pictures.tag == "label")).all()
    assert pictures.pixels.min() >= 0
    assert pictures.pixels.max() <= 1


def test_pictures_depend_on_seed_and_call_alone():
    for seed, call, same in ((1, 7, True), (2, 7, False), (1, 8, False)):
        assert np.array_equal(take(LEARNED, 1, 7).pixels, take(LEARNED, seed, call).pixels) == same


@pytest.mark.parametrize("fix", FIXES)
def test_a_fix_changes_what_it_says_and_nothing_else(fix):
    before, after = learned(3), learned(3, fix)
    assert np.array_equal(after.pixels[: len(before)], before.pixels)
    if fix == "relabel":
        assert (after.label == before.shape).all()
    else:
        assert len(after) == len(before) + MORE
        assert set(after.tag[len(before) :]) == {fix}


def test_tagged_errors_add_up_to_the_errors_of_the_matrix():
    made = {frame.title: frame for frame in frames(seed="4")}
    matrix = np.array([[int(cell) for cell in row[1:]] for row in made["Where it errs"].table.rows])
    tagged = sum(int(row[2]) for row in made["All errors, tagged"].table.rows)
    assert tagged == matrix.sum() - np.trace(matrix)
    after = sum(int(row[-1]) for row in made["Fix, train again, compare"].table.rows)
    network = Network(learned(4, "shifted"), 4)
    outcome = network.judge(validation(4))
    assert after == int((outcome.predicted != outcome.truth).sum())


def test_the_largest_cell_is_opened_worst_first():
    rows = next(frame for frame in frames() if frame.title.startswith("Error 1")).table.rows
    assert len({row[1:3] for row in rows}) == 1
    left = [float(row[3].rstrip("%")) for row in rows]
    assert left == sorted(left)


def test_a_cell_of_the_matrix_is_a_link_that_opens_its_examples():
    made = frames(seed="4", fix="relabel")
    matrix = next(frame for frame in made if frame.title == "Where it errs").figures[0].svg
    links = [dict(re.findall(r'([a-z-]+)="([^"]*)"', tag)) for tag in re.findall(r"<a ([^>]+)>", matrix)]
    assert 2 <= len(links) <= 6
    for link in links:
        query = dict(parse_qsl(urlsplit(html.unescape(link["href"])).query))
        assert (query.pop("seed"), query.pop("fix")) == ("4", "relabel")
        opened = frames(seed="4", fix="relabel", cell=query["cell"])[int(query["step"])]
        assert opened.title.startswith("Error 1 of")
        label, said = query["cell"].split("-")
        assert {tuple(row[1:3]) for row in opened.table.rows} == {(label, said)}
        assert link["aria-label"].startswith(f"Open {label} taken for {said}: ")
        assert link["data-sets"] == f"cell={query['cell']}"
        assert link["data-step"] == query["step"]


@pytest.mark.parametrize("fix", FIXES)
def test_a_fix_is_chosen_after_all_errors_are_tagged_and_shown_before_it_is_judged(fix):
    made = frames(fix=fix)
    place = [frame.title for frame in made].index("All errors, tagged")
    assert [value for value, _ in made[place].offer.choices] == list(FIXES)
    assert made[made[place].offer.step].title == f"The fix: {FIXES[fix]}"
    assert made[place + 1].prediction is not None
    assert made[place + 2].title == "Fix, train again, compare"


def test_a_tag_is_told_only_after_it_was_asked_for():
    first = next(frame for frame in frames() if frame.title.startswith("Error 1"))
    assert {row[-1] for row in first.table.rows} == {"not yet"}
    assert first.prediction.choices == tuple(TAGS.values())


def test_an_empty_cell_is_refused_in_one_line():
    with pytest.raises(ArgumentError, match="cross taken for ring holds no error; open another cell"):
        frames(seed="44", cell="cross-ring")


@pytest.mark.parametrize("query", [{"cell": "all", "order": "chance"}, {"fix": "relabel"}, {"fix": "plain"}])
def test_every_way_ends_on_fresh_pictures(query):
    made = frames(seed="7", **query)
    assert made[-1].title == "What it is worth"
    assert len({frame.title for frame in made}) == len(made)


def test_what_the_lesson_claims_holds_in_worlds_that_it_does_not_show():
    gains = {"shifted": [], "plain": []}
    for seed in (20, 21, 22):
        basis = accuracy(Network(learned(seed), seed).judge(fresh(seed)))
        for fix, found in gains.items():
            found.append(accuracy(Network(learned(seed, fix), seed).judge(fresh(seed))) - basis)
    assert np.mean(gains["shifted"]) > 2 * max(0.0, np.mean(gains["plain"]))
    assert np.mean(gains["shifted"]) > 0.02
