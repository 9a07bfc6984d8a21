import dataclasses

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.training.config import AugmentConfig
from uvface.core.training.spoil_on_device import jpeg, spoil_on_device

NOTHING = AugmentConfig(
    p_gray=0.0, p_colour=0.0, p_shade=0.0, p_occluder=0.0, p_blur=0.0, p_low_resolution=0.0,
    p_noise=0.0, p_jpeg=0.0, p_frame=0.0,
)  # fmt: skip
# Mean change over the crop, in levels of 255.
STEPS = {
    "p_occluder": (2.0, 40.0),
    "p_shade": (5.0, 40.0),
    "p_colour": (5.0, 40.0),
    "p_gray": (5.0, 60.0),
    "p_low_resolution": (1.0, 15.0),
    "p_blur": (0.5, 10.0),
    "p_noise": (2.0, 15.0),
    "p_jpeg": (1.0, 10.0),
    "p_frame": (2.0, 40.0),
}


def _picture() -> np.ndarray:
    """Smooth colours with stripes, spots, an edge and some grain."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:256, :256].astype(np.float32)
    image = np.stack([60 + 0.6 * x, 200 - 0.5 * y, 90 + 0.2 * (x + y)], axis=-1)
    image += 18.0 * np.sin(x / 3.0 + y / 7.0)[..., None]
    image += 8.0 * cv2.GaussianBlur(rng.standard_normal((256, 256, 3)), (0, 0), 1.0) / 0.28
    cv2.circle(image, (130, 120), 50, (220.0, 170.0, 140.0), -1, cv2.LINE_AA)
    cv2.rectangle(image, (20, 180), (90, 240), (30.0, 40.0, 120.0), -1)
    return np.clip(image, 0, 255).astype(np.uint8)


def _psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10.0 * np.log10(255.0**2 / np.mean((a.astype(float) - b.astype(float)) ** 2)))


def _spoil(config: AugmentConfig, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    keys = jax.random.split(jax.random.key(seed), count)
    image = jnp.asarray(_picture(), jnp.float32) / 255.0
    mask = jnp.ones((128, 128), jnp.float32)
    spoil = jax.jit(jax.vmap(lambda key: spoil_on_device(key, image, mask, config)))
    images, masks = spoil(keys)
    return np.asarray(images), np.asarray(masks)


@pytest.mark.parametrize("quality", [12, 50, 79])
def test_jpeg_is_that_of_libjpeg(quality: int) -> None:
    image = _picture()
    planes = jnp.asarray(image.transpose(2, 0, 1), jnp.float32) / 255.0
    ours = np.round(np.asarray(jax.jit(jpeg)(planes, jnp.int32(quality))) * 255).transpose(1, 2, 0)
    coded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    theirs = cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1]
    loss = _psnr(image, theirs)
    assert _psnr(ours, theirs) > 42.0
    assert loss < 37.0
    assert _psnr(image, ours) == pytest.approx(loss, abs=0.2)


def test_without_steps_the_crop_is_only_rounded() -> None:
    image = jax.random.uniform(jax.random.key(1), (256, 256, 3))
    mask = jax.random.uniform(jax.random.key(2), (128, 128))
    out, kept = spoil_on_device(jax.random.key(0), image, mask, NOTHING)
    np.testing.assert_allclose(out, np.round(np.asarray(image) * 255.0) / 255.0, atol=1e-6)
    np.testing.assert_array_equal(kept, mask)


@pytest.mark.parametrize("name", STEPS)
def test_each_step_changes_the_crop_within_bounds(name: str) -> None:
    images, masks = _spoil(dataclasses.replace(NOTHING, **{name: 1.0}), 16)
    assert np.isfinite(images).all() and images.min() >= 0.0 and images.max() <= 1.0
    change = np.abs(images - _picture() / np.float32(255.0))
    low, high = STEPS[name]
    assert low < change.mean() * 255.0 < high
    if name not in ("p_occluder", "p_frame"):
        np.testing.assert_array_equal(masks, 1.0)
        return
    assert masks.min() >= 0.0 and masks.max() <= 1.0
    assert 0.01 < (1.0 - masks).mean() < 0.5
    is_changed = change.max(axis=-1).reshape(16, 128, 2, 128, 2).max(axis=(2, 4)) > 0.5 / 255.0
    # The frame's mask is rounded to its own pixels; a place may be covered by its own colour.
    assert is_changed[masks < 1.0].mean() > 0.95
    if name == "p_occluder":
        assert (masks[is_changed] < 1.0).all()


def test_a_batch_is_its_crops_one_by_one() -> None:
    config = dataclasses.replace(NOTHING, p_occluder=0.5, p_jpeg=0.5, p_frame=0.5)
    images, masks = _spoil(config, 3)
    image = jnp.asarray(_picture(), jnp.float32) / 255.0
    mask = jnp.ones((128, 128), jnp.float32)
    spoil = jax.jit(lambda key: spoil_on_device(key, image, mask, config))
    for i, key in enumerate(jax.random.split(jax.random.key(0), 3)):
        alone, kept = spoil(key)
        again, _ = spoil(key)
        np.testing.assert_array_equal(alone, again)
        # A rounding may fall differently, and JPEG then makes a block of it.
        assert np.abs(np.asarray(alone) - images[i]).mean() < 0.1 / 255.0
        np.testing.assert_allclose(kept, masks[i], atol=1e-6)
