"""What is decided in UV space before an edit is drawn: trust, completion, masks and colours.

All of it is smooth, and no finer than what the network knows; it is computed at a fixed, small
number of texels, whatever the size of the photos. The face is drawn through the same texels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..core.compilation import compile_products, computed_once
from ..core.geometry.coarse import coarse_layout
from ..core.geometry.layout import UVLayout
from ..core.geometry.scales import enlarge, pool
from ..core.geometry.texels import texel_uv
from ..core.once import once
from ..core.traced import blank, keep_traced
from ..core.types import Face
from .colour import ColorTransfer, apply_light, change_light
from .complete import (
    DRAWN_FROM,
    Completion,
    Shares,
    complete,
    fill_smoothly,
    is_any_sure,
    known_enough,
)
from .eyes import around_eyes, bare_lids, white_light
from .feature_color import feature_light
from .features import brow_area, corner_area, spared_share
from .identity import guarded
from .light import ColorMatch, SkinMatch, fit_colors
from .regions import soften
from .side import Side, bare_share, examine
from .source import Source

__all__ = ["TEXELS", "EditMasks", "EditPlan", "Layers", "PlanConfig", "plan_edit"]

TEXELS = 128  # along a side, of all that is decided; the face is drawn through them
_RIM = 0.5  # of the mask
_TRACE = 0.05  # of known colour: below it there is none
_DETAIL = 6.0  # texels of 256: what is finer is not colour but skin
_FILL_TEXELS = 64  # along a side, of colours that are continued smoothly


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
    stacked = jnp.stack([masks.mask, masks.keep, masks.skin], axis=-1)
    mask, keep, region = jnp.moveaxis(pool(stacked, coarse.size), -1, 0)
    counted = None
    if masks.counted is not None:
        counted = pool(masks.counted[..., None], coarse.size)[..., 0]
        region *= counted
    target = examine(face, coarse, occlusion=config.occlusion, counted=counted)
    target = target.with_beard_left(mask)
    shown = examine(source, coarse, occlusion=True, target=target)
    other, beside = shown.drawn_on(target), shown.mirrored(coarse).drawn_on(target)
    skins = [side.skin(region) for side in (other, beside)]
    both = jax.tree.map(lambda *sides: jnp.stack(sides), *skins)
    fitted = jax.vmap(partial(fit_colors, target=target.skin(region), color=config.color))(both)
    match, mirrored = (jax.tree.map(lambda leaf, side=side: leaf[side], fitted) for side in (0, 1))
    spared, brows = spared_share(coarse), brow_area(coarse)
    hair = [
        fit.skin * jnp.maximum(brows, 1.0 - side.plain)
        for fit, side in ((match, other), (mirrored, beside))
    ]
    self_visibility = pool(face.self_visibility[..., None], coarse.size)[..., 0]
    lips = coarse.region("lips")
    matched = [
        computed_once(apply_light(fit.transfer, side.lab, fit.light, hair=dark, spared=spared))
        for fit, side, dark in ((match, other, hair[0]), (mirrored, beside, hair[1]))
    ]
    if config.color != "none":  # colours of another tone would all be a shade, or none
        other, beside = (
            side.without_shade_at_end(colors, target, coarse)
            for side, colors in zip((other, beside), matched, strict=True)
        )
    shares = complete(
        other.seen,
        beside.seen,
        wanted=target.seen,
        how=config.complete,
        whole=lips,
        left=corner_area(coarse),
    )
    eyes = [
        white_light(colors, side.white, target.lab, target.white, coarse)
        for colors, side in zip(matched, (other, beside), strict=True)
    ]
    tints = _feature_lights(matched, (match, mirrored), (other, beside), target, coarse)
    fill, is_filled = _fill_colors(
        dataclasses.replace(
            shares, direct=shares.direct * other.seen, mirrored=shares.mirrored * beside.seen
        ),
        change_light(matched[0], tints[0]),
        change_light(matched[1], tints[1]),
        lips,
        how=config.complete,
    )
    # Colours are compared outside the mask, and where the source is a smear, not where a hair or a
    # fold is in the way.
    known = shares.direct + shares.mirrored
    is_rim = ((mask < _RIM) | (known < DRAWN_FROM)) & (known > _TRACE)
    place = pool(source.position_map[..., :2], coarse.size)
    vertices = pool(face.position_map, coarse.size)
    shift = _shift(masks, mask, target, vertices, coarse)
    layers = Layers(
        place=place,
        mirrored_place=coarse.mirror(place),
        light=match.light * eyes[0] * tints[0],
        mirrored_light=mirrored.light * eyes[1] * tints[1],
        hair=hair[0],
        mirrored_hair=hair[1],
        spared=spared,
        fill=fill + _detail(target),
        direct=shares.direct,
        mirrored=shares.mirrored,
        filled=shares.filled * is_filled,
        seen=target.seen,
        bare=bare_share(target.seen, self_visibility),
        uv=texel_uv(coarse.size),
        moved=shift[..., :2],
        mask=mask * target.seen,
        keep=keep,
        white=_only_white(shown, target, keep, coarse),
        rim=target.seen
        * jnp.maximum(shown.seen, shares.mirrored)
        * is_rim.astype(shown.seen.dtype),
    )
    return EditPlan(
        layers=layers,
        vertices=(vertices + shift).reshape(-1, 3),
        triangles=coarse.triangles,
        direct_transfer=match.transfer,
        mirrored_transfer=mirrored.transfer,
    )


def _feature_lights(
    matched: Sequence[Array],
    fits: Sequence[SkinMatch],
    sides: Sequence[Side],
    target: Side,
    layout: UVLayout,
) -> Array:
    """Return `feature_light` of the face and of its mirror image, ``[2, S, S, 3]``.

    Args:
        matched: Oklab of either's texels, in the target's light.
        fits: what took them there.
        sides: what is known of either.
        target: what they will be put onto.
        layout: of all.
    """
    return jax.vmap(
        lambda colors, seen, paler: feature_light(
            colors, seen, target.lab, target.seen, layout, paler=paler
        )
    )(
        jnp.stack([*matched]),
        jnp.stack([side.seen for side in sides]),
        jnp.stack([fit.transfer.paler for fit in fits]),
    )


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


def _fill_colors(
    shown: Shares, direct: Array, mirrored: Array, lips: Array, *, how: Completion
) -> tuple[Array, Array]:
    """Return smooth Oklab ``[S, S, 3]`` for texels that neither side shows, and 0 where is none.

    Colours from what lies around them, for lips from what is known of the lips.
    """
    if how in ("none", "mirror"):
        return jnp.zeros_like(direct), jnp.zeros(())
    known = (shown.direct + shown.mirrored)[..., None]
    colors = shown.direct[..., None] * direct + shown.mirrored[..., None] * mirrored
    is_lip = lips[..., None]
    layers = [colors * (1.0 - is_lip), known * (1.0 - is_lip), colors * is_lip, known * is_lip]
    small = pool(jnp.concatenate(layers, axis=-1), _FILL_TEXELS)
    weight: Float[Array, "size size"] = small[..., 3]
    mean = small[..., :3] / jnp.maximum(weight[..., None], 1e-6)
    smooth = enlarge(fill_smoothly(mean, weight), direct.shape[0])
    lip_weight = small[..., 7:]
    lip_color = small[..., 4:7].sum(axis=(0, 1)) / jnp.maximum(lip_weight.sum(), 1e-6)
    is_sure = is_any_sure(weight)
    smooth = jnp.where(is_sure, smooth, lip_color)
    lip_share = is_lip * known_enough(lip_weight[..., 0])
    filled = smooth + lip_share * (lip_color - smooth)
    return filled, jnp.maximum(is_sure.astype(filled.dtype), lip_share[..., 0])


def _detail(side: Side) -> Array:
    """Return what is finer than a few texels of a face's colours, where it is seen.

    Filled skin would be flat without it.
    """
    seen = side.seen[..., None]
    width = _DETAIL * seen.shape[0] / 256
    blurred = soften(jnp.concatenate([side.lab * seen, seen], axis=-1), width)
    return seen * (side.lab - blurred[..., :3] / jnp.maximum(blurred[..., 3:], 1e-3))
