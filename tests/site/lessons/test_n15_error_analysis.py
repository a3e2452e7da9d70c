"""The lab of error analysis: its pictures, its counts, and what the lesson claims of them."""

import html
import re
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from site_visitors import lab_frame

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


def test_a_cause_is_told_only_after_its_tag_was_asked_for():
    first, second = (frame for frame in frames() if re.match("Error [12] ", frame.title))
    assert {row[-1] for row in first.table.rows} == {"not yet"}
    assert [label for _, label in first.offer.choices] == list(TAGS.values())
    assert second.table.rows[0][-1] in TAGS.values()
    assert f"The one who made the last picture says “{second.table.rows[0][-1]}”" in second.words


def tagged(*tags, **query):
    """Return the frames after the opened errors were tagged in turn, as their offers do it."""
    for k, tag in enumerate(tags, start=1):
        frame = next(frame for frame in frames(**query) if frame.title.startswith(f"Error {k} "))
        [value] = [value for value, label in frame.offer.choices if label == TAGS[tag]]
        query["tags"] = value
    return query, {frame.title: frame for frame in frames(**query)}


def test_own_tags_are_counted_beside_the_causes_and_the_top_one_says_what_to_fix():
    _, made = tagged("faint", "label", "faint", seed="4")
    counted = made["Your tags, counted"].table
    assert counted.first
    mine = {row[0]: int(row[1]) for row in counted.rows}
    assert mine == dict.fromkeys(TAGS.values(), 0) | {TAGS["faint"]: 2, TAGS["label"]: 1}
    last = next(frame for title, frame in made.items() if re.match("Error [456] ", title))
    causes = [row[-1] for row in list(made.values())[6].table.rows][:3]
    assert [row[-2] for row in last.table.rows][:3] == [TAGS[tag] for tag in ("faint", "label", "faint")]
    assert {row[0]: int(row[2]) for row in counted.rows} == {name: causes.count(name) for name in mine}
    alike = sum(a == b for a, b in zip(causes, (TAGS["faint"], TAGS["label"], TAGS["faint"]), strict=True))
    assert sum(int(row[3]) for row in counted.rows) == alike
    assert f"{alike} of them as the one who made" in made["Your tags, counted"].words
    offer = made["All errors, tagged"].offer
    assert dict(offer.choices)["top"] == f"{FIXES['faint']}: your top tag asks for it"
    assert len(offer.choices) == len(FIXES)
    assert f"The fix: {FIXES['faint']}" in made
    assert [row[1] for row in made["All errors, tagged"].table.rows] == [str(mine[n]) for n in TAGS.values()]


def test_own_tags_go_along_to_another_cell_and_end_with_their_world():
    query, made = tagged("label", "label", seed="4")
    cell = re.search(r'href="\?([^"#]+)', made["Where it errs"].figures[0].svg)[1]
    assert dict(parse_qsl(html.unescape(cell)))["tags"] == query["tags"]
    other = {frame.title: frame for frame in frames(**query, cell="all", order="chance")}
    assert [row[1] for row in other["Your tags, counted"].table.rows][-1] == "2"
    elsewhere = {frame.title: frame for frame in frames(**query | {"seed": "5"})}
    assert "You gave no tag yet" in elsewhere["Your tags, counted"].words


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ("4_1.odd", "there is no tag 'odd'; tags are plain"),
        ("4_1", "tags are written as 0_34.shifted_52.label"),
        ("4_999.faint", "picture 999 is no error"),
    ],
)
def test_tags_that_cannot_be_are_refused_in_one_line(tags, reason):
    with pytest.raises(ArgumentError, match=re.escape(reason)):
        frames(seed="4", tags=tags)


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


def test_a_form_tags_an_error_without_script(site):
    """It sends the tags of before and then those that are chosen."""
    page = lab_frame(site, "error-analysis", step="3").json()["html"]
    value = re.findall(r'name="tags" value="([^"]+)"', page)[2]
    lab_frame(site, "error-analysis", tags=value)
    answer = site.get(f"/lessons/error-analysis?tags=none&tags={value}&step=4")
    assert f'<input type="hidden" name="tags" value="{value}">' in answer.text
    assert "You tagged the last one “faint”" in answer.text
