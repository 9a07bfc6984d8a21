"""Several photos of one person to one texture.

Data flow, per photo at the layout's texels::

    visibility x facing x resolution x sharpness --> weight
    colours --match to the best photo--> colours of one light --far from the median--> outlier

Then each texel of the texture is read from the photos with the largest weights; these are few, so
that detail is not averaged away.

References:
    A. Baumberg, "Blending Images for Texturing 3D Models", BMVC 2002 (weights per view).
    V. Lempitsky, D. Ivanov, "Seamless Mosaicing of Image-Based Texture Maps", CVPR 2007 (few
    views per texel, colours levelled between them).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..core.errors import InputError
from ..core.geometry.layout import UVLayout
from ..core.geometry.texels import texel_footprint
from ..core.geometry.visibility import normals
from ..core.io.face_files import FaceTexture, TextureSource
from ..core.io.textures import photo_texture
from ..core.types import Camera, Face
from .colour import (
    ColorTransfer,
    apply_light,
    apply_transfer,
    fit_transfer,
    lab_from_rgb,
    rgb_from_lab,
)
from .light import Skin, fit_colors
from .regions import soften
from .seen.glasses import frame_trust

__all__ = ["LARGEST_TEXTURE", "PhotoWithFace", "fuse_photos", "native_size"]

LARGEST_TEXTURE = 4096  # texels along a side
_SMALLEST_TEXTURE = 256
_FOLDS = 5.0  # texels of 256, over which normals are averaged
_DETAIL = 12.0  # texels of 256, over which sharpness is averaged
_LEAST_SHARPNESS = 0.3  # of the sharpest photo's: a blurred photo still counts that much
_COLOR_BLUR = 3.0  # texels of 256: colours are compared without their detail
_OUTLIER = 0.06  # Oklab: a colour so far from the median counts half
_OTHER_THING = 0.12  # Oklab: the same for what counts as a difference of light
_DECISIVE = 4  # exponent of the weights: the best photo of a texel gives most of it
_SEAM = 3.0  # texels of 256: width of the change from photo to photo
_BAND = 512  # rows at a time: bounds the memory of large textures

PhotoWithFace = tuple[Float[np.ndarray, "_ _ 3"], Face]  # a photo, RGB in [0, 1], and a face of it


class _Views(NamedTuple):
    """What is known of V photos at the texels."""

    weights: Array  # [V, S, S], how well the photo shows the texel
    footprint: Array  # [V, S, S], photo pixels per texel
    lab: Array  # [V, S, S, 3] Oklab
    normal: Array  # [V, S, S, 3] photo frame, smoothed
    seen: Array  # [V, S, S]


def fuse_photos(
    views: Sequence[PhotoWithFace],
    layout: UVLayout,
    *,
    size: int | None = None,
    sources: Sequence[TextureSource] = (),
) -> FaceTexture:
    """Make one texture of photos of one person.

    Args:
        views: photos, RGB in [0, 1], each with the person's face in it.
        layout: UV layout of the faces.
        size: texels along a side; by default as many as the photos fill.
        sources: the photos' files, for the record.

    Raises:
        InputError: there is no photo.
    """
    if not views:
        raise InputError("no photo to make a texture of; give one or more")
    faces = jax.tree.map(lambda *leaves: jnp.stack(leaves), *[face for _, face in views])
    measured = _measure(faces, layout)
    best = int(np.argmax(np.asarray((measured.weights * layout.region("skin")).sum((1, 2)))))
    transfers, lights = _match(measured, jnp.asarray(best, jnp.int32), layout)
    mix, visible = _mix(measured, transfers, lights, jnp.asarray(best, jnp.int32))
    size = size or native_size(measured.footprint, measured.seen)
    texture = _blend(views, np.asarray(mix), transfers, np.asarray(lights), size)
    return FaceTexture(
        texture=texture,
        visibility=np.asarray(visible, np.float32),
        position_map=np.asarray(views[best][1].position_map, np.float32),
        shape=np.asarray(_shape(faces, measured.weights), np.float32),
        visible_fraction=float((visible * layout.mask).sum() / layout.mask.sum()),
        layout=layout.name,
        layout_digest=layout.digest,
        sources=tuple(sources),
    )


def native_size(footprint: Float[Array, "v size size"], seen: Float[Array, "v size size"]) -> int:
    """Return the texels along a side, a power of two, at which a texel is about a photo pixel.

    Args:
        footprint: photo pixels per texel of the layout.
        seen: 1 where the photo shows the texel.
    """
    spans, shown = np.asarray(footprint), np.asarray(seen) > 0.5
    widest = [np.quantile(f[s], 0.9) for f, s in zip(spans, shown, strict=True) if s.any()]
    needed = max([1.0, *(float(span) * spans.shape[-1] for span in widest)])
    power = 2 ** int(np.ceil(np.log2(needed)))
    return int(np.clip(power, _SMALLEST_TEXTURE, LARGEST_TEXTURE))


def _blurred(image: Array, sigma: float) -> Array:
    """Blur ``[S, S]`` or ``[S, S, C]`` by texels of 256."""
    width = sigma * image.shape[0] / 256
    if image.ndim == 2:
        return soften(image[..., None], width)[..., 0]
    return soften(image, width)


def _agreement(difference: Array, half: float) -> Array:
    """Return 1 for no difference of colours ``[..., 3]``, one half at a distance of ``half``."""
    return 1.0 / (1.0 + ((difference**2).sum(axis=-1) / half**2) ** 2)


@jax.jit
def _measure(faces: Face, layout: UVLayout) -> _Views:
    """Weigh the texels of each photo; ``faces`` has a leading axis V."""

    def one(face: Face) -> tuple[_Views, Array]:
        lab = lab_from_rgb(face.texture)
        bare = frame_trust(face.texture, lab, face.visibility, face.self_visibility, layout)
        seen = face.visibility * bare * layout.mask
        normal = _blurred(normals(face.position_map, layout), _FOLDS)
        facing = jnp.clip(normal[..., 2], 0.0, 1.0)
        down, across = jnp.gradient(lab[..., 0])
        detail = jnp.sqrt(_blurred((down**2 + across**2) * seen, _DETAIL) + 1e-10)
        footprint = texel_footprint(face.position_map)
        weights = seen * facing
        view = _Views(weights=weights, footprint=footprint, lab=lab, normal=normal, seen=seen)
        return view, detail

    views, detail = jax.vmap(one)(faces)
    sharpness = jnp.maximum(detail / jnp.maximum(detail.max(axis=0), 1e-5), _LEAST_SHARPNESS)
    resolution = views.footprint / jnp.maximum(views.footprint.max(axis=0), 1e-6)
    weights = views.weights * sharpness * jnp.clip(resolution, 0.02, 1.0)
    return views._replace(weights=weights)


@jax.jit
def _match(views: _Views, best: Array, layout: UVLayout) -> tuple[ColorTransfer, Array]:
    """Return what takes each photo's colours to the best one's: transfers and ``[V, S, S, 3]``."""
    region, seen = layout.region("skin"), views.seen
    alike = jnp.ones(len(seen))
    skins = Skin(
        lab=views.lab,
        normal=views.normal,
        weight=region * seen,
        paleness=alike,
        harshness=jnp.zeros(len(seen)),
    )
    target = jax.tree.map(lambda leaf: leaf[best], skins)

    def one(skin: Skin, number: Array) -> tuple[ColorTransfer, Array]:
        both = skin.weight * target.weight
        rough = fit_transfer(skin.lab, both, target.lab, both)
        difference = target.lab - apply_transfer(rough, skin.lab)
        # A large difference is a hand or a shadow in one of the photos, not their light.
        # What only this photo shows is compared with nothing.
        disagrees = target.weight * (1.0 - _agreement(difference, _OTHER_THING))
        weight = skin.weight * (1.0 - disagrees)
        match = fit_colors(dataclasses.replace(skin, weight=weight), target, "light")
        is_best = number == best
        same = ColorTransfer.identity()
        kept = jax.tree.map(lambda a, b: jnp.where(is_best, a, b), same, match.transfer)
        return kept, jnp.where(is_best, 1.0, match.light)

    return jax.vmap(one)(skins, jnp.arange(len(seen), dtype=jnp.int32))


@jax.jit
def _mix(
    views: _Views, transfers: ColorTransfer, lights: Array, best: Array
) -> tuple[Array, Array]:
    """Return each photo's share of the texels, ``[V, S, S]``, and the visibility of the whole."""
    matched = jax.vmap(apply_light)(transfers, views.lab, lights)
    smooth = jax.vmap(partial(_blurred, sigma=_COLOR_BLUR))(matched)
    is_seen = views.seen > 0.5
    median = jnp.nanmedian(jnp.where(is_seen[..., None], smooth, jnp.nan), axis=0)
    agrees = _agreement(jnp.nan_to_num(smooth - median), _OUTLIER)
    # Where photos are divided the median is none of theirs: the nearest one is believed.
    nearest = jnp.where(is_seen, agrees, 0.0).max(axis=0)
    agrees = jnp.minimum(agrees / jnp.maximum(nearest, 1e-6), 1.0)
    trusted = jnp.where(is_seen.sum(axis=0) >= 3, agrees, 1.0)
    weights = (views.weights * trusted) ** _DECISIVE
    share = weights / jnp.maximum(weights.sum(axis=0), 1e-12)
    share = jax.vmap(partial(_blurred, sigma=_SEAM))(share) * views.seen * trusted
    total = share.sum(axis=0)
    # What no photo shows is left as the best one has it; its visibility says so.
    alone = (jnp.arange(share.shape[0]) == best)[:, None, None].astype(share.dtype)
    share = jnp.where(total > 1e-3, share / jnp.maximum(total, 1e-3), alone)
    return share, (views.seen * trusted).max(axis=0)


