"""New colours for lips, brows, irises and skin: the colour changes, light and detail stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..core.errors import InputError
from .colour import lab_from_rgb, rgb_from_lab
from .regions import smooth_step

__all__ = ["Contrast", "contrast_of", "parse_color", "recolor"]

# What inside a region is recoloured: all of it; what differs from the skin around it (hairs of a
# brow, but not the skin between them); or its darker part (the iris, but not the white).
Contrast = Literal["all", "around", "darker"]

_CONTRASTS: dict[str, Contrast] = {"brows": "around", "lips": "around", "eyeballs": "darker"}
_SMALL, _LARGE = 0.03, 0.08  # Oklab: contrast from which pixels are told apart, and fully so
_HIGHLIGHT = (0.22, 0.40)  # above the region's lightness: gloss, keeps its own colour


def contrast_of(regions: Sequence[str]) -> Contrast:
    """Return which part of the regions is recoloured; mixed regions as a whole."""
    kinds = {_CONTRASTS.get(name.split("_")[0], "all") for name in regions}
    return kinds.pop() if len(kinds) == 1 else "all"


def parse_color(text: str) -> tuple[float, float, float]:
    """Read ``#RRGGBB`` as sRGB in [0, 1].

    Raises:
        InputError: the text is no such colour.
    """
    digits = text.removeprefix("#")
    try:
        if len(digits) != 6:
            raise ValueError
        red, green, blue = bytes.fromhex(digits)
    except ValueError:
        raise InputError(f"{text!r} is not a colour; write it as #RRGGBB") from None
    return red / 255, green / 255, blue / 255


def _mean(lab: Array, weights: Array) -> Array:
    w = weights.reshape(-1, 1)
    return (lab.reshape(-1, 3) * w).sum(axis=0) / jnp.maximum(w.sum(), 1e-6)


def _likeness(lab: Array, own: Array, other: Array) -> Array:
    """Return 1 for colours like ``own``, 0 for those like ``other``, along the line of both."""
    axis = own - other
    place = ((lab - other) * axis).sum(axis=-1) / jnp.maximum((axis**2).sum(), 1e-8)
    told_apart = smooth_step((jnp.linalg.norm(axis) - _SMALL) / (_LARGE - _SMALL))
    return 1.0 - told_apart * (1.0 - smooth_step((place - 0.1) / 0.6))


def _select(lab: Array, mask: Array, around: Array, contrast: Contrast) -> Array:
    """Return which of the masked pixels are recoloured, in [0, 1]."""
    if contrast == "all":
        return mask
    if contrast == "darker":
        bright = (lab[..., 0] > _mean(lab, mask)[0]).astype(lab.dtype)
        other, own = _mean(lab, mask * bright), _mean(lab, mask * (1.0 - bright))
        lightness = jnp.array([1.0, 0.0, 0.0])
        return mask * _likeness(lab * lightness, own * lightness, other * lightness)
    other = _mean(lab, around)
    own = _mean(lab, mask)
    own = _mean(lab, mask * _likeness(lab, own, other))
    return mask * _likeness(lab, own, other)


def recolor(
    image: Float[Array, "*n 3"],
    mask: Float[Array, "*n"],
    color: Float[Array, " 3"],
    *,
    around: Float[Array, "*n"] | None = None,
    contrast: Contrast = "all",
) -> tuple[Float[Array, "*n 3"], Float[Array, "*n"]]:
    """Give the masked pixels a new mean colour and keep their light and detail.

    Args:
        image: sRGB pixels or texels.
        mask: weights in [0, 1].
        color: the new mean, sRGB.
        around: weights of the pixels around the region, for the contrast ``around``.
        contrast: which of the masked pixels are meant.

    Returns:
        The recoloured image and the weights to mix it in by.
    """
    lab, goal = lab_from_rgb(image), lab_from_rgb(color)
    weights = _select(lab, mask, 1.0 - mask if around is None else around, contrast)
    own = _mean(lab, weights)
    light = jnp.maximum(lab[..., :1] + (goal[0] - own[0]), 0.0)
    # A pigment darkens and colours: in the shade its colour is weaker in proportion.
    depth = jnp.clip(light / jnp.maximum(goal[0], 0.05), 0.0, 1.2)
    chroma = goal[1:] * depth + 0.5 * (lab[..., 1:] - own[1:])
    low, high = _HIGHLIGHT
    matt = 1.0 - smooth_step((lab[..., 0] - own[0] - low) / (high - low))
    return rgb_from_lab(jnp.concatenate([light, chroma], axis=-1)), weights * matt
