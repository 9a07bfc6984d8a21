"""What can cover a face in a drawn picture, and how light its skin is: labels for groups.

References:
    A. Chardon et al., "Skin colour typology and suntanning pathways", 1991 (the ITA angle and
    its six classes).
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

__all__ = ["KINDS", "TONES", "ita_angle", "kind_number", "tone_name"]

KINDS = ("none", "hair", "cloth", "glasses", "hand", "thing")
"""Names of the values of kind masks; ``cloth`` is headwear and clothes."""

TONES = (
    ("very light", 55.0),
    ("light", 41.0),
    ("intermediate", 28.0),
    ("tan", 10.0),
    ("brown", -30.0),
    ("dark", -91.0),
)
"""Classes of skin and the ITA angle above which each begins, degrees."""

# Linear sRGB to XYZ over the white point D65 (IEC 61966-2-1).
_XYZ_FROM_RGB = (
    (0.4339, 0.3762, 0.1899),
    (0.2126, 0.7152, 0.0722),
    (0.0178, 0.1095, 0.8727),
)


def kind_number(name: str) -> int:
    """Return the value of a kind in kind masks."""
    return KINDS.index(name)


def ita_angle(color: Float[Array, "*n 3"]) -> Float[Array, "*n"]:
    """Return the individual typology angle, degrees: the higher, the lighter the skin.

    Args:
        color: sRGB values of the skin itself (albedo), in [0, 1].
    """
    linear = jnp.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
    _, y, z = jnp.moveaxis(linear @ jnp.array(_XYZ_FROM_RGB).T, -1, 0)
    lab = [jnp.where(v > 0.008856, jnp.cbrt(v), 7.787 * v + 16.0 / 116.0) for v in (y, z)]
    lightness, yellow = 116.0 * lab[0] - 16.0, 200.0 * (lab[0] - lab[1])
    # Skin is yellower than grey; the floor keeps the angle of odd colours inside (-90, 90).
    return jnp.degrees(jnp.arctan2(lightness - 50.0, jnp.maximum(yellow, 1e-3)))


def tone_name(angle: float) -> str:
    """Return the class of an ITA angle."""
    return next(name for name, above in TONES if angle > above)
