"""Where an edit's colours come from: another photo, or a texture.

A source is a picture and the place of each texel in it. For a photo that is its position map;
for a texture, the grid of its own texels. So both are read at the resolution that they have, once,
at the pixels of the target, and nothing is lost to a texture of fixed size in between.
"""

from __future__ import annotations

import dataclasses

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..core.geometry.layout import UVLayout
from ..core.geometry.sampling import resize_map
from ..core.geometry.window import cut_window, size_class
from ..core.types import Face

__all__ = ["Reference", "Source", "source_for", "source_from_photo", "source_from_texture"]

Reference = tuple[Float[np.ndarray, "rows columns 3"], Face]  # a photo, RGB in [0, 1], and its face

_SHRINK_FROM = 1.2  # a reference larger than the target by more than this is shrunk first


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """A picture, and where each texel of the face lies in it."""

    image: Array  # [R, R, 3], RGB in [0, 1]
    position_map: Array  # [S, S, 3], pixels of image
    texture: Array  # [S, S, 3], its colours at the texels
    visibility: Array  # [S, S], 1 where the picture shows the texel


def source_for(
    reference: Reference,
    face: Face,
    mask: Float[np.ndarray, "size size"],
    layout: UVLayout,
    *,
    side: int,
) -> Source:
    """Make the source of an edit.

    Args:
        reference: what colours come from.
        face: the target's face; its size says at which resolution colours are needed.
        mask: texels that are edited.
        layout: UV layout of the faces.
        side: side of the target's window, pixels.
    """
    photo, other = reference
    needed = np.maximum(mask, np.asarray(layout.mirror(jnp.asarray(mask)[..., None]))[..., 0])
    scale = float(face.camera.scale / other.camera.scale)
    return source_from_photo(photo, other, needed, scale=scale, side=side)


def source_from_photo(
    image: Float[np.ndarray, "height width 3"],
    face: Face,
    mask: Float[np.ndarray, "size size"],
    *,
    scale: float,
    side: int,
) -> Source:
    """Cut the part of a photo that holds the masked texels.

    Args:
        image: the reference photo, RGB in [0, 1].
        face: a face of it.
        mask: texels that will be read; also the mirrored ones.
        scale: size of the target's face relative to this one: below 1 the photo is shrunk by
            averaging first, so that nothing flickers.
        side: least side of the picture, pixels; the target window's, to share compiled code.
    """
    position_map = np.asarray(face.position_map)
    window, origin = cut_window(image, position_map[mask > 0.0][:, :2], margin=4)
    places = position_map - np.asarray((*origin, 0), np.float32)
    if scale * _SHRINK_FROM < 1.0:
        new_side = max(round(window.shape[0] * scale), 8)
        factor = new_side / window.shape[0]
        window = cv2.resize(window, (new_side, new_side), interpolation=cv2.INTER_AREA)
        half = np.asarray((0.5, 0.5, 0.0), np.float32)
        places = (places + half) * np.float32(factor) - half
    padded = max(size_class(window.shape[0]), side) - window.shape[0]
    if padded:
        window = np.pad(window, ((0, padded), (0, padded), (0, 0)), mode="edge")
    return Source(
        image=jnp.asarray(window, jnp.float32),
        position_map=jnp.asarray(places, jnp.float32),
        texture=face.texture,
        visibility=face.visibility,
    )


def source_from_texture(
    texture: Float[Array, "texels texels 3"],
    layout: UVLayout,
    *,
    visibility: Float[Array, "size size"] | None = None,
) -> Source:
    """Make a source of a texture of any size.

    Args:
        texture: UV image, RGB in [0, 1].
        layout: the UV layout that it is made for.
        visibility: texels to use; default: all of the layout.
    """
    texels, size = texture.shape[0], layout.size
    centres = (jnp.arange(size, dtype=jnp.float32) + 0.5) * (texels / size) - 0.5
    u, v = jnp.meshgrid(centres, centres)
    return Source(
        image=texture,
        position_map=jnp.stack([u, v, jnp.zeros_like(u)], axis=-1),
        texture=resize_map(texture, size),
        visibility=layout.mask if visibility is None else visibility,
    )
