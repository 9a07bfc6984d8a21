"""What is decided in UV space before an edit is drawn: trust, completion, masks and colours.

All of it is smooth, and no finer than what the network knows; it is computed at a fixed, small
number of texels, whatever the size of the photos. The face is drawn through the same texels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache, partial

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..core.compilation import jit_products
from ..core.geometry.coarse import coarse_layout
from ..core.geometry.layout import UVLayout
from ..core.geometry.scales import enlarge, pool
from ..core.geometry.visibility import normals
from ..core.io.traced import blank, keep_traced
from ..core.types import Face
from .beard import beard_share
from .colour import ColorTransfer, apply_light, lab_from_rgb
from .complete import DRAWN_FROM, Completion, Shares, complete, fill_smoothly
from .eyes import white_beside
from .features import brow_area, corner_area, spared_share, texel_uv
from .harshness import light_harshness
from .light import ColorMatch, Skin, fit_colors
from .mouth import mouth_trust
from .occlusion import agree_trust, lit_trust, periphery, skin_trust, strand_trust
from .paleness import skin_paleness
from .regions import ramp, smooth_step, soften
from .reshape import guarded
from .source import Source

__all__ = ["EditMasks", "EditPlan", "Layers", "PlanConfig", "plan_edit"]

_TEXELS = 128  # along a side, of all that is decided
_FOLDS = 5.0  # texels of 256: width of lids, nostrils and the corners of the mouth
_WRINKLES = 3.0  # texels of 256: what is finer is no part of the surface that is lit and seen
_COVER_BLUR = 1.5  # texels of 256
_FAR_BLUR, _FAR_WEIGHT = 8.0, 0.02  # texels of 256: for what lies deep in what the face hides
_SEEN = 0.5  # visibility as far as the face's own shape is in question
_RIM = 0.5  # of the mask
_TRACE = 0.05  # of known colour: below it there is none
_DETAIL = 6.0  # texels of 256: what is finer is not colour but skin
_FILL_TEXELS = 64  # along a side, of colours that are continued smoothly
_ENOUGH_LIPS = 0.0025  # of the layout's area: a tenth of both lips
# How the source faces the camera, relative to the target: below the first a texel is a smear.
_STRETCH = (0.2, 0.45)
_LEAST_FACING = 0.1


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
    # [n, n, 3], how far the target's surface would move to have another shape, photo pixels.
    shift: Array | None = None


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
    own: Array  # [...], share of the colour read at `place`
    mirrored: Array  # [...]
    filled: Array  # [...]; what the three shares leave to 1 is the target's own
    seen: Array  # [...], 1 where the target's photo shows the skin
    bare: Array  # [...], 1 where nothing but the face itself may hide the target's skin
    uv: Array  # [..., 2], where the edit's masks are read at the pixels: they are finer
    moved: Array  # [..., 2], how far the target's surface is moved, photo pixels
    mask: Array  # [...], what may change, averaged over the texels
    keep: Array  # [...], where the target's own pixels stay, the same
    white: Array  # [...], where they stay besides: only the source shows the white of an eye
    rim: Array  # [...], 1 outside the mask where both photos show skin to compare


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class EditPlan:
    """What is drawn at the texels of a coarse layout, and how its colours are changed."""

    layers: Layers  # [S, S, ...]
    vertices: Array  # [S * S, 3], where the texels lie in the target, photo pixels
    triangles: Array  # [M, 3] int32, between them
    own_transfer: ColorTransfer  # Oklab of the source to the target's
    mirrored_transfer: ColorTransfer  # the same for texels read from the other side


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class _Side:
    """What is known of one face's texels, ``[S, S]`` each."""

    lab: Array  # [S, S, 3] Oklab
    seen: Array  # 1 where the photo shows the skin of the texel
    plain: Array  # 1 where that skin wears no beard
    facing: Array  # cosine between the surface and the view, smoothed, at least 0
    normal: Array  # [S, S, 3] of the surface that the light fell on, smoothed
    paleness: Array  # [], of the skin
    harshness: Array  # [], of the light

    def mirrored(self, layout: UVLayout) -> _Side:
        """Return what the photo shows at the texels on the other side of the face."""
        single = jnp.stack([self.seen, self.plain, self.facing], axis=-1)
        beside = layout.mirror(jnp.concatenate([self.lab, self.normal, single], axis=-1))
        lab, normal, single = jnp.split(beside, (3, 6), axis=-1)
        seen, plain, facing = jnp.moveaxis(single, -1, 0)
        return dataclasses.replace(
            self, lab=lab, normal=normal, seen=seen, plain=plain, facing=facing
        )

    def drawn_on(self, other: _Side) -> _Side:
        """Return the side without what would be a smear where the other one faces the camera."""
        return dataclasses.replace(self, seen=self.seen * _smear(self.facing, other.facing))

    def skin(self, region: Array) -> Skin:
        """Return what is seen of a region ``[S, S]``, without a beard."""
        weight = region * self.seen * self.plain
        return Skin(
            lab=self.lab,
            normal=self.normal,
            weight=weight,
            paleness=self.paleness,
            harshness=self.harshness,
        )


