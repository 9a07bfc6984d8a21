"""Painting a face band by band gives what painting it at once does."""

import jax.numpy as jnp
import numpy as np
from toy_faces import layout, toy_photo

from uvface.editing import bands
from uvface.editing.bands import Found, Look, Step, paint_in_bands, repainted


def _look(image, zones, scale):
    del scale
    return Look(jnp.concatenate([image, zones], axis=-1), zones)


def _find(small, scale, amount):
    """Find what depends on the place, and on the whole face."""
    del scale
    return Found(amount * small[..., :3], small[..., :3].mean(axis=(0, 1)))


def _paint(image, weights, found, amount):
    del amount
    return image + weights * (found.smooth + found.color - image)


def _painted(name, mask=None):
    image, face = toy_photo(1)
    zones = np.asarray(layout().region("nose"))[..., None]
    mask = np.ones((64, 64), np.float32) if mask is None else mask
    step = Step(name, _look, _find, _paint)
    amount = jnp.asarray(0.5, jnp.float32)
    return image, paint_in_bands(image, face, layout(), zones, amount, step=step, mask=mask)


def test_bands_are_painted_as_the_whole(monkeypatch):
    image, whole = _painted("whole")
    monkeypatch.setattr(bands, "_WHOLE", 64)
    monkeypatch.setattr(bands, "_BAND", 32)
    cut = []
    monkeypatch.setattr(bands, "window_at", lambda *a, f=bands.window_at: cut.append(a) or f(*a))
    np.testing.assert_allclose(_painted("bands")[1], whole, atol=1e-6)
    assert len(cut) > 2
    changed = np.abs(whole - image).max(axis=-1) > 0.0
    assert 0.005 < changed.mean() < 0.2  # the nose alone


def test_a_face_of_which_nothing_may_change_is_the_photo():
    image, painted = _painted("nothing", mask=np.zeros((64, 64), np.float32))
    assert painted is image


def test_colours_that_stay_are_the_photo_s_own_values():
    image = np.random.default_rng(0).random((4, 4, 3)).astype(np.float32)
    before = jnp.full((4, 4, 3), 0.5, jnp.float32)
    new = np.asarray(repainted(jnp.asarray(image), before, before.at[1, 2].set(0.6)))
    is_new = (new != image).any(axis=-1)
    assert is_new[1, 2] and is_new.sum() == 1
