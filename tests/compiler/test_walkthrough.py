"""docs/compiler.md walks a small model through the ladder: what it shows is what the compiler does.

After a change that is meant: SLOPEWISE_UPDATE_DOCS=1 python -m pytest tests/compiler/test_walkthrough.py
writes the output anew. Then read whether the words around it still hold.
"""

import os
import re
from pathlib import Path

import numpy as np
import pytest

import slopewise as sw
from slopewise.compiler import debug
from slopewise.compiler.direct import carried_state
from slopewise.compiler.loop import Loop
from slopewise.compiler.native.machine.toolchain import host
from slopewise.compiler.native.program import Program
from slopewise.compiler.passes import optimize

PAGE = Path(__file__).parents[2] / "docs" / "compiler.md"


def walk():
    """Return what the page shows: by stage, for a machine with AVX2 and one thread."""
    sw.manual_seed(0)
    model = sw.nn.Sequential(sw.nn.Linear(2, 8), sw.nn.Tanh(), sw.nn.Linear(8, 3))
    optimizer = sw.optim.SGD(model.parameters(), lr=0.1)

    @sw.compile
    def train_step(x, y):
        optimizer.zero_grad()
        loss = sw.losses.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    x, y = sw.tensor(np.zeros((4, 2), np.float32)), sw.tensor(np.zeros(4, np.int64))
    traced = train_step.traced(x, y)
    graph = traced.graph
    loop = Loop(carried_state(traced, 2, len(traced.tracked) + len(traced.changed)), {}, {})
    machine = host()._replace(vector_bytes=32, has_fma=True)
    program = Program(optimize(graph), machine, 1, loop)
    return {
        "graph": str(graph),
        "passes": debug.passes_text(graph),
        "kernels": debug.kernels_text(program),
        "memory": debug.memory_text(program),
        "ir": next(
            str(function) for function in program.module().functions if function.name.endswith("mul_sub.8")
        ),
    }


def block(stage):
    return re.compile(rf"(<!-- {stage} -->\n```text\n)(.*?)(\n```)", re.DOTALL)


def without_estimates(text):
    """Mask the cost model's estimates, which are tuned now and then."""
    return re.sub(r"\d+ ns\s+", "N ns ", text)


@pytest.mark.parametrize("stage", ["graph", "passes", "kernels", "memory", "ir"])
def test_the_page_shows_what_the_compiler_does(stage):
    shown = walk()[stage].strip()
    text = PAGE.read_text(encoding="utf-8")
    found = block(stage).search(text)
    assert found is not None
    if os.environ.get("SLOPEWISE_UPDATE_DOCS") == "1":
        PAGE.write_text(text[: found.start(2)] + shown + text[found.end(2) :], encoding="utf-8")
        return
    lines = [line.rstrip() for line in without_estimates(shown).splitlines()]
    assert [line.rstrip() for line in without_estimates(found[2]).splitlines()] == lines
