"""What only one of several frames changes is evened out; what all of them change stays."""

import jax.numpy as jnp
import numpy as np
import pytest
from toy_faces import toy_photo
from toys import toy_layout

from uvface.editing.video.flicker import change_of, even_out
from uvface.editing.video.steady import REACH, mean_weights

FRAMES = 2 * REACH + 1


@pytest.fixture(scope="module")
def scene():
    """Return a photo, its face, a mask in UV, and which pixels a swap changes."""
    layout = toy_layout()
    image, face = toy_photo(1)
    places = np.asarray(face.position_map)[np.asarray(layout.mask) > 0][:, :2]
    middle, reach = places.mean(axis=0), 0.25 * np.ptp(places, axis=0)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    inner = (np.abs(x - middle[0]) < reach[0]) & (np.abs(y - middle[1]) < reach[1])
    return np.asarray(image, np.float32), face, layout, inner


def _evenly(count):
    return [k / 30 for k in range(count)]


def _swapped(scene, step):
    """Return the photo with the inner face changed by a step of brightness."""
    image, _, _, inner = scene
    return image + inner[..., None] * np.float32(step)


def _evened(scene, steps, middle):
    image, face, layout, _ = scene
    changes = [change_of(image, _swapped(scene, step), face, layout.mask) for step in steps]
    swapped = _swapped(scene, steps[middle])
    seconds = _evenly(len(steps))
    return even_out(image, swapped, changes, seconds, middle, face, layout.mask, layout)


def test_weights_are_a_mean_of_what_is_there():
    assert mean_weights(_evenly(FRAMES), REACH).sum() == pytest.approx(1.0)
    alone = np.zeros(FRAMES)
    alone[REACH] = 1.0
    np.testing.assert_array_equal(mean_weights([0.5], 0), alone)


@pytest.mark.parametrize(("count", "middle"), [(FRAMES, REACH), (4, 0), (2, 1), (1, 0)])
def test_a_change_that_lasts_stays(scene, count, middle):
    found = _evened(scene, [0.1] * count, middle)
    np.testing.assert_allclose(found, _swapped(scene, 0.1), atol=2e-3)


def test_a_flash_of_one_frame_is_brought_to_what_is_around_it(scene):
    image, _, _, inner = scene
    steps = [0.05] * FRAMES
    steps[REACH] = 0.15
    found = _evened(scene, steps, REACH)
    left = (found - image)[inner].mean()
    mean = 0.05 + 0.1 * mean_weights(_evenly(FRAMES), REACH)[REACH]
    assert mean < left < mean + 0.2 * (0.15 - mean)  # not wholly: at the edge less is known
    np.testing.assert_array_equal(found[~inner], image[~inner])


def test_what_is_hidden_in_other_frames_does_not_count(scene):
    """A hand before the face keeps the target's pixels: that says nothing of the new face."""
    image, face, layout, inner = scene
    hidden = change_of(image, image, face, jnp.zeros_like(layout.mask))
    shown = change_of(image, _swapped(scene, 0.1), face, layout.mask)
    changes = [hidden] * REACH + [shown] + [hidden] * REACH
    swapped = _swapped(scene, 0.1)
    seconds = _evenly(FRAMES)
    found = even_out(image, swapped, changes, seconds, REACH, face, layout.mask, layout)
    assert np.abs(found - swapped)[inner].mean() < 2e-3
