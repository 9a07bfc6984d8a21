"""The two twins that spoil crops do the same damage, and say truly what they cover."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toy_network import STILL

from uvface.core.training.spoil import spoil
from uvface.core.training.spoil_on_device import spoil_on_device

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
