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

from ..geometry.spline import evaluate_control
from ..network.prn_lite import Look
from .config import TrainConfig
from .feed import Batch
from .loss import (
    Reading,
    control_landmarks,
    control_loss,
    face_size,
    map_landmarks,
    map_loss,
    opening_loss,
)
from .precision import in_precision, promoting
from .trust import confidence_loss, cover_loss, landmark_error, mask_loss, misjudged_share

__all__ = [
    "Labelled",
    "StepFunction",
    "TrainState",
    "init_state",
    "make_loss",
    "make_step",
    "make_update",
    "make_validation",
]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainState:
    """Everything that a step changes."""

    params: Any
    rest: Any  # running statistics of norms
    average: Any  # exponential moving average of params: what is validated and shipped
    optimizer: Any
    step: Array  # [] int32


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Labelled:
    """Crops with their labels, on the device."""

    images: Array  # [B, 256, 256, 3] uint8
    control: Array  # [B, n, n, 3] crop pixels
    landmarks: Array  # [B, 68, 3] crop pixels
    masks: Array  # [B, 128, 128] uint8: 255 where the head itself is seen
    is_face: Array  # [B], 0 where the other labels mean nothing

    @staticmethod
    def of(batch: Batch, *, place: Callable[[Any], Any] | None = None) -> Labelled:
        """Put a batch on the device, or, with ``place``, on several (`parallel`)."""
        crops = Labelled(
            images=jnp.asarray(batch.images),
            control=jnp.asarray(batch.control),
            landmarks=jnp.asarray(batch.landmarks),
            masks=jnp.asarray(batch.masks),
            is_face=jnp.asarray(batch.is_face),
        )
        return crops if place is None else place(crops)


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


def _total(config: TrainConfig, dense: Array, points: Array) -> Array:
    return config.dense_weight * dense + config.landmark_weight * points


def make_loss(config: TrainConfig, graph: Any, reading: Reading) -> Callable[..., Any]:
    """Return ``loss(params, rest, batch: Labelled) -> (loss, (parts, rest))``."""

    @promoting(config.precision)
    def loss(params: Any, rest: Any, batch: Labelled) -> tuple[Array, Any]:
        # Copied: what came into the trace from outside of it may not be changed, as norms do.
        network = nnx.merge(graph, in_precision(params, config.precision), rest, copy=True)
        network.train()
        crops = batch.images.astype(jnp.float32) / 255.0
        crops = in_precision(crops, config.precision)
        share = batch.is_face / jnp.maximum(batch.is_face.sum(), 1.0)
        read = _lite_loss if config.network == "prn-lite" else _map_loss
        total, parts = read(config, network, crops, batch, share, reading)
        return total, (parts, nnx.state(network, nnx.BatchStat))

    return loss


def _lite_loss(
    config: TrainConfig, network: Any, crops: Array, batch: Labelled, share: Array, reading: Reading
) -> tuple[Array, dict[str, Array]]:
    """Return the loss of all that `PRNLite` says, and its parts."""
    look: Look = network.look(crops)
    *early, (dense, points) = [
        control_loss(
            control,
            batch.control,
            batch.landmarks,
            reading,
            share=share,
            depth_weight=config.depth_weight,
        )
        for control in look.controls
    ]
    found = control_landmarks(look.controls[-1], reading)
    head = mask_loss(look.head, batch.masks, share=share)
    cover = cover_loss(look.head, batch.masks, batch.control, reading, share=share)
    far = landmark_error(found, batch.landmarks)
    trust = confidence_loss(look.confidence, far, batch.is_face)
    opening = opening_loss(found, control_landmarks(batch.control, reading), share=share)
    total = _total(config, dense, points) + config.mask_weight * head
    total += config.cover_weight * cover + config.confidence_weight * trust
    total += config.early_weight * sum(_total(config, *parts) for parts in early)
    total += config.opening_weight * opening
    parts = {"dense": dense, "points": points, "mask": head, "cover": cover, "confidence": trust}
    parts["opening"] = opening
    return total, parts


def _map_loss(
    config: TrainConfig, network: Any, crops: Array, batch: Labelled, share: Array, reading: Reading
) -> tuple[Array, dict[str, Array]]:
    """Return the loss of a network that says position maps only, and its parts."""
    dense, points = map_loss(
        network(crops),
        batch.control,
        batch.landmarks,
        reading,
        share=share,
        depth_weight=config.depth_weight,
    )
    return _total(config, dense, points), {"dense": dense, "points": points}


def _norm(tree: Any) -> Array:
    return jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(tree)))


def make_step(
    config: TrainConfig, graph: Any, reading: Reading, optimizer: optax.GradientTransformation
) -> StepFunction:
    """Return the jitted ``step(state, batch: Labelled, rate)``."""
    return jax.jit(make_update(config, graph, reading, optimizer), donate_argnums=0)


def make_update(
    config: TrainConfig, graph: Any, reading: Reading, optimizer: optax.GradientTransformation
) -> StepFunction:
    """Return the same as a function that may become part of a larger one."""
    gradient = jax.value_and_grad(make_loss(config, graph, reading), has_aux=True)

    def step(
        state: TrainState, batch: Labelled, rate: Array
    ) -> tuple[TrainState, dict[str, Array]]:
        (total, (parts, rest)), slope = gradient(state.params, state.rest, batch)
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

    return step


def make_validation(graph: Any, reading: Reading) -> Callable[..., dict[str, Array]]:
    """Return jitted ``validate(params, rest, batch: Labelled)``: errors per sample."""

    def validate(params: Any, rest: Any, batch: Labelled) -> dict[str, Array]:
        network = nnx.merge(graph, params, rest)
        network.eval()
        maps, masks, confidence = network.read(batch.images.astype(jnp.float32) / 255.0)
        size, texels = face_size(batch.landmarks), maps.shape[1]
        truth = jax.vmap(lambda c: evaluate_control(c, texels))(batch.control)
        cell = texels // reading.weights.shape[0]
        weights = jnp.repeat(jnp.repeat(reading.weights, cell, 0), cell, 1) / cell**2
        far = jnp.linalg.norm(maps - truth, axis=-1)
        points = map_landmarks(maps, reading)
        plane = jnp.linalg.norm((points - batch.landmarks)[..., :2], axis=-1)
        is_head = batch.masks.astype(jnp.float32) / 255.0
        return {
            "nme": plane.mean(axis=1) / size,
            "dense": jnp.sum(far * weights, axis=(1, 2)) / size,
            "mask": jnp.abs(masks - is_head).mean(axis=(1, 2)),
            "cover": misjudged_share(masks, batch.masks, batch.control, reading),
            "confidence": confidence,
            "landmarks": points,
        }

    return jax.jit(validate)
