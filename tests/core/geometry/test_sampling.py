import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import toy_camera, toy_layout, toy_position_map, toy_texture

from uvface.core.geometry import sampling
from uvface.core.geometry.sampling import resize_map

sample_bilinear = jax.jit(sampling.sample_bilinear)
sample_bicubic = jax.jit(sampling.sample_bicubic)
sample_texture = jax.jit(sampling.sample_texture)


def pixel_grid(height, width):
    y, x = np.mgrid[:height, :width]
    return jnp.asarray(np.stack([x, y], -1), jnp.float32)


def affine_map(size):
    """Affine function of u and v at the texel centres."""
    line = (np.arange(size) + 0.5) / size
    u, v = np.meshgrid(line, line)
    return jnp.asarray(np.stack([300 * u - 40 * v, 9 + 200 * v, u + v], -1), jnp.float32)


@pytest.mark.parametrize("sample", [sample_bilinear, sample_bicubic])
def test_pixel_centres_return_the_pixels(sample):
    image = jax.random.uniform(jax.random.key(0), (9, 13, 4))
    np.testing.assert_allclose(sample(image, pixel_grid(9, 13)), image, atol=1e-6)


@pytest.mark.parametrize("sample", [sample_bilinear, sample_bicubic])
def test_exact_for_linear_images(sample):
    points = jax.random.uniform(jax.random.key(1), (50, 2), minval=2.0, maxval=15.0)
    np.testing.assert_allclose(sample(pixel_grid(20, 20), points), points, atol=1e-5)


@pytest.mark.parametrize("sample", [sample_bilinear, sample_bicubic])
def test_border_continues_and_nan_does_not_spread(sample):
    image = jax.random.uniform(jax.random.key(2), (5, 6, 1))
    points = jnp.array([[-70.0, -3.0], [99.0, 88.0], [jnp.nan, 0.0], [1e30, -jnp.inf]])
    found = sample(image, points)[:, 0]
    expected = [image[0, 0, 0], image[4, 5, 0], image[0, 0, 0], image[0, 5, 0]]
    np.testing.assert_allclose(found, jnp.stack(expected), atol=1e-5)


def test_bicubic_is_closer_on_a_smooth_image():
    x = pixel_grid(16, 16)[..., :1]
    image = jnp.sin(0.7 * x)
    points = jax.random.uniform(jax.random.key(3), (99, 2), minval=3.0, maxval=12.0)
    truth = jnp.sin(0.7 * points[:, :1])
    errors = [jnp.abs(s(image, points) - truth).max() for s in (sample_bicubic, sample_bilinear)]
    assert errors[0] < 0.3 * errors[1]


@pytest.mark.parametrize(("old", "new"), [(64, 256), (256, 64), (100, 37), (37, 100)])
def test_resize_keeps_affine_maps(old, new):
    found = resize_map(affine_map(old), new)
    np.testing.assert_allclose(found, affine_map(new), atol=2e-4)


def test_resize_to_the_same_size_changes_nothing():
    image = toy_texture(20)
    np.testing.assert_array_equal(resize_map(image, 20), image)


def test_resize_averages_when_it_shrinks():
    stripes = jnp.tile(jnp.array([0.0, 1.0]), 32)[None, :, None].repeat(64, 0)
    np.testing.assert_allclose(resize_map(stripes, 16)[2:-2, 2:-2], 0.5, atol=1e-3)


def test_texture_of_a_linear_photo_is_the_position_map():
    layout = toy_layout(24)
    positions = toy_position_map(layout, toy_camera(yaw=20.0, size=100))
    texture = sample_texture(pixel_grid(100, 100), positions)
    error = jnp.abs(texture - positions[..., :2]).max(-1)
    assert (error * layout.mask).max() < 1e-4


def test_jit_and_vmap_agree_with_plain():
    images = jax.random.uniform(jax.random.key(4), (2, 8, 8, 3))
    points = jax.random.uniform(jax.random.key(5), (2, 30, 2), maxval=7.0)
    batch = jax.jit(jax.vmap(sample_bicubic))(images, points)
    for k in range(2):
        np.testing.assert_allclose(batch[k], sample_bicubic(images[k], points[k]), atol=1e-5)
