"""What one photo shows of a face, judged texel by texel in UV."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..core.geometry.layout import UVLayout
from ..core.geometry.ramps import ramp, smooth_step
from ..core.geometry.scales import pool
from ..core.geometry.visibility import normals
from ..core.types import Face
from .colour import lab_from_rgb
from .light import Skin
from .regions import soften
from .seen.beard import among_beard, beard_share, roughness, whole_beard
from .seen.brows import brow_share
from .seen.eyes import eye_whites
from .seen.glasses import frame_trust, whole_brows
from .seen.harshness import light_harshness, profile_share
from .seen.mouth import mouth_trust
from .seen.occlusion import (
    agree_trust,
    end_trust,
    lit_trust,
    periphery,
    skin_trust,
    strand_trust,
)
from .seen.paleness import skin_paleness
from .source import Source

__all__ = ["Side", "bare_share", "examine"]

_FOLDS = 5.0  # texels of 256: width of lids, nostrils and the corners of the mouth
_WRINKLES = 3.0  # texels of 256: what is finer is no part of the surface that is lit and seen
_COVER_BLUR = 1.5  # texels of 256
_HAIR_EDGE = 1.0  # texel of 256: where hair and skin are mixed
_FAR_BLUR, _FAR_WEIGHT = 8.0, 0.02  # texels of 256: for what lies deep in what the face hides
_BEARD_RIM = 14.0  # texels of 256, blur of the mask
_BEARD_INNER = (0.5, 0.95)  # of the mask so blurred: from the edge to where no beard stays
_SEEN = 0.5  # visibility as far as the face's own shape is in question
# How the source faces the camera, relative to the target: below the first a texel is a smear.
_STRETCH = (0.2, 0.45)
_LEAST_FACING = 0.1


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Side:
    """What is known of one face's texels, ``[S, S]`` each."""

    lab: Array  # [S, S, 3] Oklab
    seen: Array  # 1 where the photo shows the skin of the texel
    plain: Array  # 1 where that skin wears no beard and no brow
    among: Array  # 1 where beards grow if it wears one: skin in its shade
    white: Array  # 1 where it shows the white of an eye
    facing: Array  # cosine between the surface and the view, smoothed, at least 0
    normal: Array  # [S, S, 3] of the surface that the light fell on, smoothed
    paleness: Array  # [], of the skin
    harshness: Array  # [], of the light
    profile: Array  # [], 1 for a face of which one side is shown

    def mirrored(self, layout: UVLayout) -> Side:
        """Return what the photo shows at the texels on the other side of the face."""
        single = jnp.stack([self.seen, self.plain, self.white, self.facing], axis=-1)
        beside = layout.mirror(jnp.concatenate([self.lab, self.normal, single], axis=-1))
        lab, normal, single = jnp.split(beside, (3, 6), axis=-1)
        seen, plain, white, facing = jnp.moveaxis(single, -1, 0)
        return dataclasses.replace(
            self, lab=lab, normal=normal, seen=seen, plain=plain, white=white, facing=facing
        )

    def drawn_on(self, other: Side) -> Side:
        """Return the side without what would be a smear where the other one faces the camera."""
        return dataclasses.replace(self, seen=self.seen * _smear(self.facing, other.facing))

    def without_shade_at_end(self, matched: Array, target: Side, layout: UVLayout) -> Side:
        """Return the side without skin that is in the shade of what hides the rest of it.

        Beards and brows, which are darker than skin, stay.

        Args:
            matched: ``[S, S, 3]`` Oklab of the texels in the target's light.
            target: what they will be put onto.
            layout: of both.
        """
        trust = end_trust(matched, self.seen, target.lab, target.seen, layout)
        return dataclasses.replace(self, seen=self.seen * (1.0 - self.plain * (1.0 - trust)))

    def with_beard_left(self, mask: Array) -> Side:
        """Return the side with its own beard left towards the edge of a mask ``[S, S]``.

        A beard stands out from the face and goes on below the chin: what is swapped ends within
        it, and must not end in a line.
        """
        width = _BEARD_RIM * mask.shape[0] / 256
        inner = ramp(soften((mask * self.seen)[..., None], width)[..., 0], _BEARD_INNER)
        return dataclasses.replace(self, seen=self.seen * (1.0 - self.among * (1.0 - inner)))

    def skin(self, region: Array) -> Skin:
        """Return what is seen of a region ``[S, S]``, without beard and brows."""
        weight = region * self.seen * self.plain * (1.0 - self.among)
        return Skin(
            lab=self.lab,
            normal=self.normal,
            weight=weight,
            paleness=self.paleness,
            harshness=self.harshness,
        )


