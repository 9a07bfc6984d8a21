"""Which texels show skin, and not hair, a hat, the background or blackness, by colour alone.

Hair and background are looked for only around the face: on the forehead, at the sides, and along
the outline. Brows, beards, lips and nostrils differ from skin, too, and belong to the face.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ...core.geometry.landmarks import BROWS, JAW
from ...core.geometry.layout import UVLayout
from ...core.geometry.ramps import ramp, smooth_step
from ..colour import DARK
from ..regions import soften

__all__ = [
    "BOTH_SEEN",
    "agree_trust",
    "average_lab",
    "end_trust",
    "lit_trust",
    "periphery",
    "skin_trust",
    "strand_trust",
]

_ABOVE_BROWS = (0.3, 1.3)  # cm: from there on the forehead is judged
_SIDE = (0.60, 0.78)  # of the face's half width: from there on the sides are
_FACING = (0.15, 0.35)  # cosine: below the first the outline is near
_TURNED = (0.94, 0.69)  # cosine of the head's turn: 20 to 46 degrees
_TURNED_FACING = 0.3  # added to the cosines of a turned head, whose far outline is often misplaced
_FIRST_BLUR, _SECOND_BLUR = 28.0, 14.0  # texels of 256
_STRAND = 3.5  # texels of 256
_CLOSE = 9.0  # texels of 256: around single strands
_DARK_STRAND = (0.06, 0.14)  # of the light around: from wrinkles to strands
_BROWS = 6.0  # texels of 256 around brows, which may lie higher than the layout says
_BESIDE_STRAND = 2.0  # texels of 256: what borders on strands is mixed with them
_FEATURES = 3.0  # texels of 256 around eyes and brows that are not judged
_ODD = 2.0  # times the tolerance: what looks so little like skin lies in front of it
_LIT_BLUR = 6.0  # texels of 256
_LIT = (0.3, 0.42)  # of the lit skin's lightness: skin that gets 1/37 to 1/13 of its light
_WELL_LIT = (0.6, 0.8)  # the same where a half is black: 1/5 to 1/2, which is streaks elsewhere
_ONE_SIDED = (0.1, 0.25)  # share of the skin that is lit on one side of the face only
BOTH_SEEN = (0.35, 0.7)  # share of the seen skin whose other side is seen, too
_BESIDE_FEATURES = (0.4, 0.6)  # of the half width: nostrils and lips end no face
_END_BLUR = 9.0  # texels of 256: of what is not seen
_AT_END = (0.04, 0.2)  # share of it around a texel that makes it part of the end
_OWN_BLUR = 6.0  # texels of 256: of the other face's colours
_SHADE = (0.05, 0.13)  # of the other face's lightness: what is darker by that is in shade
_DARKER, _BRIGHTER, _CHROMA = 0.18, 0.25, 0.06  # Oklab: half trusted at this distance
_BRIGHT = 0.65  # Oklab L of skin; on darker skin less is darker, since light multiplies


def periphery(layout: UVLayout, normal: Float[Array, "size size 3"]) -> Float[Array, "size size"]:
    """Return where hair and background may show: on the forehead, at the sides, at outlines.

    Args:
        layout: UV layout.
        normal: smoothed surface normals; at small z the background is near, and an error of the
            position map paints it on the face.
    """
    facing, turned = normal[..., 2], _turn(layout, normal)
    low, high = _FACING
    outline = 1.0 - smooth_step((facing - low - _TURNED_FACING * turned) / (high - low))
    around = jnp.maximum(_above_brows(layout), _beside(layout, _SIDE))
    outer = jnp.maximum(around, outline * layout.region("face"))
    return outer * (1.0 - _near_features(layout) * smooth_step((facing - 0.3) / 0.2))


def _above_brows(layout: UVLayout) -> Array:
    low, high = _ABOVE_BROWS
    away = layout.landmarks()[BROWS, 1].min() - layout.canonical[..., 1]
    return smooth_step((away - low) / (high - low))


def _beside(layout: UVLayout, shares: tuple[float, float]) -> Array:
    """Return 0 in the middle of the face, 1 at its sides: from shares of its half width on."""
    jaw = layout.landmarks()[JAW, 0]
    half_width = 0.5 * (jaw.max() - jaw.min())
    return ramp(jnp.abs(layout.canonical[..., 0]) / half_width, shares)


def _near_features(layout: UVLayout, width: float = _FEATURES) -> Array:
    """Return 1 at brows and eyes, which reach into the sides and look like nothing around them."""
    features = jnp.maximum(layout.region("brows"), layout.region("eyes"))[..., None]
    return smooth_step(3.0 * soften(features, width * layout.size / 256)[..., 0])


def _turn(layout: UVLayout, normal: Array) -> Array:
    """Return 0 for a head that faces the camera, 1 for one that is turned away."""
    mean = (normal * layout.region("face")[..., None]).sum(axis=(0, 1))
    cosine = mean[2] / jnp.maximum(jnp.linalg.norm(mean), 1e-6)
    return ramp(cosine, _TURNED)


def average_lab(lab: Array, weights: Array, sigma: float) -> Array:
    """Return the Gaussian average of Oklab ``[S, S, 3]`` by weights ``[S, S, 1]``."""
    blurred = soften(jnp.concatenate([lab * weights, weights], axis=-1), sigma)
    return blurred[..., :3] / jnp.maximum(blurred[..., 3:], 1e-4)


def _likeness(lab: Array, expected: Array, *, tolerance: float) -> Array:
    difference = lab - expected
    light = difference[..., 0]
    chroma = jnp.linalg.norm(difference[..., 1:] + 1e-9, axis=-1) / _CHROMA
    darker = _DARKER * jnp.clip(expected[..., 0] / _BRIGHT, 0.2, 1.0)
    distance = jnp.maximum(jnp.maximum(-light / darker, light / _BRIGHTER), chroma) / tolerance
    return 1.0 - smooth_step((distance - 0.7) / 0.6)


def skin_trust(
    lab: Float[Array, "size size 3"],
    visibility: Float[Array, "size size"],
    outer: Float[Array, "size size"],
    skin: Float[Array, "size size"],
) -> Float[Array, "size size"]:
    """Return 1 where a texel looks like the skin around it, 0 where it is something else.

    The expected colour is carried outwards from the inner face, so that shading is followed.

    Args:
        lab: Oklab of the photo's colours at the texels.
        visibility: 1 where the texel is seen.
        outer: where to judge, from `periphery`.
        skin: mask of the region.
    """
    scale = lab.shape[0] / 256
    seen = visibility * skin
    expected = average_lab(lab, (seen * (1.0 - outer))[..., None], _FIRST_BLUR * scale)
    first = _likeness(lab, expected, tolerance=1.5)
    expected = average_lab(lab, (seen * first)[..., None], _SECOND_BLUR * scale)
    likeness = _likeness(lab, expected, tolerance=1.0) * smooth_step(first * 2.0)
    # Strands are thin: what lies between them is not trusted either.
    near = soften(likeness[..., None], _STRAND * scale)[..., 0]
    likeness = likeness * smooth_step((near - 0.8) / 0.19)
    return 1.0 - outer * (1.0 - likeness)


def strand_trust(
    lab: Float[Array, "size size 3"],
    seen: Float[Array, "size size"],
    layout: UVLayout,
    *,
    harshness: Float[Array, ""],
) -> Float[Array, "size size"]:
    """Return 0 where the forehead is darker than around: at single strands and in deep folds.

    Both are left to the photo that they are in, and so are the folds of cheeks that harsh light
    leaves in shade. Brows are darker, too, and are not judged.

    Args:
        lab: Oklab of the photo's colours at the texels.
        seen: 1 where the texel is seen.
        layout: UV layout.
        harshness: by which the light is harsher than that of the photo they are put into.
    """
    texel = layout.size / 256
    judged = jnp.maximum(layout.region("forehead"), harshness * layout.region("cheeks"))
    judged *= 1.0 - _near_features(layout, _BROWS)
    skin = (seen * layout.region("skin"))[..., None]
    # What lies beside a shine is darker than that, but not than skin, here or elsewhere.
    close, wide = (average_lab(lab, skin, blur * texel)[..., 0] for blur in (_CLOSE, _FIRST_BLUR))
    mean = (lab[..., :1] * skin).sum() / jnp.maximum(skin.sum(), 1e-6)
    around = jnp.minimum(jnp.minimum(close, wide), mean)
    dark = judged * ramp(1.0 - lab[..., 0] / jnp.maximum(around, DARK), _DARK_STRAND)
    return 1.0 - smooth_step(3.0 * soften(dark[..., None], _BESIDE_STRAND * texel)[..., 0])


def agree_trust(
    lab: Float[Array, "size size 3"], seen: Float[Array, "size size"], layout: UVLayout
) -> Float[Array, "size size"]:
    """Return 0 where skin looks nothing like skin although the other side of the face does.

    Beards, scars and shadows of the nose are no reason for distrust, a hand or a strand of hair
    over one cheek is: the other cheek shows what belongs there.

    Args:
        lab: Oklab of the photo's colours at the texels.
        seen: 1 where the texel is seen.
        layout: UV layout.
    """
    scale, skin = layout.size / 256, layout.region("skin")
    expected = average_lab(lab, (seen * skin)[..., None], _FIRST_BLUR * scale)
    like = _likeness(lab, expected, tolerance=_ODD)
    beside = layout.mirror((like * seen)[..., None])[..., 0]
    odd = soften((skin * (1.0 - like) * beside)[..., None], _STRAND * scale)[..., 0]
    return 1.0 - smooth_step((odd - 0.1) / 0.3)


def end_trust(
    lab: Float[Array, "size size 3"],
    seen: Float[Array, "size size"],
    own: Float[Array, "size size 3"],
    wanted: Float[Array, "size size"],
    layout: UVLayout,
) -> Float[Array, "size size"]:
    """Return 0 in the shade of what hides the rest of a face, such as hair at its cheeks.

    Put onto a face that shows more of its skin, such a shade would end in a line, and nothing would
    be there to cast it.

    Args:
        lab: Oklab of the photo's colours at the texels, in the light of the other face.
        seen: 1 where the texel is seen.
        own: Oklab of the other face's colours.
        wanted: 1 where that face's skin is seen.
        layout: UV layout.
    """
    texel, skin = layout.size / 256, layout.region("skin")
    hidden = jnp.maximum(wanted - seen, 0.0) * layout.mask
    hidden *= jnp.maximum(_above_brows(layout), _beside(layout, _BESIDE_FEATURES))
    end = ramp(soften(hidden[..., None], _END_BLUR * texel)[..., 0], _AT_END)
    light = average_lab(own, (wanted * skin)[..., None], _OWN_BLUR * texel)[..., 0]
    shade = ramp(1.0 - lab[..., 0] / jnp.maximum(light, DARK), _SHADE)
    return 1.0 - end * shade * skin


def lit_trust(
    lab: Float[Array, "size size 3"], seen: Float[Array, "size size"], layout: UVLayout
) -> Float[Array, "size size"]:
    """Return 0 where a face lies in black shadow although its other side is lit.

    Such skin has no detail left, only the noise of eight bits; brought to the light of another
    photo it would be blotches.

    Args:
        lab: Oklab of the photo's colours at the texels.
        seen: 1 where the texel is seen.
        layout: UV layout.
    """
    weights = (seen * layout.region("skin"))[..., None]
    bright = weights * jnp.maximum(lab[..., :1], 0.0) ** 4
    level = (bright * lab[..., :1]).sum() / jnp.maximum(bright.sum(), 1e-6)
    around = average_lab(lab, weights, _LIT_BLUR * layout.size / 256)[..., 0]
    relative = around / jnp.maximum(level, 1e-3)
    lit = ramp(relative, _LIT)
    other_lit, other_weights = jnp.moveaxis(
        layout.mirror(jnp.stack([lit, weights[..., 0]], axis=-1)), -1, 0
    )
    # A black beard is black on both sides; light from one side also leaves black what lies in the
    # middle, where the other side of the face shows no better.
    both = weights[..., 0] * other_weights
    one_sided = (both * jnp.abs(lit - other_lit)).sum() / jnp.maximum(both.sum(), 1e-6)
    share = both.sum() / jnp.maximum(weights.sum(), 1e-6)  # a profile does not tell
    is_lit_from_one_side = ramp(one_sided, _ONE_SIDED) * ramp(share, BOTH_SEEN)
    return 1.0 - (1.0 - ramp(relative, _WELL_LIT)) * is_lit_from_one_side
