"""Every choice trains, steps back exactly, and is repeated to the same numbers by its script."""

import contextlib
import io
import re
import subprocess
import sys

import pytest

from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.content.markup import math
from slopewise.site.playground import training
from slopewise.site.playground.design import (
    GENERATED,
    NUMBER_LOSSES,
    OPTIMIZERS,
    SCHEDULES,
    SETTINGS,
    read_design,
    write_address,
)
from slopewise.site.playground.drawing import draw_surface
from slopewise.site.playground.formula import formulas
from slopewise.site.playground.layers import KINDS, read_layers, write_layers
from slopewise.site.playground.own import own_table
from slopewise.site.playground.program import program
from slopewise.site.playground.training import answer_training, is_point

NUMBERS = {"linear": ":6", "residual": ":5", "dropout": ":0.3"}
DESIGNS = [
    *({"data": kind} for kind in GENERATED),
    *({"optimizer": kind, "lr": "0.01", "weight_decay": "0.001"} for kind in OPTIMIZERS),
    *({"schedule": kind, "horizon": "12"} for kind in SCHEDULES),
    *({"layers": f"linear:6,{kind}{NUMBERS.get(kind, '')},linear:4,tanh"} for kind in KINDS),
    *({"data": "linear", "loss": kind} for kind in NUMBER_LOSSES),
    {"loss": "binary_cross_entropy_with_logits"},
    {"layers": "none", "features": "x1,x2,x1x1,x2x2,x1x2,sin1,sin2", "standardise": "1"},
    {"optimizer": "sgd", "momentum": "0.9", "nesterov": "1", "clip": "0.5", "warm_up": "4"},
    {"batch": "1"},
    {"l1": "0.01"},
    {"l1": "0.001", "optimizer": "lbfgs", "batch": "2000"},
    {"batch": "2000", "shuffle": "0", "optimizer": "lbfgs", "lr": "1", "layers": "linear:3,tanh"},
]


def at(design, step, start=0, snapshots=None, seconds=60.0, job="one"):
    request = {"job": job, "values": design.values, "step": start, "until": step, "seconds": seconds}
    return answer_training(request | {"snapshots": snapshots or {}})


