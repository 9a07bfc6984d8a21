"""Steps on faces that are drawn meanwhile, with a toy that draws a dotted face in a few lines."""

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from toy_drawing import SIZE, toy_draw
from toy_network import STILL, TinyConfig

from uvface.core.geometry.landmarks import read_landmarks
from uvface.core.geometry.spline import evaluate_control, fit_control
from uvface.core.network.prn_lite import PRNLite
from uvface.core.synthesis.surface import bind_texels
from uvface.core.training.config import AugmentConfig, TrainConfig
from uvface.core.training.loss import make_reading
from uvface.core.training.schedule import make_optimizer
from uvface.core.training.step import init_state, make_step, make_update
from uvface.core.training.stream import (
    Sources,
    crop_on_device,
    draw_faces,
    make_refill,
    make_store_steps,
)


@pytest.fixture(scope="module")
def face(layout):
    return fit_control(layout.canonical)


@pytest.fixture(scope="module")
def toys(layout, face):
    """Return a jitted function that draws as many faces as there are keys."""
    return lambda number, count: jax.jit(toy_draw(layout))(
        face, jax.random.split(jax.random.key(number), count)
    )


@pytest.fixture(scope="module")
def parts(layout):
    config = TrainConfig(
        pool=Path(), output=Path(), batch=2, warmup_steps=1, ema_decay=0.9, augment=STILL
    )
    optimizer = make_optimizer(config)
    network = PRNLite(TinyConfig(), rngs=nnx.Rngs(0))
    graph, state = init_state(network, optimizer)
    return config, graph, make_reading(layout), optimizer, state


def test_crops_carry_their_labels_along(layout, toys):
    """A spot's colour is found again where the moved landmark says, mirrored or not."""
    drawn = toys(0, 4)
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


def test_upright_crops_undo_the_roll(toys):
    drawn = toys(0, 3)
    crops = jax.jit(lambda key, d: crop_on_device(key, d, STILL))(jax.random.key(1), drawn)
    before, after = (_slopes(marks) for marks in (drawn.landmarks, crops.landmarks))
    assert np.abs(before).max() > 0.25 and np.abs(after).max() < 0.1


def _slopes(landmarks):
    """Return the slope of the line through the outer corners of the eyes."""
    eyes = np.asarray(landmarks)[:, [36, 45], :2]
    return (eyes[:, 1, 1] - eyes[:, 0, 1]) / (eyes[:, 1, 0] - eyes[:, 0, 0])


def test_the_loss_falls_without_a_pool(parts, toys):
    config, graph, reading, optimizer, state = parts
    steps = make_store_steps(config, make_update(config, graph, reading, optimizer))
    state, store, photos = jax.tree.map(jnp.copy, state), toys(0, 5), toys(1, 1)
    backdrops, rates = jnp.zeros((1, SIZE, SIZE, 3), jnp.uint8), jnp.full(3, 3e-3)
    key, filled, losses = jax.random.key(3), jnp.int32(5), []
    for first in map(jnp.int32, range(0, 24, 3)):
        state, report = steps(state, store, photos, backdrops, key, first, filled, rates)
        losses.append(float(report["loss"]))
    assert int(state.step) == 24
    assert losses[-1] < 0.92 * losses[0]


def test_rounded_products_learn_the_same(parts, toys):
    """bfloat16 changes the first loss by less than 2 %, and keeps the parameters in float32."""
    config, graph, reading, optimizer, state = parts
    crops = jax.jit(lambda key, d: crop_on_device(key, d, STILL))(jax.random.key(1), toys(0, 2))
    losses = []
    for precision in ("float32", "bfloat16"):
        other = dataclasses.replace(config, precision=precision)
        step = make_step(other, graph, reading, optimizer)
        after, report = step(jax.tree.map(jnp.copy, state), crops, jnp.float32(1e-3))
        losses.append(float(report["loss"]))
        assert {leaf.dtype for leaf in jax.tree.leaves(after.params)} == {jnp.dtype("float32")}
    assert losses[1] == pytest.approx(losses[0], rel=0.02) and losses[1] != losses[0]


