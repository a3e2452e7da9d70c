from dataclasses import replace

import pytest
from benchmarks.costs import cost_of
from benchmarks.layers import BatchNorm, Conv, Dropout, Linear, MaxPool, ReLU
from benchmarks.reference import SIZES, Reference
from benchmarks.workloads import WORKLOADS, Workload


def test_one_linear_layer_is_counted_as_by_hand():
    workload = Workload("by hand", (Linear(5, 3),), (5,), batch=7, steps=1, optimizer="sgd")
    cost = cost_of(workload)
    assert cost.flops == 2 * (2 * 7 * 5 * 3)  # forward and the gradient of W: the data needs none
    assert cost.parts["products"] == 2 * 4 * (7 * 5 + 5 * 3 + 7 * 3)
    assert cost.parts["batch"] == 2 * (4 * 7 * 5 + 8 * 7)
    assert cost.parts["optimizer"] == 3 * 4 * (5 * 3 + 3)
    assert cost.moved == sum(cost.parts.values())


def test_the_second_layer_also_pays_for_the_gradient_of_its_input():
    first = cost_of(Workload("one", (Linear(5, 3),), (5,), 7, 1))
    both = cost_of(Workload("two", (Linear(5, 3), ReLU(), Linear(3, 2)), (5,), 7, 1))
    assert both.flops - first.flops == 3 * (2 * 7 * 3 * 2)


def test_adam_moves_its_averages_and_sgd_has_none():
    adam = WORKLOADS["tiny"]
    sgd = replace(adam, optimizer="sgd")
    parameters = 64 * 32 + 32 + 32 * 10 + 10
    assert cost_of(adam).parts["optimizer"] == 7 * 4 * parameters
    assert cost_of(sgd).parts["optimizer"] == 3 * 4 * parameters
    assert cost_of(adam).flops == cost_of(sgd).flops


def test_batch_norm_moves_bytes_and_dropout_none():
    plain = Workload("plain", (Linear(5, 3), ReLU(), Linear(3, 2)), (5,), 7, 1, optimizer="sgd")
    dropped = replace(plain, layers=(Linear(5, 3), ReLU(), Dropout(0.2), Linear(3, 2)))
    normed = replace(plain, layers=(Linear(5, 3), BatchNorm(3), ReLU(), Linear(3, 2)))
    assert cost_of(dropped) == cost_of(plain)
    assert cost_of(normed).parts["sweeps"] == 4 * 5 * 7 * 3
    assert cost_of(normed).parts["optimizer"] - cost_of(plain).parts["optimizer"] == 3 * 4 * 6


def test_a_convolution_is_a_product_at_each_pixel():
    cost = cost_of(Workload("image", (Conv(2, 3, 5), MaxPool()), (2, 8, 6), 4, 1))
    assert cost.flops == 2 * (2 * (4 * 8 * 6) * (2 * 3 * 5 * 5))
    assert cost.parts["sweeps"] == 4 * (3 * (4 * 3 * 8 * 6) + 2 * (4 * 3 * 4 * 3))


def test_the_encoder_counts_its_six_kinds_of_product():
    batch, tokens, width, heads, inner = 16, 64, 64, 4, 256
    rows = batch * tokens
    attention = 2 * batch * heads * tokens * tokens * (width // heads)
    linear = rows * width * (width + 2 * inner)
    projection = rows * width * 3 * width
    head = batch * width * 10
    expected = 2 * (3 * (attention + linear + head) + 2 * projection)
    assert cost_of(WORKLOADS["encoder"]).flops == expected


def test_the_reference_cost_adds_arithmetic_and_bytes_at_the_working_sets_bandwidth():
    bandwidths = tuple(1e11 if size <= 2**20 else 1e10 for size in SIZES)
    reference = Reference(1, 1e11, bandwidths)
    cost = cost_of(WORKLOADS["tiny"])
    assert cost.held < 2**20
    assert reference.seconds(cost) == pytest.approx(cost.flops / 1e11 + cost.moved / 1e11)
    cost = cost_of(WORKLOADS["big"])
    assert cost.held > 2**21
    assert reference.seconds(cost) == pytest.approx(cost.flops / 1e11 + cost.moved / 1e10)
