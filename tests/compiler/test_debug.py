"""SLOPEWISE_DEBUG: each rung shows one deeper stage of a small model's training step."""

import re
import subprocess
import sys

import numpy as np
import pytest

import slopewise as sw
from slopewise.compiler import debug
from slopewise.compiler.loop import ONCE
from slopewise.compiler.native.executable import Executable
from slopewise.compiler.native.machine.toolchain import host
from slopewise.compiler.native.profile import ProfiledExecutable
from slopewise.compiler.native.program import Program
from slopewise.compiler.passes import optimize
from slopewise.engine.errors import ArgumentError
from slopewise.engine.interpreter import interpret
from slopewise.engine.trace import trace_function

pytestmark = pytest.mark.usefixtures("no_tables_at_exit")
STAGES = ["as traced", "passes", "kernels", "memory", "LLVM IR", "assembly"]


@pytest.fixture
def no_tables_at_exit(monkeypatch):
    monkeypatch.setattr(ProfiledExecutable, "print_at_exit", lambda self, name: None)


@pytest.fixture
def step():
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

    x = sw.tensor(np.linspace(-1, 1, 8, dtype=np.float32).reshape(4, 2))
    return train_step, x, sw.tensor(np.array([0, 1, 2, 1]))


def stages_of(text):
    """Return what stands under each heading, by what follows the graph's number."""
    parts = re.split(r"^==== graph \d+: (.*)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], map(str.strip, parts[2::2]), strict=True))


@pytest.mark.parametrize("rung", range(7))
def test_each_rung_shows_one_stage_more(rung, step, monkeypatch, capfd):
    monkeypatch.setenv("SLOPEWISE_DEBUG", str(rung))
    train_step, x, y = step
    train_step(x, y)
    shown = stages_of(capfd.readouterr().err)
    assert list(shown) == STAGES[:rung]
    signs = ["graph(", "dead", "k000", "the arena has", "define", "k000"]
    for stage, sign in zip(STAGES[:rung], signs, strict=False):
        assert sign in shown[stage]
    if rung:
        assert "more lines" not in shown[STAGES[rung - 1]]
    for number, stage in enumerate(STAGES[: max(rung - 1, 0)], 1):
        lines = shown[stage].splitlines()
        assert len(lines) <= 25
        if len(lines) == 25:
            assert re.fullmatch(rf"\.\.\. \d+ more lines with SLOPEWISE_DEBUG={number}", lines[-1])


@pytest.mark.parametrize("setting", ["7", "-1", "yes", "1.5"])
def test_another_setting_is_refused(setting, monkeypatch):
    monkeypatch.setenv("SLOPEWISE_DEBUG", setting)
    with pytest.raises(
        ArgumentError, match=f"SLOPEWISE_DEBUG must be a whole number from 0 to 6, not '{setting}'"
    ):
        sw.compile(lambda x: x + 1.0)(sw.tensor(1.0))


def test_looking_changes_no_bit(step):
    train_step, x, y = step
    traced = train_step.traced(x, y)
    graph = optimize(traced.graph)
    inputs = [tensor.numpy() for tensor in (x, y, *traced.captured_tensors())]
    for result, want in zip(ProfiledExecutable(graph)(inputs)[0], Executable(graph)(inputs)[0], strict=True):
        np.testing.assert_array_equal(result, want)


def test_what_cannot_be_compiled_shows_its_graph_and_passes(monkeypatch, capfd):
    monkeypatch.setenv("SLOPEWISE_DEBUG", "6")
    with pytest.warns(UserWarning, match="interpreter"):
        sw.compile(lambda x: sw.sort(x))(sw.tensor([2.0, 1.0]))
    assert list(stages_of(capfd.readouterr().err)) == STAGES[:2]


# ---- what the rungs say is so


def program_of(function, *arrays, n_threads=1):
    graph = optimize(trace_function(function, tuple(map(sw.tensor, arrays))).graph)
    return Program(graph, host(), n_threads, ONCE)


def test_passes_tell_what_they_took_and_what_they_put_in_its_place():
    graph = trace_function(lambda x: sw.exp(x * 1.0) + sw.exp(x), (sw.tensor([1.0]),)).graph
    text = debug.passes_text(graph)
    assert re.search(r"^algebra +4 -> 3 +-1 mul$", text, re.MULTILINE)
    assert re.search(r"^subexpressions +3 -> 2 +-1 exp$", text, re.MULTILINE)
    assert text.endswith(str(optimize(graph)))


def test_kernels_are_shown_with_their_operations_and_values():
    program = program_of(lambda x, w: sw.tanh(x @ w) * 2.0, np.ones((4, 3), "f4"), np.ones((3, 5), "f4"))
    text = debug.kernels_text(program)
    assert re.search(r"^k000 +1 +\d+ ns +a b +f +matmul_tanh_mul.4x5$", text, re.MULTILINE)
    assert "k000: d = matmul(a, b); e = tanh(d); f = mul(e, c)" in text


def test_kernels_that_threads_share_are_told_from_others():
    a, b = np.ones((256, 256), "f4"), np.ones(3, "f4")
    program = program_of(lambda a, b: (a @ a, sw.exp(b)), a, b, n_threads=2)
    threads = {
        row.split()[-1].split(".")[0]: row.split()[1] for row in debug.kernels_text(program).split("\n")[1:3]
    }
    assert threads == {"matmul": "2", "exp": "1"}


def test_the_memory_plan_is_shown_with_its_peak_and_its_bound():
    program = program_of(lambda x: sw.softmax(sw.exp(x), axis=1).sum(axis=0), np.ones((8, 16), "f4"))
    text = debug.memory_text(program)
    assert text.startswith(f"the arena has {program.memory.peak} bytes; at one moment ")
    rows = text.splitlines()[2:]
    assert len(rows) == len(program.lifetimes())
    offsets = {(int(row.split()[0]), int(row.split()[1])) for row in rows}
    assert offsets == {
        (offset, storage.n_bytes)
        for offset, (storage, _) in zip(program.memory.offsets, program.lifetimes(), strict=True)
    }
    for row in rows:
        first, last = map(int, row.split()[2].split("-"))
        assert row.split()[-1] == "." * first + "#" * (last - first + 1) + "." * (
            len(program.launches) - 1 - last
        )


def test_a_chart_of_many_kernels_stays_narrow():
    def chain(x):
        for k in range(150):
            x = sw.tanh(x @ x) if k % 2 else x.T @ x
        return x

    text = debug.memory_text(program_of(chain, np.ones((4, 4), "f4")))
    assert max(len(row.split()[-1]) for row in text.splitlines()[2:]) <= 60


def test_a_program_without_intermediate_values_says_so():
    assert debug.memory_text(program_of(lambda x: x + 1.0, np.ones(3, "f4"))).startswith("no value lies")


# ---- time per kernel


@pytest.mark.parametrize("n_threads", [1, 2])
def test_the_times_of_kernels_and_the_rest_add_up_to_the_whole(n_threads):
    a = np.random.default_rng(0).standard_normal((256, 256)).astype("f4")
    graph = optimize(trace_function(lambda a: sw.exp(a @ a * 1e-3).sum(axis=0), (sw.tensor(a),)).graph)
    executable = ProfiledExecutable(graph, n_threads=n_threads)
    for _ in range(5):
        results, done = executable([a], steps=3)
        assert done == 3
    np.testing.assert_allclose(results[0], interpret(graph, [a])[0], rtol=1e-4)
    assert executable.n_steps == 15
    times = executable.times()
    assert len(times) == len(executable.program.launches) + 1
    assert sum(times) == pytest.approx(executable._nanoseconds / 15, rel=0.2)
    assert all(time > 0 for time in times[:-1])
    text = executable.table()
    assert "15 steps of" in text
    assert "GFLOP/s" in text
    assert text.splitlines()[-1].startswith("rest")


def test_the_steps_of_a_fit_are_counted(monkeypatch, capfd):
    made = []
    monkeypatch.setenv("SLOPEWISE_DEBUG", "6")
    monkeypatch.setattr(ProfiledExecutable, "print_at_exit", lambda self, name: made.append(self))
    sw.manual_seed(0)
    model = sw.nn.Linear(3, 2)
    optimizer = sw.optim.SGD(model.parameters(), lr=0.1)
    rows = np.random.default_rng(0).standard_normal((64, 3)).astype("f4")
    trainer = sw.Trainer(model, loss="cross_entropy", optimizer=optimizer, seed=0)
    trainer.fit(rows, np.zeros(64, np.int64), epochs=5, batch_size=8)
    steps = {executable.n_steps for executable in made}
    assert sum(executable.n_steps for executable in made) >= 5 * 8, steps
    assert max(steps) >= 5 * 7, steps  # nearly all are made by one program, in loops


_SCRIPT = """
import slopewise as sw
double = sw.compile(lambda x: sw.exp(x) * 2.0)
for _ in range(10):
    double(sw.tensor([1.0, 2.0]))
"""


@pytest.mark.slow
def test_the_times_are_printed_when_the_process_ends(monkeypatch):
    monkeypatch.setenv("SLOPEWISE_DEBUG", "6")
    ended = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True)
    assert ended.stdout == ""
    table = stages_of(ended.stderr)["time per kernel"]
    assert table.startswith("10 steps of")
    assert re.search(r"^k000 +[\d.]+ +[\d.]+% +.* GB/s +exp_mul\.2$", table, re.MULTILINE)
