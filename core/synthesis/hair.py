"""Hair and headwear: textured meshes that follow the head, drawn as one layer over it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float

from ..geometry.rasterize import rasterize
from ..io.arrays import open_arrays
from .fragments import pack_positions, surface_values
from .head import HeadModel, canonical_from_ict
from .light import Light, shade
from .numbers import Numbers
from .scene import outward_normals, triangles_from_quads
from .shells import shell_meshes

__all__ = ["HairBank", "HairLook", "hair_vertices", "load_hair", "render_hair", "sample_hair"]

TEXTURE_SIZE = 512
_NEIGHBOURS = 10
_LONGEST_EDGE = 1.8  # cm
_SMOOTHING = 1.5  # cm, keeps the weights of very near vertices bounded


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class HairBank:
    """All styles, padded to one size. Vertices in the canonical frame on the neutral head."""

    vertices: Array  # [K, H, 3]
    identity: Array  # [K, I, H * 3], offset per identity mode
    normals: Array  # [K, H, 3]
    puff: Array  # [K, H, 3], direction and share of the random volume
    triangles: Array  # [K, T, 3] int32; padding is degenerate
    corner_positions: Array  # [K, T, 3] int32, packed position in the texture
    textures: Array  # [K, 512 * 512] int32: brightness (128 = mean) times 256, plus alpha
    probability: Array  # [K]
    volume: Array  # [K, 2], smallest and largest volume, cm
    is_cloth: Array  # [K] float


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class HairLook:
    """Style of one sample."""

    style: Array  # [] int32
    is_present: Array  # [] float
    volume: Array  # [] cm
    color: Array  # [3], squared values
    contrast: Array  # []
    mirror: Array  # [] +1 or -1
    is_cloth: Array  # [] float


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Style:
    vertices: np.ndarray
    puff: np.ndarray
    triangles: np.ndarray
    positions: np.ndarray
    texture: np.ndarray
    probability: float
    volume: tuple[float, float]
    is_cloth: bool


def _gray_alpha(rgba: np.ndarray) -> np.ndarray:
    small = cv2.resize(rgba, (TEXTURE_SIZE, TEXTURE_SIZE), interpolation=cv2.INTER_AREA)
    gray = (small[..., :3].astype(np.float32) / 255).mean(axis=-1)
    # Gaps between the strands of a lock would show bare skin: only one layer is drawn.
    small[..., 3] = cv2.morphologyEx(small[..., 3], cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    solid = small[..., 3] > 128
    mean = gray[solid].mean() if solid.any() else 0.5
    level = np.clip(128 * gray / max(float(mean), 1e-3), 0, 255)
    return np.stack([level, small[..., 3]], axis=-1).astype(np.uint8)


def _pack_texture(texture: np.ndarray) -> np.ndarray:
    level, alpha = np.moveaxis(texture.astype(np.int32), -1, 0)
    return (level * 256 + alpha).ravel()


def _mesh_styles(folder: Path) -> list[_Style]:
    styles = []
    for path in sorted(folder.glob("*.npz")):
        rgba = cv2.imread(str(path.with_suffix(".png")), cv2.IMREAD_UNCHANGED)
        if rgba is None:
            continue
        with open_arrays(path) as stored:
            mesh = dict(stored)
        corners, owner = triangles_from_quads(mesh["faces"])
        triangles = np.take_along_axis(mesh["faces"][owner], corners, axis=1)
        uv = mesh["uv"][np.take_along_axis(mesh["faces_uv"][owner], corners, axis=1)]
        uv = np.stack([uv[..., 0], 1.0 - uv[..., 1]], axis=-1)
        vertices = mesh["vertices"].astype(np.float32) * np.array([1, -1, 1], np.float32)
        normals = outward_normals(vertices, triangles)
        styles.append(
            _Style(
                vertices=vertices,
                puff=normals,
                triangles=triangles,
                positions=np.clip(uv, 0, 1) * TEXTURE_SIZE - 0.5,
                texture=_gray_alpha(rgba),
                probability=1.0,
                volume=(-0.15, 0.4),
                is_cloth=False,
            )
        )
    return styles


def _follow(points: np.ndarray, anchors: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return offsets ``[I, H, 3]`` of points that follow anchors (inverse-distance weights)."""
    squared = ((points[:, None] - anchors[None]) ** 2).sum(axis=-1)
    near = np.partition(squared, _NEIGHBOURS, axis=1)[:, _NEIGHBOURS, None]
    weight = np.where(squared < near, 1.0 / (squared + _SMOOTHING**2), 0.0).astype(np.float32)
    weight /= weight.sum(axis=1, keepdims=True)
    flat = np.moveaxis(offsets, 0, 1).reshape(len(anchors), -1)
    return np.moveaxis((weight @ flat).reshape(len(points), len(offsets), 3), 1, 0)


