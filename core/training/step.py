"""One optimisation step, as a pure function of the training state."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax import Array

from ..geometry.landmarks import read_landmarks
from ..geometry.spline import evaluate_control
from .config import TrainConfig
from .loss import Reading, control_loss, face_size, map_loss

__all__ = ["StepFunction", "TrainState", "init_state", "make_loss", "make_step", "make_validation"]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainState:
    """Everything that a step changes."""

    params: Any
    rest: Any  # running statistics of norms
    average: Any  # exponential moving average of params: what is validated and shipped
    optimizer: Any
    step: Array  # [] int32


StepFunction = Callable[..., tuple[TrainState, dict[str, Array]]]


def init_state(
    network: nnx.Module, optimizer: optax.GradientTransformation
) -> tuple[Any, TrainState]:
    """Return the network's structure and the state before the first step."""
    split: Any = nnx.split(network, nnx.Param, ...)
    graph, params, rest = split
    average = jax.tree.map(jnp.copy, params)
    state = TrainState(
        params=params,
        rest=rest,
        average=average,
        optimizer=optimizer.init(params),
        step=jnp.zeros((), jnp.int32),
    )
    return graph, state


def make_loss(config: TrainConfig, graph: Any, reading: Reading) -> Callable[..., Any]:
    """Return ``loss(params, rest, images, control, landmarks) -> (loss, (parts, rest))``."""

    def loss(
        params: Any, rest: Any, images: Array, control: Array, landmarks: Array
    ) -> tuple[Array, Any]:
        network = nnx.merge(graph, params, rest)
        network.train()
        crops = images.astype(jnp.float32) / 255.0
        if config.network == "prn-lite":
            dense, points = control_loss(
                network.control(crops), control, landmarks, reading,
                depth_weight=config.depth_weight,
            )  # fmt: skip
        else:
            dense, points = map_loss(
                network(crops), control, landmarks, reading, depth_weight=config.depth_weight
            )
        total = config.dense_weight * dense + config.landmark_weight * points
        return total, ({"dense": dense, "points": points}, nnx.state(network, nnx.BatchStat))

    return loss


def _norm(tree: Any) -> Array:
    return jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(tree)))


def make_step(
    config: TrainConfig, graph: Any, reading: Reading, optimizer: optax.GradientTransformation
) -> StepFunction:
    """Return the jitted ``step(state, images, control, landmarks, rate)``."""
    gradient = jax.value_and_grad(make_loss(config, graph, reading), has_aux=True)

    def step(
        state: TrainState, images: Array, control: Array, landmarks: Array, rate: Array
    ) -> tuple[TrainState, dict[str, Array]]:
        (total, (parts, rest)), slope = gradient(
            state.params, state.rest, images, control, landmarks
        )
        updates, memory = optimizer.update(slope, state.optimizer, state.params)
        params = jax.tree.map(lambda p, u: p - rate * u, state.params, updates)
        count = state.step.astype(jnp.float32)
        decay = jnp.minimum(config.ema_decay, (1.0 + count) / (10.0 + count))
        average = jax.tree.map(lambda a, p: a + (1.0 - decay) * (p - a), state.average, params)
        report = {"loss": total, **parts, "gradient": _norm(slope)}
        following = TrainState(
            params=params, rest=rest, average=average, optimizer=memory, step=state.step + 1
        )
        return following, report

    return jax.jit(step, donate_argnums=0)


def make_validation(graph: Any, reading: Reading) -> Callable[..., dict[str, Array]]:
    """Return jitted ``validate(params, rest, images, control, landmarks)``: errors per sample."""

    def validate(
        params: Any, rest: Any, images: Array, control: Array, landmarks: Array
    ) -> dict[str, Array]:
        network = nnx.merge(graph, params, rest)
        network.eval()
        maps = network(images.astype(jnp.float32) / 255.0)
        size, texels = face_size(landmarks), maps.shape[1]
        truth = jax.vmap(lambda c: evaluate_control(c, texels))(control)
        cell = texels // reading.weights.shape[0]
        weights = jnp.repeat(jnp.repeat(reading.weights, cell, 0), cell, 1) / cell**2
        far = jnp.linalg.norm(maps - truth, axis=-1)
        points = jax.vmap(lambda m: read_landmarks(m, reading.landmark_uv))(maps)
        plane = jnp.linalg.norm((points - landmarks)[..., :2], axis=-1)
        return {
            "nme": plane.mean(axis=1) / size,
            "dense": jnp.sum(far * weights, axis=(1, 2)) / size,
            "landmarks": points,
        }

    return jax.jit(validate)
