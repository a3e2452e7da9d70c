"""Modules, activations and losses against PyTorch's values and gradients, in float64."""

import numpy as np
import pytest
from tests.nn.reference import case, names, part

import slopewise as sw
from slopewise import nn
from slopewise.engine.tree import flatten

TOLERANCE = {"rtol": 1e-9, "atol": 1e-11}


def image_model():
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(27, 4),
    ).eval()


MODULES = {
    "linear": lambda: nn.Linear(4, 3),
    "linear_no_bias": lambda: nn.Linear(4, 3, bias=False),
    "conv1d": lambda: nn.Conv1d(3, 4, 3, stride=2, padding=1),
    "conv1d_same": lambda: nn.Conv1d(2, 3, 4, padding="same", dilation=2),
    "conv2d": lambda: nn.Conv2d(3, 4, 3),
    "conv2d_leftover": lambda: nn.Conv2d(2, 3, (3, 2), stride=(2, 3), padding=(1, 0)),
    "conv2d_groups": lambda: nn.Conv2d(4, 6, 3, groups=2, dilation=(2, 1), bias=False),
    "conv2d_depthwise": lambda: nn.Conv2d(3, 3, 3, groups=3, padding="same"),
    "conv2d_unbatched": lambda: nn.Conv2d(2, 3, 2),
    "max_pool1d": lambda: nn.MaxPool1d(3, stride=2, padding=1),
    "max_pool2d": lambda: nn.MaxPool2d((2, 3)),
    "max_pool2d_overlap": lambda: nn.MaxPool2d(3, 2, 1, ceil_mode=True),
    "max_pool2d_dilated": lambda: nn.MaxPool2d(2, 1, dilation=(2, 1)),
    "avg_pool1d": lambda: nn.AvgPool1d(2),
    "avg_pool2d": lambda: nn.AvgPool2d(3, 2, 1),
    "avg_pool2d_exclude": lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    "avg_pool2d_ceil": lambda: nn.AvgPool2d((3, 2), 2, (1, 0), ceil_mode=True),
    "avg_pool2d_ceil_exclude": lambda: nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False),
    "adaptive_pool1d": lambda: nn.AdaptiveAvgPool1d(3),
    "adaptive_pool2d": lambda: nn.AdaptiveAvgPool2d((1, 4)),
    "batch_norm1d": lambda: nn.BatchNorm1d(3),
    "batch_norm1d_sequence": lambda: nn.BatchNorm1d(3, eps=1e-3, momentum=0.3),
    "batch_norm1d_average": lambda: nn.BatchNorm1d(3, momentum=None),
    "batch_norm2d": lambda: nn.BatchNorm2d(2),
    "batch_norm2d_eval": lambda: nn.BatchNorm2d(2).eval(),
    "batch_norm2d_untracked": lambda: nn.BatchNorm2d(2, affine=False, track_running_stats=False).eval(),
    "layer_norm": lambda: nn.LayerNorm(5),
    "layer_norm_2d": lambda: nn.LayerNorm((3, 4), eps=1e-3),
    "layer_norm_plain": lambda: nn.LayerNorm(4, elementwise_affine=False),
    "embedding": lambda: nn.Embedding(6, 3, padding_idx=2),
    "rnn": lambda: nn.RNN(3, 4),
    "rnn_relu": lambda: nn.RNN(3, 4, 2, "relu", batch_first=False, bidirectional=True),
    "rnn_unbatched": lambda: nn.RNN(3, 4, bias=False),
    "lstm": lambda: nn.LSTM(3, 4),
    "lstm_deep": lambda: nn.LSTM(3, 4, 2, bidirectional=True),
    "gru": lambda: nn.GRU(3, 4),
    "gru_deep": lambda: nn.GRU(3, 4, 2, bias=False, batch_first=False, bidirectional=True),
    "attention": lambda: nn.MultiheadAttention(6, 2),
    "attention_padding": lambda: nn.MultiheadAttention(6, 3),
    "attention_causal": lambda: nn.MultiheadAttention(6, 2, bias=False, batch_first=False),
    "attention_added": lambda: nn.MultiheadAttention(4, 2),
    "encoder": lambda: nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0),
    "encoder_norm_first": lambda: nn.TransformerEncoderLayer(
        8, 2, 12, dropout=0.0, norm_first=True, activation="gelu"
    ),
    "image_model": image_model,
}

OPTIONS = {"attention_padding": {"average_attn_weights": False}}


def make(name):
    """Return the module with PyTorch's state, its inputs and its options."""
    arrays = case("module", name)
    sw.manual_seed(0)
    module = MODULES[name]().astype("float64")
    module.load_state_dict(part(arrays, "state."))
    inputs = [sw.tensor(value) for value in part(arrays, "input").values()]
    for x in inputs:
        x.requires_grad_(x.dtype.kind == "f")
    options = {key: sw.tensor(value) for key, value in part(arrays, "option.").items()}
    return module, inputs, {**options, **OPTIONS.get(name, {})}


def outputs_of(result):
    return [leaf for leaf in flatten(result)[0] if isinstance(leaf, sw.Tensor)]


def test_every_case_of_the_reference_is_tested():
    assert sorted(MODULES) == sorted(names("module"))
    assert sorted(ACTIVATIONS) == sorted(names("activation"))
    assert sorted(LOSSES) == sorted(names("loss"))


