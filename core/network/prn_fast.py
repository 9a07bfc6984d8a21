"""The network of `prn` in a form for inference: the same function, several times as fast on CPUs.

What XLA does slowly is written as what it does fast, and nothing is left to do twice:

- batch norms are multiplied into the kernels before them, their shifts become biases;
- a transposed convolution of stride 1 is a convolution with the kernel flipped, padded (2, 1);
- one of stride 2 is a 2x2 convolution to four times the channels, one per output phase, which
  `depth_to_space` unfolds; the four phases share their inputs, so no product with 0 is computed.
  Of small maps the phases are computed apart, without the rows and columns that are cut off;
- 1x1 convolutions are matrix products;
- convolutions to 16 channels, too few for the vector units, give several pixels of a row at once;
- the last three layers have 3 channels: they work on planes, channels first, where sums of
  shifted pixels fill the vector units;
- most convolutions compute several rows of outputs at once, with two fifths to three quarters of
  the products (`winograd`).

Where planes become pixels they are `computed_once`; the first layer of planes convolves along rows,
several pixels at once, to as many planes as there are rows of taps, and sums them as planes.

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

from ..compilation import computed_once
from .cells import depth_to_space
from .inference import HEAD_SIZE
from .prn import OUTPUT_SCALE, PRN
from .winograd import Padding, convolve_tiles, transform_kernel

__all__ = ["FastPRN", "conv_stride", "fold_norm", "fold_prn", "variable_values"]

_NO_PADDING = ((0, 0), (0, 0))
_BEFORE = 2  # pixels that a stride-1 transposed 4x4 convolution reads before its output
_FLAT = 3  # layers at the end that work on planes
# As measured; what is not named gains nothing.
_CELLS = {3: 8, 16: 2}  # pixels of a row at once by input channels of 4x4 kernels
_ENTRY_CELLS = 4  # pixels of a row at once where planes begin
_TILES = {  # rows of outputs at once by taps, stride and input channels
    (4, 1): {3: 3, 16: 5, 32: 4, 64: 3, 128: 3, 256: 4, 512: 4},
    (4, 2): {64: 2, 128: 2, 256: 2},
    (2, 1): {32: 3, 64: 3, 128: 3, 256: 2, 512: 2},
}
_APART = (256, 512)  # input channels of layers whose phases are computed apart
_Kernel = Float[np.ndarray, "h w c d"]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class _Layer:
    """A convolution and its bias."""

    kernel: Any  # [h, w, c, cells d], or for tiles as `transform_kernel` returns it
    bias: jax.Array  # [d]
    padding: Padding = dataclasses.field(metadata={"static": True})
    stride: int = dataclasses.field(default=1, metadata={"static": True})
    unfold: bool = dataclasses.field(default=False, metadata={"static": True})  # four phases
    tile: int = dataclasses.field(default=0, metadata={"static": True})  # 0: none
    cells: int = dataclasses.field(default=1, metadata={"static": True})  # pixels at once

    def __call__(self, x: Float[jax.Array, "b h w c"]) -> Float[jax.Array, "b h2 w2 d"]:
        if self.tile:
            columns = self.stride * self.cells
            y = convolve_tiles(x, self.kernel, tile=self.tile, padding=self.padding, stride=columns)
        else:
            y = _convolve(x, self.kernel, self.padding, self.stride, self.cells)
        b, h, w, _ = y.shape
        y = y.reshape(b, h, w * self.cells, -1) + self.bias
        # Phases of position p are the outputs 2p - 1 and 2p.
        return depth_to_space(y, 2)[:, 1:-1, 1:-1] if self.unfold else y


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class _Phases:
    """A transposed convolution of stride 2, each phase of its outputs by itself."""

    layers: list[list[_Layer]]  # those of even and odd rows: of even and odd columns

    def __call__(self, x: Float[jax.Array, "b h w c"]) -> Float[jax.Array, "b h2 w2 d"]:
        b, h, w, _ = x.shape
        rows = [jnp.stack([layer(x) for layer in row], axis=3) for row in self.layers]
        return jnp.stack(rows, axis=2).reshape(b, 2 * h, 2 * w, -1)


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
        return nnx.relu(y + _convolve(x, self.shortcut, _NO_PADDING, self.conv.stride))


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class _Flat:
    """A transposed convolution of stride 1 to few channels, on planes: channels first."""

    kernel: jax.Array  # [h, w, c, d]
    bias: jax.Array  # [d, 1, 1, 1]

    def __call__(self, x: Float[jax.Array, "c b h w"]) -> Float[jax.Array, "d b h w"]:
        h, w = x.shape[2:]
        x = _padded(x, (2, 3))
        near = [x[:, :, i : i + h, j : j + w] for i in range(4) for j in range(4)]
        kernel = self.kernel.reshape(len(near), *self.kernel.shape[2:])
        terms = [
            (kernel[k, c], plane[c]) for k, plane in enumerate(near) for c in range(x.shape[0])
        ]
        sums = [sum(weights[d] * plane for weights, plane in terms) for d in range(len(self.bias))]
        return jnp.stack(sums) + self.bias


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class _Entry:
    """A transposed convolution of stride 1 from pixels with many channels to planes."""

    along: _Layer  # along a row, to [rows of taps, d] channels
    bias: jax.Array  # [d, 1, 1, 1]

    def __call__(self, x: Float[jax.Array, "b h w c"]) -> Float[jax.Array, "d b h w"]:
        b, h, w, _ = x.shape
        planes = self.along(x).reshape(b * h * w, -1).T.reshape(-1, len(self.bias), b, h, w)
        planes = _padded(planes, (3,))
        near = [planes[i, :, :, i : i + h] for i in range(len(planes))]
        return sum(near[1:], near[0]) + self.bias


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class FastPRN:
    """What `PRN` computes in evaluation; a pytree, made by `fold_prn`."""

    stem: _Layer
    down: list[_Block]
    up: list[_Layer | _Phases]
    entry: _Entry
    flat: list[_Flat]
    depth_center: float = dataclasses.field(metadata={"static": True})

    def __call__(self, crops: Float[jax.Array, "b 256 256 3"]) -> Float[jax.Array, "b 256 256 3"]:
        """Return the position maps, in crop pixels."""
        x = nnx.relu(self.stem(crops))
        for block in self.down:
            x = block(x)
        for layer in self.up:
            x = nnx.relu(layer(x))
        x = self.entry(x)
        for flat in self.flat:
            x = flat(nnx.relu(x))
        offset = jnp.array([0.0, 0.0, self.depth_center], dtype=x.dtype)
        x = OUTPUT_SCALE * (nnx.sigmoid(x) - offset[:, None, None, None])
        return computed_once(x).transpose(1, 2, 3, 0)

    def read(
        self, crops: Float[jax.Array, "b 256 256 3"]
    ) -> tuple[
        Float[jax.Array, "b 256 256 3"], Float[jax.Array, "b 128 128"], Float[jax.Array, " b"]
    ]:
        """Return the position maps, and 1 for mask and confidence, as `PRN.read`."""
        count = crops.shape[0]
        return self(crops), jnp.ones((count, HEAD_SIZE, HEAD_SIZE)), jnp.ones(count)


def _convolve(
    x: jax.Array, kernel: jax.Array, padding: Padding, stride: int, cells: int = 1
) -> jax.Array:
    if kernel.shape[:2] == (1, 1):
        return x[:, ::stride, ::stride] @ kernel[0, 0]
    return jax.lax.conv_general_dilated(
        x,
        kernel,
        (stride, stride * cells),
        padding,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def _padded(x: jax.Array, axes: tuple[int, ...]) -> jax.Array:
    """Return ``x`` with all pixels that a transposed 4x4 convolution of stride 1 reads."""
    pads = [(_BEFORE, 3 - _BEFORE) if axis in axes else (0, 0) for axis in range(x.ndim)]
    return jnp.pad(x, pads)


def variable_values(variable: Any) -> np.ndarray:
    """Return a parameter or statistic as float32 on the host."""
    return np.asarray(variable[...], dtype=np.float32)


def fold_norm(norm: nnx.BatchNorm) -> tuple[np.ndarray, np.ndarray]:
    """Return scale and shift per channel that a batch norm is in evaluation."""
    scale = variable_values(norm.scale) / np.sqrt(variable_values(norm.var) + norm.epsilon)
    return scale, variable_values(norm.bias) - scale * variable_values(norm.mean)


def _layer(
    kernel: _Kernel, bias: np.ndarray, padding: Padding, stride: int = 1, unfold: bool = False
) -> _Layer:
    taps, _, channels, _ = kernel.shape
    tile = _TILES.get((taps, stride), {}).get(channels, 0)
    cells = _CELLS.get(channels, 1) if stride == 1 and taps == 4 else 1
    widened = _widened(kernel, cells)
    return _Layer(
        kernel=jax.tree.map(
            jnp.asarray, transform_kernel(widened, tile, stride) if tile else widened
        ),
        bias=jnp.asarray(bias),
        padding=padding,
        stride=stride,
        unfold=unfold,
        tile=tile,
        cells=cells,
    )


def _widened(kernel: _Kernel, cells: int) -> Float[np.ndarray, "h w2 c d2"]:
    """Return the kernel whose outputs are those of ``cells`` pixels of a row."""
    h, w, c, d = kernel.shape
    widened = np.zeros((h, w + cells - 1, c, cells, d), np.float32)
    for k in range(cells):
        widened[:, k : k + w, :, k] = kernel
    return widened.reshape(h, w + cells - 1, c, cells * d)


def _down_layer(source: Any, stride: int = 1) -> _Layer:
    scale, shift = fold_norm(source.norm)
    kernel = variable_values(source.conv.kernel) * scale
    total = kernel.shape[0] - stride  # 'SAME': the odd pixel comes after
    padding = (total // 2, total - total // 2)
    return _layer(kernel, shift, (padding, padding), stride)


def _block(block: Any) -> _Block:
    scale, shift = fold_norm(block.norm)
    shortcut = block.shortcut
    return _Block(
        reduce=_down_layer(block.reduce),
        conv=_down_layer(block.conv, conv_stride(block.conv.conv)),
        expand=_layer(variable_values(block.expand.kernel) * scale, shift, _NO_PADDING),
        shortcut=jnp.asarray(
            scale if shortcut is None else variable_values(shortcut.kernel) * scale
        ),
    )


def conv_stride(conv: nnx.Conv | nnx.ConvTranspose) -> int:
    """Return the stride of a convolution along both axes."""
    strides = conv.strides
    return int(strides) if isinstance(strides, int) else int((strides or (1,))[0])


def _phases(kernel: _Kernel) -> Float[np.ndarray, "2 2 c 2 2 d"]:
    """Return the 2x2 kernel, one output per phase, of a transposed convolution of stride 2.

    Its output 2p - 1 + a meets the inputs p - 1 and p with the taps 1 - a and 3 - a.
    """
    _, _, c, d = kernel.shape
    taps = kernel.reshape(2, 2, 2, 2, c, d)[:, ::-1, :, ::-1]  # [y, a, x, b, c, d]
    return taps.transpose(0, 2, 4, 1, 3, 5)


def _transposed(source: Any) -> tuple[_Kernel, np.ndarray]:
    """Return kernel, as of a convolution, and bias of a transposed layer."""
    scale, shift = fold_norm(source.norm)
    return variable_values(source.conv.kernel)[::-1, ::-1].swapaxes(2, 3) * scale, shift


def _up_layer(source: Any) -> _Layer | _Phases:
    kernel, shift = _transposed(source)
    if conv_stride(source.conv) == 1:
        padding = (_BEFORE, 3 - _BEFORE)
        return _layer(kernel, shift, (padding, padding))
    phases = _phases(kernel)
    c, d = kernel.shape[2:]
    if c not in _APART:
        joined = phases.reshape(2, 2, c, 4 * d)
        return _layer(joined, np.tile(shift, 4), ((1, 1), (1, 1)), unfold=True)
    even_odd = ((1, (1, 0)), (0, (0, 1)))  # phase, padding
    return _Phases(
        layers=[
            [_layer(phases[:, :, :, a, b], shift, (rows, columns)) for b, columns in even_odd]
            for a, rows in even_odd
        ]
    )


def _entry(source: Any) -> _Entry:
    kernel, shift = _transposed(source)
    h, w, c, d = kernel.shape
    along = kernel.transpose(1, 2, 0, 3).reshape(1, w, c, h * d)
    layer = _Layer(
        kernel=jnp.asarray(_widened(along, _ENTRY_CELLS)),
        bias=jnp.zeros(h * d, jnp.float32),
        padding=((0, 0), (_BEFORE, 3 - _BEFORE)),
        cells=_ENTRY_CELLS,
    )
    return _Entry(along=layer, bias=jnp.asarray(shift[:, None, None, None]))


def _flat(source: Any) -> _Flat:
    kernel, shift = _transposed(source)
    return _Flat(kernel=jnp.asarray(kernel), bias=jnp.asarray(shift[:, None, None, None]))


def fold_prn(network: PRN) -> FastPRN:
    """Return a trained `PRN` in its form for inference (running statistics, on any batch)."""
    up = list(network.up)
    return FastPRN(
        stem=_down_layer(network.stem),
        down=[_block(block) for block in network.down],
        up=[_up_layer(layer) for layer in up[:-_FLAT]],
        entry=_entry(up[-_FLAT]),
        flat=[_flat(layer) for layer in up[1 - _FLAT :]],
        depth_center=network.config.depth_center,
    )
