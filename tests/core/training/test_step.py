"""The step of a network with batch norms, which says position maps only."""

import dataclasses
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from toy_network import STILL

from uvface.core.geometry.spline import fit_control
from uvface.core.network.prn import PRN, PRNConfig
from uvface.core.training.config import TrainConfig
from uvface.core.training.loss import control_landmarks, make_reading
from uvface.core.training.schedule import make_optimizer
from uvface.core.training.step import Labelled, init_state, make_step


def _tiny_prn():
    """Return a `PRN` of two channels; filled by numpy, which spares a compilation per shape."""
    network = nnx.eval_shape(lambda: PRN(PRNConfig(size=2), rngs=nnx.Rngs(0)))
    graph, state = nnx.split(network)
    rng = np.random.default_rng(0)

    def fill(path, leaf):
        name, shape = str(path[-2].key), leaf.shape
        if name == "kernel":
            return jnp.asarray(
                rng.normal(0.0, (2.0 / np.prod(shape[:3])) ** 0.5, shape), leaf.dtype
            )
        return jnp.full(shape, float(name in ("scale", "var")), leaf.dtype)

    return nnx.merge(graph, jax.tree_util.tree_map_with_path(fill, state))


@pytest.fixture(scope="module")
def prn(layout):
    """Return a tiny `PRN`, its state and its jitted step."""
    config = TrainConfig(
        pool=Path(), output=Path(), network="prn", batch=3, warmup_steps=1, augment=STILL
    )
    optimizer = make_optimizer(config)
    network = _tiny_prn()
    graph, state = init_state(network, optimizer)
    reading = make_reading(layout, size=256)
    step = make_step(config, graph, reading, optimizer)
    return state, lambda state, crops: step(state, crops, jnp.float32(1e-3))


@pytest.fixture(scope="module")
def crops(layout):
    """Return three noisy crops, the last of which shows no face."""
    face = fit_control(9.0 * layout.canonical + jnp.array([127.5, 120.0, 0.0]))
    control = face + jnp.arange(3.0)[:, None, None, None]
    rng = np.random.default_rng(0)
    return Labelled(
        images=jnp.asarray(rng.integers(0, 256, (3, 256, 256, 3), np.uint8)),
        control=control,
        landmarks=control_landmarks(control, make_reading(layout)),
        masks=jnp.full((3, 128, 128), 255, jnp.uint8),
        is_face=jnp.array([1.0, 1.0, 0.0]),
    )


def _copy(state):
    return jax.tree.map(jnp.copy, state)


def _leaves(tree):
    return [np.array(leaf) for leaf in jax.tree.leaves(tree)]


def test_a_step_changes_parameters_and_running_statistics(prn, crops):
    before, step = prn
    assert len(_leaves(before.rest)) > 50  # a mean and a variance per norm
    state = _copy(before)
    for _ in range(2):
        params, rest = _leaves(state.params), _leaves(state.rest)
        state, report = step(state, crops)
        assert np.isfinite(float(report["loss"]))
        for old, new in zip(rest, _leaves(state.rest), strict=True):
            assert np.isfinite(new).all() and (new != old).any()
        changed = [(a != b).any() for a, b in zip(params, _leaves(state.params), strict=True)]
        assert np.mean(changed) > 0.9
    assert int(state.step) == 2


def test_labels_of_faceless_crops_do_not_count(prn, crops):
    """Their pictures do: batch norms see the whole batch."""
    before, step = prn

    def loss(crops):
        return float(step(_copy(before), crops)[1]["loss"])

    moved = dataclasses.replace(
        crops,
        control=crops.control.at[2].add(500.0),
        landmarks=crops.landmarks.at[2].add(500.0),
    )
    everywhere = jnp.ones(3)
    assert loss(moved) == pytest.approx(loss(crops), rel=1e-5)
    with_all = [loss(dataclasses.replace(c, is_face=everywhere)) for c in (crops, moved)]
    assert abs(with_all[1] - with_all[0]) > 0.5 * with_all[0]
    assert np.isfinite(loss(dataclasses.replace(crops, is_face=jnp.zeros(3))))