@pytest.mark.parametrize("name", MODULES)
def test_a_module_has_the_values_and_gradients_of_pytorch(name):
    arrays = case("module", name)
    module, inputs, options = make(name)
    outputs = outputs_of(module(*inputs, **options))
    assert len(outputs) == len(part(arrays, "output"))
    total = 0.0
    for i, output in enumerate(outputs):
        np.testing.assert_allclose(output.numpy(), arrays[f"output{i}"], **TOLERANCE)
        total = total + (output * arrays[f"cotangent{i}"]).sum()
    total.backward()
    expected = part(arrays, "grad.")
    for i, x in enumerate(inputs):
        if x.requires_grad:
            np.testing.assert_allclose(x.grad.numpy(), expected.pop(f"input{i}"), **TOLERANCE)
    for key, parameter in module.named_parameters():
        np.testing.assert_allclose(parameter.grad.numpy(), expected.pop(key), err_msg=key, **TOLERANCE)
    assert not expected
    for key, value in part(arrays, "after.").items():
        np.testing.assert_allclose(dict(module.named_buffers())[key].numpy(), value, **TOLERANCE)


@pytest.mark.parametrize("target", ["interpreter", "native"])
@pytest.mark.parametrize("name", MODULES)
def test_a_compiled_module_gives_what_the_plain_one_does(name, target):
    """To the bit in the interpreter, up to rounding as machine code."""
    bound = {"rtol": 0, "atol": 0} if target == "interpreter" else TOLERANCE
    module, inputs, options = make(name)
    other, _, _ = make(name)
    plain = outputs_of(module(*inputs, **options))
    compiled = outputs_of(sw.compile(lambda *xs: other(*xs, **options), target=target)(*inputs))
    for a, b in zip(plain, compiled, strict=True):
        np.testing.assert_allclose(b.numpy(), a.numpy(), **bound)
    for (key, a), b in zip(module.state_dict().items(), other.state_dict().values(), strict=True):
        np.testing.assert_allclose(b.numpy(), a.numpy(), err_msg=key, **bound)


SECOND_ORDER = [name for name in MODULES if not name.startswith(("linear_no", "conv2d_unb", "encoder_norm"))]


@pytest.mark.parametrize("name", SECOND_ORDER)
def test_first_and_second_derivatives_agree_with_finite_differences(name):
    module, inputs, options = make(name)
    floats = [x.detach() for x in inputs if x.dtype.kind == "f"]
    if floats:
        # small steps, so that no maximum or rectifier changes its mind on the way
        sw.check_gradients(lambda *xs: outputs_of(module(*xs, **options)), *floats, eps=1e-7, atol=1e-4)


ACTIVATIONS = {
    "sigmoid": nn.Sigmoid(),
    "tanh": nn.Tanh(),
    "relu": nn.ReLU(),
    "leaky_relu": nn.LeakyReLU(0.2),
    "elu": nn.ELU(1.5),
    "selu": nn.SELU(),
    "gelu": nn.GELU(),
    "gelu_tanh": nn.GELU("tanh"),
    "silu": nn.SiLU(),
    "mish": nn.Mish(),
    "softplus": nn.Softplus(),
    "softplus_beta": nn.Softplus(3.0),
    "softmax": nn.Softmax(),
    "log_softmax": nn.LogSoftmax(),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_has_the_values_and_gradients_of_pytorch(name):
    arrays = case("activation", name)
    x = sw.tensor(arrays["input"], requires_grad=True)
    y = ACTIVATIONS[name](x)
    np.testing.assert_allclose(y.numpy(), arrays["output"], rtol=1e-12, atol=1e-15)
    y.backward(sw.tensor(arrays["cotangent"]))
    np.testing.assert_allclose(x.grad.numpy(), arrays["grad"], rtol=1e-11, atol=1e-14)


LOSSES = {
    "squared_error": (sw.losses.squared_error, {}),
    "absolute_error": (sw.losses.absolute_error, {}),
    "huber": (sw.losses.huber, {"delta": 1.5}),
    "bce": (sw.losses.binary_cross_entropy_with_logits, {}),
    "bce_pos_weight": (sw.losses.binary_cross_entropy_with_logits, {"pos_weight": 3.0}),
    "hinge": (sw.losses.hinge, {}),
    "cross_entropy": (sw.losses.cross_entropy, {}),
    "cross_entropy_weight": (sw.losses.cross_entropy, {"class_weight": [0.5, 2.0, 1.25]}),
    "cross_entropy_smoothing": (sw.losses.cross_entropy, {"label_smoothing": 0.2}),
    "cross_entropy_ignore": (
        sw.losses.cross_entropy,
        {"class_weight": [0.5, 2.0, 1.25], "label_smoothing": 0.1, "ignore_index": 1},
    ),
    "cross_entropy_soft": (
        sw.losses.cross_entropy,
        {"class_weight": [0.5, 2.0, 1.25], "label_smoothing": 0.1},
    ),
    "cross_entropy_image": (sw.losses.cross_entropy, {"class_weight": [0.5, 2.0, 1.25]}),
    "kl_divergence": (sw.losses.kl_divergence, {}),
    "kl_divergence_log": (sw.losses.kl_divergence, {"log_target": True}),
}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_has_the_values_and_gradients_of_pytorch(name, reduction):
    arrays = case("loss", name)
    loss, settings = LOSSES[name]
    x = sw.tensor(arrays["prediction"], requires_grad=True)
    prediction = nn.log_softmax(x) if name.startswith("kl") else x
    value = loss(prediction, sw.tensor(arrays["target"]), reduction=reduction, **settings)
    np.testing.assert_allclose(value.numpy(), arrays[f"value.{reduction}"], rtol=1e-10, atol=1e-14)
    value.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), arrays[f"grad.{reduction}"], rtol=1e-9, atol=1e-14)
