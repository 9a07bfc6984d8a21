"""Endless training on the device: draw new faces, crop them, learn from them, in one program.

For GPUs, where drawing is fast and copying is not: nothing but a random key goes in and nothing
but a loss comes out. Crops are moved as in `augment`, spoilt by `spoil_on_device`, and now and then
show no face (`faceless`). `make_store_steps` crops faces of a store on the device, which
`make_refill` keeps drawing anew.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..geometry.landmarks import MIRROR_68
from ..geometry.pose import inplane_roll, inplane_rotation, rotation_from_angles
from ..synthesis.generator import Generator, render_batch
from ..synthesis.labels import control_maps
from ..synthesis.surface import TexelBinding
from .config import AugmentConfig, TrainConfig
from .faceless import faceless_on_device
from .spoil_on_device import spoil_on_device
from .step import Labelled
from .warp import CROP_SIZE, MASK_SIZE, Border, warp

__all__ = [
    "Drawn",
    "Sources",
    "crop_on_device",
    "draw_faces",
    "make_refill",
    "make_store_steps",
]

_BORDERS = (0.45, 0.85)  # shares: the border continues, then also mirrored; the rest is flat


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Drawn:
    """Pictures with exact labels, in pixels of the pictures."""

    image: Array  # [B, P, P, 3] uint8
    mask: Array  # [B, P, P] uint8: 255 where the head itself is seen
    control: Array  # [B, n, n, 3]
    landmarks: Array  # [B, 68, 3]
    angles: Array  # [B, 3] yaw, pitch, roll, degrees


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Sources:
    """What faces are drawn from: an argument of compiled functions, too large for a constant."""

    generator: Generator
    binding: TexelBinding  # of the labels' texels


Draw = Callable[[Any, Array], Drawn]  # of sources and keys


def draw_faces(sources: Sources, keys: Array, *, together: int = 1) -> Drawn:
    """Draw one face per key.

    Args:
        sources: of pictures and labels.
        keys: random keys.
        together: pictures that are drawn side by side: one on CPUs, many on GPUs.
    """
    samples = render_batch(sources.generator, keys, together=together)
    return Drawn(
        image=samples.image,
        mask=samples.head_mask,
        control=control_maps(samples.surface, sources.binding, together=together),
        landmarks=samples.landmarks,
        angles=samples.angles,
    )


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
    shift = CROP_SIZE * (config.shift_sigma * jax.random.normal(keys[4], (2,))).clip(-0.1, 0.1)
    return matrix, (CROP_SIZE - 1) / 2 + shift - matrix @ jnp.full(2, (size - 1) / 2)


def _border(key: Array) -> Border:
    kind, grey = jax.random.uniform(key, (2,))
    first, second = _BORDERS
    return Border(
        is_mirrored=(kind >= first) & (kind < second),
        is_flat=kind >= second,
        grey=jnp.maximum((grey - 0.7) / 0.3, 0.0),
    )


def crop_on_device(
    key: Array, drawn: Drawn, config: AugmentConfig, *, backdrops: Array | None = None
) -> Labelled:
    """Return one moved and spoilt crop of every picture, with its labels; inside ``jit``.

    Args:
        key: random key.
        drawn: the pictures.
        config: how far they are moved, and how often things happen.
        backdrops: ``[M, S, S, 3]`` uint8 pictures without faces, some of which are shown in place
            of a face; default none.
    """

    def one(key: Array, face: Drawn) -> Labelled:
        keys = jax.random.split(key, 5)
        size = face.image.shape[0]
        matrix, offset = _random_similarity(keys[0], face.angles, size, config)
        determinant = matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0]
        scale, is_mirrored = jnp.sqrt(jnp.abs(determinant)), determinant < 0.0

        def move(points: Array) -> Array:
            plane = jnp.matmul(points[..., :2], matrix.T, precision="highest") + offset
            return jnp.concatenate([plane, scale * points[..., 2:]], axis=-1)

        border = _border(keys[1])
        image = warp(face.image, matrix, offset, CROP_SIZE, border) / 255.0
        nothing = Border(is_mirrored=jnp.array(False), is_flat=jnp.array(True), grey=jnp.zeros(()))
        mask = warp(face.mask[..., None], matrix, offset, MASK_SIZE, nothing)[..., 0] / 255.0
        is_face = jax.random.uniform(keys[2]) >= config.p_faceless
        if config.p_faceless > 0.0:
            other = faceless_on_device(keys[3], face.image, backdrops)
            image = jnp.where(is_face, image, other)
        image, mask = spoil_on_device(keys[4], image, mask, config)
        control, landmarks = move(face.control), move(face.landmarks)
        return Labelled(
            images=jnp.round(255.0 * image).astype(jnp.uint8),
            control=jnp.where(is_mirrored, control[:, ::-1], control),
            landmarks=jnp.where(is_mirrored, landmarks[jnp.asarray(MIRROR_68)], landmarks),
            masks=jnp.round(255.0 * mask).astype(jnp.uint8),
            is_face=is_face.astype(jnp.float32),
        )

    return jax.vmap(one)(jax.random.split(key, drawn.image.shape[0]), drawn)


def make_refill(draw: Draw, count: int) -> Callable[[Drawn, Any, Array, Array], Drawn]:
    """Return the jitted ``refill(store, sources, key, at)``.

    It draws ``count`` faces over those from ``at`` on. The store is used up: go on with what is
    returned.
    """

    def refill(store: Drawn, sources: Any, key: Array, at: Array) -> Drawn:
        fresh = draw(sources, jax.random.split(key, count))

        def put(old: Array, new: Array) -> Array:
            start = (at, *[jnp.zeros((), at.dtype)] * (old.ndim - 1))
            return jax.lax.dynamic_update_slice(old, new.astype(old.dtype), start)

        return jax.tree.map(put, store, fresh)

    return jax.jit(refill, donate_argnums=0)


def make_store_steps(
    config: TrainConfig, update: Callable[..., Any], *, photo_share: float = 0.1
) -> Callable[..., Any]:
    """Return the jitted ``steps(state, store, photos, backdrops, key, first, filled, rates)``.

    It makes one step per learning rate (several, because calls take time), numbered from ``first``,
    and returns the state and the mean report. It crops faces of the store, the first ``filled`` of
    which are there, and of ``photos``, which are `Drawn` too and have a share of their own.

    Args:
        config: the run; ``batch`` crops are taken.
        update: from `make_update`, or several of them in one, with a state of several.
        photo_share: of the crops.
    """
    few = round(photo_share * config.batch)

    def steps(
        state: Any,
        store: Drawn,
        photos: Drawn,
        backdrops: Array,
        key: Array,
        first: Array,
        filled: Array,
        rates: Array,
    ) -> tuple[Any, dict[str, Array]]:
        def step(state: Any, item: tuple[Array, Array]) -> tuple[Any, dict[str, Array]]:
            number, rate = item
            keys = jax.random.split(jax.random.fold_in(key, number), 3)
            chosen = jax.random.randint(keys[0], (config.batch - few,), 0, filled)
            others = jax.random.randint(keys[1], (few,), 0, photos.image.shape[0])
            faces = jax.tree.map(
                lambda a, b: jnp.concatenate([a[chosen], b[others].astype(a.dtype)]), store, photos
            )
            crops = crop_on_device(keys[2], faces, config.augment, backdrops=backdrops)
            return update(state, crops, rate)

        numbers = first + jnp.arange(rates.shape[0], dtype=jnp.int32)
        state, reports = jax.lax.scan(step, state, (numbers, rates))
        return state, jax.tree.map(lambda value: value.mean(axis=0), reports)

    return jax.jit(steps, donate_argnums=0)
