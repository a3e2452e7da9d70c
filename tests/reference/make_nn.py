"""Makes nn.npz: modules, activations and losses as PyTorch computes them, with gradients, in float64.

Run in an environment of its own (`pip install torch==2.13.0 numpy`): python tests/reference/make_nn.py
The tests read nn.npz only: all numbers in a row, and an index from case and name to dtype and shape. A case
has the state dict, inputs, outputs, the gradients that come in, and the gradients of inputs and parameters.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

torch.set_default_dtype(torch.float64)


def causal(n):
    return torch.triu(torch.ones(n, n, dtype=torch.bool), 1)


PADDING = torch.tensor([[False, False, False, True, True], [False, False, False, False, True]])


def image_model():
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1),
        nn.BatchNorm2d(3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(3 * 3 * 3, 4),
    ).eval()


def encoder(**settings):
    return nn.TransformerEncoderLayer(8, 2, 12, dropout=0.0, batch_first=True, **settings)


# name -> (module, shapes of random inputs or inputs themselves, keyword arguments)
MODULES = {
    "linear": (nn.Linear(4, 3), [(5, 4)], {}),
    "linear_no_bias": (nn.Linear(4, 3, bias=False), [(2, 5, 4)], {}),
    "conv1d": (nn.Conv1d(3, 4, 3, stride=2, padding=1), [(2, 3, 10)], {}),
    "conv1d_same": (nn.Conv1d(2, 3, 4, padding="same", dilation=2), [(2, 2, 9)], {}),
    "conv2d": (nn.Conv2d(3, 4, 3), [(2, 3, 6, 5)], {}),
    "conv2d_leftover": (nn.Conv2d(2, 3, (3, 2), stride=(2, 3), padding=(1, 0)), [(2, 2, 8, 9)], {}),
    "conv2d_groups": (nn.Conv2d(4, 6, 3, groups=2, dilation=(2, 1), bias=False), [(2, 4, 7, 6)], {}),
    "conv2d_depthwise": (nn.Conv2d(3, 3, 3, groups=3, padding="same"), [(2, 3, 5, 4)], {}),
    "conv2d_unbatched": (nn.Conv2d(2, 3, 2), [(2, 4, 4)], {}),
    "max_pool1d": (nn.MaxPool1d(3, stride=2, padding=1), [(2, 3, 9)], {}),
    "max_pool2d": (nn.MaxPool2d((2, 3)), [(2, 2, 7, 6)], {}),
    "max_pool2d_overlap": (nn.MaxPool2d(3, 2, 1, ceil_mode=True), [(2, 2, 8, 6)], {}),
    "max_pool2d_dilated": (nn.MaxPool2d(2, 1, dilation=(2, 1)), [(1, 2, 5, 4)], {}),
    "avg_pool1d": (nn.AvgPool1d(2), [(2, 3, 7)], {}),
    "avg_pool2d": (nn.AvgPool2d(3, 2, 1), [(2, 2, 7, 6)], {}),
    "avg_pool2d_exclude": (nn.AvgPool2d(3, 2, 1, count_include_pad=False), [(2, 2, 7, 6)], {}),
    "avg_pool2d_ceil": (nn.AvgPool2d((3, 2), 2, (1, 0), ceil_mode=True), [(2, 2, 8, 5)], {}),
    "avg_pool2d_ceil_exclude": (
        nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False),
        [(1, 2, 8, 6)],
        {},
    ),
    "adaptive_pool1d": (nn.AdaptiveAvgPool1d(3), [(2, 2, 7)], {}),
    "adaptive_pool2d": (nn.AdaptiveAvgPool2d((1, 4)), [(2, 2, 5, 6)], {}),
    "batch_norm1d": (nn.BatchNorm1d(3), [(6, 3)], {}),
    "batch_norm1d_sequence": (nn.BatchNorm1d(3, eps=1e-3, momentum=0.3), [(4, 3, 5)], {}),
    "batch_norm1d_average": (nn.BatchNorm1d(3, momentum=None), [(4, 3)], {}),
    "batch_norm2d": (nn.BatchNorm2d(2), [(3, 2, 4, 4)], {}),
    "batch_norm2d_eval": (nn.BatchNorm2d(2).eval(), [(3, 2, 4, 4)], {}),
    "batch_norm2d_untracked": (
        nn.BatchNorm2d(2, affine=False, track_running_stats=False).eval(),
        [(3, 2, 4, 4)],
        {},
    ),
    "layer_norm": (nn.LayerNorm(5), [(3, 4, 5)], {}),
    "layer_norm_2d": (nn.LayerNorm((3, 4), eps=1e-3), [(2, 3, 4)], {}),
    "layer_norm_plain": (nn.LayerNorm(4, elementwise_affine=False), [(3, 4)], {}),
    "embedding": (nn.Embedding(6, 3, padding_idx=2), [torch.tensor([[1, 2, 1], [5, 0, 2]])], {}),
    "rnn": (nn.RNN(3, 4, batch_first=True), [(2, 5, 3)], {}),
    "rnn_relu": (nn.RNN(3, 4, 2, nonlinearity="relu", bidirectional=True), [(5, 2, 3), (4, 2, 4)], {}),
    "rnn_unbatched": (nn.RNN(3, 4, bias=False), [(5, 3)], {}),
    "lstm": (nn.LSTM(3, 4, batch_first=True), [(2, 5, 3)], {}),
    "lstm_deep": (nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True), [(2, 5, 3)], {}),
    "gru": (nn.GRU(3, 4, batch_first=True), [(2, 5, 3), (1, 2, 4)], {}),
    "gru_deep": (nn.GRU(3, 4, 2, bias=False, bidirectional=True), [(5, 2, 3)], {}),
    "attention": (nn.MultiheadAttention(6, 2, batch_first=True), [(2, 4, 6), (2, 5, 6), (2, 5, 6)], {}),
    "attention_padding": (
        nn.MultiheadAttention(6, 3, batch_first=True),
        [(2, 4, 6), (2, 5, 6), (2, 5, 6)],
        {"key_padding_mask": PADDING, "average_attn_weights": False},
    ),
    "attention_causal": (
        nn.MultiheadAttention(6, 2, bias=False),
        [(4, 2, 6), (4, 2, 6), (4, 2, 6)],
        {"attn_mask": causal(4)},
    ),
    "attention_added": (
        nn.MultiheadAttention(4, 2, batch_first=True),
        [(2, 3, 4), (2, 3, 4), (2, 3, 4)],
        {"attn_mask": torch.linspace(-1, 1, 4 * 9).reshape(4, 3, 3)},
    ),
    "encoder": (encoder(), [(2, 5, 8)], {"src_key_padding_mask": PADDING}),
    "encoder_norm_first": (
        encoder(norm_first=True, activation="gelu"),
        [(2, 4, 8)],
        {"src_mask": causal(4)},
    ),
    "image_model": (image_model(), [(2, 1, 7, 6)], {}),
}

ACTIVATIONS = {
    "sigmoid": functional.sigmoid,
    "tanh": functional.tanh,
    "relu": functional.relu,
    "leaky_relu": lambda x: functional.leaky_relu(x, 0.2),
    "elu": lambda x: functional.elu(x, 1.5),
    "selu": functional.selu,
    "gelu": functional.gelu,
    "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "silu": functional.silu,
    "mish": functional.mish,
    "softplus": lambda x: functional.softplus(x, threshold=35.0),
    "softplus_beta": lambda x: functional.softplus(x, beta=3.0, threshold=35.0),
    "softmax": lambda x: functional.softmax(x, -1),
    "log_softmax": lambda x: functional.log_softmax(x, -1),
}


def tensors_of(result):
    if isinstance(result, tuple):
        return [tensor for part in result for tensor in tensors_of(part)]
    return [result]


def randomise(module):
    """Give every parameter and running statistic a value of its own: some begin as zeros or ones."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.5)
        for name, buffer in module.named_buffers():
            if buffer.is_floating_point():
                buffer.copy_(torch.rand_like(buffer) + 0.5 * name.endswith("var"))
            else:
                buffer.fill_(3)


