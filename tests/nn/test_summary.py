"""The summary: shapes by tracing, counts, and no trace left behind."""

import numpy as np
import pytest

import slopewise as sw
from slopewise import nn
from slopewise.engine.errors import ArgumentError, ShapeError, TraceError


def test_shapes_and_counts_of_a_convolutional_model():
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding="same"),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Residual(nn.Conv2d(8, 8, 3, padding=1)),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(8 * 14 * 14, 10),
    )
    model[0].requires_grad_(False)
    table = nn.summary(model, (4, 1, 28, 28))
    shapes = {row.path: row.output_shapes[0][0] for row in table.rows}
    assert shapes[""] == (4, 10)
    assert shapes["0"] == (4, 8, 28, 28)
    assert shapes["4.body"] == (4, 8, 14, 14)
    assert shapes["5"] == (4, 1568)
    counts = {row.path: row.parameters for row in table.rows}
    assert (counts["0"], counts["1"], counts["4"], counts["4.body"], counts["7"]) == (80, 16, 0, 584, 15690)
    assert table.parameters == 80 + 16 + 584 + 15690
    assert table.trainable == table.parameters - 80
    text = repr(table)
    assert text.splitlines()[8] == "    body: Conv2d  (4, 8, 14, 14)         584"
    assert text.splitlines()[-1] == "16,370 parameters, 16,290 of them trainable"


def test_nothing_is_computed_and_no_state_changes():
    model = nn.Sequential(nn.Linear(10**5, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    before = model.state_dict()
    table = nn.summary(model, (10**9, 10**5))  # 400 terabytes, if it were computed
    assert table.rows[0].output_shapes == (((10**9, 4),),)
    assert all(
        np.array_equal(before[name].numpy(), value.numpy()) for name, value in model.state_dict().items()
    )


def test_shared_modules_count_once_and_show_their_calls():
    shared = nn.Linear(4, 4)
    table = nn.summary(nn.Sequential(shared, nn.ReLU(), shared), (2, 4))
    assert table.parameters == 20
    assert "(2, 4) (2 calls)" in repr(table)


def test_several_inputs_other_dtypes_and_several_outputs():
    class Two(nn.Module):
        def __init__(self):
            self.embedding = nn.Embedding(10, 3)
            self.unused = nn.Linear(2, 2)

        def forward(self, a, b):
            return self.embedding(a), [self.embedding(b)]

    table = nn.summary(Two(), [(2, 5), (4,)], dtype="int64")
    assert table.rows[0].output_shapes == (((2, 5, 3), (4, 3)),)
    assert [row.output_shapes for row in table.rows if row.path == "unused"] == [()]
    assert "not called" in repr(table)


def test_recurrent_and_attention_models_are_summarised():
    assert nn.summary(nn.LSTM(3, 5), (2, 7, 3)).rows[0].output_shapes == (((2, 7, 5), (1, 2, 5), (1, 2, 5)),)
    layer = nn.TransformerEncoderLayer(8, 2, 16)
    assert nn.summary(layer, (2, 7, 8)).rows[0].output_shapes == (((2, 7, 8),),)


def test_modules_in_lists_stand_under_the_module_that_has_the_list():
    class Listed(nn.Module):
        def __init__(self):
            self.layers = [nn.Linear(2, 2), nn.Sequential(nn.ReLU())]

        def forward(self, x):
            return self.layers[1](self.layers[0](x))

    lines = repr(nn.summary(Listed(), (1, 2))).splitlines()[2:-2]
    assert [line[:22].rstrip() for line in lines] == [
        "Listed",
        "  layers.0: Linear",
        "  layers.1: Sequential",
        "    0: ReLU",
    ]


def test_the_dtype_is_that_of_the_model():
    assert nn.summary(nn.Linear(3, 2).astype("float64"), (1, 3)).parameters == 8


def test_errors_say_where():
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(4, 3))
    with pytest.raises(ShapeError, match=r"at Sequential\.1: Linear\(4, 3\) needs 4 features"):
        nn.summary(model, (2, 4))
    for bad in ((2, "4"), 4, [2, 4], (2, -4), (True, 4)):
        with pytest.raises(ArgumentError, match="must be a tuple of sizes, or a list of those"):
            nn.summary(model, bad)

    class Looks(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with pytest.raises(TraceError, match=r"test_summary\.py"):
        nn.summary(Looks(), (2,))


def test_compiled_models_keep_working_after_a_summary():
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    forward = sw.compile(lambda x: model(x))
    x = nn.initializers.normal((5, 4))
    forward(x)
    nn.summary(model, (2, 4))
    forward(x)
    assert forward.n_traces == 1
