"""``prn-lite``: the position-map network for CPUs, about 1 GFLOP per face.

The crop is folded 4x4 (``space_to_depth``), passed through two 3x3 convolutions at 64x64 and three
stages of bottleneck blocks (32x32, 16x16, 8x8), and read out twice: by where each of a set of
learned feature maps has its mass (*keypoints*, a spatial softmax: positions are linear in the image
shift), and by all cells of the last map. Both go through a dense layer to the coefficients of a
linear basis of cubic B-spline control maps, which is trained too and starts from the principal
components of the training targets. The basis is stored at 32x32 control points and refined to
64x64: faces are that smooth, and the file is 4 MB smaller.

Then the map looks back at the picture: features of all stages, brought to 32x32, are read where
the map so far lies, and what they say corrects the coefficients. What surrounds a point of the
face tells how far it is off, which the first reading has to infer from afar.

A decoder of 3x3 convolutions at 32x32 mixes the same features with the folded crop's own, 8x8
pixels to a cell. It tells where the crop shows the head itself, and not hair, glasses or hands
before it (each cell holds 4x4 pixels of a mask of 128x128), and serves a last correction. What
that one sees also tells how far the map may be trusted: the *confidence*.

What is fast decides the shapes. XLA's CPU convolutions reach 100-180 GFLOP/s for 3x3 kernels of
64 and more channels on maps up to 32x32, a third of that at 64x64; 1x1 convolutions are four
times faster written as matrix products (`nnx.Linear`), above all in the gradient.

References:
    Y. Feng et al., "Joint 3D Face Reconstruction and Dense Alignment with Position Map
    Regression Network", 2018 (what is predicted). Y. Wu, K. He, "Group
    Normalization", 2018. H. Zhang et al., "PyMAF: 3D Human Pose and Shape Regression with
    Pyramidal Mesh Alignment Feedback Loop", 2021 (mesh-aligned features that correct a mesh).
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from ..geometry.spline import evaluate_control, finer_control, fit_control
from .cells import CROP_SIZE, depth_to_space, read_cells, space_to_depth, spatial_softmax

__all__ = ["LARGE", "Look", "PRNLite", "PRNLiteConfig"]

CENTER = 127.5  # crop pixels: control maps are stored relative to the middle of the crop
FOLD = 4  # pixels along one side of a stem cell
_CELL = 4  # mask pixels along one side of a cell of the decoder


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
    thin: int = 80  # rank of the dense layer before them
    coefficients: int = 160
    control: int = 64  # control points along one side of the maps
    stored: int = 32  # of the basis
    anchors: tuple[int, ...] = (12, 12, 16)  # along one side: the points that look, per correction
    local: int = 48  # channels of the map that they read at 32x32
    seen: int = 12  # numbers that each of them passes on
    refined: int = 256  # hidden units of a correction
    refined_thin: int = 48  # rank of the layer before them
    decoded: int = 96  # channels of the decoder at 32x32
    decoder: int = 2  # its blocks
    judged: int = 32  # hidden units of the confidence
    first: int = 2  # blocks on the folded crop
    more: tuple[int, ...] = (0, 0, 0)  # blocks that follow in each stage
    more_inner: tuple[int, ...] = (64, 128, 256)  # channels of their 3x3 convolutions
    coarse_looks: int = 2  # corrections that read the stages' features; later ones the decoder's

    @property
    def inners(self) -> list[list[int]]:
        """Return the channels of the 3x3 convolutions of each stage's blocks."""
        stages = zip(self.blocks, self.inner, self.more, self.more_inner, strict=True)
        return [[inner] * blocks + [wide] * more for blocks, inner, more, wide in stages]


# The shape of the embedded weights `prn`: what `prn-lite` is, and more of it.
LARGE = PRNLiteConfig(first=3, more=(3, 5, 6), anchors=(12, 12, 16, 16, 20), decoder=3)


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
        self, source: int, width: int, inners: list[int], groups: int, *, rngs: nnx.Rngs
    ) -> None:
        self.fold = nnx.Linear(4 * source, width, rngs=rngs)
        self.blocks = nnx.List([_Block(width, inner, groups, rngs=rngs) for inner in inners])
        self.norm = nnx.GroupNorm(width, num_groups=groups, rngs=rngs)

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h2 w2 d"]:
        x = self.fold(space_to_depth(x, 2))
        for block in self.blocks:
            x = block(x)
        return nnx.relu(self.norm(x))


