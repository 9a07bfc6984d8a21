"""How one-sided the light on a face is."""

import jax.numpy as jnp
import numpy as np
from toy_faces import layout

from uvface.editing.seen.harshness import light_harshness, profile_share

SIZE = 64
TONE = jnp.array([0.7, 0.03, 0.04])
SIDE = np.broadcast_to(np.linspace(-1.0, 1.0, SIZE), (SIZE, SIZE))


def _harshness(shade, skin=None):
    lab = TONE * jnp.asarray(shade, jnp.float32)[..., None]
    seen = layout().region("skin") if skin is None else layout().region("skin") * skin
    return float(light_harshness(lab, seen, layout()))


def test_a_lamp_at_the_side_is_harsh_and_one_in_front_is_not():
    assert _harshness(np.ones((SIZE, SIZE))) == 0.0
    assert _harshness(1.0 - 0.5 * np.abs(SIDE)) < 0.01
    assert _harshness(1.0 + 0.06 * SIDE) < 0.01
    assert _harshness(1.0 + 0.4 * SIDE) > 0.9
    assert _harshness(np.where(SIDE > 0.1, 0.1, 1.0)) > 0.9


def test_brightness_does_not_count():
    for strength in (0.15, 0.2):
        shade = 1.0 + strength * SIDE
        assert abs(_harshness(shade) - _harshness(0.4 * shade)) < 0.01


def test_moles_and_scars_are_not_light():
    shade = np.ones((SIZE, SIZE))
    shade[28:31, 44:50] = 0.3
    assert _harshness(shade) < 0.02


def test_a_profile_does_not_tell():
    one_side = jnp.asarray((SIDE > -0.02).astype(np.float32))
    assert _harshness(1.0 + 0.4 * SIDE, one_side) < 0.05
    assert _harshness(np.ones((SIZE, SIZE)), 0.0 * one_side) == 0.0


def test_only_a_profile_is_one():
    skin = layout().region("skin")
    assert float(profile_share(skin, layout())) == 0.0
    half = skin * jnp.asarray((SIDE > -0.02).astype(np.float32))
    assert float(profile_share(half, layout())) > 0.95
    turned = skin * jnp.asarray((SIDE > -0.5).astype(np.float32))  # at half a right angle
    assert float(profile_share(turned, layout())) == 0.0
