"""Endless training on the device: draw new faces, crop them, learn from them, in one program.

For GPUs, where drawing is fast and copying is not: nothing but a random key goes in and nothing
but a loss comes out. No face is ever seen twice. Crops are moved as in `augment`; of what spoils
pictures (`spoil`) only what is a formula per pixel is done here: colour, grey, noise, a cover.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jaxtyping import Float

from ..geometry.landmarks import MIRROR_68
from ..geometry.pose import inplane_roll, inplane_rotation, rotation_from_angles
from ..geometry.sampling import sample_bilinear
from ..synthesis.generator import Generator, render_batch
from ..synthesis.labels import control_maps
from ..synthesis.surface import TexelBinding
from .config import AugmentConfig, TrainConfig
from .loss import Reading
from .step import Labelled, TrainState, make_update

__all__ = ["Drawn", "crop_on_device", "draw_faces", "make_stream_step"]

_SIZE, _MASK = 256, 128  # pixels of the crop and of its mask


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Drawn:
    """Pictures with exact labels, in pixels of the pictures."""

    image: Array  # [B, P, P, 3] uint8
    mask: Array  # [B, P, P] uint8: 255 where the head itself is seen
    control: Array  # [B, n, n, 3]
    landmarks: Array  # [B, 68, 3]
    angles: Array  # [B, 3] yaw, pitch, roll, degrees


Draw = Callable[[Array], Drawn]


def draw_faces(generator: Generator, binding: TexelBinding) -> Draw:
    """Return the function that draws one face per key."""

    def draw(keys: Array) -> Drawn:
        samples = render_batch(generator, keys)
        return Drawn(
            image=samples.image,
            mask=samples.head_mask,
            control=control_maps(samples.surface, binding),
            landmarks=samples.landmarks,
            angles=samples.angles,
        )

    return draw


def _random_similarity(
    key: Array, angles: Float[Array, " 3"], size: int, config: AugmentConfig
) -> tuple[Array, Array]:
    """Return matrix and offset, picture pixel to crop pixel; the head comes near upright."""
    keys = jax.random.split(key, 5)
    kind = jax.random.uniform(keys[0])
    sigma = jnp.where(
        kind < config.p_any_roll + config.p_tilted, config.tilted_sigma, config.roll_sigma
    )
    turn = sigma * jax.random.normal(keys[1])
    anyhow = jax.random.uniform(keys[1], minval=-180.0, maxval=180.0)
    turn = jnp.where(kind < config.p_any_roll, anyhow, turn)
    sign = jnp.where(jax.random.uniform(keys[2]) < config.p_mirror, -1.0, 1.0)
    roll = inplane_roll(rotation_from_angles(angles[0], angles[1], angles[2]))
    scale = jnp.exp(config.scale_sigma * jax.random.normal(keys[3])).clip(0.83, 1.22)
    flip = jnp.stack([sign, jnp.ones(())])
    matrix = scale * inplane_rotation(turn - sign * roll) * flip[None]
    shift = _SIZE * (config.shift_sigma * jax.random.normal(keys[4], (2,))).clip(-0.1, 0.1)
    return matrix, (_SIZE - 1) / 2 + shift - matrix @ jnp.full(2, (size - 1) / 2)


def _warp(image: Array, matrix: Array, offset: Array, side: int) -> Array:
    """Cut a crop of ``side`` pixels; beyond the picture its border goes on."""
    line = (jnp.arange(side, dtype=jnp.float32) + 0.5) * (_SIZE / side) - 0.5
    grid = jnp.stack(jnp.meshgrid(line, line), axis=-1)
    return sample_bilinear(image.astype(jnp.float32), (grid - offset) @ jnp.linalg.inv(matrix).T)


def _spoil(key: Array, image: Array, mask: Array, config: AugmentConfig) -> tuple[Array, Array]:
    """Change colours of a crop in [0, 1], add noise, put a plain rectangle over it."""
    keys = jax.random.split(key, 9)
    draw = jax.random.uniform(keys[0], (4,))
    gain = jnp.exp(0.15 * jax.random.normal(keys[1], (3,)))
    gamma = jnp.exp(0.2 * jax.random.normal(keys[2]))
    recoloured = gain * jnp.clip(image, 1e-4, 1.0) ** gamma
    image = jnp.where(draw[0] < config.p_colour, recoloured, image)
    grey = image @ jnp.array([0.299, 0.587, 0.114])
    image = jnp.where(draw[1] < config.p_gray, grey[..., None], image)
    low, high = jnp.sort(jax.random.uniform(keys[3], (2, 2), minval=-0.3, maxval=1.3), axis=0)

    def inside(side: int) -> Array:
        place = (jnp.arange(side, dtype=jnp.float32) + 0.5) / side
        column, row = ((place > low[k]) & (place < high[k]) for k in range(2))
        return (column[None] & row[:, None] & (draw[2] < config.p_occluder)).astype(jnp.float32)

    cover = inside(image.shape[0])[..., None]
    image = image + cover * (jax.random.uniform(keys[4], (3,)) - image)
    noise = 0.05 * jax.random.uniform(keys[5]) * jax.random.normal(keys[6], image.shape)
    image = image + jnp.where(draw[3] < config.p_noise, noise, 0.0)
    return jnp.clip(image, 0.0, 1.0), mask * (1.0 - inside(mask.shape[0]))


def crop_on_device(key: Array, drawn: Drawn, config: AugmentConfig) -> Labelled:
    """Return one moved and spoilt crop of every picture, with its labels; inside ``jit``.

    Args:
        key: random key.
        drawn: the pictures.
        config: how far they are moved, and how often things happen.
    """

    def one(key: Array, face: Drawn) -> Labelled:
        place_key, spoil_key = jax.random.split(key)
        matrix, offset = _random_similarity(place_key, face.angles, face.image.shape[0], config)
        scale = jnp.sqrt(jnp.abs(jnp.linalg.det(matrix)))
        is_mirrored = jnp.linalg.det(matrix) < 0.0

        def move(points: Array) -> Array:
            plane = points[..., :2] @ matrix.T + offset
            return jnp.concatenate([plane, scale * points[..., 2:]], axis=-1)

        image = _warp(face.image, matrix, offset, _SIZE) / 255.0
        mask = _warp(face.mask[..., None], matrix, offset, _MASK)[..., 0]
        image, mask = _spoil(spoil_key, image, mask, config)
        control, landmarks = move(face.control), move(face.landmarks)
        return Labelled(
            images=jnp.round(255.0 * image).astype(jnp.uint8),
            control=jnp.where(is_mirrored, control[:, ::-1], control),
            landmarks=jnp.where(is_mirrored, landmarks[jnp.asarray(MIRROR_68)], landmarks),
            masks=jnp.round(mask).astype(jnp.uint8),
            is_face=jnp.ones(()),
        )

    return jax.vmap(one)(jax.random.split(key, drawn.image.shape[0]), drawn)


def make_stream_step(
    config: TrainConfig,
    graph: Any,
    reading: Reading,
    optimizer: optax.GradientTransformation,
    draw: Draw,
) -> Callable[[TrainState, Array, Array], tuple[TrainState, dict[str, Array]]]:
    """Return the jitted ``step(state, key, rate)``: it draws its own batch.

    Args:
        config: the run; ``batch`` faces are drawn.
        graph: structure of the network, from `init_state`.
        reading: how maps are read for the loss.
        optimizer: from `make_optimizer`.
        draw: from `draw_faces`.
    """
    update = make_update(config, graph, reading, optimizer)

    def step(state: TrainState, key: Array, rate: Array) -> tuple[TrainState, dict[str, Array]]:
        draw_key, crop_key = jax.random.split(jax.random.fold_in(key, state.step))
        drawn = draw(jax.random.split(draw_key, config.batch))
        return update(state, crop_on_device(crop_key, drawn, config.augment), rate)

    return jax.jit(step, donate_argnums=0)