def _examine(shown: Face | Source, layout: UVLayout, *, occlusion: bool) -> _Side:
    """Judge which texels of a photo show what they are called, at the texels of a coarse layout.

    Without ``occlusion`` all do that face the camera and lie before the rest of the face.
    """
    seen = jnp.stack([shown.visibility, shown.self_visibility], axis=-1)
    layers = [shown.texture, seen, shown.position_map]
    small = pool(jnp.concatenate(layers, axis=-1), layout.size)
    normal = lit = _smooth_normals(small[..., 5:], layout)
    if isinstance(shown, Source) and shown.lit_map is not None:
        lit = _smooth_normals(pool(shown.lit_map, layout.size), layout)
    lab, own = lab_from_rgb(small[..., :3]), small[..., 4]
    facing = jnp.maximum(normal[..., 2], 0.0)
    seen, plain, skin = own, jnp.ones_like(own), layout.region("skin")
    harshness = light_harshness(lab, skin * seen, layout)
    if occlusion:
        bare = _bridge_folds(small[..., 3], own, layout)
        bare = bare * skin_trust(lab, bare, periphery(layout, normal), skin)
        harshness = light_harshness(lab, skin * bare, layout)
        bare = bare * mouth_trust(
            lab, bare, skin, layout.region("lips"), layout.region("mouth_interior")
        )
        bare = bare * lit_trust(lab, bare, layout)
        bare = bare * strand_trust(lab, bare, layout, harshness=harshness)
        seen = bare * agree_trust(lab, bare, layout)
        plain = 1.0 - beard_share(lab, seen, own, layout)
    return _Side(
        lab=lab,
        seen=seen,
        plain=plain,
        facing=facing,
        normal=lit,
        paleness=skin_paleness(lab, skin * seen * plain, seen, own, layout),
        harshness=harshness,
    )


def _smooth_normals(position_map: Array, layout: UVLayout) -> Array:
    return soften(normals(position_map, layout), _WRINKLES * layout.size / 256)


def _bridge_folds(visible: Array, own: Array, layout: UVLayout) -> Array:
    """Return the visibility with the face's own narrow gaps closed.

    What hides in the fold of a lid or beside a nostril has the colour of what is seen around it;
    left out, it would tear a hole into the middle of the face. What something *else* hides, a
    frame of glasses or a strand of hair, stays hidden.
    """
    around = soften(own[..., None], _FOLDS * layout.size / 256)[..., 0]
    bridged = jnp.maximum(own, smooth_step((around - 0.45) / 0.3))
    return jnp.where(own > _SEEN, visible, bridged * _uncovered(visible, own))


def _uncovered(visible: Array, own: Array) -> Array:
    """Return the share of what the face does not hide itself that nothing else hides.

    Where the face hides itself, what lies around that tells.
    """
    texel = own.shape[0] / 256
    inner = smooth_step(2.0 * own - 1.0)  # at the rim of it colours are mixed
    both = inner[..., None] * jnp.stack([visible, own], axis=-1)
    blurred = soften(both, _COVER_BLUR * texel) + _FAR_WEIGHT * soften(both, _FAR_BLUR * texel)
    return jnp.minimum(blurred[..., 0] / jnp.maximum(blurred[..., 1], 1e-4), 1.0)


def _smear(facing: Array, wanted: Array) -> Array:
    """Return 0 where a texel is seen so much more from the side than it is drawn: a smear."""
    return ramp((facing + _LEAST_FACING) / (wanted + _LEAST_FACING), _STRETCH)


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


@cache
def _planner(config: PlanConfig) -> Callable[..., EditPlan]:
    transfer = blank(ColorTransfer)
    like = blank(EditPlan, layers=blank(Layers), own_transfer=transfer, mirrored_transfer=transfer)
    return keep_traced(
        partial(_plan, config=config), key=f"plan {config}", like=like, jit=jit_products
    )


