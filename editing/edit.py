"""Editing faces of a photo: regions from another photo, or in another colour; other shapes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..core.arguments import as_number
from ..core.blending.composite import BlendConfig, composite
from ..core.errors import InputError
from ..core.geometry.layout import UVLayout
from ..core.geometry.ramps import ramp
from ..core.geometry.render import render_texture
from ..core.types import Face
from .apply import render_edit
from .counted import counted_texels
from .detail.finish import SharpnessMatch
from .edges import closed_gaps
from .light import ColorMatch
from .plan import EditMasks, PlanConfig
from .recolor import Contrast, parse_color, recolor_groups, skin_around, split_regions
from .regions import FEATHER, soft_region, soften
from .source import Reference, source_for
from .windows import Window, cut_edit_window, paste_window

__all__ = [
    "EditConfig",
    "apply_source",
    "check_edit",
    "check_numbers",
    "edit_face",
    "masks_within",
    "recolor_regions",
]

# Texels of 256 beside eyeballs, where lashes grow: no colour of lids, and all of it.
_RIM, _AT_RIM = 1.5, (0.02, 0.15)
_MOST_FEATHER = 64.0  # texels of 256: softer than that, a region is the whole face

RgbImage = Float[np.ndarray, "height width 3"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class EditConfig:
    """Settings of an edit.

    Attributes:
        strength: 0 keeps the photo, 1 is the full edit.
        feather: width of the regions' soft border, in texels of a layout of size 256.
        color: how colours of another photo are matched to this one.
        blend: how the edit is put into the photo.
        sharpness: ``match`` gives what comes from another photo the blur and the grain of this
            one, where it has more of them, and takes off noise that comes from making it
            brighter; ``none`` leaves its detail as it is.
    """

    strength: float = 1.0
    feather: float = FEATHER
    color: ColorMatch = "light"
    blend: BlendConfig = dataclasses.field(default_factory=BlendConfig)
    sharpness: SharpnessMatch = "match"


def edit_face(
    image: RgbImage,
    face: Face,
    layout: UVLayout,
    *,
    regions: Sequence[str],
    reference: Reference | None = None,
    recolor: str | None = None,
    config: EditConfig | None = None,
) -> RgbImage:
    """Change regions of one face.

    Args:
        image: the photo, RGB in [0, 1].
        face: the face of it to change.
        layout: UV layout of the faces.
        regions: names of regions of the layout.
        reference: where the regions come from.
        recolor: new colour of the regions, ``#RRGGBB`` or a name; after the exchange, if both are
            given.
        config: strength, border, colours.

    Returns:
        The edited photo; pixels outside the regions are bit-identical.

    Raises:
        InputError: unknown region, neither a reference nor a colour is given, or the feather
            leaves nothing of the regions.
    """
    config = config or EditConfig()
    if reference is None and recolor is None:
        raise InputError("nothing to do; give a reference photo or a colour")
    config = check_edit(layout, regions=regions, recolor=recolor, config=config)
    mask = _edit_mask(layout, regions, config.feather)
    masks = EditMasks(
        mask=mask,
        keep=jnp.zeros_like(mask),
        skin=layout.region("skin"),
        strength=jnp.asarray(config.strength, jnp.float32),
    )
    if reference is not None:
        image = apply_source(
            image,
            face,
            reference,
            masks,
            layout,
            plan=PlanConfig(color=config.color),
            blend=config.blend,
            sharpness=config.sharpness,
        )
    if recolor is not None:
        image = recolor_regions(
            image,
            face,
            layout,
            regions,
            jnp.asarray(parse_color(recolor), jnp.float32),
            strength=config.strength,
            feather=config.feather,
        )
    return image


def recolor_regions(
    image: RgbImage,
    face: Face,
    layout: UVLayout,
    regions: Sequence[str],
    color: Float[Array, " 3"],
    *,
    strength: float,
    feather: float,
) -> RgbImage:
    """Give regions of a face a new colour.

    Args:
        image: the photo, RGB in [0, 1].
        face: the face of it to change; what covers it stays.
        layout: UV layout of the face.
        regions: names of regions of the layout.
        color: sRGB in [0, 1].
        strength: 0 keeps the photo, 1 is the full colour.
        feather: width of the regions' soft border, texels of 256.

    Returns:
        The photo, pixels outside the regions bit-identical.
    """
    share = jnp.asarray(strength, jnp.float32)
    for contrast, groups in split_regions(layout, regions):
        parts = _painted_masks(layout, contrast, groups, feather)
        window = cut_edit_window(image, face, np.asarray(parts.max(axis=-1)))
        edited = _recolor_window(window, face, parts, layout, color, share, contrast=contrast)
        image = paste_window(image, window, edited)
    return image


def check_edit(
    layout: UVLayout, *, regions: Sequence[str], recolor: str | None, config: EditConfig
) -> EditConfig:
    """Return the settings; raise InputError for what no photo is needed to see, as `edit_face`."""
    config = check_numbers(config)
    _edit_mask(layout, regions, config.feather)
    if recolor is not None:
        parse_color(recolor)
        for _, groups in split_regions(layout, regions):
            _part_masks(layout, groups, config.feather)
    return config


def check_numbers(config: EditConfig) -> EditConfig:
    """Return the settings with numbers in their limits; raise InputError for others."""
    return dataclasses.replace(
        config,
        strength=as_number("strength", config.strength, 0, 1),
        feather=as_number("feather (texels)", config.feather, 0, _MOST_FEATHER),
    )


def apply_source(
    image: RgbImage,
    face: Face,
    reference: Reference,
    masks: EditMasks,
    layout: UVLayout,
    *,
    plan: PlanConfig,
    blend: BlendConfig,
    sharpness: SharpnessMatch = "match",
    allowed: Float[np.ndarray, "height width"] | None = None,
) -> RgbImage:
    """Put the masked part of a reference's face into a photo, pixels of the same size.

    Args:
        image: the photo, RGB in [0, 1].
        face: the face of it to change.
        reference: photo and face to take colours from.
        masks: what may change, in UV.
        layout: UV layout of the faces.
        plan: how colours are found.
        blend: how the drawn face is put into the photo.
        sharpness: ``match`` gives the drawn face the blur and the grain of the photo, where that
            has more of them.
        allowed: photo pixels that may change, in [0, 1]; all if None. Of the others no colours
            are taken to be the face's.
    """
    mask = np.asarray(masks.mask)
    window = cut_edit_window(image, face, mask, allowed=allowed)
    masks = masks_within(allowed, face, masks)
    source = source_for(reference, face, mask, layout, side=max(window.image.shape[:2]))
    edited = render_edit(
        window, face, source, masks, layout, config=plan, blend=blend, sharpness=sharpness
    )
    return paste_window(image, window, edited)


def masks_within(
    allowed: Float[np.ndarray, "height width"] | None, face: Face, masks: EditMasks
) -> EditMasks:
    """Return an edit's masks for a photo of which only some pixels may change.

    Args:
        allowed: these pixels, in [0, 1]; all if None.
        face: the face of it to change.
        masks: for any photo.
    """
    if allowed is None:
        return masks
    counted = counted_texels(allowed, face, np.asarray(masks.skin))
    return dataclasses.replace(masks, counted=jnp.asarray(counted))


def _edit_mask(layout: UVLayout, regions: Sequence[str], feather: float) -> Array:
    mask = soft_region(layout, regions, feather)
    if not float(mask.max()):
        names = ", ".join(regions)
        raise InputError(f"a feather of {feather:g} texels leaves nothing of {names}; lower it")
    return mask


def _part_masks(
    layout: UVLayout, groups: Sequence[Sequence[str]], feather: float
) -> Float[Array, "size size parts"]:
    return jnp.stack([_edit_mask(layout, names, feather) for names in groups], axis=-1)


def _painted_masks(
    layout: UVLayout, contrast: Contrast, groups: Sequence[Sequence[str]], feather: float
) -> Float[Array, "size size parts"]:
    """Return the masks of what gets a colour; the soft border of lids ends before the eye."""
    parts = _part_masks(layout, groups, feather)
    if contrast != "lids" or "eyeballs" not in layout.regions:
        return parts
    near = soften(layout.region("eyeballs")[..., None], _RIM * layout.size / 256)
    return parts * (1.0 - ramp(near, _AT_RIM))


@partial(jax.jit, static_argnames="contrast")
def _recolor_window(
    window: Window,
    face: Face,
    parts: Float[Array, "size size parts"],
    layout: UVLayout,
    color: Float[Array, " 3"],
    strength: Float[Array, ""],
    *,
    contrast: Contrast,
) -> Float[Array, "rows columns 3"]:
    height, width = window.image.shape[:2]
    layers = [parts, skin_around(parts, layout), face.visibility[..., None]]
    stack = jnp.concatenate(layers, axis=-1)
    drawn, _ = render_texture(
        stack, face.position_map, layout, height=height, width=width, origin=window.origin
    )
    scale = face.camera.scale
    seen = jnp.maximum(drawn[..., -1], closed_gaps(drawn[..., -1], scale))
    seen = seen * window.is_photo.astype(jnp.float32)
    masks, arounds = jnp.split(drawn[..., :-1] * seen[..., None], 2, axis=-1)
    mixed, weight = recolor_groups(
        window.image, masks, color, arounds=arounds, scale=scale, contrast=contrast
    )
    return composite(window.image, mixed, weight * strength, config=BlendConfig(method="feather"))
