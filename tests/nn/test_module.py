"""Module: members are found, state is kept, errors say where."""

import copy
import pickle

import numpy as np
import pytest

import slopewise as sw
from slopewise import nn
from slopewise.engine.errors import ArgumentError, DtypeError, GradientError, ShapeError


class Net(nn.Module):
    def __init__(self):
        self.first = nn.Linear(4, 3)
        self.norm = nn.BatchNorm1d(3)
        self.scale = nn.Parameter([2.0])

    def forward(self, x):
        return self.norm(self.first(x)) * self.scale


@pytest.fixture
def net():
    sw.manual_seed(0)
    return Net()


@pytest.fixture
def x():
    return sw.tensor(np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32))


def names(pairs):
    return [name for name, _ in pairs]


# ---- finding members


def test_parameters_buffers_and_modules_are_found_in_order(net):
    assert names(net.named_parameters()) == [
        "scale",
        "first.weight",
        "first.bias",
        "norm.weight",
        "norm.bias",
    ]
    assert names(net.named_buffers()) == [
        "norm.running_mean",
        "norm.running_var",
        "norm.num_batches_tracked",
    ]
    assert names(net.named_modules()) == ["", "first", "norm"]
    assert names(net.named_children()) == ["first", "norm"]


def test_members_inside_lists_tuples_and_dicts_are_found():
    class Many(nn.Module):
        def __init__(self):
            self.layers = [nn.Linear(2, 2)]
            self.heads = {"a": nn.Linear(2, 1), "b": [nn.Parameter([1.0]), (nn.Linear(1, 1),)]}
            self.labels = ["x", None, 3]

    many = Many()
    many.layers.append(nn.Linear(2, 3))
    assert names(many.named_modules()) == ["", "layers.0", "layers.1", "heads.a", "heads.b.1.0"]
    assert "heads.b.0" in names(many.named_parameters())
    many.eval()
    assert not many.layers[1].training
    assert many.load_state_dict(many.state_dict()) == ([], [])


def test_a_list_that_holds_itself_does_no_harm():
    class Circle(nn.Module):
        def __init__(self):
            self.parts = [nn.Linear(1, 1)]
            self.parts.append(self.parts)

    assert names(Circle().named_modules()) == ["", "parts.0"]


def test_a_module_that_knows_its_parent_does_no_harm(net):
    net.first.parent = net
    assert names(net.named_modules()) == ["", "first", "norm"]
    assert len(list(net.parameters())) == 5
    assert list(net.state_dict())[:3] == ["scale", "first.weight", "first.bias"]


def test_shared_parts_count_once_but_are_saved_under_each_name():
    shared = nn.Linear(3, 3)
    model = nn.Sequential(shared, nn.ReLU(), shared)
    assert names(model.named_parameters()) == ["0.weight", "0.bias"]
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert len(list(model.modules())) == 3
    tied = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    tied[1].weight = tied[0].weight
    assert len(list(tied.parameters())) == 3
    assert tied.load_state_dict(tied.state_dict()) == ([], [])


def test_super_init_need_not_be_called(x):
    class Plain(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(4, 1)

        def forward(self, x):
            return self.layer(x)

    assert Plain().eval().training is False
    assert Plain()(x).shape == (5, 1)


def test_apply_visits_inner_modules_first(net):
    seen = []
    assert net.apply(lambda module: seen.append(type(module).__name__)) is net
    assert seen == ["BatchNorm1d", "Linear", "Net"]


# ---- attributes


def test_a_parameter_is_a_tensor_and_results_are_plain_tensors():
    w = nn.Parameter([1.0, 2.0])
    assert isinstance(w, sw.Tensor)
    assert w.requires_grad
    assert w.is_leaf
    assert type(w * 2.0) is sw.Tensor
    assert not nn.Parameter([1.0], requires_grad=False).requires_grad
    with pytest.raises(DtypeError, match="floating"):
        nn.Parameter([1, 2])


def test_a_parameter_copies_its_data():
    data = np.ones(2)
    w = nn.Parameter(data)
    data[0] = 5
    assert w.tolist() == [1.0, 1.0]
    assert nn.Parameter(w * 3.0).is_leaf


def test_a_parameter_cannot_be_replaced_by_a_tensor(net):
    with pytest.raises(ArgumentError, match=r"Net\.scale is a parameter, it cannot become a Tensor"):
        net.scale = sw.tensor([1.0])
    net.scale = nn.Parameter([3.0])
    assert net.scale.tolist() == [3.0]
    net.scale = None
    assert "scale" not in names(net.named_parameters())


@pytest.mark.parametrize("name", ["parameters", "children", "train", "state_dict"])
def test_an_attribute_cannot_hide_a_method(net, name):
    with pytest.raises(ArgumentError, match=f"Net.{name} would hide a method of Module"):
        setattr(net, name, nn.Linear(1, 1))


def test_a_users_own_names_are_free(net, x):
    net.title, net.name, net.step = "My net", "net", 3
    with pytest.raises(ShapeError, match=r"at Net\.first"):
        net(x[:, :1])


def test_assigning_to_a_buffer_writes_into_it():
    module = nn.Module()
    module.register_buffer("count", sw.tensor([0.0]))
    held = module.count
    weight = nn.Parameter([2.0])
    module.count = weight * 3.0
    assert held.tolist() == [6.0]
    assert held is module.count
    assert not module.count.requires_grad
    module.count = sw.tensor([1, 2])
    assert held.tolist() == [1, 2]
    module.count = None
    assert not list(module.buffers())
    module.count = sw.tensor([1.0])
    assert list(module.state_dict()) == ["count"]


def test_a_buffer_that_is_not_persistent_is_not_in_the_state_dict():
    module = nn.Module()
    module.register_buffer("table", sw.tensor([1.0]), persistent=False)
    assert names(module.named_buffers()) == ["table"]
    assert not module.state_dict()
    del module.table
    assert not list(module.buffers())


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("forward", sw.tensor(1.0), "already has an attribute 'forward'"),
        ("a.b", sw.tensor(1.0), "must be a Python name"),
        ("new", 3, "must be a Tensor or None, not int"),
        ("new", nn.Parameter(1.0), "must be a Tensor or None, not Parameter"),
    ],
)
def test_bad_buffers_are_named(net, name, value, message):
    with pytest.raises(ArgumentError, match=message):
        net.register_buffer(name, value)


