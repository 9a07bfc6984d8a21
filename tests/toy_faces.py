"""Toy photos with exactly known faces, for tests of edits and swaps."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from toys import toy_camera, toy_layout, toy_position_map

from uvface.core.geometry.render import rasterize_layout, uv_at_pixels
from uvface.core.geometry.sampling import sample_bicubic, sample_texture
from uvface.core.geometry.visibility import visibility
from uvface.core.types import Face

SIZE = 120  # pixels of the photo; the face fits a window of 128


@cache
def layout():
    """Return the toy layout."""
    return toy_layout()


def texture(seed):
    """Return a smooth skin-like texture with its own tone and marks."""
    random = np.random.default_rng(seed)
    centres = (np.arange(64) + 0.5) / 64
    u, v = np.meshgrid(centres, centres)
    tone = (0.35 + 0.15 * (seed % 4)) * np.array([1.0, 0.8, 0.7])
    picture = np.broadcast_to(tone, (64, 64, 3)).copy()
    for _ in range(12):
        x, y, radius = random.uniform(0.2, 0.8), random.uniform(0.2, 0.8), random.uniform(0.03, 0.1)
        blob = np.exp(-((u - x) ** 2 + (v - y) ** 2) / radius**2)
        picture += blob[..., None] * random.uniform(-0.12, 0.12, 3)
    return jnp.asarray(np.clip(picture, 0.02, 0.98), jnp.float32)


@jax.jit
def _draw(texture, position_map, layout):
    """Draw as `render_texture` does, but read by cubic convolution: sharper."""
    fragments = rasterize_layout(position_map, layout, height=SIZE, width=SIZE)
    places = uv_at_pixels(fragments, layout) * texture.shape[0] - 0.5
    coverage = fragments.is_covered.astype(jnp.float32)
    return sample_bicubic(texture, places) * coverage[..., None], coverage


@jax.jit
def _measure(image, position_map, layout):
    return sample_texture(image, position_map), visibility(position_map, layout)


@cache
def toy_photo(seed, yaw=0.0, shift=(0.0, 0.0), is_mirrored=False):
    """Return a photo and its face; the mirrored one is the mirror image of both."""
    camera = toy_camera(yaw=-yaw if is_mirrored else yaw, size=SIZE)
    position_map = toy_position_map(layout(), camera)
    move = jnp.array([-shift[0] if is_mirrored else shift[0], shift[1], 0.0])
    position_map = position_map + move
    colors = texture(seed)
    drawn, coverage = _draw(colors[:, ::-1] if is_mirrored else colors, position_map, layout())
    random = np.random.default_rng(seed + 100)
    rows = np.linspace(0, 1, SIZE)[:, None, None] * random.random(3)
    backdrop = np.broadcast_to(rows, (SIZE, SIZE, 3))
    image = np.where(np.asarray(coverage)[..., None] > 0, np.asarray(drawn), backdrop)
    image = image.astype(np.float32)
    seen, visible = _measure(image, position_map, layout())
    face = Face(
        position_map=position_map,
        texture=seen,
        visibility=visible,
        self_visibility=visible,
        camera=camera,
        landmarks=jnp.zeros((68, 3)),
        box=jnp.array([10.0, 10.0, 110.0, 110.0]),
        score=jnp.ones(()),
    )
    return image, face
