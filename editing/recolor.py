"""New colours for lips, brows, irises and skin: the colour changes, light and detail stay."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float
from PIL import ImageColor

from ..core.errors import InputError
from ..core.geometry.layout import UVLayout
from ..core.geometry.ramps import ramp, smooth_step
from .colour import lab_from_rgb, rgb_from_lab
from .regions import soften

__all__ = [
    "Contrast",
    "contrast_of",
    "parse_color",
    "recolor",
    "recolor_groups",
    "skin_around",
    "split_regions",
]

# What inside a region is recoloured: all of it; or, of a picture: all of it up to where the colour
# of the lips ends; the hairs of a brow, but not the skin between them; the iris, but neither the
# lids, the white nor the pupil; the skin of lids, but not their lashes.
Contrast = Literal["all", "lips", "hairs", "iris", "lids"]

_CONTRASTS: dict[str, Contrast] = {
    "brows": "hairs",
    "lips": "lips",
    "eyeballs": "iris",
    "eyes": "iris",
    "lids": "lids",
}
# Light and pigment differ from part to part: each gets the new colour by its own mean. Of eyes a
# colour means what lies between the lids.
_PARTS = {
    "brows": ("brows_left", "brows_right"),
    "lips": ("lips_upper", "lips_lower"),
    "eyeballs": ("eyeballs_left", "eyeballs_right"),
    "eyes": ("eyeballs_left", "eyeballs_right"),
    "eyes_left": ("eyeballs_left",),
    "eyes_right": ("eyeballs_right",),
}
_CONTRAST = (0.03, 0.08)  # Oklab: from the first on pixels are told apart, at the second fully
_HIGHLIGHT = (0.22, 0.40)  # above the region's lightness: gloss, keeps its own colour
_AROUND = 5.0  # texels of 256: how far around a region the skin is looked at
_SHIFT = 0.25  # of a mask: how far the colour of the lips moves its border, out or in
_GRAIN = 0.06  # cm: finer detail is no border of a lip
_BARE, _FAR = 0.7, 1e-3  # cm: the skin under a brow is like that so far around; or as all of it
_CLOSE, _UNKNOWN = 0.2, 0.05  # cm: ... close to what is surely bare, like that; or as found before
_SURELY_BARE = (0.02, 0.15)  # share of hair
_HAIR = (0.06, 0.95)  # of the way from skin to hair: bare skin, hair
_TINT = 0.6  # power of the share by which hair tints a pixel: between hairs, the skin is grey too
_IRIS = 0.59  # cm, radius; it varies little between people
_PUPIL = (0.40, 0.55)  # of that radius
_TOLD = (0.15, 0.3)  # Oklab: by which a pupil is darker than an iris if it can be told
_DARK_AS_PUPIL = (0.35, 0.65)  # of the way from iris to pupil
_REFLECTION = (0.1, 0.2)  # Oklab: so much lighter than the iris
_BESIDE_WHITE = 0.72  # as light as the white of its eye is an iris at most
_LASHES = (0.5, 0.8)  # of the lightness around: lashes, and bare lids
_STEPS = 8  # of the search for the centre of an iris


def contrast_of(region: str) -> Contrast:
    """Return which part of a region is recoloured."""
    return _CONTRASTS.get(region.split("_")[0], "all")


def split_regions(
    layout: UVLayout, regions: Sequence[str]
) -> list[tuple[Contrast, list[list[str]]]]:
    """Return what is recoloured in turn: a contrast, and groups of regions that have it.

    Each group is recoloured by its own mean: each part of lips, brows and eyes, and all other
    regions together.
    """
    kinds: dict[Contrast, list[str]] = {}
    for name in regions:
        kinds.setdefault(contrast_of(name), []).append(name)
    return [(contrast, _groups(layout, contrast, names)) for contrast, names in kinds.items()]


def _groups(layout: UVLayout, contrast: Contrast, names: list[str]) -> list[list[str]]:
    parts = [part for name in names for part in _PARTS.get(name, (name,))]
    if contrast in ("all", "lids") or not set(parts) <= set(layout.regions):
        return [names]
    return [[part] for part in dict.fromkeys(parts)]


def skin_around(
    parts: Float[Array, "size size parts"], layout: UVLayout
) -> Float[Array, "size size parts"]:
    """Return the weights of the skin around each of several masks, 0 inside any of them.

    What is recoloured is told from it: the argument ``around`` of `recolor`, drawn at the pixels.

    Args:
        parts: masks in [0, 1].
        layout: UV layout of the masks.
    """
    skin = layout.region("skin") * (1.0 - parts.max(axis=-1))
    return soften(parts, _AROUND * layout.size / 256) * skin[..., None]


def parse_color(text: str) -> tuple[float, float, float]:
    """Read ``#RRGGBB``, or a name of CSS as ``crimson``, as sRGB in [0, 1].

    Raises:
        InputError: the text is no such colour.
    """
    try:
        if not isinstance(text, str):
            raise ValueError
        named = text if set(text) - set(string.hexdigits) else f"#{text}"  # a01830, too
        red, green, blue, *opacity = ImageColor.getrgb(named)
        if opacity or max(red, green, blue) > 255:
            raise ValueError
    except ValueError:
        example = "write it as #RRGGBB, or by name as crimson"
        raise InputError(f"{text!r} is not a colour; {example}") from None
    return red / 255, green / 255, blue / 255


def _mean(values: Array, weights: Array) -> Array:
    w = weights.reshape(-1, 1)
    return (values.reshape(w.shape[0], -1) * w).sum(axis=0) / jnp.maximum(w.sum(), 1e-6)


def _place(lab: Array, inside: Array, outside: Array) -> Array:
    axis = inside - outside
    return ((lab - outside) * axis).sum(axis=-1) / jnp.maximum((axis**2).sum(), 1e-8)


def _lips(lab: Array, mask: Array, around: Array, scale: Array) -> Array:
    """Return the mask with its border moved to where the colour turns into that of the skin."""
    inside, outside = _mean(lab, mask**2), _mean(lab, around)
    place = _place(soften(lab, _GRAIN * scale), inside, outside)
    told_apart = ramp(jnp.linalg.norm(inside - outside), _CONTRAST)
    shift = told_apart * jnp.clip(2.0 * place - 1.0, -1.0, 1.0) * jnp.minimum(mask, _SHIFT)
    return smooth_step(1.25 * (mask + shift) - 0.125)


def _hairs(lab: Array, mask: Array, around: Array, scale: Array) -> Array:
    """Return the share of hair in each pixel: by its lightness, between the skin's and the hair's.

    The skin's is that around, further off first: under a brow it is found from there, but close to
    what is surely bare it is like that. Above a brow skin is paler than below it.
    """
    light, weights = lab[..., 0], around
    share, skin = jnp.zeros_like(mask), jnp.zeros_like(mask)
    for _ in range(3):  # the skin around the brow, then also that between the hairs
        far = jnp.full_like(light, _mean(light, weights)[0])
        skin = _level(light, weights, _BARE * scale, otherwise=far, prior=_FAR)
        share, _ = _hair_share(light, skin, mask)
        matt = 1.0 - smooth_step((light - skin) / _CONTRAST[1])
        weights = (around + mask * (1.0 - share)) * matt
    bare = around + mask * (1.0 - ramp(share, _SURELY_BARE))
    skin = _level(light, bare, _CLOSE * scale, otherwise=skin, prior=_UNKNOWN)
    share, darkness = _hair_share(light, skin, mask)
    return jnp.clip(2.0 * mask - 0.2, 0.0, 1.0) * share * ramp(darkness, _CONTRAST)


def _level(light: Array, weights: Array, width: Array, *, otherwise: Array, prior: float) -> Array:
    """Return the weighted mean lightness around each pixel; another where the weights are small."""
    near, known = jnp.moveaxis(soften(jnp.stack([light * weights, weights], -1), width), -1, 0)
    return (near + prior * otherwise) / (known + prior)


def _hair_share(light: Array, skin: Array, mask: Array) -> tuple[Array, Array]:
    """Return the share of hair in each pixel, and by how much hair is darker than skin."""
    darker = jnp.maximum(skin - light, 0.0)
    weights = mask * darker**4
    hair, darkness = _mean(light, weights), _mean(darker, weights)
    whole = jnp.maximum(skin - hair, 0.5 * darkness)  # in the shade skin is hardly paler than hair
    start, end = _HAIR
    share = (darker / jnp.maximum(whole, 1e-6) - start) / (end - start)
    return jnp.clip(share, 0.0, 1.0), darkness


def _iris(lab: Array, mask: Array, scale: Array) -> Array:
    """Return the dark disc in the eye, without the pupil in its middle."""
    light = lab[..., 0]
    white, iris = _white_and_iris(light, mask)
    dark = smooth_step(((white - light) / jnp.maximum(white - iris, 1e-6) - 0.1) / 0.6)
    distance = _distance_to_disc(dark, mask**2, _IRIS * scale)
    disc = smooth_step((1.15 - distance) / 0.25)
    inner = smooth_step((0.85 - distance) / 0.2)  # what is bright in here is a reflection
    pupil = _pupil(lab, mask * disc * dark, 1.0 - ramp(distance, _PUPIL), scale)
    return smooth_step((mask - 0.35) / 0.4) * jnp.maximum(dark, inner) * disc * (1.0 - pupil)


def _pupil(lab: Array, iris: Array, middle: Array, scale: Array) -> Array:
    """Return what is dark in the middle of an iris, or a reflection in it.

    All of the middle in brown eyes, where nothing tells a pupil from the iris.
    """
    light = lab[..., 0]
    around, darkest = _mean(light, iris * (1.0 - middle)), _mean(light, middle * (1.0 - light) ** 8)
    darker = around - soften(lab[..., :1], _GRAIN * scale)[..., 0]
    dark = ramp(darker / jnp.maximum(around - darkest, 1e-3), _DARK_AS_PUPIL)
    bright = ramp(-darker, _REFLECTION)
    return middle * jnp.maximum(jnp.maximum(dark, bright), 1.0 - ramp(around - darkest, _TOLD))


def _white_and_iris(light: Array, mask: Array) -> tuple[Array, Array]:
    """Return the mean lightness of what is brighter in an eye, and of what is darker."""
    is_bright = (light > _mean(light, mask)).astype(light.dtype)
    return _mean(light, mask * is_bright)[0], _mean(light, mask * (1.0 - is_bright))[0]


def _distance_to_disc(dark: Array, mask: Array, radius: Array) -> Array:
    """Return the distances from the centre of a dark disc in the mask, in radii.

    Mean shift: a disc on its place has what is dark inside it in the middle of what is seen of it.
    """
    rows, columns = dark.shape
    pixels = jnp.stack(
        jnp.meshgrid(jnp.arange(columns, dtype=dark.dtype), jnp.arange(rows, dtype=dark.dtype)),
        axis=-1,
    )
    center = _mean(pixels, mask * dark)
    for _ in range(_STEPS):
        distance = jnp.linalg.norm(pixels - center, axis=-1) / radius
        inside = mask * smooth_step((1.2 - distance) / 0.4)
        center = center + _mean(pixels, inside * dark) - _mean(pixels, inside)
    return jnp.linalg.norm(pixels - center, axis=-1) / radius


def _bare_lids(lab: Array, mask: Array, around: Array, scale: Array) -> Array:
    """Return the mask without what is dark in it: lashes and lines along them."""
    light, skin = lab[..., 0], mask + around
    far = jnp.full_like(light, _mean(light, skin)[0])
    level = _level(light, skin, _BARE * scale, otherwise=far, prior=_FAR)
    return mask * ramp(light / jnp.maximum(level, 1e-3), _LASHES)


def _select(lab: Array, mask: Array, around: Array, scale: Array, contrast: Contrast) -> Array:
    """Return which of the masked pixels are recoloured, in [0, 1]."""
    if contrast == "lips":
        return _lips(lab, mask, around, scale)
    if contrast == "hairs":
        return _hairs(lab, mask, around, scale)
    if contrast == "lids":
        return _bare_lids(lab, mask, around, scale)
    return _iris(lab, mask, scale) if contrast == "iris" else mask


def recolor(
    image: Float[Array, "*n 3"],
    mask: Float[Array, "*n"],
    color: Float[Array, " 3"],
    *,
    around: Float[Array, "*n"] | None = None,
    whole: Float[Array, "*n"] | None = None,
    scale: float | Float[Array, ""] = 1.0,
    contrast: Contrast = "all",
) -> tuple[Float[Array, "*n 3"], Float[Array, "*n"]]:
    """Give the masked pixels a new mean colour and keep their light and detail.

    Args:
        image: sRGB pixels or texels; a picture for all contrasts but ``all``.
        mask: weights in [0, 1].
        color: the new mean, sRGB; of irises darker where the white of the eye asks for it.
        around: weights of the skin around the region, for all contrasts but ``all``.
        whole: mask of both lips, where ``mask`` is one of them: half of what one is darker than
            the other is shade, and stays.
        scale: pixels per cm.
        contrast: which of the masked pixels are meant.

    Returns:
        The recoloured image and the weights to mix it in by.
    """
    lab, goal = lab_from_rgb(image), lab_from_rgb(color)
    around = 1.0 - mask if around is None else around
    weights = _select(lab, mask, around, jnp.asarray(scale, lab.dtype), contrast)
    if contrast == "iris":  # an eye in the shade would glow in a colour as it is in the light
        white, _ = _white_and_iris(lab[..., 0], mask)
        goal = goal * jnp.minimum(1.0, _BESIDE_WHITE * white / jnp.maximum(goal[0], 0.05))
    mean = _mean(lab, weights**4)
    if whole is not None:
        mean = 0.5 * (mean + _mean(lab, whole**4))
    if contrast == "hairs":  # a pixel is skin and hair: in proportion the hair's colour moves
        share = jnp.stack([weights, weights**_TINT, weights**_TINT], axis=-1)
        moved = rgb_from_lab(lab + share * (goal - mean))
        return image + (moved - image) / jnp.maximum(weights, 1e-3)[..., None], weights
    if contrast == "lids":  # eye shadow in the shade is as much darker as skin is
        light = lab[..., :1] * (goal[0] / jnp.maximum(mean[0], 0.05))
    else:
        light = jnp.maximum(lab[..., :1] + (goal[0] - mean[0]), 0.0)
    # A pigment darkens and colours: in the shade its colour is weaker in proportion.
    depth = jnp.clip(light / jnp.maximum(goal[0], 0.05), 0.0, 1.2)
    chroma = goal[1:] * depth + 0.5 * (lab[..., 1:] - mean[1:])
    colored = rgb_from_lab(jnp.concatenate([light, chroma], axis=-1))
    if contrast == "iris":  # gloss is white, and brighter than what is below it
        return colored, weights
    return colored, weights * (1.0 - ramp(lab[..., 0] - mean[0], _HIGHLIGHT))


def recolor_groups(
    image: Float[Array, "rows columns 3"],
    masks: Float[Array, "rows columns groups"],
    color: Float[Array, " 3"],
    *,
    arounds: Float[Array, "rows columns groups"],
    scale: float | Float[Array, ""],
    contrast: Contrast,
) -> tuple[Float[Array, "rows columns 3"], Float[Array, "rows columns"]]:
    """Give groups of regions a new colour, each by its own mean, and mix them where they meet.

    Each is recoloured in the picture as it is, so that their order does not matter.

    Args:
        image: sRGB pixels.
        masks: of the groups, weights in [0, 1], from `split_regions`.
        color: the new mean, sRGB.
        arounds: weights of the skin around each, from `skin_around`.
        scale: pixels per cm.
        contrast: which of the masked pixels are meant.

    Returns:
        The recoloured picture and the weights to mix it in by.
    """
    whole = masks.max(axis=-1) if contrast == "lips" else None
    colored, weights = jax.vmap(
        lambda mask, around: recolor(
            image, mask, color, around=around, whole=whole, scale=scale, contrast=contrast
        ),
        in_axes=-1,
    )(masks, arounds)
    weight = weights.sum(axis=0)
    mixed = (colored * weights[..., None]).sum(axis=0) / jnp.maximum(weight, 1e-6)[..., None]
    return mixed, jnp.minimum(weight, 1.0)
