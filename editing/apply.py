"""The one path that puts an edit into a photo: draw in UV, look colours up, blend.

Data flow, all on a window of the photo whose side is one of few classes (so that no new photo
compiles anything again)::

    masks, places and colour offsets at the texels --rasterise with the target's geometry--> pixels
    places at the pixels --bicubic--> colours of the source --colour transfer--> drawn face
    drawn face + mask + window --Poisson--> window --paste--> photo

Convention:
    Texels are read from the source where it shows them, from the mirrored texel where only that
    is shown, and are left to the target elsewhere.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float

from ..core.blending.composite import BlendConfig, composite
from ..core.geometry.layout import UVLayout
from ..core.geometry.rasterize import interpolate
from ..core.geometry.render import rasterize_layout
from ..core.geometry.sampling import sample_bicubic
from ..core.geometry.window import cut_window
from ..core.types import Face
from .colour import ColorTransfer, apply_transfer, fit_transfer, lab_from_rgb, rgb_from_lab
from .complete import completion_weights
from .occlusion import skin_trust
from .regions import soften
from .source import Source

__all__ = ["ColorMatch", "EditMasks", "Window", "cut_edit_window", "paste_window", "render_edit"]

ColorMatch = Literal["light", "match", "none"]

_LEAST_MASK = 0.02  # below this a mask is 0: no pixel is solved for that nobody would see
_COMPARED_FROM = 0.6  # visibility in both photos from which on the mask's edge joins the colours
_LARGEST_STEP = 0.2  # a larger difference at the mask's edge is hair or background, not light
_LIGHT_BLUR = 14.0  # texels of 256: light varies over a quarter of the face
_LIGHT_PRIOR = 0.05  # weight of "no difference": where little is seen in both


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class EditMasks:
    """What an edit may change, in UV."""

    mask: Array  # [S, S], in [0, 1]
    keep: Array  # [S, S], 1 where the target's own pixels stay inside the mask
    skin: Array  # [S, S], weights of the texels that colours are compared on
    strength: Array  # [], 0 leaves the photo as it is


class _Drawn(NamedTuple):
    """A source drawn into a window; all but the colours are ``[K, K]``."""

    colors: Array  # [K, K, 3]
    mask: Array  # what may change, in [0, 1]
    keep: Array  # where the target's own pixels stay
    is_comparable: Array  # both photos show the skin well enough to compare their colours
    is_covered: Array  # the target's face covers the pixel


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Window:
    """A square cut-out of the target photo."""

    image: Array  # [K, K, 3]; pixels beyond the photo repeat its edge
    origin: Array  # [2] int32, photo pixel (x, y) of the first pixel
    photo_size: Array  # [2] int32, width and height of the photo

    @property
    def is_photo(self) -> Array:
        """Return ``[K, K]``: the pixel lies in the photo."""
        steps = jnp.arange(self.image.shape[0], dtype=jnp.int32)
        x, y = steps + self.origin[0], steps + self.origin[1]
        columns = (x >= 0) & (x < self.photo_size[0])
        return ((y >= 0) & (y < self.photo_size[1]))[:, None] & columns


def cut_edit_window(
    image: Float[np.ndarray, "height width 3"], face: Face, mask: Float[np.ndarray, "size size"]
) -> Window:
    """Cut the window around the masked texels of a face out of its photo."""
    points = np.asarray(face.position_map)[..., :2][mask > 0.0]
    window, origin = cut_window(image, points, margin=4)
    return Window(
        image=jnp.asarray(window, jnp.float32),
        origin=jnp.asarray(origin, jnp.int32),
        photo_size=jnp.asarray((image.shape[1], image.shape[0]), jnp.int32),
    )


def paste_window(
    image: Float[np.ndarray, "height width 3"],
    window: Window,
    edited: Float[Array, "side side 3"],
) -> Float[np.ndarray, "height width 3"]:
    """Return a copy of the photo with the window's pixels in place."""
    result = np.array(image)
    (left, top), side = np.asarray(window.origin), edited.shape[0]
    height, width = image.shape[:2]
    rows = slice(max(top, 0), min(top + side, height))
    columns = slice(max(left, 0), min(left + side, width))
    inner = np.asarray(edited)[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]
    result[rows, columns] = inner.astype(image.dtype)
    return result


def _light_offset(own: Array, target: Array, weights: Array) -> Array:
    """Return the smooth difference in Oklab between two textures, ``[S, S, 3]``."""
    sigma = _LIGHT_BLUR * own.shape[0] / 256
    blurred = soften(
        jnp.concatenate([(target - own) * weights[..., None], weights[..., None]], axis=-1), sigma
    )
    return blurred[..., :3] / (blurred[..., 3:] + _LIGHT_PRIOR)