class _Pyramid(nnx.Module):
    """Bring the maps of all stages ``[B, n, n, c]`` together at the size of the first."""

    def __init__(self, widths: tuple[int, ...], inner: int, groups: int, *, rngs: nnx.Rngs) -> None:
        self.above = nnx.List(
            [nnx.Linear(width, widths[0], use_bias=False, rngs=rngs) for width in widths[1:]]
        )
        self.block = _Block(widths[0], inner, groups, rngs=rngs)
        self.norm = nnx.GroupNorm(widths[0], num_groups=groups, rngs=rngs)

    def __call__(self, maps: list[Array]) -> Float[Array, "b n n c"]:
        first, *higher = maps
        total = first
        for linear, above in zip(self.above, higher, strict=True):
            times = first.shape[1] // above.shape[1]
            total = total + jnp.repeat(jnp.repeat(linear(above), times, axis=1), times, axis=2)
        return nnx.relu(self.norm(self.block(total)))


class _Thin(nnx.Module):
    """Dense layer of low rank."""

    def __init__(self, source: int, rank: int, target: int, *, rngs: nnx.Rngs) -> None:
        self.narrow = nnx.Linear(source, rank, use_bias=False, rngs=rngs)
        self.wide = nnx.Linear(rank, target, rngs=rngs)

    def __call__(self, x: Float[Array, "b n"]) -> Float[Array, "b m"]:
        return self.wide(self.narrow(x))


class _Residual(nnx.Module):
    """Norm, one 3x3 convolution, and the way around it; starts near the identity."""

    def __init__(self, width: int, groups: int, *, rngs: nnx.Rngs) -> None:
        self.norm = nnx.GroupNorm(width, num_groups=groups, rngs=rngs)
        small = nnx.initializers.normal(0.5 / (9 * width) ** 0.5)
        self.conv = nnx.Conv(width, width, kernel_size=(3, 3), kernel_init=small, rngs=rngs)

    def __call__(self, x: Float[Array, "b h w c"]) -> Float[Array, "b h w c"]:
        return x + self.conv(nnx.relu(self.norm(x)))


class _Decoder(nnx.Module):
    """Features of the stages and the folded crop -> fine features and head mask.

    Wide cells of 8x8 pixels in place of a finer map with fewer channels: on CPUs three times as
    fast for the same products.
    """

    def __init__(self, config: PRNLiteConfig, *, rngs: nnx.Rngs) -> None:
        width = config.decoded
        self.coarse = nnx.Linear(config.widths[0], width, rngs=rngs)
        self.fine = nnx.Linear(4 * config.stem, width, use_bias=False, rngs=rngs)
        self.blocks = nnx.List(
            [_Residual(width, config.groups, rngs=rngs) for _ in range(config.decoder)]
        )
        self.norm = nnx.GroupNorm(width, num_groups=config.groups, rngs=rngs)
        self.mix = nnx.Linear(width, width, rngs=rngs)
        self.out = nnx.Linear(width, _CELL * _CELL, rngs=rngs)

    def __call__(
        self, features: Float[Array, "b n n c"], folded: Float[Array, "b m m s"]
    ) -> tuple[Float[Array, "b n n d"], Float[Array, "b h h"]]:
        x = self.coarse(features) + self.fine(space_to_depth(folded, 2))
        for block in self.blocks:
            x = block(x)
        x = nnx.relu(self.norm(x))
        logits = self.out(nnx.relu(self.mix(x)))
        return x, depth_to_space(logits, _CELL)[..., 0]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Look:
    """All that `PRNLite` says about crops; the loss sees the maps on the way, too."""

    controls: list[Array]  # [B, n, n, 3] each, from the first reading to the last correction
    head: Array  # [B, 128, 128] logits: where the crop shows the head itself
    confidence: Array  # [B] logits: how far the map may be trusted


