"""``prn-lite``: the position-map network for CPUs, about 0.3 GFLOP per face.

The crop is folded 4x4 (``space_to_depth``), passed through three stages of bottleneck blocks
(32x32, 16x16, 8x8), and read out twice: by where each of a set of learned feature maps has its
mass (*keypoints*, a spatial softmax: positions are linear in the image shift), and by all cells
of the last map. Both go through a dense layer to the coefficients of a linear basis of 64x64
cubic B-spline control maps, which is trained too and starts from the principal components of
the training targets.

What is fast decides the shapes. XLA's CPU convolutions reach 100-180 GFLOP/s for 3x3 kernels of
64 and more channels on maps up to 32x32, a third of that at 64x64; 1x1 convolutions are four
times faster written as matrix products (`nnx.Linear`), above all in the gradient.

References:
    Y. Feng et al., "Joint 3D Face Reconstruction and Dense Alignment with Position Map
    Regression Network", 2018 (what is predicted). C. Finn et al., "Deep Spatial Autoencoders for
    Visuomotor Learning", 2016, section IV-B (spatial softmax). Y. Wu, K. He, "Group
    Normalization", 2018.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from ..geometry.spline import evaluate_control

__all__ = ["PRNLite", "PRNLiteConfig", "space_to_depth", "spatial_softmax"]

CROP_SIZE = 256  # pixels along one side of the crop
CENTER = 127.5  # crop pixels: control maps are stored relative to the middle of the crop
FOLD = 4  # pixels along one side of a stem cell


@dataclasses.dataclass(frozen=True, kw_only=True)
class PRNLiteConfig:
    """Shape of `PRNLite`; part of the header of its weight files."""

    stem: int = 32  # channels of the folded crop at 64x64
    widths: tuple[int, ...] = (64, 128, 256)  # channels of the stages at 32x32, 16x16, 8x8
    inner: tuple[int, ...] = (32, 64, 128)  # channels of their 3x3 convolutions
    blocks: tuple[int, ...] = (1, 3, 4)
    groups: int = 8  # of the group norms
    keypoints: int = 64  # feature maps that are read by a spatial softmax at 16x16
    reduced: int = 48  # channels to which the last map is reduced before it is flattened
    hidden: int = 512
    coefficients: int = 224
    control: int = 64  # control points along one side


def space_to_depth(image: Float[Array, "b h w c"], fold: int) -> Float[Array, "b h2 w2 c2"]:
    """Fold ``fold`` x ``fold`` neighbours into the channels."""
    b, h, w, c = image.shape
    cells = image.reshape(b, h // fold, fold, w // fold, fold, c).transpose(0, 1, 3, 2, 4, 5)
    return cells.reshape(b, h // fold, w // fold, fold * fold * c)


class _Block(nnx.Module):
    """Residual bottleneck: 1x1, 3x3, norm, 1x1; starts near the identity."""

    def __init__(self, width: int, inner: int, groups: int, *, rngs: nnx.Rngs) -> None:
        self.reduce = nnx.Linear(width, inner, rngs=rngs)
        self.conv = nnx.Conv(inner, inner, kernel_size=(3, 3), use_bias=False, rngs=rngs)
        self.norm = nnx.GroupNorm(inner, num_groups=groups, rngs=rngs)
        self.expand = nnx.Linear(
            inner, width, kernel_init=nnx.initializers.normal(0.2 / inner**0.5), rngs=rngs
        )

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
        y = self.conv(nnx.relu(self.reduce(x)))
        y = nnx.relu(self.norm(y))
        return x + self.expand(y)


class _Stage(nnx.Module):
    """Halve the map (2x2 fold, dense), then residual blocks; ends normalised and rectified."""

    def __init__(
        self, source: int, width: int, inner: int, blocks: int, groups: int, *, rngs: nnx.Rngs
    ) -> None:
        self.fold = nnx.Linear(4 * source, width, rngs=rngs)
        self.blocks = nnx.List([_Block(width, inner, groups, rngs=rngs) for _ in range(blocks)])
        self.norm = nnx.GroupNorm(width, num_groups=groups, rngs=rngs)

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 d"]:
        x = self.fold(space_to_depth(x, 2))
        for block in self.blocks:
            x = block(x)
        return nnx.relu(self.norm(x))


def spatial_softmax(scores: Float[Array, "b h w k"]) -> Float[Array, "b k2"]:
    """Return the centre of mass of each map's softmax, x and y in [-1, 1]."""
    b, h, w, k = scores.shape
    mass = nnx.softmax(scores.reshape(b, h * w, k), axis=1)
    y, x = np.meshgrid(np.linspace(-1, 1, h), np.linspace(-1, 1, w), indexing="ij")
    grid = jnp.asarray(np.stack([x.ravel(), y.ravel()], axis=-1), dtype=scores.dtype)
    return jnp.einsum("bnk,nd->bkd", mass, grid).reshape(b, 2 * k)