def _split_long(style: _Style) -> _Style:
    """Halve the longest edges until none is longer than the limit: large triangles draw slowly."""
    vertices, puff = style.vertices, style.puff
    triangles, positions = style.triangles, style.positions
    for _ in range(8):
        corners = vertices[triangles]
        length = np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=-1)
        longest = length.argmax(axis=1)
        is_long = length.max(axis=1) > _LONGEST_EDGE
        if not is_long.any():
            break
        order = (longest[is_long, None] + np.arange(3)) % 3
        old = np.take_along_axis(triangles[is_long], order, axis=1)
        place = np.take_along_axis(positions[is_long], order[..., None], axis=1)
        pairs, middle = np.unique(np.sort(old[:, :2], axis=1), axis=0, return_inverse=True)
        middle = middle.reshape(-1) + len(vertices)
        vertices = np.concatenate([vertices, vertices[pairs].mean(axis=1)])
        puff = np.concatenate([puff, puff[pairs].mean(axis=1)])
        half = place[:, :2].mean(axis=1)
        first = np.stack([old[:, 0], middle, old[:, 2]], axis=1)
        second = np.stack([middle, old[:, 1], old[:, 2]], axis=1)
        first_place = np.stack([place[:, 0], half, place[:, 2]], axis=1)
        second_place = np.stack([half, place[:, 1], place[:, 2]], axis=1)
        triangles = np.concatenate([triangles[~is_long], first, second])
        positions = np.concatenate([positions[~is_long], first_place, second_place])
    return dataclasses.replace(
        style, vertices=vertices, puff=puff, triangles=triangles, positions=positions
    )


def load_hair(folder: Path | None, head: HeadModel) -> HairBank:
    """Read the hair meshes of a folder and add shells made from the head itself.

    Args:
        folder: ``parts/hair`` of the data pack, or None.
        head: the model that the styles follow.
    """
    styles = _mesh_styles(folder) if folder is not None and folder.is_dir() else []
    styles += [_Style(**shell) for shell in shell_meshes(head, TEXTURE_SIZE)]
    styles = [_split_long(style) for style in styles]
    vertex_count = max(len(style.vertices) for style in styles)
    triangle_count = max(len(style.triangles) for style in styles)
    chosen = head.part_vertices("face", "head_neck")[::11]
    anchors = np.asarray(canonical_from_ict(head.neutral))[chosen]
    offsets = np.asarray(canonical_from_ict(head.identity[:, chosen]))
    columns: dict[str, list[np.ndarray]] = {
        name: [] for name in ("vertices", "identity", "normals", "puff", "triangles", "positions")
    }
    for style in styles:
        fill = vertex_count - len(style.vertices)
        padded = np.concatenate([style.vertices, np.repeat(style.vertices[-1:], fill, axis=0)])
        normals = outward_normals(style.vertices, style.triangles)
        gap = triangle_count - len(style.triangles)
        followed = _follow(style.vertices, anchors, offsets)
        columns["vertices"].append(padded)
        followed = np.pad(followed, ((0, 0), (0, fill), (0, 0)))
        columns["identity"].append(followed.reshape(len(offsets), -1))
        columns["normals"].append(np.pad(normals, ((0, fill), (0, 0))))
        columns["puff"].append(np.pad(style.puff, ((0, fill), (0, 0))))
        columns["triangles"].append(np.pad(style.triangles, ((0, gap), (0, 0))).astype(np.int32))
        columns["positions"].append(np.pad(pack_positions(style.positions), ((0, gap), (0, 0))))
    stacked = {name: np.stack(values) for name, values in columns.items()}
    weights = np.array([style.probability for style in styles], np.float32)
    return HairBank(
        vertices=jnp.asarray(stacked["vertices"], dtype=jnp.float32),
        identity=jnp.asarray(stacked["identity"]),
        normals=jnp.asarray(stacked["normals"], dtype=jnp.float32),
        puff=jnp.asarray(stacked["puff"], dtype=jnp.float32),
        triangles=jnp.asarray(stacked["triangles"]),
        corner_positions=jnp.asarray(stacked["positions"]),
        textures=jnp.asarray(np.stack([_pack_texture(style.texture) for style in styles])),
        probability=jnp.asarray(weights / weights.sum()),
        volume=jnp.asarray(np.array([style.volume for style in styles], np.float32)),
        is_cloth=jnp.asarray(np.array([style.is_cloth for style in styles], np.float32)),
    )