class _Correction(nnx.Module):
    """What the anchors see, together with what is known so far -> change of the coefficients."""

    def __init__(self, config: PRNLiteConfig, anchors: int, known: int, *, rngs: nnx.Rngs) -> None:
        self.seen = nnx.Linear(config.local, config.seen, rngs=rngs)
        inputs = anchors**2 * config.seen + config.coefficients + known
        self.hidden = _Thin(inputs, config.refined_thin, config.refined, rngs=rngs)
        self.change = nnx.Linear(
            config.refined,
            config.coefficients,
            kernel_init=nnx.initializers.normal(1e-4),
            rngs=rngs,
        )

    def __call__(
        self, local: Float[Array, "b k c"], coefficients: Array, known: Array
    ) -> tuple[Float[Array, "b m"], Float[Array, "b r"]]:
        """Return the change and the hidden units."""
        seen = nnx.relu(self.seen(local)).reshape(local.shape[0], -1)
        inputs = [seen, coefficients.astype(seen.dtype), known]
        hidden = nnx.relu(self.hidden(jnp.concatenate(inputs, -1)))
        return self.change(hidden).astype(coefficients.dtype), hidden


class _Judge(nnx.Module):
    """What is known of the crop, and what the last anchors saw -> logit of the confidence."""

    def __init__(self, source: int, width: int, *, rngs: nnx.Rngs) -> None:
        self.hidden = nnx.Linear(source, width, rngs=rngs)
        self.out = nnx.Linear(width, 1, rngs=rngs)

    def __call__(self, known: Float[Array, "b n"]) -> Float[Array, " b"]:
        return self.out(nnx.relu(self.hidden(known)))[:, 0]