def module_case(module, inputs, options):
    randomise(module)
    arrays = {f"state.{name}": value.clone() for name, value in module.state_dict().items()}
    values = [x if isinstance(x, torch.Tensor) else torch.randn(*x).requires_grad_() for x in inputs]
    outputs = tensors_of(module(*values, **options))
    cotangents = [torch.randn_like(output) for output in outputs]
    torch.autograd.backward(outputs, cotangents)
    for i, x in enumerate(values):
        arrays[f"input{i}"] = x
        if x.grad is not None:
            arrays[f"grad.input{i}"] = x.grad
    for i, (output, cotangent) in enumerate(zip(outputs, cotangents)):
        arrays[f"output{i}"], arrays[f"cotangent{i}"] = output, cotangent
    arrays |= {f"grad.{name}": p.grad for name, p in module.named_parameters()}
    arrays |= {f"after.{name}": buffer for name, buffer in module.named_buffers()}
    return arrays | {f"option.{name}": value for name, value in options.items() if torch.is_tensor(value)}


def activation_case(function):
    ordinary = torch.cat([torch.linspace(-6, 6, 24), torch.tensor([0.0, -30.0, 30.0])])
    x = torch.cat([ordinary, torch.tensor([-1e4, 1e4, -100.0, 100.0, -1e-4])]).reshape(4, 8).requires_grad_()
    y = function(x)
    cotangent = torch.linspace(0.5, 2.0, 32).reshape(4, 8)
    y.backward(cotangent)
    return {"input": x, "output": y, "cotangent": cotangent, "grad": x.grad}


