"""Where a face wears a beard, as far as its colours tell.

A beard is the face's own and no shadow: it must not be taken for the light that the face stands in,
or a swap would paint one person's beard on the other as a shade, and bleach the other's.

Nor is it a thing before the face, as the network says of pieces of long and grey beards: without
them a reference's beard would be torn. It is told from a hand or a scarf by its hair, which is
rough beside the skin of the cheeks, and grows on an upper lip that is seen.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ...core.geometry.landmarks import EYES, MOUTH, NOSE
from ...core.geometry.layout import UVLayout
from ...core.geometry.ramps import ramp
from ...core.geometry.scales import pool
from ..colour import colourfulness, luma
from ..detail.sharpness import blurred
from ..regions import soften
from .occlusion import average_lab

__all__ = ["among_beard", "beard_share", "roughness", "whole_beard"]

_BELOW_NOSE = (0.0, 0.6)  # cm: from there on beards grow
_AROUND = 28.0  # texels of 256: what skin looks like there follows from the cheeks and the nose
_DARKER = (0.08, 0.2)  # share of the skin's lightness: from shading to stubble to a beard
_BLUR = 3.0  # texels of 256
_WORN = (0.3, 0.45)  # share of the face below the nose: from stubble in shade to a beard
_FINE = 256  # texels along a side, at which hair is looked at
_HAIR, _LIGHT = 1.0, 6.0  # texels of 256: what is finer is hair, what is coarser is lightness
_LEAST_LIGHT = 0.1  # luma
_STRANDS = 4.0  # texels of 256 over which roughness is averaged
_ROUGHER = (1.4, 1.65)  # times the cheeks' roughness
_BEARD = (1.15, 1.5)  # the same of single texels in a beard
_BELOW_EYES = 1.0  # cm: from there on cheeks are smooth
_EDGES = 2.0  # texels of 256 around lips and nose, whose edges are rough, too
_AS_LIGHT = (0.7, 0.85)  # of the cheeks' lightness: from a dark beard to skin
_PALER = (0.25, 0.5)  # share of the cheeks' saturation that colours are off: from skin to grey
_CHEEKS = (2.0, 8.0)  # texels: from none that is seen to cheeks that tell
_UPPER_LIP = (0.9, 0.99)  # share of it that is seen


def beard_share(
    lab: Float[Array, "size size 3"],
    seen: Float[Array, "size size"],
    self_visibility: Float[Array, "size size"],
    layout: UVLayout,
) -> Float[Array, "size size"]:
    """Return 1 where a beard grows: below the nose, darker than skin, on both sides of the face.

    A shadow that one side of the nose or the chin casts is on one side.

    Args:
        lab: Oklab of the photo's colours at the texels.
        seen: 1 where the photo shows the skin.
        self_visibility: the same if nothing but the face itself could hide it; where it does, one
            side tells.
        layout: UV layout.
    """
    texel = layout.size / 256
    zone = _beard_zone(layout)
    skin = seen * layout.region("skin")
    expected = average_lab(lab, (skin * (1.0 - zone))[..., None], _AROUND * texel)[..., 0]
    dark = skin * ramp(1.0 - lab[..., 0] / jnp.maximum(expected, 0.05), _DARKER)
    blurred = soften(jnp.stack([dark, skin], axis=-1), _BLUR * texel)
    dark = seen * blurred[..., 0] / jnp.maximum(blurred[..., 1], 1e-3)
    beside, shown = jnp.moveaxis(layout.mirror(jnp.stack([dark, self_visibility], axis=-1)), -1, 0)
    return zone * dark * (1.0 - shown * (1.0 - beside))


def among_beard(
    beard: Float[Array, "size size"], seen: Float[Array, "size size"], layout: UVLayout
) -> Float[Array, "size size"]:
    """Return 1 where beards grow, if one is worn: the skin between its parts is dark, too.

    Args:
        beard: from `beard_share`.
        seen: 1 where the photo shows the skin.
        layout: UV layout.
    """
    zone = _beard_zone(layout)
    shown = zone * seen * layout.region("skin") * layout.region("face")
    return zone * ramp(_mean(beard, shown), _WORN)


def _beard_zone(layout: UVLayout) -> Array:
    return ramp(layout.canonical[..., 1] - layout.landmarks()[NOSE, 1].max(), _BELOW_NOSE)


def roughness(texture: Float[Array, "texels texels 3"], size: int) -> Float[Array, "size size"]:
    """Return the share of the lightness that varies from texel to texel.

    Args:
        texture: RGB in [0, 1].
        size: of the result; the texture's, or one that divides it.
    """
    light = luma(pool(texture, max(_FINE, size)))
    texel = light.shape[0] / 256
    variance = (_HAIR * texel) ** 2
    fine = light - blurred(light[None], variance, most=variance)[0]
    # From here on few texels do: wide blurs of all of them would take a third of a plan.
    level, squares = jnp.moveaxis(pool(jnp.stack([light, fine**2], axis=-1), size), -1, 0)
    level = soften(level[..., None], _LIGHT * size / 256)[..., 0]
    relative = squares / jnp.maximum(level, _LEAST_LIGHT) ** 2
    return jnp.sqrt(soften(relative[..., None], _STRANDS * size / 256)[..., 0])


def whole_beard(
    visible: Float[Array, "size size"],
    self_visibility: Float[Array, "size size"],
    rough: Float[Array, "size size"],
    lab: Float[Array, "size size 3"],
    layout: UVLayout,
) -> Float[Array, "size size"]:
    """Return what is visible, with the beard wherever the face does not hide it itself.

    Args:
        visible: 1 where the texel is seen, as the network says.
        self_visibility: 1 where the face does not hide it itself.
        rough: from `roughness`.
        lab: Oklab of the photo's colours at the texels.
        layout: UV layout.
    """
    points, zone = layout.landmarks(), _beard_zone(layout)
    x, y = layout.canonical[..., 0], layout.canonical[..., 1]
    edges = jnp.stack([layout.region(k) for k in ("lips", "mouth_interior", "nose")]).max(axis=0)
    is_plain = soften(edges[..., None], _EDGES * layout.size / 256)[..., 0] < 0.1
    skin = jnp.where(is_plain, self_visibility * layout.mask, 0.0)
    mouth = points[MOUTH]
    is_upper = (y < mouth[:, 1].mean()) & (x > mouth[:, 0].min()) & (x < mouth[:, 0].max())
    is_cheek = y > points[EYES, 1].max() + _BELOW_EYES
    upper = zone * jnp.where(is_upper, skin, 0.0)
    chin = layout.region("face") * jnp.where(y > mouth[:, 1].max(), skin, 0.0)
    cheeks = layout.region("cheeks") * (1.0 - zone) * jnp.where(is_cheek, skin, 0.0)
    logarithm = jnp.log(jnp.maximum(rough, 1e-5))
    on_lip, on_chin, smooth = (_mean(logarithm, part) for part in (upper, chin, cheeks))
    shown = ramp(
        _mean(jnp.minimum(visible / jnp.maximum(self_visibility, 0.5), 1.0), upper), _UPPER_LIP
    )
    is_worn = shown * ramp(jnp.exp(jnp.minimum(on_lip, on_chin) - smooth), _ROUGHER)
    is_hair = ramp(jnp.exp(logarithm - smooth), _BEARD)
    is_hair *= 1.0 - _skin_share(lab, cheeks * visible)
    return jnp.maximum(visible, self_visibility * zone * is_worn * is_hair)


def _skin_share(lab: Array, cheeks: Array) -> Array:
    """Return 1 where colours are as light and as saturated as the skin of cheeks.

    Fingers before a beard are as rough as it at their edges. In black and white nothing tells, nor
    in one tone.
    """
    near = soften(lab, _STRANDS * lab.shape[0] / 256)
    light, skin = jnp.maximum(near[..., 0], 0.05), _mean(lab, cheeks[..., None])
    saturation, usual = near[..., 1:] / light[..., None], skin[1:] / jnp.maximum(skin[0], 0.05)
    off = jnp.linalg.norm(saturation - usual, axis=-1) / jnp.maximum(jnp.hypot(*usual), 1e-3)
    as_light = ramp(light / jnp.maximum(skin[0], 0.05), _AS_LIGHT)
    told = colourfulness(lab, cheeks) * ramp(cheeks.sum(), _CHEEKS)
    return as_light * (1.0 - ramp(off, _PALER)) * told


def _mean(values: Array, weights: Array) -> Array:
    return (values * weights).sum(axis=(0, 1)) / jnp.maximum(weights.sum(), 1e-3)
