"""Hands and things before faces: solids in the light of the picture, with exact masks."""

import re
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.synthesis.hands import hand_solid
from uvface.core.synthesis.kinds import KINDS
from uvface.core.synthesis.numbers import Numbers
from uvface.core.synthesis.occluders import paint_occluder
from uvface.core.synthesis.solids import MOTTLE, Finish
from uvface.core.synthesis.things import THINGS

SKIN = jnp.array([0.8, 0.65, 0.57])
GREY = jnp.full((320, 320, 3), 0.5)
BACKDROPS = jnp.full((1, 320, 320, 3), 120, jnp.uint8)
POINT, WAY = jnp.array([160.0, 150.0]), jnp.array([0.6, 0.8])


def _light(side: float) -> jax.Array:
    return jnp.array([side, 0.0, 0.6]) * 0.8


@pytest.fixture(scope="module")
def paint():
    def both(key, light, near):
        return paint_occluder(key, GREY, SKIN, BACKDROPS, light=light, near=near)

    return jax.jit(both)


def _hand(draw, point, way, finish):
    return hand_solid(draw, point, way, SKIN, finish)


@pytest.mark.parametrize("make", [_hand, *THINGS])
def test_solids_have_an_inside_and_unit_normals_that_face_the_camera(make):
    @jax.jit
    def draw(key):
        finish = Finish.draw(Numbers(key, 14 + MOTTLE), GREY)
        return make(Numbers(key, 28), POINT, WAY, finish), finish.noise

    for seed in range(3):
        solid, noise = draw(jax.random.key(seed))
        inside = np.asarray(solid.distance) < 0.0
        assert 0.002 < inside.mean() < 0.9
        normal = np.asarray(solid.normal)[inside]
        np.testing.assert_allclose(np.linalg.norm(normal, axis=-1), 1.0, atol=1e-2)
        assert (normal[:, 2] > 0.0).all()
        assert np.ptp(normal[:, 2]) > 0.2  # no flat drawing
        assert np.isfinite(np.asarray(solid.color)).all()
        assert 0.4 < float(noise.std()) < 1.0


@pytest.mark.parametrize("make", [hand_solid, *THINGS])
def test_solids_take_as_many_numbers_as_they_say(make):
    """Five said another count, and a phone took more than was said to do for every thing."""
    said = int(re.search(r"takes (\d+) numbers", make.__doc__)[1])
    draw = _hand if make is hand_solid else make

    def drawn(key, count):
        finish = Finish.draw(Numbers(key, 14 + MOTTLE), GREY)
        return draw(Numbers(key, count), POINT, WAY, finish).distance

    jax.eval_shape(partial(drawn, count=said), jax.random.key(0))
    with pytest.raises(AssertionError, match="longer row"):
        jax.eval_shape(partial(drawn, count=said - 1), jax.random.key(0))


def test_the_side_towards_the_light_is_brighter(paint):
    near = jnp.ones((320, 320))
    lit = 0
    for seed in range(12):
        key = jax.random.key(seed)
        from_right, alpha, _ = paint(key, _light(1.0), near)
        from_left, same, _ = paint(key, _light(-1.0), near)
        np.testing.assert_array_equal(alpha, same)
        inside = np.asarray(alpha) > 0.99
        if inside.sum() < 400:
            continue
        lit += 1
        gain = np.asarray(from_right - from_left).mean(axis=-1)[inside]
        column = np.nonzero(inside)[1]
        assert np.corrcoef(gain, column)[0, 1] > 0.0, seed
    assert lit > 6


def test_shadows_fall_away_from_the_light_and_on_what_is_near_only(paint):
    far, near = jnp.zeros((320, 320)), jnp.ones((320, 320))
    moved = []
    for seed in range(12):
        key = jax.random.key(seed)
        alone, alpha, _ = paint(key, _light(1.0), far)
        bare = np.asarray(alpha) == 0.0
        np.testing.assert_array_equal(np.asarray(alone)[bare], 0.5)
        dark = []
        for side in (1.0, -1.0):
            shadow = (0.5 - np.asarray(paint(key, _light(side), near)[0])[..., 0]) * bare
            assert shadow.min() > -1e-6
            dark.append((shadow * np.arange(320)).sum() / max(shadow.sum(), 1e-6))
        if 0.01 < float(alpha.mean()) and bare[:, 0].all() and bare[:, -1].all():
            moved.append(dark[1] - dark[0])
    assert moved and min(moved) > 1.0


def test_side_by_side_they_are_as_alone(paint):
    keys = jax.random.split(jax.random.key(7), 6)
    light, near = _light(0.5), jnp.ones((320, 320))
    together = jax.jit(jax.vmap(lambda key: paint(key, light, near)))(keys)
    kinds = set()
    for k, key in enumerate(keys):
        alone = paint(key, light, near)
        for one, row in zip(alone, together, strict=True):
            assert float((jnp.abs(one - row[k]) > 2e-3).mean()) < 1e-3
        again = paint(key, light, near)
        np.testing.assert_array_equal(alone[0], again[0])
        kinds.add(KINDS[int(alone[2])])
    assert kinds == {"hand", "thing"}
