"""What a retouch does to teeth and eyes, on the photo's own pixels.

Both are told by their colour within the zone where the geometry has them: teeth are less red than
the skin, and not dark; whites of eyes are paler than it.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ...core.geometry.ramps import ramp
from ..colour import DARK
from ..regions import soften

__all__ = ["brighten_eyes", "light_around", "whiten_teeth"]

_LEAST_RED, _LEAST_CHROMA = 0.02, 0.02  # a / L and chroma / L of skin in a photo with hardly any
_TOOTH_RED = (1.0, 0.6)  # of the skin's a / L: from gums and tongue to teeth
_TOOTH_LIGHT = (0.45, 0.7)  # of its lightness: from shade to teeth
_YELLOW, _RED = 0.65, 0.5  # share of a tooth's colour that is taken off
# Oklab L that it comes closer to, and the share of the way for light itself: less in the dark.
_WHITE, _LIGHTER = 0.93, 0.3
_PALE = (0.9, 0.55)  # of the skin's chroma / L: from lids to whites
_WHITE_LIGHT = (0.7, 0.9)  # of its lightness
_VEINS = 0.55  # share of the whites' colour that is taken off
_EYE_LIGHTER = 0.24  # as that of teeth
_SPARKLE = 0.5  # by which irises gain contrast
_SPARKLE_SIZE = 0.12  # cm: of finer detail
_VIVID = 0.25  # by which their colour grows


def whiten_teeth(
    lab: Float[Array, "h w 3"],
    mouth: Float[Array, "h w"],
    skin: Float[Array, " 3"],
    amount: Float[Array, ""],
) -> Float[Array, "h w 3"]:
    """Return by what teeth change, Oklab.

    Args:
        lab: the photo.
        mouth: 1 between the lips.
        skin: mean colour of the face's skin.
        amount: from 0 to 1.
    """
    light, a, b = jnp.moveaxis(lab, -1, 0)
    redness = (a / jnp.maximum(light, DARK)) / jnp.maximum(
        skin[1] / jnp.maximum(skin[0], DARK), _LEAST_RED
    )
    tooth = ramp(redness, _TOOTH_RED) * ramp(light / jnp.maximum(skin[0], DARK), _TOOTH_LIGHT)
    lighter = _LIGHTER * light * jnp.maximum(_WHITE - light, 0.0)
    change = jnp.stack([lighter, -_RED * a, -_YELLOW * jnp.maximum(b, 0.0)], axis=-1)
    return (amount * mouth * tooth)[..., None] * change


def brighten_eyes(
    lab: Float[Array, "h w 3"],
    eyes: Float[Array, "h w"],
    around: Float[Array, "h w 1"],
    skin: Float[Array, " 3"],
    amount: Float[Array, ""],
) -> Float[Array, "h w 3"]:
    """Return by what whites and irises change, Oklab.

    Args:
        lab: the photo.
        eyes: 1 on eyeballs.
        around: from `light_around`.
        skin: mean colour of the face's skin.
        amount: from 0 to 1.
    """
    light = lab[..., :1]
    saturation, usual = (
        jnp.linalg.norm(x[..., 1:], axis=-1) / jnp.maximum(x[..., 0], DARK) for x in (lab, skin)
    )
    pale = ramp(saturation / jnp.maximum(usual, _LEAST_CHROMA), _PALE)
    white = (pale * ramp(light[..., 0] / jnp.maximum(skin[0], DARK), _WHITE_LIGHT))[..., None]
    lighter = _EYE_LIGHTER * light * jnp.maximum(_WHITE - light, 0.0)
    whiter = jnp.concatenate([lighter, -_VEINS * lab[..., 1:]], axis=-1)
    sparkling = jnp.concatenate([_SPARKLE * (light - around), _VIVID * lab[..., 1:]], axis=-1)
    return amount * eyes[..., None] * (white * whiter + (1.0 - white) * sparkling)


def light_around(
    lab: Float[Array, "h w 3"], eyes: Float[Array, "h w"], scale: Float[Array, ""]
) -> Float[Array, "h w 1"]:
    """Return the mean lightness around each pixel of an eye, lids left out.

    Args:
        lab: the photo; some 20 pixels per cm are enough.
        eyes: 1 on eyeballs.
        scale: pixels per cm.
    """
    inside = eyes[..., None]
    near = soften(jnp.concatenate([lab[..., :1] * inside, inside], axis=-1), _SPARKLE_SIZE * scale)
    return near[..., :1] / jnp.maximum(near[..., 1:], 1e-3)
