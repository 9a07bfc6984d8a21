"""Layers of one picture: the head and its body, glasses, hair; drawn one over the other."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Bool, Float, Int, UInt8

from ..geometry.harmonics import harmonics
from ..geometry.rasterize import rasterize
from .atlas import ATLAS_SHAPE
from .fragments import surface_values
from .glasses import GLASSES_SHARE, draw_glasses, glasses_vertices, sample_glasses
from .hair import HairBank, HairLook, hair_vertices, render_hair
from .heads import Stage
from .kinds import kind_number
from .light import Light, shade, vertex_normals
from .scene import Scene
from .skins import unpack_colors
from .view import PICTURE_SIZE, project

__all__ = ["Layers", "add_glasses", "add_hair", "cover_kind", "draw_surface", "number_where"]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Layers:
    """What has been drawn so far."""

    linear: Array  # [H, W, 3] linear light
    cover: Array  # [H, W], 0 where the background shows
    head: Array  # [H, W], 1 where the head is, seen or hidden by other layers
    bare: Array  # [H, W], 1 where the head itself is seen
    kind: Array  # [H, W] uint8, what covers the head (`kinds.KINDS`)
    depth: Array  # [H, W], of head and body, picture pixels
    light: Array  # [3], mean light on the head


def _read_atlas(atlas: Int[Array, "rows columns"], place: Array) -> Array:
    """Return square roots of colours at atlas positions, bilinear."""
    flat = atlas.reshape(-1)
    low = jnp.floor(place)
    part = place - low
    column = jnp.clip(low[..., 0].astype(jnp.int32), 0, ATLAS_SHAPE[1] - 2)
    line = jnp.clip(low[..., 1].astype(jnp.int32), 0, ATLAS_SHAPE[0] - 2)
    start = line * ATLAS_SHAPE[1] + column
    right, down = part[..., 0:1], part[..., 1:2]
    a, b = unpack_colors(flat[start]), unpack_colors(flat[start + 1])
    c = unpack_colors(flat[start + ATLAS_SHAPE[1]])
    d = unpack_colors(flat[start + ATLAS_SHAPE[1] + 1])
    top, bottom = a + right * (b - a), c + right * (d - c)
    return top + down * (bottom - top)


def draw_surface(
    scene: Scene, stage: Stage, light: Light, atlas: Int[Array, "rows columns"]
) -> Layers:
    """Draw head and body."""
    points = project(stage.turned, stage.view, stage.frame)
    found = rasterize(points, scene.triangles, height=PICTURE_SIZE, width=PICTURE_SIZE)
    normals = vertex_normals(stage.turned, scene.triangles)
    # The baked shadow lives in the head's frame with y up.
    lamp = (light.lamp @ stage.view.rotation) * jnp.array([1.0, -1.0, 1.0])
    seen = jnp.clip(scene.visibility @ harmonics(lamp) * 1.4 - 0.2, 0.0, 1.0)
    shine = shade(normals, light, seen, scene.openness)
    place, bright = surface_values(found, scene.triangles, scene.corner_positions, shine)
    color = _read_atlas(atlas, place) ** 2 * bright[..., :3] + bright[..., 3:]
    is_head = found.is_covered & (found.triangle < len(scene.triangles) - scene.body_triangles)
    head = is_head.astype(jnp.float32)
    return Layers(
        linear=jnp.where(found.is_covered[..., None], color, 0.0),
        cover=found.is_covered.astype(jnp.float32),
        head=head,
        bare=head,
        kind=number_where(found.is_covered & ~is_head, "cloth"),
        depth=found.depth,
        light=shine[: -len(scene.body) : 50, :3].mean(axis=0),
    )


def number_where(mask: Bool[Array, "h w"], name: str) -> UInt8[Array, "h w"]:
    """Return the number of a kind where a mask is set, 0 (nothing) elsewhere."""
    return jnp.where(mask, kind_number(name), 0).astype(jnp.uint8)


def cover_kind(
    kind: UInt8[Array, "h w"], bare: Float[Array, "h w"], alpha: Float[Array, "h w"], above: Array
) -> UInt8[Array, "h w"]:
    """Return the kind mask after one more layer: the topmost that hides what lies below.

    Several thin layers (hair behind a lens) can hide the head together; then the one that takes
    the head's share below a half gives the name.

    Args:
        kind: the mask so far.
        bare: how much of the head is seen so far.
        alpha: of the new layer.
        above: number of the new layer's kind, ``[]``.
    """
    hides = (bare >= 0.5) & (bare * (1.0 - alpha) < 0.5)
    return jnp.where((alpha >= 0.5) | hides, above.astype(jnp.uint8), kind)


def _blend(layers: Layers, color: Array, alpha: Array, kind: Array) -> Layers:
    """Put a layer (colour times alpha, alpha) over the others."""
    return dataclasses.replace(
        layers,
        linear=color + (1.0 - alpha[..., None]) * layers.linear,
        cover=jnp.maximum(layers.cover, alpha),
        bare=layers.bare * (1.0 - alpha),
        kind=cover_kind(layers.kind, layers.bare, alpha, kind),
    )


def add_glasses(
    key: Array, layers: Layers, stage: Stage, eyes: Float[Array, "2 3"], ears: Float[Array, "2 3"]
) -> Layers:
    """Put glasses on some heads.

    Args:
        key: random key.
        layers: head and body.
        stage: where the head stands.
        eyes: centres of the left and the right eyeball, canonical frame.
        ears: left and right, canonical frame.
    """
    share_key, key = jax.random.split(key)

    def wear(layers: Layers) -> Layers:
        look = sample_glasses(key)
        arms = ears * jnp.array([1.03, 1.0, 1.0]) - jnp.array([0.0, 0.8, 1.0])
        points = stage.points(glasses_vertices(look, eyes, arms))
        color, alpha, depth = draw_glasses(points, look, layers.light, PICTURE_SIZE)
        alpha = jnp.where(depth > layers.depth, alpha, 0.0)
        return _blend(layers, color * alpha[..., None], alpha, jnp.array(kind_number("glasses")))

    is_worn = jax.random.uniform(share_key) < GLASSES_SHARE
    return lax.cond(is_worn, wear, lambda layers: layers, layers)


def add_hair(
    layers: Layers,
    stage: Stage,
    bank: HairBank,
    style: HairLook,
    identity: Float[Array, " identities"],
    stretch: Float[Array, " 3"],
    light: Light,
) -> Layers:
    """Draw hair or headwear over the head."""
    vertices, normals = hair_vertices(bank, style, identity)
    points = stage.points(vertices * stretch)
    turned = normals @ stage.view.rotation.T
    color, alpha, depth = render_hair(bank, style, points, turned, light, PICTURE_SIZE)
    is_before = (depth > layers.depth).astype(jnp.float32)
    kind = jnp.where(style.is_cloth > 0, kind_number("cloth"), kind_number("hair"))
    return _blend(layers, color * is_before[..., None], alpha * is_before, kind)
