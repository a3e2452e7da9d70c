"""The same as test_lab_settings, at more settings and at every step; `make test-site` runs it."""

import json

import pytest
from site_labs import FOLDERS, draw_run, faults_of, lab_of


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("folder", FOLDERS)
def test_a_lab_says_in_words_and_in_a_table_what_it_shows_at_every_step(folder, seed):
    lab = lab_of(folder)
    address, frames = draw_run(lab, f"{folder} served {seed}")
    faults = {place: found for place, frame in enumerate(frames) if (found := faults_of(frame))}
    assert faults == {}, address
    assert len({json.dumps(frame.to_json()) for frame in frames}) == len(frames), address