def _fit_colors(
    texture: Array, weights: Array, face: Face, color: ColorMatch
) -> tuple[ColorTransfer, Array]:
    """Return what takes a texture's Oklab colours to the target's: a transfer and ``[S, S, 3]``."""
    if color == "none":
        return ColorTransfer.identity(), jnp.zeros_like(texture)
    transfer = fit_transfer(texture, face.texture, weights)
    if color == "match":
        return transfer, jnp.zeros_like(texture)
    matched = apply_transfer(transfer, lab_from_rgb(texture))
    return transfer, _light_offset(matched, lab_from_rgb(face.texture), weights)


def _draw_source(
    source: Source,
    face: Face,
    masks: EditMasks,
    layout: UVLayout,
    window: Window,
    color: ColorMatch,
) -> _Drawn:
    """Draw the source's colours with the target's geometry."""
    side = window.image.shape[0]
    source_skin = skin_trust(source.texture, source.visibility, layout)
    target_skin = skin_trust(face.texture, face.visibility, layout)
    seen = source.visibility * source_skin
    own, mirrored = completion_weights(seen, layout)
    comparable = masks.skin * face.visibility * target_skin
    transfer, offset = _fit_colors(source.texture, comparable * seen, face, color)
    seen_beside = layout.mirror(seen[..., None])[..., 0]
    other_transfer, other_offset = _fit_colors(
        layout.mirror(source.texture), comparable * seen_beside, face, color
    )
    places = source.position_map
    layers = [places, layout.mirror(places), offset, other_offset]
    changed = masks.mask * face.visibility * target_skin
    both = face.visibility * target_skin * jnp.maximum(seen, mirrored)
    layers += [m[..., None] for m in (own, mirrored, changed, masks.keep, both)]
    values = jnp.concatenate(layers, axis=-1).reshape(-1, 15)
    fragments = rasterize_layout(
        face.position_map, layout, height=side, width=side, origin=window.origin
    )
    pixels = interpolate(fragments, layout.triangles, values)
    own_weight, other_weight = pixels[..., 10:11], pixels[..., 11:12]
    read = lab_from_rgb(sample_bicubic(source.image, pixels[..., 0:2]))
    lab = own_weight * (apply_transfer(transfer, read) + pixels[..., 4:7])

    def add_mirrored(lab: Array) -> Array:
        read = lab_from_rgb(sample_bicubic(source.image, pixels[..., 2:4]))
        return lab + other_weight * (apply_transfer(other_transfer, read) + pixels[..., 7:10])

    is_needed = jnp.max(other_weight * pixels[..., 12:13]) > 0.0
    lab = lax.cond(is_needed, add_mirrored, lambda lab: lab, lab)
    known = own_weight + other_weight
    return _Drawn(
        colors=rgb_from_lab(lab / jnp.maximum(known, 1e-3)),
        mask=pixels[..., 12] * known[..., 0],
        keep=pixels[..., 13],
        is_comparable=pixels[..., 14] > _COMPARED_FROM,
        is_covered=fragments.is_covered,
    )


@partial(jax.jit, static_argnames=("color", "blend"))
def render_edit(
    window: Window,
    face: Face,
    source: Source,
    masks: EditMasks,
    layout: UVLayout,
    *,
    color: ColorMatch = "light",
    blend: BlendConfig | None = None,
) -> Float[Array, "side side 3"]:
    """Put a source's colours into a window of the target photo.

    Args:
        window: of the target photo.
        face: the target's face; its geometry is drawn.
        source: where colours come from.
        masks: what may change.
        layout: UV layout of the face and the source.
        color: ``match`` fits mean and spread of the skin's colours, ``light`` also their slow
            variation over the face, ``none`` takes the source's colours as they are.
        blend: how the drawn face is put into the window.

    Returns:
        The new window; bit-identical where nothing changes.
    """
    drawn = _draw_source(source, face, masks, layout, window, color)
    mask = jnp.clip((drawn.mask - _LEAST_MASK) / (1.0 - _LEAST_MASK), 0.0, 1.0)
    region = (mask > 0.0) & window.is_photo
    difference = jnp.abs(window.image - drawn.colors).max(axis=-1)
    valid = region | (drawn.is_comparable & window.is_photo & (difference < _LARGEST_STEP))
    weight = mask * (1.0 - drawn.keep) * masks.strength * window.is_photo.astype(mask.dtype)
    source_pixels = jnp.where(drawn.is_covered[..., None], drawn.colors, window.image)
    return composite(window.image, source_pixels, weight, region=region, valid=valid, config=blend)
