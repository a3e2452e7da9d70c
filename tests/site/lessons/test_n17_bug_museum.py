"""The museum: every fault is there, every patch does what its author says, nothing is told too early."""

import re

import numpy as np
import pytest
from site_visitors import lab_frame

import slopewise as sw
from slopewise.site.content.lessons.n17_bug_museum.exhibit import COVERED, Check
from slopewise.site.content.lessons.n17_bug_museum.frames import healed
from slopewise.site.content.lessons.n17_bug_museum.instruments import run
from slopewise.site.content.lessons.n17_bug_museum.lab import LAB, PATCHES
from slopewise.site.content.lessons.n17_bug_museum.pictures import INSTRUMENTS
from slopewise.site.content.lessons.n17_bug_museum.rooms import EXHIBITS

NAMES = list(EXHIBITS)
WITH_PATCHES = [(name, patch) for name in NAMES for patch in PATCHES]


def frames(**query):
    return LAB.frames(LAB.read(query))


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_fails_its_checks(name):
    assert not healed(run(EXHIBITS[name], "none", 7))


@pytest.mark.parametrize(("name", "patch"), WITH_PATCHES)
def test_a_patch_heals_or_does_not_as_its_author_says(name, patch):
    assert healed(run(EXHIBITS[name], patch, 7)) == EXHIBITS[name].patches[patch].heals


@pytest.mark.parametrize("name", NAMES)
def test_an_exhibit_is_whole(name):
    exhibit = EXHIBITS[name]
    assert tuple(exhibit.patches) == PATCHES
    assert sum(patch.heals for patch in exhibit.patches.values()) == 1
    assert 0 <= exhibit.answer < len(exhibit.diagnoses) == 4
    slots = set(re.findall("«([a-z]+)»", exhibit.program))
    assert slots == set(exhibit.broken)
    assert exhibit.fault in slots
    assert all(set(patch.lines) <= slots for patch in exhibit.patches.values())
    assert exhibit.instrument in INSTRUMENTS


def test_the_right_answers_stand_at_all_places():
    answers = [exhibit.answer for exhibit in EXHIBITS.values()]
    cures = [
        letter for exhibit in EXHIBITS.values() for letter, patch in exhibit.patches.items() if patch.heals
    ]
    assert set(answers) == {0, 1, 2, 3}
    assert set(cures) == set(PATCHES)


@pytest.mark.parametrize("name", NAMES)
def test_the_fault_is_covered_until_it_is_diagnosed(name):
    exhibit = EXHIBITS[name]
    made = frames(exhibit=name)
    fault = exhibit.broken[exhibit.fault]
    gate = next(place for place, frame in enumerate(made) if frame.prediction)
    assert gate == len(made) - 2
    for frame in made[: gate + 1]:
        shown = "\n".join(frame.code.lines) if frame.code else ""
        assert len(fault) < 4 or fault not in shown
        assert frame.code is None or COVERED in shown
        assert frame.offer is None
        assert exhibit.diagnoses[exhibit.answer] not in frame.title + frame.words
    assert COVERED not in "\n".join(made[-1].code.lines)
    marked = made[-1].code.lines[made[-1].code.current]
    assert fault in marked or "nothing stands here" in marked
    assert made[-1].offer.step == len(made)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shown_is_what_runs(name):
    exhibit = EXHIBITS[name]
    for patch in ("none", *PATCHES):
        shown, current = exhibit.shown(patch)
        assert [line for line in shown if "nothing stands here" not in line] == exhibit.lines(patch)
        assert current is None or 0 <= current < len(shown)
        compile("\n".join(exhibit.lines(patch)), name, "exec")


def test_a_patch_is_predicted_before_its_numbers_are_shown():
    for patch, answer in (("a", 1), ("b", 0)):
        made = frames(exhibit="swing", patch=patch)
        without = frames(exhibit="swing")
        assert made[: len(without)] == without
        placed = made[len(without)]
        assert placed.prediction.answer == answer
        assert len(placed.table.columns) == 3
        assert len(made[-1].table.columns) == 5
        assert made[-1].title.endswith("healed" if answer == 0 else "not healed")
        assert made[-1].offer.step == len(without)


def test_an_instrument_changes_nothing():
    """The program of an exhibit, run by hand with a log that looks at nothing, ends at the same weights."""
    exhibit = EXHIBITS["flicker"]
    watched = run(exhibit, "c", 3)
    namespace = watched.namespace | {"log": lambda model, loss: None, "score": lambda model: None}
    recording = run(exhibit, "none", 3)  # a fresh order of batches, of which the first epoch is not used yet
    namespace["batches"] = _orders(recording, 3)
    sw.manual_seed(3)
    exec("\n".join(exhibit.lines("c")), namespace)
    for mine, theirs in zip(namespace["model"].parameters(), watched.namespace["model"].parameters()):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())


def _orders(recording, seed):
    from slopewise.site.content.lessons.n17_bug_museum.instruments import _words

    return _words(recording, seed)["batches"]


def test_runs_are_repeatable_and_seeds_differ():
    first, again, other = (run(EXHIBITS["floor"], "none", seed).losses for seed in (4, 4, 5))
    assert first == again
    assert first != other


def test_the_stored_gradient_is_the_batchs_own_where_all_is_well():
    assert run(EXHIBITS["swing"], "b", 2).numbers["astray"] == 0
    assert run(EXHIBITS["giant"], "none", 2).numbers["astray"] == pytest.approx(15, rel=1e-4)
    assert run(EXHIBITS["swing"], "c", 2).numbers["astray"] == pytest.approx(1)


def test_softmax_twice_stays_above_its_floor():
    recording = run(EXHIBITS["floor"], "a", 2)
    floor = sw.losses.cross_entropy(sw.tensor([[1.0, 0.0, 0.0]]), sw.tensor([0])).item()
    assert recording.numbers["softmax_floor"] == pytest.approx(floor)
    assert min(recording.losses) >= floor - 1e-6


def test_a_layer_without_a_gradient_is_told_from_one_with_a_gradient_of_zero():
    assert run(EXHIBITS["sleeper"], "none", 0).readings[-1].gradients["layer 1"] is None
    assert run(EXHIBITS["dark"], "none", 0).readings[-1].gradients["layer 1"] == 0
    assert "layer 1 none at all" in frames(exhibit="sleeper")[3].words


def test_a_check_never_passes_what_is_no_number():
    assert not Check("", "", most=1.0).passes(float("nan"))
    assert not Check("", "", least=1.0).passes(float("nan"))
    assert Check("", "", least=0.5, percent=True).wanted == "at least 50%"


def test_a_page_puts_a_patch_in_without_script(site):
    """A form sends the patch of before and then the one that is chosen."""
    step = len(frames(exhibit="floor"))
    answer = site.get(f"/lessons/bug-museum?exhibit=floor&patch=none&seed=1&patch=c&step={step}")
    assert "Run this experiment" in answer.text
    lab_frame(site, "bug-museum", exhibit="floor", patch="c")
    answer = site.get(f"/lessons/bug-museum?exhibit=floor&patch=none&seed=1&patch=c&step={step}")
    assert "The floor, patched" in answer.text
    assert '<input type="hidden" name="patch" value="c" data-default="none">' in answer.text
    assert "optimizer" in answer.text


def test_a_patch_that_is_none_of_ours_is_refused(site):
    answer = site.get("/labs/bug-museum/frame", params={"patch": "__import__('os')"})
    assert answer.status_code == 400
    assert "patch" in answer.json()["error"]
