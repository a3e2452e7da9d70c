"""save and load: what is read is what was written, to the bit, and nothing is half done."""

import json

import numpy as np
import pytest

import slopewise as sw
from slopewise import nn
from slopewise.engine.errors import ArgumentError, RunError, ShapeError


def make():
    sw.manual_seed(3)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))
    rng = np.random.default_rng(0)
    data = rng.normal(size=(20, 4)).astype(np.float32), rng.integers(0, 3, 20)
    optimizer = sw.optim.Adam(model.parameters(), lr=1e-2)
    loader = sw.data.DataLoader(data, batch_size=8, shuffle=True, seed=0)
    return model, optimizer, loader


def train(model, optimizer, loader, epochs):
    seen = []
    for _ in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            loss = sw.losses.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            seen.append(loss.item())
    return seen


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.values(), b.values(), strict=True))


def test_a_run_that_was_saved_and_loaded_goes_on_to_the_same_bits(tmp_path):
    model, optimizer, loader = make()
    train(model, optimizer, loader, 2)
    sw.save(tmp_path / "state.safetensors", model=model, optimizer=optimizer, loader=loader)
    expected = train(model, optimizer, loader, 2)

    again, other_optimizer, other_loader = make()
    sw.load(tmp_path / "state.safetensors", model=again, optimizer=other_optimizer, loader=other_loader)
    assert train(again, other_optimizer, other_loader, 2) == expected
    assert same(model.state_dict(), again.state_dict())


def test_a_part_of_a_file_can_be_loaded(tmp_path):
    model, optimizer, _ = make()
    sw.save(tmp_path / "s", model=model, optimizer=optimizer)
    other = make()[0]
    with sw.no_grad():
        other[0].weight.copy_(0.0)
    sw.load(tmp_path / "s", model=other)
    assert same(model.state_dict(), other.state_dict())


def test_all_dtypes_and_numbers_come_back_as_they_were(tmp_path):
    class Holder:
        def __init__(self, state):
            self.state = state

        def state_dict(self):
            return self.state

        def load_state_dict(self, state):
            self.state = state

    arrays = {
        kind: np.zeros((2, 0), kind) for kind in ("bool", "int8", "uint32", "uint64", "float16", "float64")
    }
    numbers = {"nan": float("nan"), "inf": -float("inf"), "third": 1 / 3, "seed": 2**64 - 1, "none": None}
    mixed = {"pair": (1, [2, "x"]), "zero": np.array(np.float64(1 / 3)), "strided": np.arange(6.0)[::2]}
    sw.save(tmp_path / "s", it=Holder({**arrays, **numbers, **mixed}))
    back = Holder(None)
    sw.load(tmp_path / "s", it=back)
    for kind, value in arrays.items():
        assert back.state[kind].dtype == kind
        assert back.state[kind].shape == value.shape
    assert np.isnan(back.state["nan"])
    assert {k: back.state[k] for k in numbers if k != "nan"} == {
        k: v for k, v in numbers.items() if k != "nan"
    }
    assert back.state["pair"] == (1, [2, "x"])
    assert back.state["zero"].shape == ()
    assert back.state["zero"] == 1 / 3
    assert back.state["strided"].tolist() == [0.0, 2.0, 4.0]


def test_a_state_that_does_not_fit_changes_nothing(tmp_path):
    model, optimizer, loader = make()
    sw.save(tmp_path / "s", model=model, optimizer=optimizer, loader=loader)
    other, other_optimizer, _ = make()
    train(other, other_optimizer, make()[2], 1)
    before = other.state_dict()
    wrong_loader = sw.data.DataLoader(np.zeros((5, 4), np.float32), batch_size=2)
    with pytest.raises(ArgumentError):
        sw.load(tmp_path / "s", model=other, optimizer=other_optimizer, loader=wrong_loader)
    assert same(before, other.state_dict())
    with pytest.raises(ShapeError, match="'weight' is"):
        sw.save(tmp_path / "t", model=nn.Linear(2, 3))
        sw.load(tmp_path / "t", model=nn.Linear(4, 3))


