"""The network of `prn` in a form for inference: the same function, several times as fast on CPUs.

What XLA does slowly is written as what it does fast, and nothing is left to do twice:

- batch norms are multiplied into the kernels before them, their shifts become biases;
- a transposed convolution of stride 1 is a convolution with the kernel flipped, padded (2, 1);
- one of stride 2 is a 2x2 convolution to four times the channels, one per output phase, which
  `depth_to_space` unfolds; the four phases share their inputs, so no product with 0 is computed;
- 1x1 convolutions are matrix products;
- the last three layers have 3 channels, too few for the vector units: they work on 2x2 pixels
  folded into 12 channels. The first of them folds by itself, as a 5x5 convolution of stride 2;
- some layers compute a row or two too many: for heights that are powers of two XLA (0.10, on
  CPUs) leaves a convolution of 32 or 64 channels to one core, for others it takes them all.

References:
    V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", 2016, section 4
    (transposed convolutions as convolutions). W. Shi et al., "Real-Time Single Image and Video
    Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network", 2016, section 3.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Float

from .prn import OUTPUT_SCALE, PRN
from .prn_lite import depth_to_space

__all__ = ["FastPRN", "conv_stride", "fold_norm", "fold_prn", "variable_values"]

_BEFORE = 2  # pixels that a stride-1 transposed 4x4 convolution reads before its output
_FOLD = 2  # pixels along one side that the last layers have in one cell
_FOLDED = 3  # layers at the end that work on cells
_SPARE = {32: 1, 64: 1, 512: 2}  # rows too many, by channels of 4x4 kernels; as measured
_Padding = tuple[int, int]
_Kernel = Float[np.ndarray, "h w c d"]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class _Layer:
    """A convolution with what follows it: bias, ReLU where its caller says so."""

    kernel: jax.Array  # [h, w, c, d]
    bias: jax.Array  # [d]
    padding: _Padding = dataclasses.field(metadata={"static": True})  # before, after
    stride: int = dataclasses.field(default=1, metadata={"static": True})
    unfold: bool = dataclasses.field(default=False, metadata={"static": True})  # four phases
    spare: int = dataclasses.field(default=0, metadata={"static": True})  # rows too many

    def __call__(self, x: Float[jax.Array, "b h w c"]) -> Float[jax.Array, "b h2 w2 d"]:
        y = _convolve(x, self.kernel, self.padding, self.stride, self.spare) + self.bias
        y = y[:, : y.shape[1] - self.spare]
        # Phases of position p are the outputs 2p - 1 and 2p.
        return depth_to_space(y, 2)[:, 1:-1, 1:-1] if self.unfold else y


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class _Block:
    """A residual block; the norm of its sum is in `expand` and in the shortcut."""

    reduce: _Layer
    conv: _Layer
    expand: _Layer
    shortcut: jax.Array  # [1, 1, c, d], or [c] where the input is only scaled

    def __call__(self, x: Float[jax.Array, "b h w c"]) -> Float[jax.Array, "b h2 w2 d"]:
        y = self.expand(nnx.relu(self.conv(nnx.relu(self.reduce(x)))))
        if self.shortcut.ndim == 1:
            return nnx.relu(y + x * self.shortcut)
        return nnx.relu(y + _convolve(x, self.shortcut, (0, 0), self.conv.stride))


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class FastPRN:
    """What `PRN` computes in evaluation; a pytree, made by `fold_prn`."""

    stem: _Layer
    down: list[_Block]
    up: list[_Layer]
    depth_center: float = dataclasses.field(metadata={"static": True})

    def __call__(self, crops: Float[jax.Array, "b 256 256 3"]) -> Float[jax.Array, "b 256 256 3"]:
        """Return the position maps, in crop pixels."""
        x = nnx.relu(self.stem(crops))
        for block in self.down:
            x = block(x)
        for layer in self.up[:-1]:
            x = nnx.relu(layer(x))
        unit = nnx.sigmoid(depth_to_space(self.up[-1](x), _FOLD))
        offset = jnp.array([0.0, 0.0, self.depth_center], dtype=unit.dtype)
        return OUTPUT_SCALE * (unit - offset)

    def read(
        self, crops: Float[jax.Array, "b 256 256 3"]
    ) -> tuple[Float[jax.Array, "b 256 256 3"], Float[jax.Array, "b 128 128"]]:
        """Return the position maps, and 1 for all that may lie before the head, as `PRN.read`."""
        return self(crops), jnp.ones((crops.shape[0], 128, 128))


def _convolve(
    x: jax.Array, kernel: jax.Array, padding: _Padding, stride: int, spare: int = 0
) -> jax.Array:
    if kernel.shape[:2] == (1, 1):
        return x[:, ::stride, ::stride] @ kernel[0, 0]
    before, after = padding
    return jax.lax.conv_general_dilated(
        x,
        kernel,
        (stride, stride),
        ((before, after + spare * stride), padding),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def variable_values(variable: Any) -> np.ndarray:
    """Return a parameter or statistic as float32 on the host."""
    return np.asarray(variable[...], dtype=np.float32)


def fold_norm(norm: nnx.BatchNorm) -> tuple[np.ndarray, np.ndarray]:
    """Return scale and shift per channel that a batch norm is in evaluation."""
    scale = variable_values(norm.scale) / np.sqrt(variable_values(norm.var) + norm.epsilon)
    return scale, variable_values(norm.bias) - scale * variable_values(norm.mean)


def _layer(kernel: np.ndarray, bias: np.ndarray, padding: _Padding, **options: Any) -> _Layer:
    return _Layer(kernel=jnp.asarray(kernel), bias=jnp.asarray(bias), padding=padding, **options)


def _down_layer(source: Any, stride: int = 1) -> _Layer:
    scale, shift = fold_norm(source.norm)
    kernel = variable_values(source.conv.kernel) * scale
    total = kernel.shape[0] - stride  # 'SAME': the odd pixel comes after
    padding = (total // 2, total - total // 2)
    return _layer(kernel, shift, padding, stride=stride, spare=_spare(kernel, stride))


def _spare(kernel: _Kernel, stride: int) -> int:
    """Return the rows too many that make XLA give half of the rows to a second core."""
    return _SPARE.get(kernel.shape[2], 0) if kernel.shape[0] == 4 and stride == 1 else 0


def _block(block: Any) -> _Block:
    scale, shift = fold_norm(block.norm)
    shortcut = block.shortcut
    return _Block(
        reduce=_down_layer(block.reduce),
        conv=_down_layer(block.conv, conv_stride(block.conv.conv)),
        expand=_layer(variable_values(block.expand.kernel) * scale, shift, (0, 0)),
        shortcut=jnp.asarray(
            scale if shortcut is None else variable_values(shortcut.kernel) * scale
        ),
    )


def conv_stride(conv: nnx.Conv | nnx.ConvTranspose) -> int:
    """Return the stride of a convolution along both axes."""
    strides = conv.strides
    return int(strides) if isinstance(strides, int) else int((strides or (1,))[0])


def _phases(kernel: _Kernel) -> Float[np.ndarray, "2 2 c d4"]:
    """Return the 2x2 kernel, one output per phase, of a transposed convolution of stride 2.

    Its output 2p - 1 + a meets the inputs p - 1 and p with the taps 1 - a and 3 - a.
    """
    _, _, c, d = kernel.shape
    taps = kernel.reshape(2, 2, 2, 2, c, d)[:, ::-1, :, ::-1]  # [y, a, x, b, c, d]
    return taps.transpose(0, 2, 4, 1, 3, 5).reshape(2, 2, c, 4 * d)


def _folding(kernel: _Kernel) -> Float[np.ndarray, "5 5 c d4"]:
    """Return the 5x5 kernel, at stride 2, whose outputs are cells of 2x2 pixels of ``kernel``."""
    _, _, c, d = kernel.shape
    folding = np.zeros((5, 5, c, _FOLD, _FOLD, d), np.float32)
    for a in range(_FOLD):
        for b in range(_FOLD):
            folding[a : a + 4, b : b + 4, :, a, b] = kernel
    return folding.reshape(5, 5, c, _FOLD**2 * d)


def _folded(kernel: _Kernel) -> Float[np.ndarray, "3 3 c4 d4"]:
    """Return the 3x3 kernel from cells to cells that equals ``kernel`` from pixels to pixels."""
    folding = np.pad(_folding(kernel), ((0, 1), (0, 1), (0, 0), (0, 0)))
    _, _, c, d = folding.shape
    cells = folding.reshape(3, _FOLD, 3, _FOLD, c, d).transpose(0, 2, 1, 3, 4, 5)
    return cells.reshape(3, 3, _FOLD**2 * c, d)


def _up_layer(source: Any, place: int, count: int) -> _Layer:
    """Return the transposed layer at ``place`` of ``count`` as a convolution."""
    scale, shift = fold_norm(source.norm)
    kernel = variable_values(source.conv.kernel)[::-1, ::-1].swapaxes(2, 3) * scale
    if conv_stride(source.conv) == 2:
        return _layer(_phases(kernel), np.tile(shift, 4), (1, 1), unfold=True)
    if place < count - _FOLDED:
        return _layer(kernel, shift, (_BEFORE, 3 - _BEFORE), spare=_spare(kernel, 1))
    bias = np.tile(shift, _FOLD**2)
    if place == count - _FOLDED:
        return _layer(_folding(kernel), bias, (_BEFORE, 1), stride=_FOLD)
    return _layer(_folded(kernel), bias, (1, 1))


def fold_prn(network: PRN) -> FastPRN:
    """Return a trained `PRN` in its form for inference (running statistics, on any batch)."""
    count = len(network.up)
    return FastPRN(
        stem=_down_layer(network.stem),
        down=[_block(block) for block in network.down],
        up=[_up_layer(layer, k, count) for k, layer in enumerate(network.up)],
        depth_center=network.config.depth_center,
    )
