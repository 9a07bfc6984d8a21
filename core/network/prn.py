"""``prn``: the residual encoder-decoder of the PRNet paper, layer for layer.

A 4x4 convolution to 16 channels, ten residual blocks (1x1, 4x4, 1x1) down to 8x8x512, and
seventeen transposed 4x4 convolutions back to 256x256x3 with a sigmoid. Modules stand in the order
of the released checkpoint's variable scopes (``Conv``, ``resBlock`` ... ``resBlock_9``,
``Conv2d_transpose`` ... ``Conv2d_transpose_16``), so that its weights can be put in unchanged
(transposed kernels there are stored ``[h, w, out, in]``).

References:
    Y. Feng et al., "Joint 3D Face Reconstruction and Dense Alignment with Position Map Regression
    Network", 2018, section 3.3 and figure 2; the released code for strides, norms (batch norm,
    decay 0.999 and epsilon 1e-3 as in tf.contrib.layers) and the output scale 1.1 x 256.
"""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from .inference import HEAD_SIZE

__all__ = ["PRN", "PRNConfig"]

CROP_SIZE = 256
OUTPUT_SCALE = 1.1 * CROP_SIZE  # pixels at a sigmoid of 1, as released


@dataclasses.dataclass(frozen=True, kw_only=True)
class PRNConfig:
    """Shape of `PRN`; part of the header of its weight files."""

    size: int = 16  # channels of the first convolution; everything is a multiple of it
    depth_center: float = 0.5  # sigmoid that is z = 0; the released weights have z from 0 upwards


def _norm(channels: int, rngs: nnx.Rngs) -> nnx.BatchNorm:
    return nnx.BatchNorm(channels, momentum=0.999, epsilon=1e-3, rngs=rngs)


class _ConvNorm(nnx.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(
        self, source: int, width: int, kernel: int, stride: int = 1, *, rngs: nnx.Rngs
    ) -> None:
        self.conv = nnx.Conv(
            source, width, (kernel, kernel), strides=stride, use_bias=False, rngs=rngs
        )
        self.norm = _norm(width, rngs)

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 d"]:
        return nnx.relu(self.norm(self.conv(x)))


class _ResidualBlock(nnx.Module):
    """1x1 to half the width, 4x4 with the stride, 1x1; shortcut where the shape changes."""

    def __init__(self, source: int, width: int, stride: int, *, rngs: nnx.Rngs) -> None:
        self.shortcut = (
            None
            if stride == 1 and source == width
            else nnx.Conv(source, width, (1, 1), strides=stride, use_bias=False, rngs=rngs)
        )
        self.reduce = _ConvNorm(source, width // 2, 1, rngs=rngs)
        self.conv = _ConvNorm(width // 2, width // 2, 4, stride, rngs=rngs)
        self.expand = nnx.Conv(width // 2, width, (1, 1), use_bias=False, rngs=rngs)
        self.norm = _norm(width, rngs)

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 d"]:
        shortcut = x if self.shortcut is None else self.shortcut(x)
        return nnx.relu(self.norm(self.expand(self.conv(self.reduce(x))) + shortcut))


class _Up(nnx.Module):
    """Transposed 4x4 convolution and batch norm."""

    def __init__(self, source: int, width: int, stride: int, *, rngs: nnx.Rngs) -> None:
        self.conv = nnx.ConvTranspose(
            source, width, (4, 4), strides=stride, use_bias=False, transpose_kernel=True, rngs=rngs
        )
        self.norm = _norm(width, rngs)

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 d"]:
        return self.norm(self.conv(x))


class PRN(nnx.Module):
    """Crop ``[B, 256, 256, 3]`` in [0, 1] -> position map in crop pixels."""

    def __init__(self, config: PRNConfig = PRNConfig(), *, rngs: nnx.Rngs) -> None:
        self.config = config
        s = config.size
        self.stem = _ConvNorm(3, s, 4, rngs=rngs)
        down = [(s * 2**k, stride) for k in range(1, 6) for stride in (2, 1)]
        sources = [s] + [width for width, _ in down]
        self.down = nnx.List(
            [
                _ResidualBlock(source, width, stride, rngs=rngs)
                for source, (width, stride) in zip(sources, down, strict=False)
            ]
        )
        up = [(32 * s, 1)]
        for width, repeats in ((16, 2), (8, 2), (4, 2), (2, 1), (1, 1)):
            up += [(width * s, 2)] + [(width * s, 1)] * repeats
        up += [(3, 1)] * 3
        sources = [32 * s] + [width for width, _ in up]
        self.up = nnx.List(
            [
                _Up(source, width, stride, rngs=rngs)
                for source, (width, stride) in zip(sources, up, strict=False)
            ]
        )

    def __call__(self, crops: Float[Array, "b 256 256 3"]) -> Float[Array, "b 256 256 3"]:
        """Return the position maps, in crop pixels."""
        x = self.stem(crops)
        for block in self.down:
            x = block(x)
        for up in self.up[:-1]:
            x = nnx.relu(up(x))
        unit = nnx.sigmoid(self.up[-1](x).astype(jnp.float32))
        offset = jnp.array([0.0, 0.0, self.config.depth_center], dtype=unit.dtype)
        return OUTPUT_SCALE * (unit - offset)

    def read(
        self, crops: Float[Array, "b 256 256 3"]
    ) -> tuple[Float[Array, "b 256 256 3"], Float[Array, "b 128 128"], Float[Array, " b"]]:
        """Return the position maps, and 1 for mask and confidence: they are not told."""
        count = crops.shape[0]
        return self(crops), jnp.ones((count, HEAD_SIZE, HEAD_SIZE)), jnp.ones(count)
