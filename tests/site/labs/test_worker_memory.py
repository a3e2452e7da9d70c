"""A worker's memory has an end, and past it a learner reads one line; the worker goes on."""

import json
import subprocess
import sys

import pytest

from slopewise.site.labs.pool import worker_environment
from slopewise.site.labs.worker import MEMORY, READY

# The worker as it is started, with a lab and a training that take what they can.
GREEDY = f"""
import sys, types
import numpy as np
from slopewise.site.labs import worker
from slopewise.site.labs.lab import Lab

def at_once(values):
    return [np.empty({MEMORY} + 1, np.uint8)]

def bit_by_bit(values):
    kept = []
    while len(kept) < 10_000:  # 160 GB, none of it touched
        kept.append(np.empty(2**24, np.uint8))
    return []

labs = {{run.__name__: Lab(run.__name__, "", (), run) for run in (at_once, bit_by_bit)}}
find_lab = worker.find_lab
worker.find_lab = lambda name: labs.get(name) or find_lab(name)
training = types.ModuleType("greedy_training")
training.answer_training = bit_by_bit
sys.modules["greedy_training"] = training
worker.TRAINING = "greedy_training"
worker.main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems limit memory otherwise, or not at all")
def test_labs_and_trainings_end_in_one_line_beyond_their_memory_and_the_worker_goes_on():
    requests = [
        {"lab": "at_once", "values": {}},
        {"lab": "bit_by_bit", "values": {}},
        {"job": "training"},
        {"lab": "n04_gradient_descent", "values": {"surface": "bowl", "lr": 0.1, "w1": 1.0, "w2": 1.0}},
    ]
    ended = subprocess.run(
        [sys.executable, "-c", GREEDY],
        input="".join(json.dumps(request) + "\n" for request in requests),
        capture_output=True,
        text=True,
        env=worker_environment(),
        timeout=60,
        check=False,
    )
    ready, *answers = ended.stdout.splitlines()
    assert ready == READY.strip()
    *refused, shown = map(json.loads, answers)
    assert [list(reply) for reply in refused] == [["refused"]] * 3, ended.stderr
    for reply in refused:
        assert "need more memory than a lab may have" in reply["refused"]
        assert "\n" not in reply["refused"]
    assert len(shown["frames"]) == 31
