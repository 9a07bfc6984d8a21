"""Light put onto a face: from where it comes, where it ends, and that nothing blows out."""

import jax
import jax.numpy as jnp
import numpy as np
from toys import toy_camera, toy_layout, toy_position_map

from uvface.core.geometry.harmonics import CONSTANT, harmonics
from uvface.editing.augment.recipe import draw_recipe
from uvface.editing.relight import lamp, light_on_texels, main_light, multiply_light, spread_light

_on_texels = jax.jit(light_on_texels)
PLAIN = jnp.zeros((9, 3)).at[0].set(1 / CONSTANT)


def _position_map():
    return toy_position_map(toy_layout(), toy_camera(size=320))


def _turned():
    """Return a rotation about no axis of the harmonics."""
    turn, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))
    return turn.astype(np.float32)


def test_plain_light_changes_nothing():
    layout = toy_layout()
    factor = _on_texels(PLAIN, _position_map(), layout)
    np.testing.assert_allclose(factor, 1.0, atol=1e-4)
    image = jnp.asarray(np.random.default_rng(0).random((8, 8, 3)), jnp.float32)
    np.testing.assert_allclose(multiply_light(image, jnp.ones((8, 8, 3))), image, atol=2e-3)


def test_light_falls_on_the_side_that_it_comes_from():
    layout = toy_layout()
    inside = np.asarray(layout.mask) > 0.5
    places = np.asarray(_position_map())
    # Orders (1, -1) up, (1, 1) right: harmonics have y up, pictures y down.
    for order, axis, sign in ((1, 1, -1.0), (3, 0, 1.0)):
        light = PLAIN.at[order].set(0.8)
        factor = np.asarray(_on_texels(light, jnp.asarray(places), layout))[..., 0]
        assert np.corrcoef(sign * places[..., axis][inside], factor[inside])[0, 1] > 0.9


def test_a_surface_gets_the_less_of_a_lamp_the_further_it_turns_away():
    """From 122 degrees on it got more again: the rim of a face away from the lamp shone."""
    angle = jnp.radians(jnp.linspace(0.0, 180.0, 181))
    nothing = jnp.zeros_like(angle)
    normal = jnp.stack([jnp.cos(angle), jnp.sin(angle), nothing], axis=-1)
    for turn in (jnp.eye(3), jnp.roll(jnp.eye(3), 1, axis=0), jnp.asarray(_turned())):
        lit = np.asarray(harmonics(normal @ turn) @ lamp(turn[0]))
        assert np.diff(lit).max() < 1e-6
        np.testing.assert_allclose(lit[[0, 90, 180]], [11 / 12, 1 / 6, -1 / 12], atol=1e-5)


def test_random_lights_keep_the_exposure_and_differ():
    keys = map(jax.random.key, range(40))
    lights = [draw_recipe(key, np.eye(3), jnp.ones(3), vary=["light"]).light for key in keys]
    positions, layout = _position_map(), toy_layout()
    factor = np.stack([_on_texels(light, positions, layout) for light in lights])
    means = factor[:, np.asarray(layout.mask) > 0.5].mean(axis=(1, 2))
    assert 0.45 < means.min() and means.max() < 1.7 and means.std() > 0.05
    assert np.stack(lights)[:, 1:4].std() > 0.2


def test_nothing_blows_out_and_brighter_stays_brighter():
    ramp = jnp.broadcast_to(jnp.linspace(0.0, 1.0, 101)[:, None], (101, 3))
    for strength in (0.22, 1.0, 2.2):
        lit = np.asarray(multiply_light(ramp, jnp.full((101, 3), strength)))[:, 0]
        assert (np.diff(lit) > 0).all() and lit[0] < 1e-3
        assert lit[99] < 1.0 and lit[100] <= 1.0


def test_light_goes_on_beside_the_face_and_fades():
    side = 320
    y, x = np.mgrid[:side, :side]
    known = (np.hypot(x - 160, y - 160) < 70).astype(np.float32)
    factor = np.where(x < 160, 0.6, 1.5)[..., None] * np.ones(3)
    args = jnp.asarray(factor * known[..., None], jnp.float32), jnp.asarray(known)
    spread = np.asarray(jax.jit(spread_light)(*args))
    np.testing.assert_allclose(spread[known > 0], factor[known > 0], rtol=1e-4)
    row = spread[160, :, 0]
    assert abs(row[88] - 0.6) < 0.06 and abs(row[232] - 1.5) < 0.15
    assert np.abs(np.log(row[[2, -3]])).max() < 0.7 * abs(np.log(0.6))
    assert np.abs(np.diff(np.log(row[235:]))).max() < 0.03


def test_main_light_is_found_from_a_face_s_brightness():
    layout, positions = toy_layout(), _position_map()
    for order, toward in ((1, (0.0, -1.0)), (3, (1.0, 0.0))):
        factor = _on_texels(PLAIN.at[order].set(0.8), positions, layout).mean(axis=-1)
        found = np.asarray(jax.jit(main_light)(factor, layout.mask, positions, layout))
        across = found[:2] / np.linalg.norm(found[:2])
        assert across @ np.asarray(toward) > 0.9
        assert 0.15 < np.linalg.norm(found[:2]) < 0.6  # 0.8 * 0.49 of a mean of 1
        dimmer = np.asarray(jax.jit(main_light)(0.3 * factor, layout.mask, positions, layout))
        np.testing.assert_allclose(dimmer, found, atol=1e-3)
    even = np.asarray(jax.jit(main_light)(jnp.ones_like(factor), layout.mask, positions, layout))
    assert np.abs(even[:2]).max() < 0.02 and even[2] > 0.0