def test_a_buffer_cannot_become_a_number(net):
    with pytest.raises(ArgumentError, match=r"running_mean is a buffer, it cannot become a float"):
        net.norm.running_mean = 0.5


# ---- modes, freezing, dtype


def test_train_and_eval_reach_everything(net):
    assert net.training
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    net.norm.train()
    assert not net.first.training
    assert net.norm.training


def test_frozen_parameters_get_no_gradient(net, x):
    net.first.requires_grad_(False)
    net(x).sum().backward()
    assert net.first.weight.grad is None
    assert net.norm.weight.grad is not None
    net.zero_grad()
    assert all(parameter.grad is None for parameter in net.parameters())
    assert [p.requires_grad for p in net.requires_grad_().parameters()] == [True] * 5


def test_astype_converts_in_place_what_is_floating(net, x):
    held = net.first.weight
    net(x).sum().backward()
    assert net.astype("float64") is net
    assert held is net.first.weight
    assert held.requires_grad
    assert held.grad is None
    assert {parameter.dtype for parameter in net.parameters()} == {np.dtype("float64")}
    assert net.norm.running_mean.dtype == np.float64
    assert net.norm.num_batches_tracked.dtype == np.int64
    assert net.floating_dtype() == np.float64
    assert net(x.astype("float64")).dtype == np.float64
    with pytest.raises(DtypeError, match="floating dtypes only, not to int32"):
        net.astype("int32")


def test_a_model_without_floats_has_the_default_dtype():
    assert nn.ReLU().floating_dtype() == np.float32


# ---- state


def test_a_state_dict_is_a_snapshot(net, x):
    before = net.state_dict()
    copies = {name: value.numpy().copy() for name, value in before.items()}
    with sw.no_grad():
        net.scale += 1.0
    net(x)
    assert all(np.array_equal(before[name].numpy(), copies[name]) for name in before)
    net.load_state_dict(before)
    assert net.scale.tolist() == [2.0]


def test_loading_keeps_the_tensors_and_converts_floats(net):
    held = net.first.weight
    state = {name: value.numpy().astype(np.float64) for name, value in net.state_dict().items()}
    state["norm.num_batches_tracked"] = np.array(7, np.int32)
    state["first.weight"] = np.ones((3, 4))
    net.load_state_dict(state)
    assert held is net.first.weight
    assert held.dtype == np.float32
    assert held.requires_grad
    assert held.numpy().sum() == 12
    assert net.norm.num_batches_tracked.item() == 7


def test_parameters_of_pytorch_can_be_loaded(net):
    class Parameter:  # as PyTorch's: it converts to an array only when it is detached
        def __init__(self, value, tracked=True):
            self.value, self.tracked = value, tracked

        def detach(self):
            return Parameter(self.value, tracked=False)

        def __array__(self, dtype=None, copy=None):
            if self.tracked:
                raise RuntimeError("Can't call numpy() on Tensor that requires grad")
            return self.value

    net.load_state_dict({"scale": Parameter(np.array([5.0]))}, strict=False)
    assert net.scale.tolist() == [5.0]


def test_missing_and_unexpected_names_are_listed(net):
    state = net.state_dict()
    state["first.wieght"] = state.pop("first.weight")
    del state["scale"]
    with pytest.raises(ArgumentError) as caught:
        net.load_state_dict(state)
    message = str(caught.value)
    assert "does not fit Net: missing 'scale', 'first.weight'" in message
    assert "unexpected 'first.wieght' (is it 'first.weight'?)" in message
    assert "\n" not in message
    assert net.load_state_dict(state, strict=False) == (["scale", "first.weight"], ["first.wieght"])


def test_long_lists_of_names_are_cut():
    model = nn.Sequential(*[nn.Linear(1, 1) for _ in range(10)])
    with pytest.raises(ArgumentError, match="and 14 more"):
        model.load_state_dict({})


