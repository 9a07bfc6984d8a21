"""The two twins that spoil crops do the same damage, and say truly what they cover."""

import dataclasses

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toy_network import STILL

from uvface.core.training.spoil import _jpeg, spoil
from uvface.core.training.spoil_on_device import jpeg, spoil_on_device

COVERED = dataclasses.replace(STILL, p_occluder=1.0)


def _covered_on_host(level: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    image, mask = np.full((256, 256, 3), level, np.uint8), np.full((256, 256), 255, np.uint8)
    found = [spoil(np.random.default_rng(seed), image, mask, COVERED) for seed in range(count)]
    images, masks = (np.stack(parts) / 255.0 for parts in zip(*found, strict=True))
    return images[..., 0], masks


def _covered_on_device(level: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    image = jnp.full((256, 256, 3), level / 255.0, jnp.float32)
    mask = jnp.ones((128, 128), jnp.float32)
    cover = jax.jit(jax.vmap(lambda key: spoil_on_device(key, image, mask, COVERED)))
    images, masks = cover(jax.random.split(jax.random.key(0), count))
    small = np.asarray(images)[..., 0].reshape(count, 128, 2, 128, 2).mean(axis=(2, 4))
    return small, np.asarray(masks)


@pytest.mark.parametrize("cover", [_covered_on_host, _covered_on_device])
def test_a_head_is_seen_as_far_as_what_covers_it_is_see_through(cover) -> None:
    """What is left of a white picture beside a black one is what is seen of the head.

    See-through shapes were labelled as covering it whole. Shapes filled with a piece of the picture
    tell nothing: white stays white.
    """
    (white, masks), (black, again) = cover(255, 40), cover(0, 40)
    np.testing.assert_array_equal(masks, again)
    left = white - black
    tells = (masks < 0.99) & (left < 0.99)
    assert (np.abs(left - masks) < 0.02)[tells].mean() > 0.97
    is_half = (masks > 0.1) & (masks < 0.6)
    assert 0.05 < is_half[tells].mean() < 0.6


@pytest.mark.parametrize("quality", [15, 60])
def test_jpeg_of_the_host_is_that_of_the_device(quality: int) -> None:
    """Red and blue were swapped: brightness was taken from the wrong channels."""

    class Fixed(np.random.Generator):
        def integers(self, *_):
            return quality

    y, x = np.mgrid[:256, :256]
    image = np.stack([200 + 0 * x, 120 + 0 * x, 20 + 0 * x], axis=-1).astype(np.float32)
    image += 40.0 * np.sin(x / 5.0 + y / 9.0)[..., None] * np.array([1.0, 0.0, -0.5])
    image = cv2.GaussianBlur(image.clip(0, 255), (0, 0), 0.8).astype(np.uint8)
    host = _jpeg(Fixed(np.random.PCG64(0)), image)
    planes = jnp.asarray(image.transpose(2, 0, 1), jnp.float32) / 255.0
    device = np.asarray(jax.jit(jpeg)(planes, jnp.int32(quality))).transpose(1, 2, 0) * 255.0
    assert np.sqrt(np.mean((host - device) ** 2)) < 2.0