class PRNLite(nnx.Module):
    """Crop ``[B, 256, 256, 3]`` in [0, 1] -> control map -> position map in crop pixels."""

    def __init__(self, config: PRNLiteConfig = PRNLiteConfig(), *, rngs: nnx.Rngs) -> None:
        self.config = config
        widths = (config.stem, *config.widths)
        self.stem = nnx.Linear(3 * FOLD * FOLD, config.stem, rngs=rngs)
        self.first = nnx.List(
            [_Residual(config.stem, config.groups, rngs=rngs) for _ in range(config.first)]
        )
        self.stages = nnx.List(
            [
                _Stage(source, width, inners, config.groups, rngs=rngs)
                for source, width, inners in zip(
                    widths[:-1], config.widths, config.inners, strict=True
                )
            ]
        )
        self.keypoints = nnx.Linear(config.widths[-2], config.keypoints, rngs=rngs)
        self.reduce = nnx.Linear(config.widths[-1], config.reduced, rngs=rngs)
        cells = (CROP_SIZE // FOLD // 2 ** len(config.widths)) ** 2
        self.hidden = _Thin(cells * config.reduced, config.thin, config.hidden, rngs=rngs)
        self.coefficients = nnx.Linear(
            config.hidden + 2 * config.keypoints,
            config.coefficients,
            kernel_init=nnx.initializers.normal(0.01),
            rngs=rngs,
        )
        self.pyramid = _Pyramid(config.widths, config.inner[0], config.groups, rngs=rngs)
        self.decoder = _Decoder(config, rngs=rngs)
        self.local = nnx.Linear(config.widths[0], config.local, rngs=rngs)
        self.fine_local = nnx.Linear(config.decoded, config.local, rngs=rngs)
        self.corrections = nnx.List(
            [_Correction(config, n, config.hidden, rngs=rngs) for n in config.anchors]
        )
        self.judge = _Judge(config.hidden + config.refined, config.judged, rngs=rngs)
        size = config.stored**2 * 3
        basis = nnx.initializers.normal(1.0)(rngs.params(), (config.coefficients, size))
        self.basis = nnx.Param(basis)  # pixels per coefficient
        self.mean = nnx.Param(jnp.zeros(size))  # pixels from the middle of the crop

    def set_basis(
        self, mean: Float[np.ndarray, "n n 3"], basis: Float[np.ndarray, "k n n 3"]
    ) -> None:
        """Start from given control maps, pixels from the middle of the crop."""
        maps = jnp.asarray(np.concatenate([mean[None], basis]), jnp.float32)
        stored = self.config.stored
        coarse = jax.vmap(lambda c: fit_control(evaluate_control(c, CROP_SIZE), stored))(maps)
        self.mean[...] = coarse[0].reshape(-1)
        self.basis[...] = coarse[1:].reshape(len(basis), -1)

    def look(self, crops: Float[Array, "b 256 256 3"]) -> Look:
        """Read the crops."""
        folded = nnx.relu(self.stem(space_to_depth(2.0 * crops - 1.0, FOLD)))
        for block in self.first:
            folded = block(folded)
        maps = [folded]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        features = self.pyramid(maps[1:])
        decoded, head = self.decoder(features, folded)
        coarse, fine = self.local(features), self.fine_local(decoded)
        local = [
            coarse if at < self.config.coarse_looks else fine for at in range(len(self.corrections))
        ]
        controls, known = self._controls(maps, local)
        return Look(
            controls=controls,
            head=head.astype(jnp.float32),
            confidence=self.judge(known).astype(jnp.float32),
        )

    def _controls(self, maps: list[Array], local: list[Array]) -> tuple[list[Array], Array]:
        """Return the control maps, first reading to last correction, and what was seen."""
        points = spatial_softmax(self.keypoints(maps[-2]))
        last = self.reduce(maps[-1])
        known = nnx.relu(self.hidden(last.reshape(last.shape[0], -1)))
        both = jnp.concatenate([known.astype(points.dtype), points], axis=-1)
        coefficients = self.coefficients(both)
        controls, hidden = [self._decode(coefficients)], known
        for correction, count, cells in zip(
            self.corrections, self.config.anchors, local, strict=True
        ):
            # Where to look is not learnt, only what to make of it.
            here = jax.lax.stop_gradient(self._anchors(controls[-1], count))
            change, hidden = correction(read_cells(cells, here), coefficients, known)
            coefficients = coefficients + change
            controls.append(self._decode(coefficients))
        return controls, jnp.concatenate([known, hidden], axis=-1)

    def _decode(self, coefficients: Float[Array, "b m"]) -> Float[Array, "b n n 3"]:
        stored = self.config.stored
        flat = self.mean[...] + coefficients @ self.basis[...]
        finer = jnp.asarray(finer_control(stored, self.config.control), flat.dtype)
        coarse = flat.reshape(-1, stored, stored, 3)
        offset = jnp.array([CENTER, CENTER, 0.0], dtype=flat.dtype)
        return jnp.einsum("ri,sj,bijc->brsc", finer, finer, coarse) + offset

    def _anchors(self, control: Float[Array, "b n n 3"], count: int) -> Float[Array, "b k 2"]:
        n = self.config.control
        at = np.round((np.arange(count) + 0.5) * n / count - 0.5).astype(int)
        return control[:, at[:, None], at[None, :], :2].reshape(control.shape[0], -1, 2)

    def control(self, crops: Float[Array, "b 256 256 3"]) -> Float[Array, "b n n 3"]:
        """Return the control maps, in crop pixels (z of zero mean over the face)."""
        return self.look(crops).controls[-1]

    def __call__(self, crops: Float[Array, "b 256 256 3"]) -> Float[Array, "b 256 256 3"]:
        """Return the position maps, in crop pixels (z of zero mean over the face)."""
        return self.read(crops)[0]

    def read(
        self, crops: Float[Array, "b 256 256 3"]
    ) -> tuple[Float[Array, "b 256 256 3"], Float[Array, "b 128 128"], Float[Array, " b"]]:
        """Return the position maps, where the crops show the head itself, and the confidence."""
        look = self.look(crops)
        maps = jax.vmap(lambda control: evaluate_control(control, CROP_SIZE))(look.controls[-1])
        return maps, nnx.sigmoid(look.head), nnx.sigmoid(look.confidence)
