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
from ..core.geometry.texels import texel_footprint
from ..core.geometry.window import cut_window, size_class
from ..core.io.face_files import FaceTexture
from ..core.types import Face
from .fuse import PhotoWithFace

__all__ = ["Reference", "Source", "source_for", "source_from_photo"]

Reference = PhotoWithFace | FaceTexture

_BESIDE = 5.0  # texels of 256 around the mask: the colours at its edge are compared to the target's
_DENSE = 0.9  # share of texels that are no larger in the photo than those that are looked at
_SHRINK_FROM = 1.2  # a reference larger than the target by more than this is shrunk first


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """A picture, and where each texel of the face lies in it."""

    image: Array  # [R, R, 3], RGB in [0, 1]
    position_map: Array  # [S, S, 3], pixels of image
    texture: Array  # [S, S, 3], its colours at the texels
    visibility: Array  # [S, S], 1 where the picture shows the texel
    self_visibility: Array  # [S, S], the same if nothing but the face itself could hide it
    # [S, S, 3], position map in the photo whose light the picture has; None: the picture is it.
    lit_map: Array | None = None


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
    if isinstance(reference, FaceTexture):
        return _source_from_face_file(reference, face, layout, side=side)
    photo, other = reference
    needed = np.maximum(mask, mask.reshape(-1)[np.asarray(layout.mirror_texel)].reshape(mask.shape))
    reach = 2 * round(_BESIDE * layout.size / 256) + 1
    needed = cv2.dilate(needed, np.ones((reach, reach), np.uint8))
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
        window, factor = _shrunk(window, scale)
        half = np.asarray((0.5, 0.5, 0.0), np.float32)
        places = (places + half) * factor - half
    return Source(
        image=jnp.asarray(_padded(window, side), jnp.float32),
        position_map=jnp.asarray(places, jnp.float32),
        texture=face.texture,
        visibility=face.visibility,
        self_visibility=face.self_visibility,
    )


def _shrunk(
    picture: Float[np.ndarray, "rows rows 3"], scale: float
) -> tuple[Float[np.ndarray, "new new 3"], np.float32]:
    """Average a square picture down; return it and the exact factor."""
    side = max(round(picture.shape[0] * scale), 8)
    factor = np.float32(side / picture.shape[0])
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), factor


def _padded(
    picture: Float[np.ndarray, "rows rows 3"], side: int
) -> Float[np.ndarray, "padded padded 3"]:
    """Repeat the last pixels up to a size class, or to a side that is larger."""
    more = max(size_class(picture.shape[0]), side) - picture.shape[0]
    if not more:
        return picture
    return cv2.copyMakeBorder(picture, 0, more, 0, more, cv2.BORDER_REPLICATE)


def _source_from_face_file(
    face_file: FaceTexture, face: Face, layout: UVLayout, *, side: int
) -> Source:
    """Make the source of a texture, no finer than the target's pixels need."""
    spans = np.asarray(texel_footprint(face.position_map))[np.asarray(layout.mask) > 0.5]
    texels = face_file.texture.shape[0]
    scale = float(np.quantile(spans, _DENSE)) * layout.size / texels
    picture = face_file.texture
    if scale * _SHRINK_FROM < 1.0:
        picture, _ = _shrunk(picture, scale)
    size, centres = layout.size, _texel_centres(layout.size, picture.shape[0])
    u, v = np.meshgrid(centres, centres)
    small = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
    return Source(
        image=jnp.asarray(_padded(picture, side), jnp.float32),
        position_map=jnp.asarray(np.stack([u, v, np.zeros_like(u)], axis=-1)),
        texture=jnp.asarray(small),
        visibility=jnp.asarray(face_file.visibility),
        self_visibility=layout.mask,
        lit_map=jnp.asarray(face_file.position_map),
    )


def _texel_centres(size: int, texels: int) -> Float[np.ndarray, " size"]:
    """Return where the centres of ``size`` texels lie in a texture of ``texels``."""
    return (np.arange(size, dtype=np.float32) + 0.5) * np.float32(texels / size) - 0.5
