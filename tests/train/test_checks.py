"""A Trainer of the wrong parts is refused when it is made."""

import numpy as np
import pytest

import slopewise as sw

LAYER = sw.nn.Linear(2, 1)
OTHER = sw.nn.Linear(2, 1)


@pytest.mark.parametrize(
    ("model", "optimizer", "message"),
    [
        (LAYER, "adam", r"make it of the model's parameters, slopewise.optim.Adam\(model.parameters\(\)\)"),
        (LAYER, "adm", "there is no optimizer 'adm'; did you mean 'adam'"),
        (LAYER, sw.optim.Adam, "must be one of slopewise.optim, not Adam"),
        (LAYER, None, "must be one of slopewise.optim, not NoneType"),
        (LAYER, sw.optim.SGD(OTHER.parameters(), lr=0.1), r"no parameter of this model.* SGD\(model.param"),
        (sw.nn.Linear, sw.optim.SGD(OTHER.parameters(), lr=0.1), r"make one of it, Linear\(...\)"),
        (sw.compile(LAYER), sw.optim.SGD(LAYER.parameters(), lr=0.1), "a Trainer compiles it by itself"),
        (lambda x: x, sw.optim.SGD(LAYER.parameters(), lr=0.1), "must be a Module, not function"),
    ],
)
def test_a_trainer_of_wrong_parts_is_refused_with_a_way_out(model, optimizer, message):
    with pytest.raises(sw.SlopewiseError, match=message):
        sw.Trainer(model, loss="mse", optimizer=optimizer)


def test_an_optimizer_of_some_of_the_parameters_is_enough():
    model = sw.nn.Sequential(sw.nn.Linear(2, 2), sw.nn.Linear(2, 1))
    sw.Trainer(model, loss="mse", optimizer=sw.optim.SGD(model[1].parameters(), lr=0.1))


def test_a_frozen_model_needs_no_parameter_in_the_optimizer():
    model, prompt = sw.nn.Linear(2, 1), sw.nn.Parameter([1.0, 2.0])
    for parameter in model.parameters():
        parameter.requires_grad = False
    sw.Trainer(model, loss="mse", optimizer=sw.optim.SGD([prompt], lr=0.1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"validation": 0.2}, "validation must be .*, not float; slopewise.data.train_test_split makes"),
        ({"validation": (np.ones((4, 2)),)}, r"validation must be \(X, y\) .*, not 1 of them"),
        ({"validation": np.ones((2, 2))}, "validation must be .*, not ndarray"),
        (
            {"callbacks": sw.train.EarlyStopping()},
            r"callbacks is a list of them; give \[EarlyStopping\(...\)\]",
        ),
        ({"callbacks": [print]}, r"callbacks\[0\] is of type builtin_function_or_method; a callback is"),
        (
            {"callbacks": [sw.train.EarlyStopping]},
            r"callbacks\[0\] is the class EarlyStopping: make one of it",
        ),
    ],
)
def test_what_fit_cannot_use_is_refused_before_the_first_update(options, message):
    model = sw.nn.Linear(2, 1)
    before = model.weight.tolist()
    trainer = sw.Trainer(model, loss="mse", optimizer=sw.optim.SGD(model.parameters(), lr=0.1))
    with pytest.raises(sw.SlopewiseError, match=message):
        trainer.fit(np.ones((4, 2)), np.ones((4, 1)), **options)
    assert model.weight.tolist() == before
