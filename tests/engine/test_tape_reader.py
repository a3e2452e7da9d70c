"""Reading the tape: order, values, local derivatives, incoming gradients, accumulation; and the drawing."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine import ops


def record(function):
    with sw.GradientTape(keep_values=True):
        return function()


def test_inputs_come_before_what_is_made_of_them():
    w = sw.tensor([1.0, -2.0], requires_grad=True)
    tape = sw.read_tape(record(lambda: ops.sum(ops.tanh(w * w) + w)))
    assert [entry.operation for entry in tape.entries] == ["leaf", "mul", "tanh", "add", "sum"]
    assert all(source < entry.number for entry in tape.entries for source in entry.inputs)


def test_values_are_those_of_the_computation():
    w = sw.tensor([1.0, -2.0], requires_grad=True)
    tape = sw.read_tape(record(lambda: ops.sum(w * 3.0)))
    assert [entry.value.tolist() for entry in tape.entries] == [[1.0, -2.0], 3.0, [3.0, -6.0], -3.0]


def test_gradients_are_those_of_backward():
    w = sw.tensor([0.5, -1.5], requires_grad=True)
    loss = record(lambda: ops.sum(ops.exp(w) * w / (1.0 + w * w)))
    tape = sw.read_tape(loss, {"w": w})
    loss.backward()
    leaf = next(entry for entry in tape.entries if entry.name == "w")
    np.testing.assert_allclose(tape.gradients[leaf.number].numpy(), w.grad.numpy(), rtol=1e-6)


def test_reading_leaves_the_tape_usable_and_writes_no_grad():
    w = sw.tensor(2.0, requires_grad=True)
    loss = record(lambda: w * w)
    sw.read_tape(loss)
    assert w.grad is None
    loss.backward()
    assert w.grad.item() == 4.0


def test_a_fan_out_accumulates():
    w = sw.tensor(3.0, requires_grad=True)
    tape = sw.read_tape(record(lambda: w * w + 2.0 * w), {"w": w})
    into_w = [c for c in tape.contributions if tape.entries[c.target].name == "w"]
    assert [c.accumulates for c in into_w] == [False, True, True]
    assert [c.total.item() for c in into_w] == [2.0, 5.0, 8.0]


def test_local_derivatives_times_incoming_gradients_are_the_contributions_of_elementwise_operations():
    w = sw.tensor([0.3, 0.7], requires_grad=True)
    tape = sw.read_tape(record(lambda: ops.sum(ops.sin(w) * w)))
    checked = 0
    for c in tape.contributions:
        if c.local_derivative is not None:
            checked += 1
            np.testing.assert_allclose(
                c.gradient.numpy(), (c.incoming * c.local_derivative).numpy(), rtol=1e-6
            )
    assert checked == 3


def test_a_sum_has_no_elementwise_derivative():
    w = sw.tensor([0.3, 0.7], requires_grad=True)
    tape = sw.read_tape(record(lambda: ops.sum(w)))
    assert tape.contributions[0].local_derivative is None


def test_watched_tensors_and_intermediate_results_can_be_named():
    x = sw.tensor(1.0)
    with sw.GradientTape(keep_values=True) as tape:
        tape.watch(x)
        h = x * 2.0
        loss = h + x
    names = [entry.name for entry in sw.read_tape(loss, {"x": x, "h": h}).entries]
    assert names == ["x", "", "h", ""]


def test_a_tape_without_values_says_how_to_keep_them():
    w = sw.tensor(1.0, requires_grad=True)
    with pytest.raises(sw.SlopewiseError, match="keep_values=True"):
        sw.read_tape(w + 1.0)


def test_an_untracked_tensor_has_no_tape():
    with pytest.raises(sw.SlopewiseError, match="not on a tape"):
        sw.read_tape(sw.tensor(1.0))


def test_the_drawing_is_well_formed_and_escapes_names():
    w = sw.tensor(2.0, requires_grad=True)
    name = "<script>alert(1)</script> & \"'"
    svg = sw.read_tape(record(lambda: w * w), {name: w}).to_svg()
    root = ElementTree.fromstring(svg)
    assert "<script" not in svg
    boxes = root.findall(".//{http://www.w3.org/2000/svg}g")
    assert [box.get("data-entry") for box in boxes] == ["0", "1"]


def test_a_value_used_twice_has_two_edges_to_different_places():
    w = sw.tensor(2.0, requires_grad=True)
    root = ElementTree.fromstring(sw.read_tape(record(lambda: w * w)).to_svg())
    edges = [path.get("d") for path in root.findall("{http://www.w3.org/2000/svg}path")]
    assert len(edges) == len(set(edges)) == 2


def test_boxes_do_not_overlap():
    w = sw.tensor([1.0, 2.0], requires_grad=True)
    tape = sw.read_tape(record(lambda: ops.sum(ops.sin(w) * ops.cos(w) + ops.exp(w) / (w + 2.0))))
    root = ElementTree.fromstring(tape.to_svg())
    corners = [(r.get("x"), r.get("y")) for r in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert len(corners) == len(set(corners)) == len(tape.entries)