def printed(text):
    """Run a script and return the losses and scores that it prints, by part."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(text, "playground.py", "exec"), {"__name__": "__main__"})
    return losses_in(out.getvalue())


def losses_in(text):
    return [float(number) for number in re.findall(r": ([-+.\de]+)", text)]


@pytest.mark.parametrize("query", DESIGNS, ids=lambda query: "&".join(f"{k}={v}" for k, v in query.items()))
def test_every_design_trains_and_its_script_prints_the_same_numbers(query):
    design = read_design({"rows": "60", **query})
    scores = at(design, 14)["view"]["scores"]
    assert printed(program(design, 14)) == pytest.approx(scores[2:6], rel=1e-6)
    for line in formulas(design):
        math(line, True)


def own(columns, classes, rows=40):
    numbers = {
        f"column {k}": [float((7 * row * (k + 1)) % 23) + 0.5 * k for row in range(rows)]
        for k in range(columns)
    }
    if not classes:
        return own_table("mine", numbers, {}, "column 0")
    return own_table("mine", numbers, {"kind": ["abc"[row * row % classes] for row in range(rows)]}, "kind")


@pytest.mark.parametrize(("columns", "classes"), [(1, 2), (2, 2), (2, 3), (5, 3), (2, 0), (3, 0), (4, 0)])
def test_own_data_train_and_their_script_holds_the_rows_and_prints_the_same_numbers(columns, classes):
    table = own(columns, classes)
    design = read_design({"data": "own"}, table)
    request = {
        "job": f"own {columns} {classes}",
        "values": design.values,
        "step": 0,
        "until": 14,
        "seconds": 60.0,
        "snapshots": {},
    }
    answer = answer_training(request | {"own": table.to_json(), "rows": True})
    assert printed(program(design, 14)) == pytest.approx(answer["view"]["scores"][2:6], rel=1e-6)
    assert draw_surface(design, answer).count("<circle") == 32  # the test rows stay sealed
    for line in formulas(design):
        math(line, True)


def test_own_data_that_cannot_be_trained_on_say_why():
    numbers = {"a": [1.0, None] * 20, "b": [2.0] * 40}
    assert own_table("mine", numbers, {}, "b").left_out == 20
    for target, labels, word in [
        ("c", {}, "no column 'c'"),
        ("word", {"word": ["x"] * 40}, "1 classes"),
        ("word", {"word": [str(k) for k in range(40)]}, "classes"),
    ]:
        with pytest.raises(DataError, match=word):
            own_table("mine", numbers, labels, target)
    with pytest.raises(DataError, match="beside b"):
        own_table("mine", {"b": [2.0] * 40}, {}, "b")
    with pytest.raises(DataError, match="10 rows"):
        own_table("mine", {"a": [1.0] * 10, "b": [2.0] * 10}, {}, "b")


def test_a_name_of_a_column_cannot_bring_code_into_the_script():
    table = own_table("mine", {"x\nimport os": [1.0, 2.0] * 20}, {"y'\n1/0": ["a\n1/0", "b"] * 20}, "y'\n1/0")
    assert len(printed(program(read_design({"data": "own"}, table), 2))) == 4


@pytest.mark.slow
def test_a_script_runs_by_itself():
    design = read_design({"optimizer": "adam", "lr": "0.02", "data": "spirals"})
    scores = at(design, 40)["view"]["scores"]
    script = [sys.executable, "-c", program(design, 40)]
    done = subprocess.run(script, capture_output=True, text=True, timeout=60, check=True)
    assert losses_in(done.stdout) == pytest.approx(scores[2:6], rel=1e-6)


@pytest.mark.parametrize(
    "query",
    [
        {"layers": "linear:6,batch_norm,relu,dropout:0.4", "optimizer": "adam"},
        {"optimizer": "lbfgs", "batch": "2000"},
        {"schedule": "plateau", "patience": "0"},
    ],
)
def test_any_worker_goes_on_from_a_snapshot_to_the_same_bits(query):
    design = read_design({"rows": "60", **query})
    there = at(design, 25)
    middle = at(design, 13, job="two")
    assert at(design, 1, job="three")["step"] == 1  # the worker has forgotten job two
    again = at(design, 25, 13, {"13": middle["snapshot"]}, job="two")
    assert again["view"] == there["view"]
    assert again["snapshot"]["tensors"] == there["snapshot"]["tensors"]
    back = at(design, 9, 25, {"0": at(design, 0, job="four")["snapshot"]}, job="five")
    assert back["view"] == at(design, 9, job="six")["view"]


def test_a_slice_ends_when_its_time_is_over_and_makes_at_least_one_update():
    design = read_design({})
    first = at(design, 5000, seconds=0.0, job="slices")
    assert first["step"] == 1
    second = at(design, 5000, 1, {"1": first["snapshot"]}, seconds=0.0, job="slices")
    assert second["step"] == 2
    assert [point[0] for point in second["points"]] == [2]


def test_the_same_design_is_the_same_training_twice_and_another_seed_is_not():
    design, other = read_design({}), read_design({"seed": "1"})
    assert at(design, 20, job="a")["view"] == at(design, 20, job="b")["view"]
    assert at(design, 20, job="a")["view"] != at(other, 20, job="c")["view"]


def test_reshuffling_each_epoch_changes_the_order_of_rows_and_nothing_else():
    kept, shuffled = read_design({"shuffle": "0"}), read_design({})
    assert at(kept, 0, job="a")["view"] == at(shuffled, 0, job="b")["view"]
    assert at(kept, 20, job="a")["view"] != at(shuffled, 20, job="b")["view"]


def test_an_address_holds_every_setting_and_gives_it_back():
    values = dict(read_design({}).values)
    assert write_address(values) == {}
    for setting in SETTINGS:
        if setting.kind == "number":
            values[setting.name] = setting.high if setting.high != values[setting.name] else setting.low
        elif setting.kind == "toggle":
            values[setting.name] = not setting.default
        elif setting.kind == "choice":
            values[setting.name] = setting.options[-1][0]
    written = write_address(values)
    for setting in SETTINGS:
        if setting.name in written:
            assert setting.read(written[setting.name]) == pytest.approx(values[setting.name])


def test_layers_are_written_as_they_are_read():
    text = "linear:8,batch_norm,tanh,dropout:0.25,residual:4,layer_norm"
    assert write_layers(read_layers(text)) == text
    assert read_layers("none") == ()
    with pytest.raises(ArgumentError, match="layer 2"):
        read_layers("linear:8,__import__")


def test_curves_have_a_point_for_each_of_the_first_updates_and_few_hundred_in_all():
    assert all(is_point(step) for step in range(61))
    assert sum(is_point(step) for step in range(20_001)) < 500


def test_the_view_shows_weights_and_gradients_of_each_neuron():
    design = read_design({"layers": "linear:3,relu,residual:2"})
    groups = at(design, 3)["view"]["network"]
    assert [group["title"] for group in groups] == ["inputs", "linear, relu", "residual", "outputs"]
    assert [len(group["maps"]) for group in groups] == [2, 3, 3, 2]
    first = groups[1]
    assert len(first["weight"]) == len(first["weight_gradient"]) == 3
    module = training._last[2].model[0]
    assert first["weight"][0] == pytest.approx(module.weight.detach().numpy()[0].tolist(), rel=1e-3)
    assert first["weight_gradient"][0] == pytest.approx(module.weight.grad.numpy()[0].tolist(), rel=1e-3)
    assert {other["name"] for other in groups[2]["others"]} >= {"residual.body.0.weight"}


def test_a_penalty_on_magnitudes_makes_weights_smaller_and_leaves_the_scores_alone():
    plain = at(read_design({}), 0, job="a")["view"]["scores"]
    design = read_design({"l1": "0.05"})
    assert at(design, 0, job="b")["view"]["scores"] == plain
    weights = [
        sum(
            abs(weight)
            for row in at(read_design(q), 150, job=str(q))["view"]["network"][1]["weight"]
            for weight in row
        )
        for q in ({}, {"l1": "0.05"})
    ]
    assert weights[1] < 0.5 * weights[0]