def test_a_refill_draws_over_the_slots_asked_for_and_no_others(layout, face, toys):
    store, key, at = toys(0, 5), jax.random.key(7), 2
    before = [np.array(leaf) for leaf in jax.tree.leaves(store)]
    after = make_refill(toy_draw(layout), 2)(store, face, key, jnp.int32(at))
    fresh = jax.jit(toy_draw(layout))(face, jax.random.split(key, 2))
    for old, new, drawn in zip(before, *map(jax.tree.leaves, (after, fresh)), strict=True):
        assert new.shape == old.shape and new.dtype == old.dtype
        np.testing.assert_allclose(np.asarray(new[at : at + 2], float), drawn, rtol=1e-5, atol=1)
        assert (new[at : at + 2] != old[at : at + 2]).any() or (old == 255).all()  # the toys' mask
        np.testing.assert_array_equal(new[:at], old[:at])
        np.testing.assert_array_equal(new[at + 2 :], old[at + 2 :])


@pytest.fixture(scope="module")
def stored(parts, toys):
    """Return what runs three steps on a store of five faces, one of which is labelled NaN.

    Half of each batch are photos: a share that is drawn in every step.
    """
    config, graph, reading, optimizer, state = parts
    config = dataclasses.replace(config, augment=dataclasses.replace(STILL, shift_sigma=0.03))
    update = make_update(config, graph, reading, optimizer)
    steps = make_store_steps(config, update, photo_share=0.5)
    faces, photos = toys(0, 5), toys(1, 2)
    faces = dataclasses.replace(faces, control=faces.control.at[4].set(jnp.nan))
    backdrops = jnp.zeros((1, SIZE, SIZE, 3), jnp.uint8)

    def run(*, first=0, filled=4, faces=faces, photos=photos):
        return steps(
            jax.tree.map(jnp.copy, state), faces, photos, backdrops, jax.random.key(2),
            jnp.int32(first), jnp.int32(filled), jnp.full(3, 1e-3),
        )  # fmt: skip

    return run, photos


def _flat(state):
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(state.params)])


def test_store_steps_are_repeatable_and_numbered(stored, parts):
    run, _ = stored
    (state, report), (again, same), (other, _) = run(), run(), run(first=3)
    assert int(state.step) == int(parts[-1].step) + 3
    assert report["loss"].shape == () and np.isfinite(float(report["loss"]))
    np.testing.assert_array_equal(_flat(state), _flat(again))
    assert float(report["loss"]) == float(same["loss"])
    assert np.abs(_flat(state) - _flat(parts[-1])).max() > 1e-4
    assert np.abs(_flat(state) - _flat(other)).max() > 1e-4


def test_store_steps_use_the_filled_faces_and_photos(stored):
    """NaN labels tell what was used: never the fifth face, unless five are said to be there."""
    run, photos = stored
    bad = dataclasses.replace(photos, control=photos.control * jnp.nan)
    firsts = range(0, 18, 3)
    assert all(np.isfinite(float(run(first=first)[1]["loss"])) for first in firsts)
    assert any(np.isnan(float(run(first=first, filled=5)[1]["loss"])) for first in firsts)
    assert np.isnan(float(run(photos=bad)[1]["loss"]))


@pytest.mark.shared
def test_the_generators_faces_fit_into_the_steps(parts, generator):
    """Traced only: compiling the generator with a step is for a machine with a GPU."""
    config, graph, reading, optimizer, state = parts
    sources = Sources(generator=generator, binding=bind_texels(generator.surface, 256))
    refill = make_refill(draw_faces, 2)
    steps = make_store_steps(
        dataclasses.replace(config, augment=AugmentConfig()),
        make_update(config, graph, reading, optimizer),
        photo_share=0.5,
    )
    backdrops = jnp.zeros((1, 400, 400, 3), jnp.uint8)

    def both(state, sources, key):
        photos = draw_faces(sources, jax.random.split(key, 4))
        store, four = refill(photos, sources, key, jnp.int32(2)), jnp.int32(4)
        return steps(state, store, photos, backdrops, key, jnp.int32(0), four, jnp.zeros(3))

    traced = jax.make_jaxpr(both)(state, sources, jax.random.key(0))
    shapes = [leaf.shape for leaf in jax.tree.leaves(state)]
    assert [aval.shape for aval in traced.out_avals[: len(shapes)]] == shapes
    assert len(traced.out_avals) > len(shapes)