class PRNLite(nnx.Module):
    """Crop ``[B, 256, 256, 3]`` in [0, 1] -> control map -> position map in crop pixels."""

    def __init__(self, config: PRNLiteConfig = PRNLiteConfig(), *, rngs: nnx.Rngs) -> None:
        self.config = config
        widths = (config.stem, *config.widths)
        self.stem = nnx.Linear(3 * FOLD * FOLD, config.stem, rngs=rngs)
        self.stages = nnx.List(
            [
                _Stage(source, width, inner, blocks, config.groups, rngs=rngs)
                for source, width, inner, blocks in zip(
                    widths[:-1], config.widths, config.inner, config.blocks, strict=True
                )
            ]
        )
        self.keypoints = nnx.Linear(config.widths[-2], config.keypoints, rngs=rngs)
        self.reduce = nnx.Linear(config.widths[-1], config.reduced, rngs=rngs)
        cells = (CROP_SIZE // FOLD // 2 ** len(config.widths)) ** 2
        self.hidden = nnx.Linear(cells * config.reduced, config.hidden, rngs=rngs)
        self.coefficients = nnx.Linear(
            config.hidden + 2 * config.keypoints,
            config.coefficients,
            kernel_init=nnx.initializers.normal(0.01),
            rngs=rngs,
        )
        size = config.control**2 * 3
        basis = nnx.initializers.normal(1.0)(rngs.params(), (config.coefficients, size))
        self.basis = nnx.Param(basis)  # pixels per coefficient
        self.mean = nnx.Param(jnp.zeros(size))  # pixels from the middle of the crop

    def set_basis(
        self, mean: Float[np.ndarray, "n n 3"], basis: Float[np.ndarray, "k n n 3"]
    ) -> None:
        """Start from given control maps, pixels from the middle of the crop."""
        self.mean[...] = jnp.asarray(mean.reshape(-1), dtype=jnp.float32)
        self.basis[...] = jnp.asarray(basis.reshape(len(basis), -1), dtype=jnp.float32)

    def control(self, crops: Float[Array, "b 256 256 3"]) -> Float[Array, "b n n 3"]:
        """Return the control maps, in crop pixels (z of zero mean over the face)."""
        x = nnx.relu(self.stem(space_to_depth(2.0 * crops - 1.0, FOLD)))
        for stage in self.stages[:-1]:
            x = stage(x)
        points = spatial_softmax(self.keypoints(x))
        x = self.reduce(self.stages[-1](x))
        x = nnx.relu(self.hidden(x.reshape(x.shape[0], -1)))
        coefficients = self.coefficients(jnp.concatenate([x, points], axis=-1))
        flat = self.mean[...] + coefficients @ self.basis[...]
        n = self.config.control
        offset = jnp.array([CENTER, CENTER, 0.0], dtype=flat.dtype)
        return flat.reshape(-1, n, n, 3) + offset

    def __call__(self, crops: Float[Array, "b 256 256 3"]) -> Float[Array, "b 256 256 3"]:
        """Return the position maps, in crop pixels (z of zero mean over the face)."""
        return jax.vmap(lambda control: evaluate_control(control, CROP_SIZE))(self.control(crops))
