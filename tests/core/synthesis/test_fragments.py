import jax
import jax.numpy as jnp
import numpy as np

from uvface.core.geometry.rasterize import interpolate, rasterize
from uvface.core.synthesis.fragments import pack_positions, surface_values
from uvface.core.synthesis.skins import pack_colors, unpack_colors


def test_packed_values_agree_with_plain_interpolation():
    triangles = jnp.array([[0, 2, 1], [1, 2, 3]], dtype=jnp.int32)
    vertices = jnp.array([[1.0, 1, 0], [30.0, 1, 0], [1.0, 30, 0], [30.0, 30, 0]])
    positions = np.array([[3.0, 5], [500.5, 7], [20, 380.25], [560, 370]], np.float32)
    light = jax.random.uniform(jax.random.key(0), (4, 4), maxval=3.0)
    draw = jax.jit(rasterize, static_argnames=("height", "width"))
    found = draw(vertices, triangles, height=32, width=32)
    packed = jnp.asarray(pack_positions(positions[np.asarray(triangles)]))
    place, bright = jax.jit(surface_values)(found, triangles, packed, light)
    mix = jax.jit(interpolate)
    covered = np.asarray(found.is_covered)
    assert covered.sum() > 700
    expected = mix(found, triangles, jnp.asarray(positions))
    np.testing.assert_allclose(place[covered], expected[covered], atol=0.05)
    expected = mix(found, triangles, light)
    np.testing.assert_allclose(bright[covered], expected[covered], atol=0.05)


def test_packed_colours_come_back():
    colors = jax.random.uniform(jax.random.key(1), (3, 9, 7))
    back = jax.jit(lambda planes: unpack_colors(pack_colors(planes)))(colors)
    np.testing.assert_allclose(back, jnp.sqrt(jnp.moveaxis(colors, 0, -1)), atol=1e-3)
