"""Pairs of drawn heads whose true swap is known: one skin on the other's geometry.

A pair is three pictures of the generator (`core.synthesis`)::

    target     head A, skin A, in A's pose and light
    reference  head B, skin B, in another pose, the same light or one of its own
    truth      head A, skin B, in A's pose and light; eyes, mouth, hair and what covers A stay A's

Skin is the painted or photographed texture with brows, beard, make-up and marks. Its mean tone is
not exchanged: a swapped face has to fit the neck that it sits on, so in the truth skin B has the
tone of skin A.

Convention:
    Pictures are ``[320, 320, 3]`` as the generator draws them, without camera noise, exposed for
    the face; the truth has the target's exposure.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float, PRNGKeyArray

from ...core.geometry.pose import angles_from_rotation, rotation_from_angles
from ...core.synthesis.backdrop import blur_matrix, paint_backdrop
from ...core.synthesis.generator import Generator
from ...core.synthesis.glasses import GLASSES_SHARE
from ...core.synthesis.hair import HairLook, sample_hair
from ...core.synthesis.heads import place_head, sample_heads
from ...core.synthesis.layers import add_glasses, add_hair, draw_surface
from ...core.synthesis.light import Light, main_light, sample_light
from ...core.synthesis.occluders import paint_occluder
from ...core.synthesis.skins import SkinLook, compose_atlas, sample_skin
from ...core.synthesis.view import PICTURE_SIZE, View

__all__ = ["Cover", "DrawnPair", "Picture", "draw_pair"]

Cover = Literal["none", "glasses", "hair", "thing"]

_SOFT = 0.45  # pixels: blur of the pictures, as of a sharp photo
_EXPOSURE = (0.22, 0.3, 0.45)  # of `core.synthesis.film`, without its random part


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class _Person:
    vertices: Array  # [V, 3] canonical frame, cm
    identity: Array  # [I]
    stretch: Array  # [3]
    skin: SkinLook
    hair: HairLook


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class _Shot:
    """How a person is photographed."""

    view: View
    light: Light
    cloth: Array  # [3] linear colour
    tone: Array  # [3] of the hand, linear
    backdrop: Array  # key
    glasses: Array  # key; it decides whether they are worn
    thing: Array  # key of what is held before the face
    has_thing: Array  # [] bool


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Picture:
    """A drawn picture and what is known about it."""

    image: Array  # [320, 320, 3], RGB in [0, 1]
    surface: Array  # [N, 3] vertices of the layout's surface, picture pixels
    bare: Array  # [320, 320], 1 where the head itself is seen
    gain: Array  # [], exposure


@dataclasses.dataclass(frozen=True, kw_only=True)
class DrawnPair:
    """Target, reference and the true swap."""

    target: Picture
    reference: Picture
    truth: Picture


def draw_pair(
    generator: Generator,
    seed: int,
    *,
    yaws: tuple[float, float],
    covers: tuple[Cover, Cover] = ("none", "none"),
    is_one_light: bool = True,
) -> DrawnPair:
    """Draw a pair and its truth.

    Args:
        generator: from `core.synthesis.generator.load_generator`.
        seed: everything random follows from it.
        yaws: of target and reference, degrees.
        covers: what lies before the face of target and reference.
        is_one_light: both are in the same light; else the reference has one of its own.
    """
    keys = jax.random.split(jax.random.key(seed), 8)
    people = [_person(generator, key, cover) for key, cover in zip(keys[:2], covers, strict=True)]
    light_keys = (keys[2], keys[2] if is_one_light else keys[5])
    lights = [sample_light(key, generator.bank.irradiance) for key in light_keys]
    shots = [
        _shot(key, light, person, yaw, cover)
        for key, light, person, yaw, cover in zip(
            keys[3:5], lights, people, yaws, covers, strict=True
        )
    ]
    target, reference = (
        _draw(generator, person, shot, jnp.zeros(()))
        for person, shot in zip(people, shots, strict=True)
    )
    swapped = dataclasses.replace(people[0], skin=_exchange(people[0].skin, people[1].skin))
    truth = _draw(generator, swapped, shots[0], target.gain)
    return DrawnPair(target=target, reference=reference, truth=truth)


def _exchange(own: SkinLook, other: SkinLook) -> SkinLook:
    """Return the other's skin with one's own tone, eyes and hairline."""
    return dataclasses.replace(
        other, tone=own.tone, eye=own.eye, eye_tint=own.eye_tint, scalp=own.scalp
    )


def _person(generator: Generator, key: PRNGKeyArray, cover: Cover) -> _Person:
    head_key, skin_key, hair_key = jax.random.split(key, 3)
    heads = sample_heads(generator.head, generator.scene, head_key[None])
    skin = sample_skin(skin_key, generator.bank)
    hair = sample_hair(hair_key, generator.hair, skin.hair_color)
    present = jnp.asarray(1.0 if cover == "hair" else 0.0)
    return _Person(
        vertices=heads.vertices[0],
        identity=heads.identity[0],
        stretch=heads.stretch[0],
        skin=skin,
        hair=dataclasses.replace(hair, is_present=present),
    )


def _shot(key: PRNGKeyArray, light: Light, person: _Person, yaw: float, cover: Cover) -> _Shot:
    keys = jax.random.split(key, 6)
    tilt = 5.0 * jax.random.normal(keys[0], (2,))
    rotation = rotation_from_angles(yaw, tilt[0], tilt[1])
    view = View(
        angles=jnp.stack(angles_from_rotation(rotation)),
        rotation=rotation,
        body_rotation=rotation_from_angles(0.6 * yaw, 0.0, 0.0),
        distance=jnp.exp(jax.random.uniform(keys[1], minval=4.0, maxval=5.3)),
    )
    return _Shot(
        view=view,
        light=light,
        cloth=0.02 + 0.5 * jax.random.uniform(keys[2], (3,)) ** 2,
        tone=jnp.sqrt(jnp.clip(person.skin.tone * 0.8, 0.0, 1.0)),
        backdrop=keys[3],
        glasses=_glasses_key(keys[4], is_worn=cover == "glasses"),
        thing=keys[5],
        has_thing=jnp.asarray(cover == "thing"),
    )


def _glasses_key(key: PRNGKeyArray, *, is_worn: bool) -> PRNGKeyArray:
    """Return a key with which `add_glasses` puts glasses on, or does not."""
    while (float(jax.random.uniform(jax.random.split(key)[0])) < GLASSES_SHARE) != is_worn:
        key = jax.random.fold_in(key, 1)
    return key


@jax.jit
def _draw(generator: Generator, person: _Person, shot: _Shot, gain: Array) -> Picture:
    """Draw a person; a gain of 0 exposes for the face."""
    scene, head = generator.scene, person.vertices
    stage = place_head(shot.thing, shot.view, head, scene, generator.surface)
    atlas = compose_atlas(generator.bank, generator.masks, person.skin, shot.cloth)
    layers = draw_surface(scene, stage, shot.light, atlas)
    own = _exposure(layers.linear, layers.head)
    eyes = head[scene.eye_vertices].mean(axis=1)
    layers = add_glasses(shot.glasses, layers, stage, eyes, head[generator.ears])
    layers = add_hair(
        layers, stage, generator.hair, person.hair, person.identity, person.stretch, shot.light
    )
    gain = jnp.where(gain > 0.0, gain, own)
    display = jnp.sqrt(jnp.clip(layers.linear * gain, 0.0, 1.0))
    behind = paint_backdrop(shot.backdrop, generator.bank.backdrops)
    image = display + (1.0 - layers.cover[..., None]) * (behind - display)
    image, thing = lax.cond(
        shot.has_thing,
        lambda i: paint_occluder(
            shot.thing,
            i,
            shot.tone,
            generator.bank.backdrops,
            light=main_light(shot.light),
            near=layers.cover,
        )[:2],
        lambda i: (i, jnp.zeros((PICTURE_SIZE, PICTURE_SIZE))),
        image,
    )
    blur = blur_matrix(jnp.asarray(_SOFT), jnp.ones(()))
    return Picture(
        image=jnp.clip(jnp.einsum("ab,bcd,ec->aed", blur, image, blur), 0.0, 1.0),
        surface=stage.surface,
        bare=layers.bare * (1.0 - thing),
        gain=gain,
    )


def _exposure(linear: Float[Array, "size size 3"], head: Float[Array, "size size"]) -> Array:
    mean = (linear @ jnp.array([0.25, 0.65, 0.1]) * head).sum() / jnp.maximum(head.sum(), 1.0)
    level, middle, power = _EXPOSURE
    return level * (jnp.maximum(mean, 1e-3) / middle) ** power / jnp.maximum(mean, 1e-3)
