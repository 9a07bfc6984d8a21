"""What is decided in UV space before an edit is drawn: trust, completion, masks and colours.

All of it is smooth, and no finer than what the network knows; it is computed at a fixed, small
number of texels, whatever the size of the photos. The face is drawn through the same texels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..core.compilation import compile_products
from ..core.geometry.coarse import coarse_layout
from ..core.geometry.layout import UVLayout
from ..core.geometry.scales import enlarge, pool
from ..core.geometry.texels import texel_uv
from ..core.once import once
from ..core.traced import blank, keep_traced
from ..core.types import Face
from .colour import ColorTransfer, change_light
from .complete import DRAWN_FROM, Completion, Shares, complete
from .fill import detail, fill_colors
from .identity import guarded
from .light import ColorMatch
from .readings import Reading, feature_lights, read_both, whole_light
from .seen.eyes import around_eyes, bare_lids
from .seen.features import corner_area, spared_share, underside_area
from .side import Side, bare_share, examine
from .source import Source

__all__ = ["TEXELS", "EditMasks", "EditPlan", "Layers", "PlanConfig", "plan_edit"]

TEXELS = 128  # along a side, of all that is decided; the face is drawn through them
_RIM = 0.5  # of the mask
_TRACE = 0.05  # of known colour: below it there is none


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlanConfig:
    """How an edit's colours are found.

    Attributes:
        color: ``match`` fits mean and spread of the skin's colours, ``light`` also their slow
            variation over the face, ``none`` takes the source's colours as they are.
        complete: what stands in for texels that the source does not show; see `Completion`.
        occlusion: leave the target's own pixels where something covers its face.
    """

    color: ColorMatch = "light"
    complete: Completion = "auto"
    occlusion: bool = True


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class EditMasks:
    """What an edit may change, in UV."""

    mask: Array  # [S, S], in [0, 1]
    keep: Array  # [S, S], 1 where the target's own pixels stay inside the mask
    skin: Array  # [S, S], weights of the texels that colours are compared on
    strength: Array  # [], 0 leaves the photo as it is
    # [], of the mask: where both photos show skin and it is less, the photo stays as it is and a
    # Poisson blend takes its colours from there. 0: only where the mask is 0.
    held: Array = dataclasses.field(default_factory=lambda: jnp.zeros(()))
    # [n, n, 3], how far the target's surface would move to have another shape, photo pixels.
    shift: Array | None = None
    # [S, S], 1 where the target's skin tells its colours and its light; None: wherever it is seen.
    counted: Array | None = None


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Layers:
    """Images that say what is drawn; at the plan's texels, or at the target's pixels."""

    place: Array  # [..., 2] source pixel
    mirrored_place: Array  # [..., 2] the same of the texel on the other side of the face
    light: Array  # [..., 3] what the target's light multiplies the skin read at `place` by
    mirrored_light: Array  # [..., 3] the same for `mirrored_place`
    hair: Array  # [...] Oklab L of the source's skin around `place` if hair grows there, else 0
    mirrored_hair: Array  # [...] the same around `mirrored_place`
    spared: Array  # [...], share of what skin gains by being paler that is not gained
    fill: Array  # [..., 3] Oklab, colour of texels that neither side shows
    direct: Array  # [...], share of the colour read at `place`
    mirrored: Array  # [...]
    filled: Array  # [...]; what the three shares leave to 1 is the target's own
    seen: Array  # [...], 1 where the target's photo shows the skin
    bare: Array  # [...], 1 where nothing but the face itself may hide the target's skin
    uv: Array  # [..., 2], where the edit's masks are read at the pixels: they are finer
    moved: Array  # [..., 2], how far the target's surface is moved, photo pixels
    mask: Array  # [...], what may change, averaged over the texels
    keep: Array  # [...], where the target's own pixels stay, the same
    white: Array  # [...], where they stay besides: lids, where the source shows an eye's white
    rim: Array  # [...], 1 outside the mask where both photos show skin to compare


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class EditPlan:
    """What is drawn at the texels of a coarse layout, and how its colours are changed."""

    layers: Layers  # [S, S, ...]
    vertices: Array  # [S * S, 3], where the texels lie in the target, photo pixels
    triangles: Array  # [M, 3] int32, between them
    direct_transfer: ColorTransfer  # Oklab of the source to the target's
    mirrored_transfer: ColorTransfer  # the same for texels read from the other side


def plan_edit(
    face: Face,
    source: Source,
    masks: EditMasks,
    layout: UVLayout,
    *,
    config: PlanConfig,
) -> EditPlan:
    """Decide what is drawn at each texel.

    Args:
        face: the target's face.
        source: where colours come from.
        masks: what may change.
        layout: UV layout of both.
        config: how colours are found.
    """
    # Its picture is read at the pixels, not here: without it photos of all sizes share one program.
    known = dataclasses.replace(source, image=jnp.zeros((1, 1, 3)))
    plan: EditPlan = _planner(config)(face, known, masks, layout)
    return plan


@once
def _planner(config: PlanConfig) -> Callable[..., EditPlan]:
    transfer = blank(ColorTransfer)
    like = blank(
        EditPlan, layers=blank(Layers), direct_transfer=transfer, mirrored_transfer=transfer
    )
    return keep_traced(
        partial(_plan, config=config), key=f"plan {config}", like=like, compiler=compile_products
    )


def _plan(
    face: Face, source: Source, masks: EditMasks, layout: UVLayout, *, config: PlanConfig
) -> EditPlan:
    coarse = coarse_layout(layout, TEXELS)
    pair = _examined(face, source, _area(masks, coarse.size), coarse, config)
    direct, mirrored = pair.readings
    vertices = pool(face.position_map, coarse.size)
    shift = _shift(masks, pair.area.mask, pair.target, vertices, coarse)
    return EditPlan(
        layers=_layers(face, source, pair, shift, coarse, config.complete),
        vertices=(vertices + shift).reshape(-1, 3),
        triangles=coarse.triangles,
        direct_transfer=direct.fit.transfer,
        mirrored_transfer=mirrored.fit.transfer,
    )


class _Area(NamedTuple):
    """An edit's masks at the plan's texels, ``[S, S]``."""

    mask: Array
    keep: Array
    skin: Array
    counted: Array | None


class _Pair(NamedTuple):
    """What is known of the source and of what it will be put onto."""

    area: _Area
    target: Side
    shown: Side  # the source
    readings: tuple[Reading, Reading]  # of it: direct, mirrored


def _area(masks: EditMasks, size: int) -> _Area:
    stacked = jnp.stack([masks.mask, masks.keep, masks.skin], axis=-1)
    mask, keep, skin = jnp.moveaxis(pool(stacked, size), -1, 0)
    if masks.counted is None:
        return _Area(mask, keep, skin, None)
    counted = pool(masks.counted[..., None], size)[..., 0]
    return _Area(mask, keep, skin * counted, counted)


def _examined(
    face: Face, source: Source, area: _Area, layout: UVLayout, config: PlanConfig
) -> _Pair:
    target = examine(face, layout, occlusion=config.occlusion, counted=area.counted)
    target = target.with_beard_left(area.mask)
    shown = examine(source, layout, occlusion=True, target=target)
    readings = read_both(shown, target, area.skin, layout, color=config.color)
    return _Pair(area, target, shown, readings)


def _layers(
    face: Face, source: Source, pair: _Pair, shift: Array, layout: UVLayout, how: Completion
) -> Layers:
    direct, mirrored = pair.readings
    target, area = pair.target, pair.area
    shares = _shares(pair, layout, how)
    tints = feature_lights(pair.readings, target, layout)
    fill, is_filled = _filled(pair, tints, shares, layout, how)
    place = pool(source.position_map[..., :2], layout.size)
    self_visibility = pool(face.self_visibility[..., None], layout.size)[..., 0]
    return Layers(
        place=place,
        mirrored_place=layout.mirror(place),
        light=whole_light(direct, tints[0], target, layout),
        mirrored_light=whole_light(mirrored, tints[1], target, layout),
        hair=direct.hair,
        mirrored_hair=mirrored.hair,
        spared=spared_share(layout),
        fill=fill + detail(target, underside=underside_area(layout)),
        direct=shares.direct,
        mirrored=shares.mirrored,
        filled=shares.filled * is_filled,
        seen=target.seen,
        bare=bare_share(target.seen, self_visibility),
        uv=texel_uv(layout.size),
        moved=shift[..., :2],
        mask=area.mask * target.seen,
        keep=area.keep,
        white=_only_white(pair.shown, target, area.keep, layout),
        rim=_rim(pair, shares),
    )


def _shares(pair: _Pair, layout: UVLayout, how: Completion) -> Shares:
    direct, mirrored = (reading.side.seen for reading in pair.readings)
    return complete(
        direct,
        mirrored,
        wanted=pair.target.seen,
        how=how,
        whole=layout.region("lips"),
        left=corner_area(layout),
        folds=underside_area(layout),
    )


def _filled(
    pair: _Pair, tints: Array, shares: Shares, layout: UVLayout, how: Completion
) -> tuple[Array, Array]:
    """Return `fill_colors` of what both readings show, lips and brows tinted as these are."""
    direct, mirrored = (reading.side.seen for reading in pair.readings)
    shown = dataclasses.replace(
        shares, direct=shares.direct * direct, mirrored=shares.mirrored * mirrored
    )
    first, second = (
        change_light(reading.colors, tint)
        for reading, tint in zip(pair.readings, tints, strict=True)
    )
    return fill_colors(
        shown,
        first,
        second,
        target=pair.target,
        lips=layout.region("lips"),
        underside=underside_area(layout),
        how=how,
    )


def _rim(pair: _Pair, shares: Shares) -> Float[Array, "size size"]:
    """Return 1 outside the mask where both photos show skin to compare.

    Colours are compared outside the mask, and where the source is a smear, not where a hair or a
    fold is in the way.
    """
    known = shares.direct + shares.mirrored
    is_rim = ((pair.area.mask < _RIM) | (known < DRAWN_FROM)) & (known > _TRACE)
    shown = pair.shown.seen
    return pair.target.seen * jnp.maximum(shown, shares.mirrored) * is_rim.astype(shown.dtype)


def _only_white(shown: Side, target: Side, keep: Array, layout: UVLayout) -> Array:
    """Return where the source shows an eye's white and the target, whose eye is kept, bare lid.

    On either side: texels may be mirrored. Lashes and make-up of the target do not stay for that.
    """
    if "eyeballs" not in layout.regions:
        return jnp.zeros_like(keep)
    white = jnp.maximum(shown.white, layout.mirror(shown.white[..., None])[..., 0])
    lid = bare_lids(target.lab, target.seen, layout) * (1.0 - target.white)
    return around_eyes(keep * layout.region("eyeballs"), layout) * white * lid


def _shift(
    masks: EditMasks, mask: Array, target: Side, position_map: Array, layout: UVLayout
) -> Array:
    """Return how far the target's surface is moved, ``[S, S, 3]`` photo pixels."""
    if masks.shift is None:
        return jnp.zeros_like(target.normal)
    shift = masks.strength * enlarge(masks.shift, layout.size)
    return guarded(
        shift,
        mask=mask,
        seen=target.seen,
        facing=target.facing,
        places=position_map[..., :2],
        layout=layout,
    )
