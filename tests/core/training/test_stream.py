"""The step that draws its own faces, with a toy that draws a dotted face in a few lines."""

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from toy_network import STILL, TinyConfig

from uvface.core.geometry.landmarks import read_landmarks
from uvface.core.geometry.pose import rotation_from_angles
from uvface.core.geometry.spline import evaluate_control, fit_control
from uvface.core.network.prn_lite import PRNLite
from uvface.core.synthesis.generator import load_generator
from uvface.core.synthesis.surface import bind_texels
from uvface.core.training.config import AugmentConfig, TrainConfig
from uvface.core.training.loss import make_reading
from uvface.core.training.schedule import make_optimizer
from uvface.core.training.step import init_state, make_step
from uvface.core.training.stream import Drawn, crop_on_device, draw_faces, make_stream_step

SIZE = 320


def toy_draw(layout):
    """Return a function that draws turned faces: a spot of its own colour at each landmark."""
    face = fit_control(layout.canonical)

    def one(key):
        yaw, roll = jax.random.uniform(key, (2,), minval=-30.0, maxval=30.0)
        rotation = rotation_from_angles(yaw, 0.0, roll)
        control = 9.0 * face @ rotation.T + jnp.array([159.5, 159.5, 0.0])
        landmarks = read_landmarks(evaluate_control(control, 256), layout.landmark_uv)
        line = jnp.arange(SIZE, dtype=jnp.float32)
        away = (landmarks[:, 0, None, None] - line) ** 2 + (
            landmarks[:, 1, None, None] - line[:, None]
        ) ** 2
        colour = jnp.stack([jnp.cos(jnp.arange(68.0) * k) for k in (1.0, 2.0, 3.0)], axis=-1)
        spots = jnp.einsum("phw,pc->hwc", jnp.exp(-away / 18.0), colour)
        return Drawn(
            image=jnp.clip(128.0 + 120.0 * spots, 0, 255).astype(jnp.uint8),
            mask=jnp.full((SIZE, SIZE), 255, jnp.uint8),
            control=control,
            landmarks=landmarks,
            angles=jnp.stack([yaw, jnp.zeros(()), roll]),
        )

    return jax.vmap(one)


@pytest.fixture(scope="module")
def parts(layout):
    config = TrainConfig(
        pool=Path(), output=Path(), batch=2, warmup_steps=1, ema_decay=0.9, augment=STILL
    )
    optimizer = make_optimizer(config)
    network = PRNLite(TinyConfig(), rngs=nnx.Rngs(0))
    graph, state = init_state(network, optimizer)
    return config, graph, make_reading(layout), optimizer, state


def test_crops_carry_their_labels_along(layout):
    """A spot's colour is found again where the moved landmark says, mirrored or not."""
    drawn = jax.jit(toy_draw(layout))(jax.random.split(jax.random.key(0), 4))
    for mirror in (0.0, 1.0):
        config = dataclasses.replace(
            STILL, p_mirror=mirror, roll_sigma=9.0, scale_sigma=0.08, shift_sigma=0.03
        )
        crops = jax.jit(lambda key, d, c=config: crop_on_device(key, d, c))(
            jax.random.key(1), drawn
        )
        np.testing.assert_allclose(
            jax.vmap(lambda c: read_landmarks(evaluate_control(c, 256), layout.landmark_uv))(
                crops.control
            ),
            crops.landmarks,
            atol=0.3,
        )
        nose = 30  # on the middle line: the same point in the mirror
        for image, marks, before, there in zip(
            crops.images, crops.landmarks, drawn.image, drawn.landmarks, strict=True
        ):
            x, y = np.round(np.asarray(marks[nose, :2])).astype(int)
            u, v = np.round(np.asarray(there[nose, :2])).astype(int)
            gap = np.asarray(image[y, x], float) - np.asarray(before[v, u], float)
            assert np.abs(gap).max() < 40
        spread = np.asarray(crops.landmarks[..., 0]).mean(axis=0)
        assert spread[0] < spread[16]  # iBUG's first point stays image-left


def test_upright_crops_undo_the_roll(layout):
    drawn = jax.jit(toy_draw(layout))(jax.random.split(jax.random.key(0), 3))
    crops = crop_on_device(jax.random.key(1), drawn, STILL)
    before, after = (_slopes(marks) for marks in (drawn.landmarks, crops.landmarks))
    assert np.abs(before).max() > 0.25 and np.abs(after).max() < 0.1


def _slopes(landmarks):
    """Return the slope of the line through the outer corners of the eyes."""
    eyes = np.asarray(landmarks)[:, [36, 45], :2]
    return (eyes[:, 1, 1] - eyes[:, 0, 1]) / (eyes[:, 1, 0] - eyes[:, 0, 0])


def test_the_loss_falls_without_a_pool(parts, layout):
    config, graph, reading, optimizer, state = parts
    step = make_stream_step(config, graph, reading, optimizer, toy_draw(layout))
    state = jax.tree.map(jnp.copy, state)
    losses = []
    for _ in range(12):
        state, report = step(state, jax.random.key(3), jnp.float32(3e-3))
        losses.append(float(report["loss"]))
    assert int(state.step) == 12
    assert np.mean(losses[-3:]) < 0.92 * losses[0]


def test_rounded_products_learn_the_same(parts, layout):
    """bfloat16 changes the first loss by less than 2 %, and keeps the parameters in float32."""
    config, graph, reading, optimizer, state = parts
    crops = crop_on_device(
        jax.random.key(1), toy_draw(layout)(jax.random.split(jax.random.key(0), 2)), STILL
    )
    losses = []
    for precision in ("float32", "bfloat16"):
        other = dataclasses.replace(config, precision=precision)
        step = make_step(other, graph, reading, optimizer)
        after, report = step(jax.tree.map(jnp.copy, state), crops, jnp.float32(1e-3))
        losses.append(float(report["loss"]))
        assert {leaf.dtype for leaf in jax.tree.leaves(after.params)} == {jnp.dtype("float32")}
    assert losses[1] == pytest.approx(losses[0], rel=0.02) and losses[1] != losses[0]


@pytest.mark.shared
def test_generator_fits_into_the_step(parts, shared_data):
    """Traced only: compiling the generator with a step is for a machine with a GPU."""
    config, graph, reading, optimizer, state = parts
    generator = load_generator(shared_data / "face_model")
    draw = draw_faces(generator, bind_texels(generator.surface, 256))
    step = make_stream_step(
        dataclasses.replace(config, augment=AugmentConfig()), graph, reading, optimizer, draw
    )
    traced = jax.make_jaxpr(step)(state, jax.random.key(0), jnp.float32(1e-3))
    shapes = [leaf.shape for leaf in jax.tree.leaves(state)]
    assert [aval.shape for aval in traced.out_avals[: len(shapes)]] == shapes
    assert len(traced.out_avals) > len(shapes)
