"""A compiled function that is traced again says why, in the words of its caller."""

import warnings

import numpy as np
import pytest

import slopewise as sw
from slopewise.compiler import retracing
from slopewise.compiler.retracing import RetraceWarning


def ones(*shape, dtype=np.float32):
    return sw.tensor(np.ones(shape, dtype))


def reasons(*calls, function=lambda *args, **kwargs: ones(1) * 2.0):
    compiled = sw.compile(function)
    for args, kwargs in calls:
        compiled(*args, **kwargs)
    assert len(compiled.retrace_reasons) == compiled.n_traces - 1
    return compiled.retrace_reasons


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (ones(32, 64), ones(17, 64), "argument 1 has shape (17, 64), before (32, 64)"),
        (ones(2), ones(2, dtype=np.float64), "argument 1 is float64, before float32"),
        (
            ones(2),
            ones(3, dtype=np.int64),
            "argument 1 has shape (3,), before (2,) and is int64, before float32",
        ),
        (ones(2), sw.tensor([1.0, 1.0], requires_grad=True), "argument 1 is tracked for gradients now"),
        (1, 2, "argument 1 is 2, before 1"),
        (1.0, 0.5, "argument 1 is 0.5, before 1.0"),
        (True, 1, "argument 1 is 1, before True"),
        ("a", None, "argument 1 is None, before 'a'"),
        (ones(2), 2, "argument 1 is 2, before a tensor"),
        ([ones(2), ones(2)], [ones(2), ones(3)], "argument 1[1] has shape (3,), before (2,)"),
        ({"x": (ones(2),)}, {"x": (ones(3),)}, "argument 1['x'][0] has shape (3,), before (2,)"),
        ([ones(2)], (ones(2),), "the arguments are nested or named in another way"),
    ],
)
def test_what_differs_in_the_arguments_is_named(first, second, why):
    assert reasons(((first,), {}), ((second,), {})) == [why]


def test_keyword_arguments_are_named():
    assert reasons(((), {"rate": 1.0}), ((), {"rate": 2.0})) == ["argument rate is 2.0, before 1.0"]


def test_all_arguments_that_differ_are_named():
    calls = [((ones(32, 4), ones(32)), {}), ((ones(5, 4), ones(5)), {})]
    assert reasons(*calls) == [
        "argument 1 has shape (5, 4), before (32, 4); argument 2 has shape (5,), before (32,)"
    ]


def test_the_closest_of_the_earlier_traces_is_compared_with():
    calls = [((ones(1), "a"), {}), ((ones(2), "b"), {}), ((ones(2), "c"), {})]
    assert reasons(*calls)[1] == "argument 2 is 'c', before 'b'"


def test_arguments_that_are_one_tensor_are_a_reason():
    x = ones(2)
    assert reasons(((ones(2), ones(2)), {}), ((x, x), {})) == ["other arguments are one and the same tensor"]


def test_the_first_call_and_calls_like_earlier_ones_need_no_reason():
    assert reasons(*[((ones(2),), {})] * 3) == []


def test_gradient_mode_is_a_reason():
    function = sw.compile(lambda x: x * 2.0)
    function(ones(2))
    with sw.no_grad():
        function(ones(2))
    assert function.retrace_reasons == ["gradients are not recorded now"]


def test_a_training_flag_is_a_reason():
    model = sw.nn.Sequential(sw.nn.Dropout(0.5))
    function = sw.compile(lambda x: model(x))
    function(ones(2))
    model.eval()
    function(ones(2))
    assert function.retrace_reasons == ["Dropout.training is False, before True"]


def test_a_gradient_that_was_none_is_a_reason():
    w = sw.tensor([1.0], requires_grad=True)

    @sw.compile
    def accumulate(x):
        (w * x).sum().backward()

    accumulate(ones(1))
    accumulate(ones(1))
    assert accumulate.retrace_reasons == [
        "the .grad of a tensor that it reaches is no longer None, before None"
    ]


def test_a_tensor_from_outside_of_another_shape_is_a_reason():
    table = ones(3)
    function = sw.compile(lambda x: table.sum() + x)
    function(ones(1))
    table._rebind(ones(4)._ref)
    function(ones(1))
    assert function.retrace_reasons == ["a tensor that it reaches is float32(4,), before float32(3,)"]


def test_one_warning_comes_when_it_is_traced_again_and_again():
    @sw.compile
    def train_step(x):
        return x * 2.0

    message = (
        r"train_step was traced again: argument 1 has shape \(9,\), before \(\d,\); this was the 8th time"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for n in range(1, retracing.MANY + 1):
            train_step(ones(n))
    with pytest.warns(RetraceWarning, match=message) as caught:
        train_step(ones(9))
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train_step(ones(10))


def test_with_debug_each_time_is_told(monkeypatch, capfd):
    monkeypatch.setenv("SLOPEWISE_DEBUG", "1")
    double = sw.compile(lambda x: x * 2.0, target="interpreter")
    double(ones(1))
    double(ones(2))
    told = capfd.readouterr().err
    assert told == "<lambda> was traced again: argument 1 has shape (2,), before (1,)\n"


def test_a_failed_trace_gives_no_reason():
    @sw.compile
    def fails(x):
        if x.shape == (2,):
            raise ValueError("no")
        return x

    fails(ones(1))
    with pytest.raises(ValueError, match="no"):
        fails(ones(2))
    assert fails.retrace_reasons == []
    assert fails.n_traces == 1


def two_layers():
    model = sw.nn.ModuleList([sw.nn.Linear(1, 1), sw.nn.Linear(1, 1)])
    optimizer = sw.optim.Adam(model.parameters(), lr=0.1, weight_decay=0.5)

    @sw.compile
    def train_step(x, both):
        optimizer.zero_grad()
        loss = model[0](x).sum() + (model[1](x).sum() if both else 0.0)
        loss.backward()
        optimizer.step()

    train_step(ones(1, 1), True)
    return optimizer, train_step


def test_a_parameter_without_a_gradient_is_a_reason_in_words():
    _, train_step = two_layers()
    train_step(ones(1, 1), False)
    train_step(ones(1, 1), True)
    assert train_step.retrace_reasons == [
        "argument 2 is False, before True",
        "Adam: a parameter had no gradient in a step, for the first time",
    ]


def test_settings_of_an_optimizer_are_a_reason_each_by_its_name():
    optimizer, train_step = two_layers()
    optimizer.param_groups[0]["weight_decay"] = 0.25
    train_step(ones(1, 1), True)
    optimizer.param_groups[0]["lr"] = sw.optim.schedules.CosineDecay(0.1, 10)
    train_step(ones(1, 1), True)
    optimizer.add_param_group({"params": [sw.nn.Parameter(ones(1))]})
    train_step(ones(1, 1), True)
    assert train_step.retrace_reasons == [
        "Adam: weight_decay is 0.25, before 0.5",
        "Adam: the learning rate follows a schedule, before a number",
        "Adam has other groups of parameters",
    ]


def test_an_attribute_of_a_module_is_a_reason():
    model = sw.nn.Sequential(sw.nn.Dropout(0.5))
    function = sw.compile(lambda x: model(x))
    function(ones(2))
    model[0].p = 0.25
    function(ones(2))
    assert function.retrace_reasons == ["an attribute of Dropout has been set since"]