def test_bare_weights_of_another_library_load_into_a_model(tmp_path):
    from safetensors.numpy import save_file

    weights = {"weight": np.ones((3, 2), np.float32), "bias": np.arange(3, dtype=np.float32)}
    save_file(weights, tmp_path / "w.safetensors")
    layer = nn.Linear(2, 3)
    sw.load(tmp_path / "w.safetensors", model=layer)
    assert same(layer.state_dict(), weights)
    with pytest.raises(RunError, match="bare weights"):
        sw.load(tmp_path / "w.safetensors", model=layer, optimizer=make()[1])


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    model = make()[0]
    path = tmp_path / "s"
    sw.save(path, model=model)
    content = path.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(RunError, match="the disk is full"):
        sw.save(path, model=nn.Linear(1, 1))
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "content", [b"", b"rubbish that is no file", b"\x80\x04\x95pickle", bytes(8), b"\xff" * 64]
)
def test_rubbish_is_named(tmp_path, content):
    path = tmp_path / "rubbish"
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"rubbish is damaged, or no file that slopewise\.save wrote"):
        sw.load(path, model=make()[0])


def test_a_torn_file_is_named(tmp_path):
    path = tmp_path / "torn"
    sw.save(path, model=make()[0])
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(RunError, match="torn is damaged"):
        sw.load(path, model=make()[0])


def test_a_file_of_another_version_is_named(tmp_path):
    from safetensors.numpy import save_file

    save_file(
        {"model.w": np.ones(1)}, tmp_path / "s", {"format": "slopewise state 9", "state": json.dumps({})}
    )
    with pytest.raises(RunError, match="'slopewise state 9'"):
        sw.load(tmp_path / "s", model=make()[0])


def test_missing_files_names_and_states_are_errors(tmp_path):
    model = make()[0]
    with pytest.raises(RunError, match="does not exist"):
        sw.load(tmp_path / "nothing", model=model)
    with pytest.raises(RunError):
        sw.load(tmp_path, model=model)
    with pytest.raises(RunError):
        sw.save(tmp_path / "no" / "folder", model=model)
    with pytest.raises(ArgumentError, match="such as save"):
        sw.save(tmp_path / "s")
    with pytest.raises(ArgumentError, match="no state to save"):
        sw.save(tmp_path / "s", model=3)
    sw.save(tmp_path / "s", model=model)
    with pytest.raises(ArgumentError, match="states of 'model', not of 'network'"):
        sw.load(tmp_path / "s", network=model)


def test_a_state_that_no_file_can_hold_is_an_error(tmp_path):
    class Odd:
        def state_dict(self):
            return {"code": print}

        def load_state_dict(self, state):
            raise AssertionError("not reached")

    with pytest.raises(ArgumentError, match="no file can"):
        sw.save(tmp_path / "s", it=Odd())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("verb", ["save", "load"])
@pytest.mark.parametrize(
    ("arguments", "named", "message"),
    [
        (({}, "s"), {}, "the path comes first, but this is of type dict; write {verb}(path, model=model)"),
        ((nn.Linear(1, 1), "s"), {}, "the path comes first, but this is of type Linear; write"),
        (("s", nn.Linear(1, 1)), {}, "what follows the path needs a name; write {verb}(path, model=model)"),
        (("s",), {}, "{verb} needs something by name, such as {verb}(path, model=model)"),
        (("s",), {"model": {}}, "model is of type dict; give the object itself, not its state_dict()"),
        (("s",), {"model": nn.Linear}, "model is the class Linear, which has no state to {verb}"),
        (("s",), {"model": 3}, "model is of type int, which has no state to {verb}"),
    ],
)
def test_arguments_in_another_order_say_how_to_write_them(verb, arguments, named, message):
    with pytest.raises(ArgumentError) as caught:
        getattr(sw, verb)(*arguments, **named)
    assert message.format(verb=verb) in str(caught.value)