@jax.jit
def _relight(transfer: ColorTransfer, colors: Array, light: Array) -> Array:
    return rgb_from_lab(apply_light(transfer, lab_from_rgb(colors), light))


def _blend(
    views: Sequence[PhotoWithFace],
    mix: Float[np.ndarray, "v size size"],
    transfers: ColorTransfer,
    lights: Float[np.ndarray, "v size size 3"],
    size: int,
) -> Float[np.ndarray, "{size} {size} 3"]:
    """Read the photos at full resolution and mix them."""
    texture = np.zeros((size, size, 3), np.float32)
    total = np.zeros((size, size, 1), np.float32)
    for i, (image, face) in enumerate(views):
        share = cv2.resize(mix[i], (size, size), interpolation=cv2.INTER_LINEAR)[..., None]
        colors = photo_texture(image, face, size)
        if np.any(lights[i] != 1.0):
            transfer = jax.tree.map(lambda leaf, i=i: leaf[i], transfers)
            light = cv2.resize(lights[i], (size, size), interpolation=cv2.INTER_LINEAR)
            for top in range(0, size, _BAND):
                rows = slice(top, top + _BAND)
                colors[rows] = _relight(transfer, colors[rows], light[rows])
        texture += share * colors
        total += share
    return np.clip(texture / np.maximum(total, 1e-6), 0.0, 1.0)


@jax.jit
def _shape(faces: Face, weights: Array) -> Array:
    """Return the mean of the shapes without their poses, each where its photo shows it."""
    shapes = jax.vmap(Camera.unproject)(faces.camera, faces.position_map)
    weights = weights + 1e-3
    return (shapes * weights[..., None]).sum(axis=0) / weights.sum(axis=0)[..., None]
