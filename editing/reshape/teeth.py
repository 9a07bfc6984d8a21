"""The colour of teeth that a photo does not show: what its eyes' whites and its skin tell of it.

In a video eyes blink, and whites that are half covered are dark. Teeth would flash with them:
there, what is known of whites is remembered, relative to the skin, so that it follows the light.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ...core.geometry.layout import UVLayout
from ...core.geometry.ramps import ramp
from ...core.types import Face
from ..colour import lab_from_rgb, rgb_from_lab
from ..seen.eyes import eye_whites

__all__ = ["Whites", "find_whites", "remember_whites", "tooth_color"]

_LIGHTEST = 6  # power of the lightness: whites lie in the shade of lids, and beside irises
_WHITE = 1.05  # of the lightness of the eyes' whites
_SKIN_WHITE = 1.12  # of that of the skin, where no whites are seen
_YELLOW = 0.4  # of the saturation of the skin
_MEMORY = 1.0  # seconds: longer than a blink, in which whites are darker and darker
_DARKEST = 1e-3  # Oklab L


class Whites(NamedTuple):
    """What tells the colour of a face's teeth."""

    light: Array  # [] Oklab L of the whites
    skin: Array  # [3] Oklab of the skin
    found: Array  # [] in [0, 1], how far they tell the colour of teeth


def find_whites(face: Face, layout: UVLayout) -> Whites:
    """Return what a photo shows of the whites of eyes.

    Args:
        face: of the photo; its texture holds the photo's colours as they are now.
        layout: its UV layout; where it knows no eyeballs nothing is found.
    """
    if not {"eyeballs", "skin"} <= set(layout.regions):
        return Whites(jnp.zeros(()), jnp.zeros(3), jnp.zeros(()))
    lab = lab_from_rgb(face.texture)
    skin = (face.visibility * layout.region("skin"))[..., None]
    mean = (lab * skin).sum(axis=(0, 1)) / jnp.maximum(skin.sum(), 1e-6)
    white = eye_whites(lab, face.visibility, layout) * layout.region("eyeballs")
    seen = white.sum()
    weight = white * lab[..., 0] ** _LIGHTEST
    light = (lab[..., 0] * weight).sum() / jnp.maximum(weight.sum(), 1e-6)
    found = ramp(seen / layout.region("eyeballs").sum(), (0.02, 0.1))
    return Whites(light, mean, found)


def remember_whites(seen: Whites, before: Whites | None, *, seconds: float) -> Whites:
    """Return what is known of a face's whites in a frame of a video.

    What was found once stays found; how light it is beside the skin follows what is seen, the
    slower the less that is.

    Args:
        seen: in the frame.
        before: what was known in the frame before; None in the first one.
        seconds: since that frame.
    """
    if before is None:
        return seen
    return _remembered(seen, before, jnp.float32(-math.expm1(-max(seconds, 0.0) / _MEMORY)))


@jax.jit
def _remembered(seen: Whites, before: Whites, share: Float[Array, ""]) -> Whites:
    found = before.found + share * jnp.maximum(seen.found - before.found, 0.0)
    old, new = (one.light / jnp.maximum(one.skin[0], _DARKEST) for one in (before, seen))
    relative = old + share * seen.found / jnp.maximum(found, 1e-6) * (new - old)
    return Whites(relative * jnp.maximum(seen.skin[0], _DARKEST), seen.skin, found)


def tooth_color(whites: Whites) -> Float[Array, " 3"]:
    """Return the colour of teeth in full light, sRGB in [0, 1].

    Args:
        whites: what is known of the eyes and the skin around them.
    """
    light, mean, found = whites
    fallback = _SKIN_WHITE * mean[0]
    tooth = fallback + found * (_WHITE * light - fallback)
    tooth = jnp.clip(tooth, mean[0], 0.95)
    chroma = _YELLOW * mean[1:] * tooth / jnp.maximum(mean[0], _DARKEST)
    return rgb_from_lab(jnp.concatenate([tooth[None], chroma]))
