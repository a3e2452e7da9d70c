"""Code of graphs in the disk cache: found again by what it depends on, and by nothing else."""

import gc
import subprocess
import sys

import numpy as np
import pytest

import slopewise as sw
from slopewise.compiler.loop import ONCE, Loop
from slopewise.compiler.native import build
from slopewise.compiler.native.description import Undescribed, describe
from slopewise.compiler.native.executable import Executable
from slopewise.compiler.native.machine import cache
from slopewise.compiler.native.machine.toolchain import host
from slopewise.compiler.native.program import Program
from slopewise.compiler.passes import optimize
from slopewise.engine.graph import Graph, GraphNode
from slopewise.engine.trace import trace_function

X = np.arange(6, dtype=np.float32).reshape(2, 3)


def graph_of(function, *arrays):
    return optimize(trace_function(function, tuple(map(sw.tensor, arrays))).graph)


def scaled_by(constant):
    return graph_of(lambda x: sw.exp(x) * sw.tensor(constant), X)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SLOPEWISE_CACHE", str(tmp_path))
    return tmp_path / "objects"


@pytest.fixture
def no_compiler(monkeypatch):
    def refuse(*args):
        raise AssertionError("code was made though the cache has it")

    monkeypatch.setattr(build, "compile_ir", refuse)
    monkeypatch.setattr(Program, "__init__", refuse)


def test_a_second_graph_of_the_same_kind_builds_nothing(own_cache, request):
    first = Executable(scaled_by(np.float32(2)))([X])[0][0]
    request.getfixturevalue("no_compiler")
    again = Executable(scaled_by(np.float32(2)))
    np.testing.assert_array_equal(again([X])[0][0], first)
    assert again.code.timings is None


def test_a_constant_that_varies_is_read_when_the_code_runs(request):
    row = np.array([1, 2, 3], np.float32)
    Executable(scaled_by(row))
    request.getfixturevalue("no_compiler")
    other = Executable(scaled_by(row * 10))
    np.testing.assert_allclose(other([X])[0][0], np.exp(X) * row * 10, rtol=1e-6)


def test_a_constant_of_one_number_is_part_of_the_code():
    Executable(scaled_by(np.full(3, 2, np.float32)))
    other = Executable(scaled_by(np.full(3, 4, np.float32)))
    assert other.code.timings is not None
    np.testing.assert_allclose(other([X])[0][0], np.exp(X) * 4, rtol=1e-6)


def test_constants_inside_of_loops_are_found_again(request):
    row = np.array([1, 2, 3], np.float32)

    def total(x):
        return sw.scan(lambda s, v: (s + v * sw.tensor(row), s), sw.tensor(np.zeros(3, np.float32)), x)

    wanted = Executable(graph_of(total, X))([X])[0]
    request.getfixturevalue("no_compiler")
    for result, want in zip(Executable(graph_of(total, X))([X])[0], wanted, strict=True):
        np.testing.assert_array_equal(result, want)
    np.testing.assert_array_equal(wanted[0], (X * row).sum(0))


@pytest.mark.parametrize(
    ("function", "shape", "dtype"),
    [
        (lambda x: sw.exp(x) + 1.0, (2, 3), np.float32),
        (lambda x: sw.exp(x) + 2.0, (2, 3), np.float32),
        (lambda x: sw.exp(x) + 1.0, (3, 2), np.float32),
        (lambda x: sw.exp(x) + 1.0, (2, 3), np.float64),
        (lambda x: sw.tanh(x) + 1.0, (2, 3), np.float32),
        (lambda x: sw.exp(x) + x, (2, 3), np.float32),
        (lambda x: (sw.exp(x) + 1.0, x), (2, 3), np.float32),
        (lambda x: sw.sum(x, axis=0), (2, 3), np.float32),
        (lambda x: sw.sum(x, axis=1), (2, 3), np.float32),
        (lambda x: sw.exp(x) + 0.0, (2, 3), np.float32),
        (lambda x: sw.exp(x) - 0.0 * -1.0, (2, 3), np.float32),
    ],
)
def test_what_has_one_description_has_one_code(function, shape, dtype):
    """The description is all that code depends on, and tells apart what differs."""
    known = {}
    for other in (function, lambda x: sw.exp(x) + 1.0):
        graph = graph_of(other, np.ones(shape if other is function else (2, 3), dtype))
        text = str(Program(graph, host(), 2).module())
        assert known.setdefault(describe(graph, ONCE, 2), text) == text
        known[describe(graph, ONCE, 2)] = text
    assert len(known) == len(set(known.values()))


