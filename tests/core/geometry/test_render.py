from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from toys import toy_camera, toy_layout, toy_position_map, toy_texture

from uvface.core.geometry.render import render_texture
from uvface.core.geometry.sampling import resize_map, sample_texture
from uvface.core.geometry.visibility import visibility

LAYOUT = toy_layout(64)
draw = jax.jit(partial(render_texture, layout=LAYOUT, height=200, width=200))
see = jax.jit(visibility)


def render(texture, position_map, origin=(0, 0)):
    """Draw three channels; the fourth is the mask, so that all tests share a compilation."""
    wide = jnp.concatenate([texture, LAYOUT.mask[..., None]], -1)
    image, coverage = draw(wide, position_map, origin=jnp.array(origin))
    return image[..., :3], coverage


def positions(yaw=0.0):
    return toy_position_map(LAYOUT, toy_camera(yaw=yaw, size=200))


def test_render_then_sample_returns_the_texture():
    texture = toy_texture(64)
    for yaw in (0.0, 40.0):
        image, coverage = render(texture, positions(yaw))
        found = sample_texture(image, positions(yaw))
        seen = see(positions(yaw), LAYOUT) > 0.95
        inner = sample_texture(coverage[..., None], positions(yaw))[..., 0] > 0.999
        is_checked = seen & inner
        assert is_checked.mean() > 0.25
        error = jnp.abs(found - texture).max(-1)[is_checked]
        assert (error > 0.02).mean() < 0.002  # beside what hides them, texels mix
        assert error.mean() < 0.002


def test_uncovered_pixels_are_zero():
    image, coverage = render(toy_texture(64), positions())
    assert set(np.unique(coverage)) == {0.0, 1.0}
    assert (image[coverage == 0] == 0).all()
    assert (image[coverage == 1] > 0).any()


def test_channels_and_sizes_agree():
    image, coverage = render(toy_texture(64), positions())
    wide = jnp.concatenate([toy_texture(64), LAYOUT.mask[..., None]], axis=-1)
    mask = draw(wide, positions(), origin=jnp.array([0, 0]))[0][..., 3]
    assert (mask <= coverage + 1e-5).all()
    assert (jnp.abs(mask - coverage) > 1e-4).mean() < 2e-3  # only texels at the mask's border
    other, _ = render_texture(
        toy_texture(256), resize_map(positions(), 32), LAYOUT, height=200, width=200
    )
    assert jnp.abs(other - image).mean() / coverage.mean() < 0.01


def test_window_is_a_part_of_the_photo():
    image, _ = render(toy_texture(64), positions(20.0))
    part, _ = render(toy_texture(64), positions(20.0), (50, 70))
    np.testing.assert_allclose(part[:130, :150], image[70:, 50:], atol=1e-5)
    moved = positions(20.0) + jnp.array([3000.0, 2000.0, 0.0])
    far, _ = render(toy_texture(64), moved, (3050, 2070))
    assert jnp.abs(far - part).mean() < 1e-3
