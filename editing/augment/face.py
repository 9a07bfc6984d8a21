"""One face, many pictures with exact labels: turned, relit, recoloured, covered, spoilt.

The pixels are pure functions of a face and a recipe of random numbers (see `recipe`); the labels
are the face's own geometry, turned as its pixels are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Bool, Float

from ...core.geometry.layout import UVLayout
from ...core.geometry.render import rasterize_layout, uv_at_pixels
from ...core.geometry.sampling import sample_bilinear
from ...core.geometry.scales import pool
from ...core.geometry.visibility import visibility
from ...core.synthesis.kinds import kind_number
from ...core.synthesis.occluders import paint_occluder
from ...core.synthesis.photo_faces import bare_texels
from ...core.synthesis.profiling import PhotoFace, Turned, prepare_face, turn_face
from ...core.synthesis.view import PICTURE_SIZE
from ...core.types import Face
from ..colour import linear_from_srgb
from ..recolor import contrast_of, recolor_groups, skin_around, split_regions
from ..regions import FEATHER, soft_region
from ..relight import light_on_texels, main_light, multiply_light, spread_light
from .quality import compress, degrade, grade
from .recipe import SUBJECTS, Makeup, Recipe, draw_recipe

__all__ = ["Variation", "augment_face", "prepare", "render_variation"]

_NEAR = 4  # pixels: as far as a landmark may lie from what is seen
_BEHIND = 5.0  # pixels by which the face may lie before a landmark without hiding it
_MADE_UP = ("lips", "brows")


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Variation:
    """A picture of a face with its labels; positions in picture pixels."""

    image: Array  # [320, 320, 3] RGB in [0, 1]
    position_map: Array  # [S, S, 3], z of zero mean
    # [S, S], 1 where the photo shows the texel and nothing, the face itself included, hides it
    visibility: Array
    landmarks: Array  # [68, 3]
    seen: Array  # [68] bool
    angles: Array  # [3] yaw, pitch, roll, degrees
    kind: Array  # [] int32, of what was put before the face, see `kinds.KINDS`
    recipe: Recipe


def prepare(image: Float[np.ndarray, "height width 3"], face: Face, layout: UVLayout) -> PhotoFace:
    """Cut a face with what surrounds it out of a photo.

    Args:
        image: the photo, RGB in [0, 1].
        face: the face of it.
        layout: UV layout of the face.
    """
    return prepare_face(
        np.asarray(image, np.float32),
        np.asarray(face.position_map),
        bare_texels(face),
        layout,
        rotation=np.asarray(face.camera.rotation),
        scale=float(face.camera.scale),
    )


def augment_face(
    key: Array,
    face: PhotoFace,
    layout: UVLayout,
    *,
    vary: Collection[str] = SUBJECTS,
    max_yaw: float | int = 45.0,
    worn: PhotoFace | None = None,
) -> Variation:
    """Make one random picture of a face; the same key gives the same picture.

    Args:
        key: random key.
        face: from `prepare`.
        layout: UV layout of the face.
        vary: what changes, of `recipe.SUBJECTS`.
        max_yaw: degrees of yaw by which the head is turned at most.
        worn: the face in another shape, or with parts of another, drawn in its place; what else
            varies stays the same.

    Returns:
        The picture, in 8 bits, and its labels.
    """
    skin = _skin_color(face, layout)
    recipe = draw_recipe(key, np.asarray(face.rotation), skin, vary=vary, max_yaw=max_yaw)
    found = render_variation(worn or face, recipe, layout)
    pixels = np.rint(255.0 * np.asarray(found.image)).astype(np.uint8)
    pixels = compress(pixels, int(recipe.quality.jpeg))
    return dataclasses.replace(found, image=jnp.asarray(pixels.astype(np.float32) / 255))


@jax.jit
def _skin_color(face: PhotoFace, layout: UVLayout) -> Float[Array, " 3"]:
    """Return the mean colour of the skin that the photo shows, its lit parts counting more."""
    lit = face.completed.mean(axis=-1) ** 2
    weight = (layout.region("skin") * (0.01 + face.trust) * (0.01 + lit))[..., None]
    return (face.completed * weight).sum(axis=(0, 1)) / weight.sum()


def render_variation(face: PhotoFace, recipe: Recipe, layout: UVLayout) -> Variation:
    """Draw the picture of a recipe, all but the JPEG compression.

    Args:
        face: from `prepare`.
        recipe: what is done.
        layout: UV layout of the face.
    """
    turned = turn_face(face, recipe.turn, layout)
    return _finish(turned, face, recipe, _skin_color(face, layout), layout)


@jax.jit
def _finish(
    turned: Turned, face: PhotoFace, recipe: Recipe, skin: Array, layout: UVLayout
) -> Variation:
    factor = light_on_texels(recipe.light, turned.position_map, layout)
    parts = [_masks(layout, name) for name in _MADE_UP]
    layers = jnp.concatenate([factor, *parts], axis=-1)
    drawn, coverage, depth = _draw_layers(layers, turned.position_map, layout)
    masks = jnp.split(drawn[..., 3:] * turned.head_mask[..., None], [parts[0].shape[-1]], axis=-1)
    image = _make_up(turned.image, masks, recipe.makeup, turned.scale)
    image = multiply_light(image, spread_light(drawn[..., :3], coverage))
    backdrop = jnp.round(255.0 * pool(face.wall, PICTURE_SIZE)).astype(jnp.uint8)
    covered, alpha, kind = paint_occluder(
        recipe.occluder_key,
        image,
        skin,
        backdrop[None],
        light=_light_on_face(face, factor, turned.position_map, layout),
        near=turned.person,
    )
    image = jnp.where(recipe.has_occluder, covered, image)
    uncovered = jnp.where(recipe.has_occluder, 1.0 - alpha, 1.0)
    bare = _at(turned.head_mask * uncovered, turned.position_map)
    is_open = _at(uncovered, turned.landmarks) > 0.5
    return Variation(
        image=degrade(grade(image, recipe.grade), recipe.quality),
        position_map=turned.position_map,
        visibility=visibility(turned.position_map, layout) * bare * face.inside,
        landmarks=turned.landmarks,
        seen=is_open & _unhidden(turned, depth) & _in_photo(face, layout),
        angles=turned.angles,
        kind=jnp.where(recipe.has_occluder, kind, kind_number("none")),
        recipe=recipe,
    )


def _light_on_face(face: PhotoFace, factor: Array, position_map: Array, layout: UVLayout) -> Array:
    """Return where the light on a face comes from, the photo's own times a factor."""
    brightness = (linear_from_srgb(face.completed) * factor).mean(axis=-1)
    weight = layout.region("skin") * face.trust
    return main_light(brightness, weight, position_map, layout)


