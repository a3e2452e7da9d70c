"""Attention and the transformer's encoder layer. Names and layouts are PyTorch's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from slopewise.engine import ops
from slopewise.engine.aval import Shape
from slopewise.engine.creation import tensor
from slopewise.engine.errors import ArgumentError, DtypeError, ShapeError
from slopewise.engine.mode import no_grad
from slopewise.engine.tensor import Tensor
from slopewise.nn.activations import gelu, relu, softmax
from slopewise.nn.dropout import Dropout
from slopewise.nn.initializers import xavier_uniform, zeros
from slopewise.nn.inputs import floating_input, positive_integer
from slopewise.nn.linear import Linear
from slopewise.nn.module import Module
from slopewise.nn.normalization import LayerNorm
from slopewise.nn.parameter import Parameter


class MultiheadAttention(Module):
    """Attention of several heads: softmax(Q Kᵀ / √d) V, with learned projections before and after.

    Parameters
    ----------
    embed_dim : features of queries, keys and values
    num_heads : how many heads share the features; must divide embed_dim
    dropout : probability of dropping an attention weight, in training mode
    bias : whether the projections have biases
    batch_first : True (unlike PyTorch's default) for inputs (batch, length, features), False for (length,
        batch, features)

    Attributes
    ----------
    in_proj_weight : Parameter, shape (3 · embed_dim, embed_dim), the projections of queries, keys and values
    in_proj_bias : Parameter, shape (3 · embed_dim,), or None
    out_proj : Linear

    Notes
    -----
    Source: A. Vaswani et al., "Attention is all you need", NeurIPS 2017, equation 1. A query that may attend
    to nothing gives nan, as in PyTorch.

    Examples
    --------
    >>> import slopewise as sw
    >>> x = sw.nn.initializers.normal((2, 5, 8))
    >>> output, weights = sw.nn.MultiheadAttention(8, num_heads=2)(x, x, x)
    >>> output.shape, weights.shape
    ((2, 5, 8), (2, 5, 5))
    """

    in_proj_bias: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        batch_first: bool = True,
    ) -> None:
        self.embed_dim = positive_integer("embed_dim", embed_dim)
        self.num_heads = positive_integer("num_heads", num_heads)
        if embed_dim % num_heads:
            raise ArgumentError(f"num_heads={num_heads} must divide embed_dim={embed_dim}")
        self.batch_first = batch_first
        self.in_proj_weight = Parameter(xavier_uniform((3 * embed_dim, embed_dim)))
        self.in_proj_bias = Parameter(zeros((3 * embed_dim,))) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias)
        if self.out_proj.bias is not None:
            with no_grad():
                self.out_proj.bias.copy_(0.0)
        self.weight_dropout = Dropout(dropout) if dropout else None

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend.

        Parameters
        ----------
        query : Tensor, shape (batch, targets, features)
        key, value : Tensors, shape (batch, sources, features)
        key_padding_mask : Tensor, shape (batch, sources): True where a key is padding, or floats to add
        need_weights : whether to return the attention weights
        attn_mask : Tensor, shape (targets, sources) or (batch · heads, targets, sources): True where
            attention is not allowed, or floats to add to the scores
        average_attn_weights : whether the returned weights are the mean over heads
        is_causal : whether a target attends only to sources that are not after it

        Returns
        -------
        (output, weights) : output as query; weights (batch, targets, sources), or (batch, heads, targets,
        sources), or None
        """
        query, key, value = (self._batch_first(x) for x in (query, key, value))
        self._check_shapes(query, key, value)
        scores_bias = self._masks(query, key, key_padding_mask, attn_mask, is_causal)
        q, k, v = (self._heads(x, part) for part, x in enumerate((query, key, value)))
        scores = ops.matmul(q * (1.0 / math.sqrt(q.shape[-1])), k.mT)
        weights = softmax(scores if scores_bias is None else scores + scores_bias)
        dropped = weights if self.weight_dropout is None else self.weight_dropout(weights)
        joined = ops.swapaxes(ops.matmul(dropped, v), 1, 2).reshape(query.shape)
        output = self.out_proj(joined)
        if not self.batch_first:
            output = ops.swapaxes(output, 0, 1)
        if not need_weights:
            return output, None
        return output, (ops.mean(weights, 1) if average_attn_weights else weights)

    def _batch_first(self, x: Tensor) -> Tensor:
        x = floating_input(self, x, self.in_proj_weight.dtype)
        if x.ndim != 3 or x.shape[-1] != self.embed_dim:
            layout = "(batch, length, features)" if self.batch_first else "(length, batch, features)"
            raise ShapeError(
                f"{self._title()} needs {self.embed_dim} features in shape {layout}, got {x.shape}"
            )
        return x if self.batch_first else ops.swapaxes(x, 0, 1)

    def _check_shapes(self, query: Tensor, key: Tensor, value: Tensor) -> None:
        if key.shape != value.shape or key.shape[0] != query.shape[0]:
            raise ShapeError(
                f"{self._title()} needs keys and values of one shape, in the query's batch, got query "
                f"{query.shape}, key {key.shape} and value {value.shape}, batch first"
            )

    def _heads(self, x: Tensor, part: int) -> Tensor:
        """Project queries (0), keys (1) or values (2), and split: (batch, heads, length, size)."""
        rows = slice(part * self.embed_dim, (part + 1) * self.embed_dim)
        bias = None if self.in_proj_bias is None else self.in_proj_bias[rows]
        projected = ops.linear(x, self.in_proj_weight[rows], bias)
        batch, length, features = projected.shape
        split = projected.reshape((batch, length, self.num_heads, features // self.num_heads))
        return ops.swapaxes(split, 1, 2)

    def _masks(
        self,
        query: Tensor,
        key: Tensor,
        key_padding_mask: Tensor | None,
        attn_mask: Tensor | None,
        is_causal: bool,
    ) -> Tensor | None:
        """Return what is added to scores (batch, heads, targets, sources), or None."""
        (batch, targets, _), sources = query.shape, key.shape[1]
        added = []
        if is_causal:
            later = np.triu(np.ones((targets, sources), np.bool_), 1)
            added.append(_additive("is_causal", tensor(later), query, [(targets, sources)]))
        if attn_mask is not None:
            every = (batch * self.num_heads, targets, sources)
            mask = _additive("attn_mask", ops.as_tensor(attn_mask), query, [(targets, sources), every])
            added.append(mask if mask.ndim == 2 else mask.reshape((batch, self.num_heads, targets, sources)))
        if key_padding_mask is not None:
            mask = _additive("key_padding_mask", ops.as_tensor(key_padding_mask), query, [(batch, sources)])
            added.append(mask.reshape((batch, 1, 1, sources)))
        total: Tensor | None = None
        for mask in added:
            total = mask if total is None else total + mask
        return total

    def _title(self) -> str:
        return f"MultiheadAttention({self.embed_dim}, {self.num_heads})"

    def extra_repr(self) -> str:
        return f"{self.embed_dim}, num_heads={self.num_heads}"


def _additive(name: str, mask: Tensor, like: Tensor, shapes: list[Shape]) -> Tensor:
    """Return a mask as numbers to add to scores: -inf where a boolean one is True."""
    if mask.shape not in shapes:
        listed = " or ".join(map(str, shapes))
        raise ShapeError(f"{name} must have shape {listed}, not {mask.shape}")
    if mask.dtype.kind == "b":
        return ops.where(mask, -math.inf, zeros(mask.shape, dtype=like.dtype))
    if mask.dtype.kind != "f":
        raise DtypeError(f"{name} must be boolean (True is masked) or floating (added), not {mask.dtype}")
    return mask.astype(like.dtype)


_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": relu, "gelu": gelu}


class TransformerEncoderLayer(Module):
    """Self-attention and a feed-forward network, each with dropout, a residual and layer normalization.

    Parameters
    ----------
    d_model : features
    nhead : heads of the attention
    dim_feedforward : width of the feed-forward network
    dropout : probability, in training mode
    activation : "relu", "gelu", or a function of a tensor
    layer_norm_eps : see `LayerNorm`
    batch_first : True (unlike PyTorch's default) for inputs (batch, length, features)
    norm_first : whether to normalise before each part (more stable) or after it, as in the paper
    bias : whether linear and normalization layers have biases

    Notes
    -----
    Source: A. Vaswani et al., "Attention is all you need", NeurIPS 2017, section 3.1; norm_first: R. Xiong et
    al., "On layer normalization in the transformer architecture", ICML 2020.

    Examples
    --------
    >>> import slopewise as sw
    >>> layer = sw.nn.TransformerEncoderLayer(8, nhead=2, dim_feedforward=16)
    >>> layer(sw.nn.initializers.normal((2, 5, 8))).shape
    (2, 5, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = True,
        norm_first: bool = False,
        bias: bool = True,
    ) -> None:
        if isinstance(activation, str) and activation not in _ACTIVATIONS:
            raise ArgumentError(f"activation must be 'relu', 'gelu' or a function, not {activation!r}")
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first)
        self.linear1 = Linear(d_model, dim_feedforward, bias)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = _ACTIVATIONS[activation] if isinstance(activation, str) else activation

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Encode; the masks are those of `MultiheadAttention`."""
        masks = {"attn_mask": src_mask, "key_padding_mask": src_key_padding_mask, "is_causal": is_causal}
        if self.norm_first:
            src = src + self._attend(self.norm1(src), masks)
            return src + self._feed_forward(self.norm2(src))
        src = self.norm1(src + self._attend(src, masks))
        normed: Tensor = self.norm2(src + self._feed_forward(src))
        return normed

    def _attend(self, x: Tensor, masks: dict[str, Any]) -> Tensor:
        attended: Tensor = self.self_attn(x, x, x, need_weights=False, **masks)[0]
        dropped: Tensor = self.dropout1(attended)
        return dropped

    def _feed_forward(self, x: Tensor) -> Tensor:
        inner = self.dropout(self.activation(self.linear1(x)))
        dropped: Tensor = self.dropout2(self.linear2(inner))
        return dropped