def _plan(
    face: Face, source: Source, masks: EditMasks, layout: UVLayout, *, config: PlanConfig
) -> EditPlan:
    coarse = coarse_layout(layout, _TEXELS)
    stacked = jnp.stack([masks.mask, masks.keep, masks.skin], axis=-1)
    mask, keep, region = jnp.moveaxis(pool(stacked, coarse.size), -1, 0)
    target = _examine(face, coarse, occlusion=config.occlusion)
    shown = _examine(source, coarse, occlusion=True)
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
    own = pool(face.self_visibility[..., None], coarse.size)[..., 0]
    lips = coarse.region("lips")
    shares = complete(
        other.seen,
        beside.seen,
        wanted=target.seen,
        how=config.complete,
        whole=lips,
        left=corner_area(coarse),
    )
    fill = _fill_colors(
        dataclasses.replace(
            shares, own=shares.own * other.seen, mirrored=shares.mirrored * beside.seen
        ),
        apply_light(match.transfer, other.lab, match.light, hair=hair[0], spared=spared),
        apply_light(mirrored.transfer, beside.lab, mirrored.light, hair=hair[1], spared=spared),
        lips,
        how=config.complete,
    )
    # Colours are compared outside the mask, and where the source is a smear, not where a hair or a
    # fold is in the way.
    known = shares.own + shares.mirrored
    is_rim = ((mask < _RIM) | (known < DRAWN_FROM)) & (known > _TRACE)
    place = pool(source.position_map[..., :2], coarse.size)
    shift = _shift(masks, mask, target, coarse)
    layers = Layers(
        place=place,
        mirrored_place=coarse.mirror(place),
        light=match.light,
        mirrored_light=mirrored.light,
        hair=hair[0],
        mirrored_hair=hair[1],
        spared=spared,
        fill=fill + _detail(target),
        own=shares.own,
        mirrored=shares.mirrored,
        filled=shares.filled,
        seen=target.seen,
        bare=jnp.where(own > _SEEN, target.seen / own, _uncovered(target.seen, own)),
        uv=texel_uv(coarse.size),
        moved=shift[..., :2],
        mask=mask * target.seen,
        keep=keep,
        white=_whites(shown, target, keep, coarse),
        rim=target.seen
        * jnp.maximum(shown.seen, shares.mirrored)
        * is_rim.astype(shown.seen.dtype),
    )
    return EditPlan(
        layers=layers,
        vertices=(pool(face.position_map, coarse.size) + shift).reshape(-1, 3),
        triangles=coarse.triangles,
        own_transfer=match.transfer,
        mirrored_transfer=mirrored.transfer,
    )


def _whites(shown: _Side, target: _Side, keep: Array, layout: UVLayout) -> Array:
    """Return where the source shows an eye's white and the target's own eye, kept, shows none.

    On either side: texels may be mirrored.
    """
    if "eyeballs" not in layout.regions:
        return jnp.zeros_like(keep)
    eyeballs = keep * layout.region("eyeballs")
    white, own = (white_beside(side.lab, side.seen, eyeballs, layout) for side in (shown, target))
    return jnp.maximum(white, layout.mirror(white[..., None])[..., 0]) * (1.0 - own)


def _shift(masks: EditMasks, mask: Array, target: _Side, layout: UVLayout) -> Array:
    """Return how far the target's surface is moved, ``[S, S, 3]`` photo pixels."""
    if masks.shift is None:
        return jnp.zeros_like(target.normal)
    shift = masks.strength * enlarge(masks.shift, layout.size)
    return guarded(shift, mask=mask, seen=target.seen, facing=target.facing, layout=layout)


def _fill_colors(
    shown: Shares, own: Array, mirrored: Array, lips: Array, *, how: Completion
) -> Array:
    """Return smooth Oklab ``[S, S, 3]`` for texels that neither side shows.

    Colours from what lies around them, for lips from what is known of the lips.
    """
    if how in ("none", "mirror"):
        return jnp.zeros_like(own)
    known = (shown.own + shown.mirrored)[..., None]
    colors = shown.own[..., None] * own + shown.mirrored[..., None] * mirrored
    is_lip = lips[..., None]
    layers = [colors * (1.0 - is_lip), known * (1.0 - is_lip), colors * is_lip, known * is_lip]
    small = pool(jnp.concatenate(layers, axis=-1), _FILL_TEXELS)
    weight: Float[Array, "size size"] = small[..., 3]
    mean = small[..., :3] / jnp.maximum(weight[..., None], 1e-6)
    smooth = enlarge(fill_smoothly(mean, weight), own.shape[0])
    lip_weight = small[..., 7:]
    lip_color = small[..., 4:7].sum(axis=(0, 1)) / jnp.maximum(lip_weight.sum(), 1e-6)
    return smooth + is_lip * smooth_step(lip_weight.mean() / _ENOUGH_LIPS) * (lip_color - smooth)


def _detail(side: _Side) -> Array:
    """Return what is finer than a few texels of a face's colours, where it is seen.

    Filled skin would be flat without it.
    """
    seen = side.seen[..., None]
    width = _DETAIL * seen.shape[0] / 256
    blurred = soften(jnp.concatenate([side.lab * seen, seen], axis=-1), width)
    return seen * (side.lab - blurred[..., :3] / jnp.maximum(blurred[..., 3:], 1e-3))