def _masks(layout: UVLayout, name: str) -> Float[Array, "size size masks"]:
    """Return the masks of the parts of a region, and those of the skin around each."""
    [(_, groups)] = split_regions(layout, [name])
    parts = jnp.stack([soft_region(layout, group, FEATHER) for group in groups], axis=-1)
    return jnp.concatenate([parts, skin_around(parts, layout)], axis=-1)


def _draw_layers(
    layers: Float[Array, "size size c"], position_map: Array, layout: UVLayout
) -> tuple[Float[Array, "side side c"], Float[Array, "side side"], Float[Array, "side side"]]:
    """Return UV layers at the pixels; coverage; depth."""
    found = rasterize_layout(position_map, layout, height=PICTURE_SIZE, width=PICTURE_SIZE)
    drawn = sample_bilinear(layers, uv_at_pixels(found, layout) * layout.size - 0.5)
    coverage = found.is_covered.astype(jnp.float32)
    return drawn * coverage[..., None], coverage, found.depth


def _unhidden(turned: Turned, depth: Float[Array, "side side"]) -> Bool[Array, " 68"]:
    """Return whether neither the face nor its surroundings hide each landmark.

    A landmark on the outline, like most of the jaw, is seen.
    """
    places = jnp.round(turned.landmarks[:, :2]).astype(jnp.int32)
    column, row = jnp.clip(places, 0, PICTURE_SIZE - 1).T
    front = _nearest(depth, least=True)[row, column]
    head = _nearest(turned.head_mask, least=False)
    return (turned.landmarks[:, 2] > front - _BEHIND) & (_at(head, turned.landmarks) > 0.5)


def _in_photo(face: PhotoFace, layout: UVLayout) -> Bool[Array, " 68"]:
    """Return whether each landmark lies on the photo: beyond its border pixels are invented."""
    texels = layout.landmark_uv * layout.size - 0.5
    return sample_bilinear(face.inside[..., None], texels)[..., 0] > 0.5


def _make_up(image: Array, masks: Sequence[Array], makeup: Makeup, scale: Array) -> Array:
    """Recolour lips and brows, each of their parts by its own mean colour."""
    for k, name in enumerate(_MADE_UP):
        parts, arounds = jnp.split(masks[k], 2, axis=-1)
        colored, weight = recolor_groups(
            image,
            parts,
            makeup.colors[k],
            arounds=arounds,
            scale=scale,
            contrast=contrast_of(name),
        )
        image = image + (makeup.strength[k] * weight)[..., None] * (colored - image)
    return image


def _at(mask: Float[Array, "side side"], places: Array) -> Array:
    """Return a mask of the picture at places ``[..., >= 2]`` of it, 0 outside."""
    side = mask.shape[0]
    inside = ((places[..., :2] >= -0.5) & (places[..., :2] <= side - 0.5)).all(axis=-1)
    return sample_bilinear(mask[..., None], places[..., :2])[..., 0] * inside.astype(mask.dtype)


def _nearest(values: Float[Array, "side side"], least: bool) -> Float[Array, "side side"]:
    """Return the least or the largest value within `_NEAR` pixels."""
    start, reduce = (jnp.inf, lax.min) if least else (-jnp.inf, lax.max)
    return lax.reduce_window(values, start, reduce, (2 * _NEAR + 1,) * 2, (1, 1), "SAME")