# ---- losses: name -> function of (prediction, target, reduction), prediction, target

LARGE = torch.tensor([1e4, -1e4, 1e4, -1e4, 0.0, 3.0])
BINARY = torch.tensor([1.0, 1.0, 0.0, 0.0, 1.0, 0.25])
LOGITS = torch.cat([torch.randn(4, 3, generator=torch.Generator().manual_seed(1)), 1e4 * torch.eye(3)])
CLASSES = torch.tensor([0, 2, 1, 1, 0, 0, 2])
SOFT = torch.softmax(torch.linspace(-2, 2, 21).reshape(7, 3), -1)
WEIGHT = torch.tensor([0.5, 2.0, 1.25])
IMAGE = torch.randn(2, 3, 2, 2, generator=torch.Generator().manual_seed(2))
IMAGE_CLASSES = torch.tensor([[[0, 1], [2, -100]], [[1, 1], [-100, 0]]])


def cross_entropy(**settings):
    return lambda x, y, reduction: functional.cross_entropy(x, y, reduction=reduction, **settings)


def kl(log_target):
    def loss(x, y, reduction):
        terms = functional.kl_div(functional.log_softmax(x, -1), y, reduction="none", log_target=log_target)
        rows = terms.sum(-1)
        return {"none": rows, "sum": rows.sum(), "mean": rows.mean()}[reduction]

    return loss


def bce(**settings):
    return lambda x, y, reduction: functional.binary_cross_entropy_with_logits(
        x, y, reduction=reduction, **settings
    )


def hinge(x, y, reduction):
    terms = torch.relu(1 - x * y)
    return {"none": terms, "sum": terms.sum(), "mean": terms.mean()}[reduction]


LOSSES = {
    "squared_error": (functional.mse_loss, LARGE, BINARY),
    "absolute_error": (functional.l1_loss, LARGE, BINARY),
    "huber": (lambda x, y, reduction: functional.huber_loss(x, y, reduction, 1.5), LARGE, BINARY),
    "bce": (bce(), LARGE, BINARY),
    "bce_pos_weight": (bce(pos_weight=torch.tensor(3.0)), LARGE, BINARY),
    "hinge": (hinge, LARGE, torch.tensor([1.0, 1.0, -1.0, -1.0, 1.0, -1.0])),
    "cross_entropy": (cross_entropy(), LOGITS, CLASSES),
    "cross_entropy_weight": (cross_entropy(weight=WEIGHT), LOGITS, CLASSES),
    "cross_entropy_smoothing": (cross_entropy(label_smoothing=0.2), LOGITS, CLASSES),
    "cross_entropy_ignore": (
        cross_entropy(weight=WEIGHT, label_smoothing=0.1, ignore_index=1),
        LOGITS,
        CLASSES,
    ),
    "cross_entropy_soft": (cross_entropy(weight=WEIGHT, label_smoothing=0.1), LOGITS, SOFT),
    "cross_entropy_image": (cross_entropy(weight=WEIGHT), IMAGE, IMAGE_CLASSES),
    "kl_divergence": (kl(False), LOGITS, SOFT),
    "kl_divergence_log": (kl(True), LOGITS, SOFT.log()),
}


def loss_case(function, prediction, target):
    arrays = {"prediction": prediction, "target": target}
    for reduction in ("mean", "sum", "none"):
        x = prediction.clone().requires_grad_()
        value = function(x, target, reduction=reduction)
        value.sum().backward()
        arrays |= {f"value.{reduction}": value, f"grad.{reduction}": x.grad}
    return arrays


def main():
    cases = {}
    for name, (module, inputs, options) in MODULES.items():
        torch.manual_seed(len(cases))
        cases[f"module.{name}"] = module_case(module, inputs, options)
    for name, function in ACTIVATIONS.items():
        cases[f"activation.{name}"] = activation_case(function)
    for name, case in LOSSES.items():
        cases[f"loss.{name}"] = loss_case(*case)
    index = {
        case: {name: [str(value.numpy(force=True).dtype), list(value.shape)] for name, value in named.items()}
        for case, named in cases.items()
    }
    values = [value.numpy(force=True).ravel() for named in cases.values() for value in named.values()]
    path = Path(__file__).with_name("nn.npz")
    numbers = np.concatenate(values).astype(np.float64)
    np.savez_compressed(path, torch=torch.__version__, index=json.dumps(index), numbers=numbers)
    print(f"{path.name}: {len(cases)} cases, {numbers.size:,} numbers, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
