import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.training.warp import CROP_SIZE, MASK_SIZE, Border, warp

SIZE = 320
MIDDLE = (SIZE - CROP_SIZE) // 2


@pytest.fixture(scope="module")
def picture():
    """Return smooth noise: neighbours differ by a few levels."""
    noise = np.random.default_rng(0).normal(size=(SIZE, SIZE, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 4.0)
    return np.clip(128 + 40 * smooth / smooth.std(), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def cut():
    """Return a function that warps, compiled once per size."""
    compiled = jax.jit(warp, static_argnums=3)

    def cut(picture, matrix, offset, side=CROP_SIZE, *, mirrored=False, flat=False, grey=0.0):
        border = Border(
            is_mirrored=jnp.array(mirrored), is_flat=jnp.array(flat), grey=jnp.float32(grey)
        )
        matrix, offset = (jnp.asarray(a, jnp.float32) for a in (matrix, offset))
        return np.asarray(compiled(jnp.asarray(picture), matrix, offset, side, border))

    return cut


def test_middle_on_middle_gives_the_middle_pixels(picture, cut):
    inner = slice(MIDDLE, MIDDLE + CROP_SIZE)
    found = cut(picture, np.eye(2), [-MIDDLE, -MIDDLE])
    np.testing.assert_array_equal(found, picture[inner, inner])
    # A mask pixel lies in the middle of 2 x 2 crop pixels.
    halved = picture[inner, inner].reshape(MASK_SIZE, 2, MASK_SIZE, 2, 3).mean(axis=(1, 3))
    small = cut(picture, np.eye(2), [-MIDDLE, -MIDDLE], MASK_SIZE)
    np.testing.assert_allclose(small, halved, atol=1e-3)


def test_borders_show_what_they_should(picture, cut):
    """Shifted so that the picture starts at x = 40, y = 60 of the crop."""
    right, down = 40, 60
    width = ((down, 0), (right, 0), (0, 0))

    def padded(**how):
        return np.pad(picture, width, **how)[:CROP_SIZE, :CROP_SIZE]

    offset = [right, down]
    going_on = cut(picture, np.eye(2), offset)
    np.testing.assert_array_equal(going_on, padded(mode="edge"))
    mirrored = cut(picture, np.eye(2), offset, mirrored=True)
    np.testing.assert_array_equal(mirrored, padded(mode="reflect"))
    flat = cut(picture, np.eye(2), offset, flat=True, grey=0.4)
    np.testing.assert_allclose(flat, padded(mode="constant", constant_values=102), atol=1e-3)
    # The other sides, by a picture that ends at x = 255 - 40, y = 255 - 60.
    offset = [CROP_SIZE - SIZE - right, CROP_SIZE - SIZE - down]
    mirrored = cut(picture, np.eye(2), offset, mirrored=True)
    after = np.pad(picture, ((0, down), (0, right), (0, 0)), mode="reflect")
    np.testing.assert_array_equal(mirrored, after[-CROP_SIZE:, -CROP_SIZE:])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_agrees_with_opencv_inside(picture, cut, seed):
    rng = np.random.default_rng(seed)
    angle, scale, sign = rng.uniform(-3, 3), rng.uniform(0.8, 1.3), rng.choice([-1.0, 1.0])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = scale * turn * [sign, 1.0]
    offset = (CROP_SIZE - 1) / 2 + rng.uniform(-20, 20, 2) - matrix @ np.full(2, (SIZE - 1) / 2)
    found = cut(picture, matrix, offset)
    affine, size = np.column_stack([matrix, offset]), (CROP_SIZE, CROP_SIZE)
    expected = cv2.warpAffine(picture, affine, size, flags=cv2.INTER_LINEAR)
    whole = np.full((SIZE, SIZE), 255, np.uint8)
    inside = cv2.erode(cv2.warpAffine(whole, affine, size), np.ones((5, 5))) == 255
    assert inside.mean() > 0.6
    assert np.abs(found - expected.astype(float))[inside].max() < 1.5