def sample_hair(key: Array, bank: HairBank, color: Float[Array, " 3"]) -> HairLook:
    """Return a random style; ``color`` is the colour of the person's hair."""
    draw = Numbers(key, 10)
    style = draw.choice(bank.probability)
    low, high = bank.volume[style]
    cloth = draw.uniform((3,)) ** 2 * 0.8
    grey = cloth.mean()
    cloth = grey + draw.uniform() ** 2 * (cloth - grey)
    is_cloth = bank.is_cloth[style]
    return HairLook(
        style=style,
        is_present=(draw.chance(0.85)).astype(jnp.float32),
        volume=low + (high - low) * draw.uniform() ** 1.5,
        color=jnp.where(is_cloth > 0, cloth + 0.01, color),
        contrast=draw.uniform(low=0.5, high=1.3),
        mirror=jnp.where(draw.chance(0.5), 1.0, -1.0),
        is_cloth=is_cloth,
    )


def hair_vertices(
    bank: HairBank, look: HairLook, identity: Float[Array, " identities"]
) -> tuple[Float[Array, "h 3"], Float[Array, "h 3"]]:
    """Return vertices and normals of the style on a head (canonical frame, cm)."""
    offset = (identity @ bank.identity[look.style]).reshape(-1, 3)
    flip = jnp.stack([look.mirror, jnp.ones(()), jnp.ones(())])
    # A mirrored style follows the head as the unmirrored one: heads are nearly symmetric.
    vertices = bank.vertices[look.style] + look.volume * bank.puff[look.style]
    return vertices * flip + offset, bank.normals[look.style] * flip


def render_hair(
    bank: HairBank,
    look: HairLook,
    points: Float[Array, "h 3"],
    normals: Float[Array, "h 3"],
    light: Light,
    size: int,
) -> tuple[Float[Array, "size size 3"], Float[Array, "size size"], Float[Array, "size size"]]:
    """Draw a style.

    Args:
        bank: all styles.
        look: the chosen style.
        points: its vertices in picture pixels.
        normals: its normals in the camera frame.
        light: light of the picture.
        size: side of the picture.

    Returns:
        Linear colour times alpha, alpha, and depth per pixel. They are drawn at half the
        resolution: locks are soft, and their large triangles take most of the time otherwise.
    """
    points = points * 0.5 - jnp.array([0.25, 0.25, 0.0])
    triangles, positions = _face_camera(
        points, bank.triangles[look.style], bank.corner_positions[look.style]
    )
    found = rasterize(points, triangles, height=size // 2, width=size // 2)
    facing = jnp.where(normals[:, 2:] < 0, -0.4, 1.0) * normals
    ones = jnp.ones(len(points))
    place, lit = surface_values(
        found, triangles, positions, shade(facing, light, ones, 0.85 * ones)
    )
    column, line = (
        jnp.clip(jnp.round(place[..., k]).astype(jnp.int32), 0, TEXTURE_SIZE - 1) for k in (0, 1)
    )
    texel = bank.textures[look.style][line * TEXTURE_SIZE + column]
    level, alpha = (texel >> 8).astype(jnp.float32) / 128, (texel & 255).astype(jnp.float32) / 255
    bright = jnp.maximum(1.0 + look.contrast * (level - 1.0), 0.05)
    color = look.color * (bright * bright)[..., None] * lit[..., :3]
    color = color + 0.5 * lit[..., 3:] * bright[..., None] * (1.0 - 0.7 * look.is_cloth)
    alpha = jnp.clip((alpha - 0.25) * 2.5, 0.0, 1.0) * found.is_covered.astype(jnp.float32)
    alpha = (alpha * look.is_present)[..., None]
    layers = _double(_double(jnp.concatenate([color * alpha, alpha], axis=-1), 0), 1)
    # Pixels beside the hair take part in its soft edge: give them the depth beside them.
    around = lax.reduce_window(found.depth, -jnp.inf, lax.max, (3, 3), (1, 1), "SAME")
    depth = jnp.where(found.is_covered, found.depth, around)
    depth = jnp.repeat(jnp.repeat(depth, 2, axis=0), 2, axis=1)
    return layers[..., :3], layers[..., 3], depth


def _double(image: Array, axis: int) -> Array:
    """Return the image with twice the pixels along an axis, bilinear."""
    count = image.shape[axis]
    first, last = (lax.slice_in_dim(image, k, k + 1, axis=axis) for k in (0, count - 1))
    most, rest = (lax.slice_in_dim(image, k, k + count - 1, axis=axis) for k in (0, 1))
    before = jnp.concatenate([first, most], axis=axis)
    after = jnp.concatenate([rest, last], axis=axis)
    pair = jnp.stack([0.75 * image + 0.25 * before, 0.75 * image + 0.25 * after], axis=axis + 1)
    shape = list(image.shape)
    shape[axis] = 2 * count
    return pair.reshape(shape)


def _face_camera(points: Array, triangles: Array, positions: Array) -> tuple[Array, Array]:
    """Turn over the triangles that look away: hair is seen from both sides."""
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    away = (area > 0)[:, None]
    return (
        jnp.where(away, triangles[:, ::-1], triangles),
        jnp.where(away, positions[:, ::-1], positions),
    )
