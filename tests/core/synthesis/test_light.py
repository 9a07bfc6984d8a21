import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from uvface.core.geometry.harmonics import harmonics
from uvface.core.synthesis.light import main_light, sample_light, shade, vertex_normals


def _directions(count: int) -> jax.Array:
    normal = jax.random.normal(jax.random.key(0), (count, 3))
    return normal / jnp.linalg.norm(normal, axis=-1, keepdims=True)


def test_harmonics_are_orthonormal():
    basis = np.asarray(jax.jit(harmonics)(_directions(60000)))
    gram = basis.T @ basis * 4 * np.pi / len(basis)
    np.testing.assert_allclose(gram, np.eye(9), atol=0.05)


def test_normals_of_a_sphere_point_outwards():
    corners = np.array(
        [[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], np.float32
    )
    faces = []
    for x in (0, 1):
        for y in (2, 3):
            for z in (4, 5):
                a, b, c = corners[x], corners[y], corners[z]
                # y down: counter-clockwise from outside has a cross product inwards.
                inward = np.dot(np.cross(b - a, c - a), a + b + c) < 0
                faces.append((x, y, z) if inward else (x, z, y))
    normals = jax.jit(vertex_normals)(jnp.asarray(corners), jnp.array(faces, dtype=jnp.int32))
    np.testing.assert_allclose(normals, corners, atol=1e-6)


def test_lamp_lights_the_side_that_faces_it():
    irradiance = jnp.zeros((1, 9, 3)).at[:, 0].set(1 / 0.282095)
    draw, lit = jax.jit(sample_light), jax.jit(shade)
    found = 0
    for seed in range(6):
        light = draw(jax.random.key(seed), irradiance)
        if float(light.lamp_color.max()) < 0.3:
            continue
        found += 1
        pair = jnp.stack([light.lamp, -light.lamp])
        bright = lit(pair, light, jnp.ones(2), jnp.ones(2))
        assert float(bright[0, 0]) > float(bright[1, 0])
        shadow = lit(pair, light, jnp.zeros(2), jnp.ones(2))
        assert float(shadow[0, 0]) < float(bright[0, 0])
    assert found > 0


def test_main_light_is_the_lamp_s_in_an_even_light():
    irradiance = jnp.zeros((1, 9, 3)).at[:, 0].set(1 / 0.282095)
    light = jax.jit(sample_light)(jax.random.key(0), irradiance)
    for power in (0.0, 1.0, 50.0):
        lit = dataclasses.replace(light, lamp_color=jnp.full(3, power))
        found = np.asarray(jax.jit(main_light)(lit))
        even = float(light.surround[0].mean()) * 0.282095
        np.testing.assert_allclose(found, power / (power + even) * light.lamp, atol=1e-4)


def test_main_light_turns_with_the_surroundings():
    for axis, toward in enumerate(((0, -1, 0), (0, 0, 1), (1, 0, 0))):  # harmonics y up, z, x
        around = jnp.zeros((1, 9, 3)).at[:, 0].set(1 / 0.282095).at[:, 1 + axis].set(0.5)
        light = jax.jit(sample_light)(jax.random.key(1), around)
        straight = dataclasses.replace(light, turn=jnp.eye(3), lamp_color=jnp.zeros(3))
        found = np.asarray(jax.jit(main_light)(straight))
        np.testing.assert_allclose(found / np.linalg.norm(found), toward, atol=1e-4)


def test_surroundings_light_from_where_they_are_bright():
    """No test would have told a face lit from below: y up and down, or a camera turned back."""
    around = jnp.zeros((1, 9, 3)).at[:, 0].set(1 / 0.282095).at[:, 1].set(0.5)  # bright above
    light = jax.jit(sample_light)(jax.random.key(2), around)
    light = dataclasses.replace(light, lamp_color=jnp.zeros(3), occlusion=jnp.zeros(()))
    up, down, right, left = jnp.array([[0.0, -1, 0], [0, 1, 0], [1, 0, 0], [-1, 0, 0]])
    roll = jnp.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])  # the camera's x is the panorama's y
    for turn, bright, dark in ((jnp.eye(3), up, down), (roll, right, left)):
        turned = dataclasses.replace(light, turn=turn)
        seen = jax.jit(shade)(jnp.stack([bright, dark]), turned, jnp.ones(2), jnp.ones(2))
        assert float(seen[0, 0]) > float(seen[1, 0]) + 0.1
