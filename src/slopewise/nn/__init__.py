"""Modules, activation functions, initialisers and losses."""

from typing import TYPE_CHECKING, Any

from slopewise.nn import initializers
from slopewise.nn.activation_layers import (
    ELU,
    GELU,
    SELU,
    LeakyReLU,
    LogSoftmax,
    Mish,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Step,
    Tanh,
)
from slopewise.nn.activations import (
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    mish,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    step,
    tanh,
)
from slopewise.nn.attention import MultiheadAttention, TransformerEncoderLayer
from slopewise.nn.calls import observe_calls
from slopewise.nn.containers import Flatten, Identity, ModuleList, Residual, Sequential
from slopewise.nn.convolution import Conv1d, Conv2d
from slopewise.nn.dropout import Dropout, RandomModule, reseed
from slopewise.nn.embedding import Embedding
from slopewise.nn.linear import Linear
from slopewise.nn.loss_layers import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
)
from slopewise.nn.module import Module
from slopewise.nn.normalization import BatchNorm1d, BatchNorm2d, LayerNorm
from slopewise.nn.parameter import Parameter
from slopewise.nn.pooling import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AvgPool1d,
    AvgPool2d,
    MaxPool1d,
    MaxPool2d,
)
from slopewise.nn.recurrent import GRU, LSTM, RNN
from slopewise.nn.substitution import functional_call
from slopewise.nn.summaries import Summary, summary

if not TYPE_CHECKING:  # a type checker is to know which names there are

    def __getattr__(name: str) -> Any:
        from slopewise.engine import foreign_names

        raise foreign_names.missing(__name__, name)


__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "SELU",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv1d",
    "Conv2d",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "Flatten",
    "HuberLoss",
    "Identity",
    "KLDivLoss",
    "L1Loss",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "MaxPool1d",
    "MaxPool2d",
    "Mish",
    "Module",
    "ModuleList",
    "MultiheadAttention",
    "Parameter",
    "RandomModule",
    "ReLU",
    "Residual",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Step",
    "Summary",
    "Tanh",
    "TransformerEncoderLayer",
    "elu",
    "functional_call",
    "gelu",
    "initializers",
    "leaky_relu",
    "log_softmax",
    "mish",
    "observe_calls",
    "relu",
    "reseed",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "step",
    "summary",
    "tanh",
]