def examine(
    shown: Face | Source,
    layout: UVLayout,
    *,
    occlusion: bool,
    target: Side | None = None,
    counted: Array | None = None,
) -> Side:
    """Judge which texels of a photo show what they are called, at the texels of a coarse layout.

    Args:
        shown: the photo's face.
        layout: the coarse layout.
        occlusion: if False, all texels do that face the camera and lie before the rest of the face.
        target: what the face will be put onto, if it is another. Shadows that are harsher than its
            are not taken along; its own stay.
        counted: ``[S, S]``, 1 where its skin tells of its tone and its light; all if None.
    """
    seen = jnp.stack([shown.visibility, shown.self_visibility], axis=-1)
    layers = [shown.texture, seen, shown.position_map]
    small = pool(jnp.concatenate(layers, axis=-1), layout.size)
    normal = lit = _smooth_normals(small[..., 5:], layout)
    if isinstance(shown, Source) and shown.lit_map is not None:
        lit = _smooth_normals(pool(shown.lit_map, layout.size), layout)
    lab, self_visibility = lab_from_rgb(small[..., :3]), small[..., 4]
    facing = jnp.maximum(normal[..., 2], 0.0)
    seen = self_visibility
    plain, among = jnp.ones_like(seen), jnp.zeros_like(seen)
    all_skin = layout.region("skin")
    skin = all_skin if counted is None else all_skin * counted
    harshness = light_harshness(lab, skin * seen, layout)
    profile = profile_share(all_skin * seen, layout)
    if occlusion:
        visible = small[..., 3]
        unframed = frame_trust(shown.texture, lab, visible, self_visibility, layout)
        if target:
            unframed = whole_brows(unframed, target.seen, layout)
        bare = _bridge_folds(visible * unframed, self_visibility, layout)
        is_skin = skin_trust(lab, bare, periphery(layout, normal), skin)
        bare = bare * is_skin
        harshness = light_harshness(lab, skin * bare, layout)
        profile = profile_share(all_skin * bare, layout)
        bare = bare * mouth_trust(
            lab,
            bare,
            skin,
            layout.region("lips"),
            layout.region("mouth_interior"),
            paleness=skin_paleness(lab, skin * bare, bare, self_visibility, layout),
        )
        bare = bare * lit_trust(lab, bare, layout)
        if target:
            # The other side of a profile does not tell what is light, the target's front does.
            harshness = jnp.maximum(harshness, profile - target.profile)
        harsher = jnp.maximum(harshness - target.harshness, 0.0) if target else jnp.zeros(())
        bare = bare * strand_trust(lab, bare, layout, harshness=harsher)
        beard = beard_share(lab, bare, self_visibility, layout)
        seen = bare * jnp.maximum(agree_trust(lab, bare, layout), beard)
        among = among_beard(beard, seen, layout)
        hairy = jnp.maximum(beard, brow_share(lab, seen, layout))
        # A product ends what XLA would else compute anew for each channel of what is weighted.
        plain = 1.0 - soften(hairy[..., None], _HAIR_EDGE * layout.size / 256)[..., 0]
        if target:
            # Drawn, but not judged by: in its own photo the same beard is no skin either.
            rough = roughness(shown.texture, layout.size)
            hair = whole_beard(visible, self_visibility, rough, lab, layout)
            whole = jnp.maximum(seen, (hair - visible) * is_skin)
            plain *= seen / jnp.maximum(whole, 1e-6)
            seen = whole
    return Side(
        lab=lab,
        seen=seen,
        plain=plain,
        among=among,
        white=eye_whites(lab, seen, layout),
        facing=facing,
        normal=lit,
        paleness=skin_paleness(lab, skin * seen * plain, seen, self_visibility, layout),
        harshness=harshness,
        profile=profile,
    )


def _smooth_normals(position_map: Array, layout: UVLayout) -> Array:
    return soften(normals(position_map, layout), _WRINKLES * layout.size / 256)


def _bridge_folds(visible: Array, self_visibility: Array, layout: UVLayout) -> Array:
    """Return the visibility with the face's own narrow gaps closed.

    What hides in the fold of a lid or beside a nostril has the colour of what is seen around it;
    left out, it would tear a hole into the middle of the face. What something *else* hides, a
    frame of glasses or a strand of hair, stays hidden.
    """
    around = soften(self_visibility[..., None], _FOLDS * layout.size / 256)[..., 0]
    bridged = jnp.maximum(self_visibility, smooth_step((around - 0.45) / 0.3))
    return jnp.where(
        self_visibility > _SEEN, visible, bridged * _uncovered(visible, self_visibility)
    )


def bare_share(
    seen: Float[Array, "size size"], self_visibility: Float[Array, "size size"]
) -> Float[Array, "size size"]:
    """Return 1 where nothing but the face itself may hide a texel.

    Args:
        seen: 1 where the photo shows the texel's skin.
        self_visibility: 1 where the texel faces the camera and the face does not hide it.
    """
    return jnp.where(
        self_visibility > _SEEN, seen / self_visibility, _uncovered(seen, self_visibility)
    )


def _uncovered(visible: Array, self_visibility: Array) -> Array:
    """Return the share of what the face does not hide itself that nothing else hides.

    Where the face hides itself, what lies around that tells.
    """
    texel = self_visibility.shape[0] / 256
    inner = smooth_step(2.0 * self_visibility - 1.0)  # at the rim of it colours are mixed
    both = inner[..., None] * jnp.stack([visible, self_visibility], axis=-1)
    blurred = soften(both, _COVER_BLUR * texel) + _FAR_WEIGHT * soften(both, _FAR_BLUR * texel)
    return jnp.minimum(blurred[..., 0] / jnp.maximum(blurred[..., 1], 1e-4), 1.0)


def _smear(facing: Array, wanted: Array) -> Array:
    """Return 0 where a texel is seen so much more from the side than it is drawn: a smear."""
    return ramp((facing + _LEAST_FACING) / (wanted + _LEAST_FACING), _STRETCH)
