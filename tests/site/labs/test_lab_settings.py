"""All labs at settings drawn by lot: words and a table at each step, and the same for the same address."""

import pytest
from site_labs import FOLDERS, draw_run, faults_of, lab_of

import slopewise as sw
from slopewise.site.labs import Lab


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_lab_says_in_words_and_in_a_table_what_it_shows_whatever_its_settings(folder):
    lab: Lab = lab_of(folder)
    address, frames = draw_run(lab, f"{folder} 1")
    for place in sorted({0, len(frames) // 2, len(frames) - 1}):
        assert faults_of(frames[place]) == [], (address, place)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_same_address_gives_the_same_frames(folder):
    lab = lab_of(folder)
    address, frames = draw_run(lab, f"{folder} 2")
    sw.manual_seed(12345)  # what ran in the worker before makes no difference
    again = lab.frames(lab.read(lab.write(lab.read(address))))
    assert [frame.to_json() for frame in again] == [frame.to_json() for frame in frames], address
