"""The code of texts runs, block after block; that of other libraries lies in snippets, with its output."""

import re
from importlib import import_module

import pytest

import slopewise as sw
from slopewise.site.content.lesson import LESSONS

FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = {
    folder.name: FENCE.findall((folder / "text.md").read_text())
    for folder in sorted(LESSONS.glob("n[0-9][0-9]_*"))
}


@pytest.fixture(params=[name for name, blocks in BLOCKS.items() if blocks])
def ran(request):
    """A lesson's name, and the names that its blocks leave behind."""
    facts = import_module(f"slopewise.site.content.lessons.{request.param}.facts")
    sw.manual_seed(0)
    left = getattr(facts, "names", dict)()
    for _, source in BLOCKS[request.param]:
        exec(compile(source, f"{request.param}/text.md", "exec"), left)
    return request.param, left


def test_each_block_is_ours_and_runs(ran):
    """What a block promises is looked at where it promises more than to run."""
    name, left = ran
    if name == "n04_gradient_descent":
        assert left["loss"].item() < 0.05
    elif name == "n06_autograd":
        assert left["until_large"](sw.tensor(3.0)).item() == 6561
    elif name == "n09_training_loop":
        assert left["score"] < 0.01
        assert not left["model"].training
    elif name == "n10_train_and_eval":
        assert left["score"] < 0.6
        assert all(left["modes"])
        assert not left["model"].training


def test_a_fence_says_that_it_is_python():
    assert {language for blocks in BLOCKS.values() for language, _ in blocks} == {"python"}


def test_no_block_is_of_another_library():
    for name, blocks in BLOCKS.items():
        for _, source in blocks:
            imported = re.findall(r"^\s*(?:import|from) (\w+)", source, re.MULTILINE)
            assert set(imported) <= {"slopewise", "numpy"}, name