def test_nothing_is_loaded_if_one_shape_is_wrong(net):
    state = {name: np.zeros(value.shape, value.dtype) for name, value in net.state_dict().items()}
    state["first.weight"] = np.zeros((4, 3))
    state["norm.bias"] = np.zeros(5)
    with pytest.raises(ShapeError) as caught:
        net.load_state_dict(state, strict=False)
    assert "'first.weight' is (3, 4) here and (4, 3) in the state dict (transposed?)" in str(caught.value)
    assert "'norm.bias' is (3,) here and (5,)" in str(caught.value)
    assert net.scale.tolist() == [2.0]


def test_values_of_another_kind_are_named(net):
    state = net.state_dict()
    with pytest.raises(DtypeError, match=r"'norm\.num_batches_tracked' is int64 here and float64"):
        net.load_state_dict({**state, "norm.num_batches_tracked": np.array(1.0)})
    with pytest.raises(DtypeError, match="'scale' in the state dict: cannot make a tensor"):
        net.load_state_dict({**state, "scale": ["one"]})
    with pytest.raises(DtypeError, match="'scale' is float32 here and complex128"):
        net.load_state_dict({**state, "scale": np.array([1j])})


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_whole_and_independent(net, x, duplicate):
    net.first.requires_grad_(False)
    net(x).sum().backward()
    net.eval()
    other = duplicate(net)
    assert repr(other) == repr(net)
    assert not other.norm.training
    assert isinstance(other.first.weight, nn.Parameter)
    assert [p.requires_grad for p in other.parameters()] == [p.requires_grad for p in net.parameters()]
    assert np.array_equal(other.scale.grad.numpy(), net.scale.grad.numpy())
    assert np.array_equal(other(x).numpy(), net(x).numpy())
    with sw.no_grad():
        other.scale.copy_(0.0)
    assert net.scale.tolist() == [2.0]
    other.norm.running_mean = other.norm.running_mean + 1.0
    assert names(other.named_buffers()) == names(net.named_buffers())


def test_copies_keep_what_is_shared():
    tied = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    tied[1].weight = tied[0].weight
    for other in (copy.deepcopy(tied), pickle.loads(pickle.dumps(tied))):
        assert other[0].weight is other[1].weight
        assert other[0].weight is not tied[0].weight


# ---- text and errors


def test_the_text_is_a_tree():
    model = nn.Sequential(nn.Residual(nn.Sequential(nn.Linear(2, 2), nn.Tanh())), nn.Dropout(0.25))
    assert repr(model) == (
        "Sequential(\n"
        "  (0): Residual(\n"
        "    (body): Sequential(\n"
        "      (0): Linear(in_features=2, out_features=2, bias=True)\n"
        "      (1): Tanh()\n"
        "    )\n"
        "  )\n"
        "  (1): Dropout(p=0.25)\n"
        ")"
    )


def test_errors_name_the_path_of_the_module(net, x):
    class Outer(nn.Module):
        def __init__(self, net):
            self.blocks = [nn.Identity(), nn.Sequential(nn.ReLU(), net)]

        def forward(self, x):
            return self.blocks[1](x)

    with pytest.raises(ShapeError) as caught:
        Outer(net)(x[:, :2])
    assert str(caught.value) == (
        "at Outer.blocks.1.1.first: Linear(4, 3) needs 4 features in the last axis, got shape (5, 2)"
    )
    with pytest.raises(
        DtypeError, match=r"^at Net\.first: Linear\(4, 3\) has float32 weights, but its input is "
    ):
        net(x.astype("float64"))
    with pytest.raises(ShapeError, match=r"^Linear\(4, 3\) needs 4 features"):
        net.first(x[0, :3])


def test_errors_in_a_users_own_forward_name_the_module(x):
    class Wrong(nn.Module):
        def forward(self, x):
            return x @ x

    with pytest.raises(ShapeError, match=r"^at Sequential\.0: matmul cannot multiply"):
        nn.Sequential(Wrong())(x)
    with pytest.raises(ArgumentError, match=r"Module defines no forward\(\)"):
        nn.Module()(x)


def test_an_error_of_a_module_that_is_called_but_not_part_keeps_its_message(x):
    hidden = nn.Linear(4, 3)

    class Calls(nn.Module):
        def forward(self, x):
            return hidden(x)

    with pytest.raises(ShapeError, match=r"^Linear\(4, 3\) needs"):
        Calls()(x[:, :1])


def test_calls_can_be_observed(net, x):
    seen = []
    with nn.observe_calls(lambda module, args, result: seen.append((type(module).__name__, result.shape))):
        net(x)
    net(x)
    assert seen == [("Linear", (5, 3)), ("BatchNorm1d", (5, 3)), ("Net", (5, 3))]


def test_a_parameter_made_by_an_operation_cannot_be_copied_half(net):
    result = net.scale * 2.0
    with pytest.raises(GradientError, match="only leaf tensors can be copied"):
        copy.deepcopy(result)
