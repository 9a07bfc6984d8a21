"""What is decided in UV space before an edit is drawn: trust, completion, masks and colours.

All of it is smooth, or no finer than the network's map; it is computed at a fixed, small number
of texels, whatever the size of the photos.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array

from ..core.geometry.layout import UVLayout
from ..core.geometry.visibility import normals
from ..core.types import Face
from .colour import ColorTransfer, apply_transfer, fit_transfer, lab_from_rgb
from .complete import completion_weights
from .occlusion import periphery, skin_trust
from .regions import smooth_step, soften
from .source import Source

__all__ = ["ColorMatch", "EditMasks", "EditPlan", "plan_edit"]

ColorMatch = Literal["light", "match", "none"]

_COLOR_TEXELS = 64  # along a side: colours are fitted on averages of blocks
_TRUST_TEXELS = 128
_FOLDS = 5.0  # texels of 256: width of lids, nostrils and the corners of the mouth
_RIM = 0.5  # of the mask
_LIGHT_BLUR = 14.0  # texels of 256: light varies over a quarter of the face
_LIGHT_PRIOR = 0.05  # weight of "no difference", where little is seen in both


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class EditMasks:
    """What an edit may change, in UV."""

    mask: Array  # [S, S], in [0, 1]
    keep: Array  # [S, S], 1 where the target's own pixels stay inside the mask
    skin: Array  # [S, S], weights of the texels that colours are compared on
    strength: Array  # [], 0 leaves the photo as it is


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class EditPlan:
    """Values at the texels, to be drawn with the target's geometry."""

    values: Array  # [S * S, 15]: places (2), mirrored places (2), colour offsets (3 + 3),
    # weights of own and mirrored colours, mask, keep, comparability
    own_transfer: ColorTransfer  # Oklab of the source to the target's
    mirrored_transfer: ColorTransfer  # the same for texels read from the other side


def _pool(image: Array, size: int) -> Array:
    """Average blocks of texels down to at most ``size``; any channels."""
    block = max(image.shape[0] // size, 1)
    if image.shape[0] % block:
        return image
    cells = image.shape[0] // block
    return image.reshape(cells, block, cells, block, -1).mean(axis=(1, 3))


def _enlarge(image: Array, size: int) -> Array:
    """Interpolate a UV image linearly to ``size`` texels."""
    return jax.image.resize(image, (size, size, image.shape[-1]), "linear")


def _trust(lab: Array, visibility: Array, position_map: Array, layout: UVLayout) -> Array:
    """Return `skin_trust` at the layout's texels."""
    facing = soften(normals(position_map, layout)[..., 2:], _FOLDS * layout.size / 256)[..., 0]
    outer = periphery(layout, facing)
    layers = [visibility, outer, layout.region("skin")]
    stacked = jnp.concatenate([lab, *(layer[..., None] for layer in layers)], axis=-1)
    small = _pool(stacked, _TRUST_TEXELS)
    trust = skin_trust(small[..., :3], small[..., 3], small[..., 4], small[..., 5])
    return _enlarge(trust[..., None], layout.size)[..., 0]


def _fit_colors(
    source: Array, target: Array, weights: Array, color: ColorMatch
) -> tuple[ColorTransfer, Array]:
    """Return what takes Oklab colours to the target's: a transfer and a smooth ``[S, S, 3]``.

    Args:
        source: Oklab ``[S, S, 3]``.
        target: Oklab ``[S, S, 3]``.
        weights: ``[S, S]``, texels seen in both.
        color: what is fitted.
    """
    size = source.shape[0]
    if color == "none":
        return ColorTransfer.identity(), jnp.zeros_like(source)
    w = weights[..., None]
    small = _pool(jnp.concatenate([source * w, target * w, w], axis=-1), _COLOR_TEXELS)
    weight = jnp.maximum(small[..., 6:], 1e-6)
    source, target = small[..., :3] / weight, small[..., 3:6] / weight
    transfer = fit_transfer(source, target, small[..., 6])
    if color == "match":
        return transfer, jnp.zeros((size, size, 3), source.dtype)
    difference = (target - apply_transfer(transfer, source)) * small[..., 6:]
    sigma = _LIGHT_BLUR * source.shape[0] / 256
    blurred = soften(jnp.concatenate([difference, small[..., 6:]], axis=-1), sigma)
    return transfer, _enlarge(blurred[..., :3] / (blurred[..., 3:] + _LIGHT_PRIOR), size)


def _bridge_folds(visibility: Array) -> Array:
    """Return the visibility with narrow gaps closed.

    What hides in the fold of a lid or beside a nostril has the colour of what is seen around it;
    left out, it would tear a hole into the middle of the face.
    """
    around = soften(visibility[..., None], _FOLDS * visibility.shape[0] / 256)[..., 0]
    return jnp.maximum(visibility, smooth_step((around - 0.45) / 0.3))


@partial(jax.jit, static_argnames="color")
def plan_edit(
    face: Face, source: Source, masks: EditMasks, layout: UVLayout, *, color: ColorMatch
) -> EditPlan:
    """Decide what is drawn at each texel.

    Args:
        face: the target's face.
        source: where colours come from.
        masks: what may change.
        layout: UV layout of both.
        color: how the source's colours are matched.
    """
    source_lab, target_lab = lab_from_rgb(source.texture), lab_from_rgb(face.texture)
    seen = _bridge_folds(source.visibility)
    seen = seen * _trust(source_lab, seen, source.position_map, layout)
    open_ = _bridge_folds(face.visibility)
    open_ = open_ * _trust(target_lab, open_, face.position_map, layout)
    own, mirrored = completion_weights(seen, layout, wanted=open_)
    comparable = masks.skin * open_
    own_transfer, offset = _fit_colors(source_lab, target_lab, comparable * seen, color)
    seen_beside = layout.mirror(seen[..., None])[..., 0]
    mirrored_transfer, offset_beside = _fit_colors(
        layout.mirror(source_lab), target_lab, comparable * seen_beside, color
    )
    places = source.position_map[..., :2]
    # Colours are compared outside the mask, not in its holes: there a hair or a fold is in the way.
    rim = open_ * jnp.maximum(seen, mirrored) * (masks.mask < _RIM).astype(seen.dtype)
    weights = (own, mirrored, masks.mask * open_, masks.keep, rim)
    layers = [places, layout.mirror(places), offset, offset_beside, jnp.stack(weights, axis=-1)]
    values = jnp.concatenate(layers, axis=-1)
    return EditPlan(
        values=values.reshape(-1, values.shape[-1]),
        own_transfer=own_transfer,
        mirrored_transfer=mirrored_transfer,
    )