def test_threads_and_the_loop_are_part_of_a_description():
    graph = graph_of(lambda x: x + 1.0, X)
    texts = {
        describe(graph, ONCE, 1),
        describe(graph, ONCE, 2),
        describe(graph, Loop({0: 0}, {}, {}), 1),
        describe(graph, Loop({}, {0: 24}, {}), 1),
        describe(graph, Loop({}, {}, {0: 24}), 1),
    }
    assert len(texts) == 5


def test_a_graph_that_cannot_be_described_is_compiled_and_not_kept(own_cache):
    graph = graph_of(lambda x: sw.exp(x), X)
    node = graph.nodes[0]
    odd = GraphNode(node.primitive, node.operands, {**node.params, "odd": object()}, node.outputs, False)
    graph = Graph(graph.inputs, graph.constants, [odd], graph.outputs)
    with pytest.raises(Undescribed, match="object"):
        describe(graph, ONCE, 1)
    assert build.find(graph, ONCE, 1) is None
    assert build._key(graph, ONCE, 1) is None


def test_without_a_cache_nothing_is_looked_for(monkeypatch):
    monkeypatch.setenv("SLOPEWISE_CACHE", "off")
    for _ in range(2):
        assert Executable(scaled_by(np.float32(2))).code.timings is not None


def test_a_torn_entry_is_made_anew(own_cache):
    Executable(scaled_by(np.float32(2)))
    for path in own_cache.glob("*.object"):
        path.write_bytes(path.read_bytes()[:-1])
    executable = Executable(scaled_by(np.float32(2)))
    assert executable.code.timings is not None
    np.testing.assert_allclose(executable([X])[0][0], np.exp(X) * 2, rtol=1e-6)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(enabled, monkeypatch):
    before = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        Executable(scaled_by(np.float32(2)))
        assert gc.isenabled() is enabled
        monkeypatch.setattr(Program, "module", lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            Executable(scaled_by(np.float32(3)))
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if before else gc.disable)()


_STEP = """
import sys
import numpy as np
import slopewise as sw
model = sw.nn.Linear(3, 2)
optimizer = sw.optim.Adam(model.parameters())
@sw.compile
def step(x, y):
    optimizer.zero_grad()
    loss = sw.losses.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss
x, y = sw.tensor(np.ones((4, 3), np.float32)), sw.tensor(np.zeros(4, np.int64))
print([step(x, y).item() for _ in range(3)], "slopewise.compiler.native.program" in sys.modules)
"""


@pytest.mark.slow
def test_another_process_takes_the_code_without_the_modules_that_make_it(own_cache):
    lines = [
        subprocess.run([sys.executable, "-c", _STEP], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert lines[0].split("]")[0] == lines[1].split("]")[0]
    assert [line.split()[-1] for line in lines] == ["True", "False"]
    assert cache.open_folder().path == own_cache


_DETERMINISM = """
import hashlib
import numpy as np
import slopewise as sw
from slopewise.compiler.loop import ONCE
from slopewise.compiler.native.description import describe
from slopewise.compiler.native.program import Program
from slopewise.compiler.native.machine.toolchain import host
from slopewise.compiler.passes import optimize
model = sw.nn.Sequential(
    sw.nn.Linear(3, 8), sw.nn.BatchNorm1d(8), sw.nn.ReLU(), sw.nn.Dropout(0.5), sw.nn.Linear(8, 2)
)
optimizer = sw.optim.Adam(model.parameters())
@sw.compile
def step(x, y):
    optimizer.zero_grad()
    loss = sw.losses.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss
graph = optimize(step.traced(sw.zeros((4, 3)), sw.tensor(np.zeros(4, np.int64))).graph)
for text in (describe(graph, ONCE, 2), str(Program(graph, host(), 2).module())):
    print(hashlib.sha256(text.encode()).hexdigest())
"""


@pytest.mark.slow
def test_description_and_code_do_not_depend_on_the_order_of_sets(monkeypatch):
    """Python orders sets anew in each process: a cache would then be missed, or hold code of other bits."""
    texts = set()
    for seed in ("1", "2", "3"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        run = subprocess.run([sys.executable, "-c", _DETERMINISM], capture_output=True, text=True, check=True)
        texts.add(run.stdout)
    assert len(texts) == 1
    assert len(texts.pop().split()) == 2
