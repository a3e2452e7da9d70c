"""Every choice trains, steps back exactly, and is repeated to the same numbers by its script."""

import contextlib
import io
import re
import subprocess
import sys
from dataclasses import replace

import pytest

import slopewise as sw
from slopewise.engine.errors import ArgumentError, DataError
from slopewise.site.content.markup import math
from slopewise.site.playground import plan, training
from slopewise.site.playground.design import (
    BY_NAME,
    CLASS_LOSSES,
    GENERATED,
    NUMBER_LOSSES,
    OPTIMIZERS,
    SCHEDULES,
    SETTINGS,
    read_design,
    write_address,
)
from slopewise.site.playground.drawing import draw_surface
from slopewise.site.playground.formula import formula
from slopewise.site.playground.layers import KINDS, Layer, read_layers, write_layers
from slopewise.site.playground.own import own_table
from slopewise.site.playground.program import program
from slopewise.site.playground.training import answer_training, is_point
from slopewise.site.playground.view import rows_and_frame

NUMBERS = {
    "linear": ":6",
    "residual": ":5",
    "dropout": ":0.3",
    "leaky_relu": ":0.2",
    "elu": ":2",
    "softplus": ":3",
}
DESIGNS = [
    *({"data": kind} for kind in GENERATED),
    *({"optimizer": kind, "lr": "0.01", "weight_decay": "0.001"} for kind in OPTIMIZERS),
    *({"schedule": kind, "horizon": "12"} for kind in SCHEDULES),
    *({"layers": f"linear:6,{kind}{NUMBERS.get(kind, '')},linear:4,tanh"} for kind in KINDS),
    *({"data": "linear", "loss": kind} for kind in NUMBER_LOSSES),
    {"loss": "binary_cross_entropy_with_logits"},
    {"layers": "none", "features": "x1,x2,x1x1,x2x2,x1x2,sin1,sin2", "standardise": "1"},
    {"optimizer": "sgd", "momentum": "0.9", "nesterov": "1", "clip": "0.5", "warm_up": "4"},
    {"optimizer": "adamw", "weight_decay": "0", "amsgrad": "1", "eps": "0.001", "clip_value": "0.1"},
    {"optimizer": "rmsprop", "centered": "1", "momentum": "0.5", "lr": "0.01"},
    {"optimizer": "adagrad", "lr_decay": "0.1", "accumulator": "0.5"},
    {"optimizer": "radam", "decoupled": "1", "weight_decay": "0.1"},
    {"optimizer": "nadam", "momentum_decay": "0.1", "lr": "0.01"},
    {"optimizer": "sgd", "momentum": "0.9", "dampening": "0.5"},
    {"edits": "0:1.2.1=0.5,9:2.1.b=-1.25,9:3.2.4=2", "layers": "linear:6,relu,residual:3,linear:4"},
    {"batch": "1"},
    {"l1": "0.01"},
    {"l1": "0.001", "optimizer": "lbfgs", "batch": "2000"},
    {"batch": "2000", "shuffle": "0", "optimizer": "lbfgs", "lr": "1", "layers": "linear:3,tanh"},
    {"batch": "2000", "optimizer": "lbfgs", "lr": "0.1", "iterations": "2", "line_search": "0"},
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
    for section in formula(design):
        for line, _ in section.rows:
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
    answer = answer_training(request | {"own": table.to_json()})
    assert printed(program(design, 14)) == pytest.approx(answer["view"]["scores"][2:6], rel=1e-6)
    picture = draw_surface(design, *rows_and_frame(design), answer["view"]).svg()
    assert picture.count("<circle") == 32  # the test rows stay sealed
    for section in formula(design):
        for line, _ in section.rows:
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


EXPORTED = {
    "classes": {
        "optimizer": "adam",
        "lr": "0.02",
        "data": "spirals",
        "layers": "linear:8,leaky_relu:0.2,dropout:0.1",
    },
    "numbers": {"data": "ripples", "optimizer": "nadam", "lr": "0.01", "schedule": "plateau", "clip": "1"},
    "penalty": {"data": "blobs", "l1": "0.01", "schedule": "one_cycle", "warm_up": "0", "shuffle": "0"},
    "own classes": {"data": "own", "optimizer": "lbfgs", "batch": "2000"},
    "own numbers": {"data": "own", "optimizer": "radam", "lr": "0.01", "loss": "huber"},
}
STEPS = 23


def named(name):
    """Return the design of this name, and what a worker needs beside its values."""
    table = own(3, 0 if name == "own numbers" else 3) if name.startswith("own") else None
    design = read_design(EXPORTED[name], table)
    return design, {"own": table.to_json()} if table else {}


def walked(name, steps):
    """Return the views along a way of steps, each asked of the same job, with the states that were met."""
    design, more = named(name)
    start, snapshots, views = 0, {}, []
    for step in steps:
        asked = {"job": f"walk {name}", "values": design.values, "step": start, "until": step, **more}
        answer = answer_training(asked | {"seconds": 60.0, "snapshots": snapshots})
        views.append(answer["view"])
        start, snapshots = step, {str(step): answer["snapshot"]}
    return views


@pytest.mark.slow
def test_exported_scripts_run_by_themselves_and_print_the_losses_of_the_page(tmp_path):
    with contextlib.ExitStack() as ended:
        running = {}
        for name in ("classes", "numbers", "own classes"):
            script = tmp_path / f"playground of {name}.py"
            script.write_text(program(named(name)[0], STEPS))
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            process = ended.enter_context(subprocess.Popen([sys.executable, script], cwd=tmp_path, **pipes))
            ended.callback(process.kill)
            running[name] = process
        for name, process in running.items():
            out, err = process.communicate(timeout=100)
            assert process.returncode == 0, err
            [view] = walked(name, [STEPS])
            assert losses_in(out) == pytest.approx(view["scores"][2:6], rel=1e-6), name


@pytest.mark.parametrize("name", EXPORTED)
def test_going_back_to_the_start_and_forward_again_shows_the_same_bits(name):
    first, *_, there, start, again = walked(name, [0, 1, STEPS, 0, STEPS])
    assert start == first
    assert again == there
    assert there["scores"] != start["scores"]


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


# classes of slopewise.nn that are no layer of the playground, and why
LEFT_OUT = {
    "Conv1d Conv2d AvgPool1d AvgPool2d MaxPool1d MaxPool2d AdaptiveAvgPool1d AdaptiveAvgPool2d BatchNorm2d": (
        "need neighbours, in pictures or sequences; a row here is a set of measurements without an order"
    ),
    "GRU LSTM RNN MultiheadAttention TransformerEncoderLayer": "need sequences",
    "Embedding": "needs words or labels as inputs, and inputs here are numbers",
    "Sequential ModuleList Residual Flatten": "hold layers, and the playground makes them itself",
    "Module RandomModule Parameter Summary": "no layers",
    "BCEWithLogitsLoss CrossEntropyLoss HuberLoss KLDivLoss L1Loss MSELoss": "losses, chosen apart",
}


def test_every_layer_of_the_library_that_fits_rows_of_numbers_is_there():
    made = {Layer(kind, known.usual).call(4).function.removeprefix("nn.") for kind, known in KINDS.items()}
    left_out = set(" ".join(LEFT_OUT).split())
    classes = {name for name in sw.nn.__all__ if name[0].isupper()}
    assert not (made - {"Residual"}) & left_out
    assert made | left_out == classes
    # other names; and scores that are no probabilities, which the picture shows
    losses = {*CLASS_LOSSES, *NUMBER_LOSSES, "get", "mae", "mse", "hinge", "kl_divergence"}
    assert losses | {"BY_NAME"} == set(sw.losses.__all__)


def test_every_argument_of_every_optimizer_is_offered_or_left_out_for_a_reason():
    # when LBFGS gives up within an update: nothing to see of it
    left_out = {"LBFGS": {"max_eval", "tolerance_grad", "tolerance_change"}}
    for kind in OPTIMIZERS:
        offered, usual = {}, {}
        for setting in OPTIMIZERS[kind][1]:
            changed = 0.5 if isinstance(BY_NAME[setting].default, float) else 7
            changed = not BY_NAME[setting].default if BY_NAME[setting].kind == "toggle" else changed
            design = read_design({"optimizer": kind})
            usual = plan.optimizer_settings(design)
            values = {**design.values, setting: changed}
            now = plan.optimizer_settings(replace(design, values=values))
            offered |= {name: now[name] for name in now if now[name] != usual[name]}
        optimizer = sw.optim.get(kind)
        left = set(usual) - set(offered) - left_out.get(optimizer.__name__, set())
        assert not left - ({"amsgrad"} if kind in ("adam", "amsgrad") else set()), (
            kind,
            left,
        )  # each is the other


def test_every_schedule_of_the_library_is_offered_or_left_out_for_a_reason():
    left_out = {
        "Constant WarmUp": "the usual one, and a setting of its own",
        "MultiStepDecay PerEpoch Product Sequence Schedule": "made of others, by a list",
    }
    made = {
        call.function.rpartition(".")[2]
        for call in (plan.rate(read_design({"schedule": kind})) for kind in SCHEDULES)
        if hasattr(call, "function")
    }
    assert made | set(" ".join(left_out).split()) == set(sw.optim.schedules.__all__)


def test_parameters_are_counted_without_making_the_network():
    for kind, known in KINDS.items():
        design = read_design({"layers": f"linear:5,{Layer(kind, known.usual).text()}", "data": "blobs"})
        model = plan.model_call(design).make()
        assert design.n_parameters == sum(parameter.size for parameter in model.parameters()), kind


def test_a_weight_decay_of_zero_is_zero_for_adamw_too():
    design = read_design({"optimizer": "adamw"})
    assert plan.optimizer_settings(design)["weight_decay"] == 0
    assert plan.optimizer_call(design).keywords["weight_decay"] == 0


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("leaky_relu:9", "slope below 0"),
        ("elu:x", "from 0.01 to 10"),
        ("linear:", "1 to 64 units"),
        ("dropout:1", "0.95"),
    ],
)
def test_a_number_of_a_layer_is_refused_with_its_limits(text, word):
    with pytest.raises(ArgumentError, match=re.escape(word)):
        read_layers(f"tanh,{text}")


