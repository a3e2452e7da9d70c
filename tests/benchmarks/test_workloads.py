import numpy as np
import pytest
from benchmarks.contenders import CONTENDERS
from benchmarks.layers import BatchNorm, Dropout, Linear, ReLU, make_weights, output_shape
from benchmarks.peers import slopewise_fit, slopewise_models, slopewise_steps
from benchmarks.turns import orders
from benchmarks.workloads import GROWTH, WORKLOADS, Workload, find, make_data, mlp, regularised

import slopewise as sw

SMALL = Workload("small", mlp(6, 5, 3), (6,), batch=4, steps=5)


def test_batch_norm_stands_before_each_relu_and_dropout_after_it():
    made = regularised(mlp(4, 8, 2))
    assert made == (Linear(4, 8), BatchNorm(8), ReLU(), Dropout(0.2), Linear(8, 2))


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=list(WORKLOADS))
def test_a_model_takes_a_batch_to_one_row_of_outputs_each(workload):
    shape = workload.row
    for layer in workload.layers:
        shape = output_shape(layer, shape)
    model = slopewise_models.build(workload)
    batch = sw.tensor(np.zeros((2, *workload.row), np.float32))
    assert model(batch).shape == (2, *shape) == (2, workload.outputs)


def test_models_start_from_the_common_weights():
    weights = make_weights(SMALL.layers)
    state = slopewise_models.build(SMALL).state_dict()
    assert set(weights) == {"0.weight", "0.bias", "2.weight", "2.bias"}
    assert all(np.array_equal(state[name], value) for name, value in weights.items())


def test_growing_workloads_double_one_thing_and_are_found_by_name():
    assert [w.rows for w in GROWTH["rows"]] == [4096 * 2**i for i in range(6)]
    assert [w.batch for w in GROWTH["batch"]] == [16 * 2**i for i in range(6)]
    assert {w.rows for axis in ("width", "depth") for w in GROWTH[axis]} == {4096}
    assert len({w.rows for w in GROWTH["batch"]}) == 1
    assert find("depth=4") is GROWTH["depth"][2]
    assert sum(isinstance(layer, Linear) for layer in find("depth=4").layers) == 5


def test_labels_of_logistic_regression_are_a_column_of_zeros_and_ones():
    X, y = make_data(WORKLOADS["logistic"])
    assert X.shape == (128_000, 30)
    assert y.shape == (128_000, 1)
    assert y.dtype == np.float32
    assert set(np.unique(y)) == {0.0, 1.0}


@pytest.mark.slow
def test_fit_in_its_own_order_and_fit_of_permuted_rows_and_steps_by_hand_reach_the_same_losses(tmp_path):
    order = orders(SMALL, tmp_path)
    runs = [
        slopewise_fit.prepare(SMALL, gather=True),
        slopewise_fit.prepare(SMALL, gather=False),
        slopewise_steps.prepare(SMALL),
    ]
    losses = [[run(np.load(order(number))) for number in range(3)] for run in runs]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    assert losses[2] == pytest.approx(losses[0], rel=1e-5)
    assert losses[0][2] != losses[0][0]
    assert not np.array_equal(np.load(order(0)), np.load(order(1)))


def test_only_dropout_and_another_last_layer_excuse_other_losses():
    alike = {
        (contender.key, name): contender.is_alike(WORKLOADS[name])
        for contender in CONTENDERS
        for name in ("tiny", "tab", "tiny-drop")
    }
    excused = {key for key, is_alike in alike.items() if not is_alike}
    dropouts = {
        (c.key, "tiny-drop") for c in CONTENDERS if c.key not in ("torch", "skorch")
    }  # these two share PyTorch's generator
    assert excused == {("sklearn", "tab"), *dropouts}