def test_layers_are_written_as_they_are_read():
    text = "linear:8,batch_norm,tanh,dropout:0.25,residual:4,layer_norm,leaky_relu,leaky_relu:0.2,softplus:3"
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


def test_a_weight_set_by_hand_is_that_from_then_on_and_again_after_going_back():
    plain, edited = read_design({}), read_design({"edits": "5:1.3.2=0.75,5:1.3.b=-0.5"})
    assert at(edited, 4, job="a")["view"]["scores"] == at(plain, 4, job="b")["view"]["scores"]
    there = at(edited, 5, job="c")
    first = there["view"]["network"][1]
    assert (first["weight"][2][1], first["bias"][2]) == (0.75, -0.5)
    assert there["view"]["scores"][2:] != at(plain, 5, job="d")["view"]["scores"][2:]
    again = at(edited, 5, 8, {"0": at(edited, 0, job="e")["snapshot"]}, job="f")
    assert again["view"] == there["view"]
    assert "after update 5, row 3, column 2 of W of Linear 1 is set to 0.75" in formula(edited)[2].note


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("0:4.1.1=1", "Linear 4 of 3"),
        ("0:1.9.1=1", "8 rows and 2 columns"),
        ("0:1.1.0=1", "outside"),
        ("0:1.1.1=", "such as 0:1.2.1=0.5"),
        ("0:1.1.1=1e9", "such as"),
        ("20001:1.1.1=1", "no update 20001"),
        (",".join(["0:1.1.1=1"] * 41), "at most 40"),
    ],
)
def test_a_weight_set_by_hand_must_be_there(text, word):
    with pytest.raises(ArgumentError, match=re.escape(word)):
        read_design({"edits": text})
