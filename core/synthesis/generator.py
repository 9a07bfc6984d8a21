"""Generator of labelled pictures: key -> head -> camera -> raster -> light -> picture.

Everything after loading runs on the device. The heads of a batch are made by one matrix product;
then each picture is drawn by a loop over the batch, which on CPUs is faster than ``vmap``.

Convention:
    Pictures are 320 x 320, the crop that the landmarks call for is their middle (see `view`).
    Labels are in picture pixels: position maps and landmarks are exact projections.
"""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float, Shaped

from .backdrop import paint_backdrop
from .bank import Bank, load_bank
from .film import develop, expose
from .hair import HairBank, HairLook, load_hair, sample_hair
from .head import HeadModel, load_head
from .heads import place_head, sample_heads
from .kinds import ita_angle
from .layers import Layers, add_glasses, add_hair, cover_kind, draw_surface
from .light import Light, main_light, sample_light
from .masks import SkinMasks, build_masks
from .numbers import Numbers
from .occluders import OCCLUDER_SHARE, paint_occluder
from .scene import Scene, build_scene
from .skins import SkinLook, compose_atlas, sample_skin
from .surface import FaceSurface, landmark_points, load_surface
from .view import PICTURE_SIZE, sample_view

__all__ = ["Generator", "Sample", "load_generator", "render_batch"]

# Between them they show most of what can be seen inside a mouth.
_SMILE = {"mouthSmile_L": 1.0, "mouthSmile_R": 1.0, "mouthUpperUp_L": 1.0, "mouthUpperUp_R": 1.0}
_LOW = {"mouthLowerDown_L": 1.0, "mouthLowerDown_R": 1.0}
_WIDE_MOUTHS: tuple[dict[str, float], ...] = (
    {"jawOpen": 1.0},
    {"jawOpen": 0.1} | _SMILE | _LOW,
    {"jawOpen": 0.7} | _SMILE | _LOW,
)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Generator:
    """Everything that the pictures are made of."""

    head: HeadModel
    scene: Scene
    bank: Bank
    hair: HairBank
    masks: SkinMasks
    surface: FaceSurface
    ears: Array  # [2] int32, vertices of the head where the arms of glasses end: left, right


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """One labelled picture."""

    image: Array  # [320, 320, 3] uint8
    surface: Array  # [N, 3] vertices of the layout's surface, picture pixels
    landmarks: Array  # [68, 3] picture pixels
    angles: Array  # [3] yaw, pitch, roll, degrees
    head_mask: Array  # [320, 320] uint8, 255 where the head itself is seen
    kind: Array | None = None  # [320, 320] uint8, what covers the head (`kinds.KINDS`)
    ita: Array | None = None  # [], lightness of the skin itself, degrees (`kinds.ita_angle`)


def load_generator(
    head_path: Path,
    *,
    folder: Path | None = None,
    photo_skins: Path | None = None,
) -> Generator:
    """Read all sources and bake what is baked.

    Args:
        head_path: the head model (see `load_head`).
        folder: data-pack folder with skins, parts, light and backgrounds, or None.
        photo_skins: folder with skins made from photos, or None.
    """
    head, surface = load_head(head_path), load_surface()
    landmarks = np.asarray(surface.ends)[np.asarray(surface.landmarks), 0]
    return Generator(
        head=head,
        scene=build_scene(
            head,
            _expression(head, {"jawOpen": 0.6}),
            wide=[_expression(head, weights) for weights in _WIDE_MOUTHS],
        ),
        bank=load_bank(folder, photo_skins=photo_skins),
        hair=load_hair(folder / "parts" / "hair" if folder else None, head),
        masks=build_masks(head, landmarks),
        surface=surface,
        ears=jnp.asarray(landmarks[[16, 0]], dtype=jnp.int32),
    )


def _expression(head: HeadModel, weights: dict[str, float]) -> Float[np.ndarray, " expressions"]:
    coefficients = np.zeros(len(head.expression_names), np.float32)
    for name, weight in weights.items():
        coefficients[head.expression_index(name)] = weight
    return coefficients


def _cloth_color(key: Array) -> Array:
    """Return a colour of cloth: mostly dull, from black to white (linear)."""
    draw = Numbers(key, 5)
    level, dull = draw.uniform(high=0.85) ** 2, draw.uniform() ** 2
    hue = draw.uniform((3,), low=0.2, high=1.6)
    return 0.01 + level * (1.0 + dull * (hue - 1.0))


def _sample_looks(key: Array, generator: Generator) -> tuple[SkinLook, HairLook]:
    """Return skin and hair that belong together: hair stands on a scalp of its colour."""
    skin_key, hair_key = jax.random.split(key)
    skin = sample_skin(skin_key, generator.bank)
    hair = sample_hair(hair_key, generator.hair, skin.hair_color)
    strength = jnp.maximum(skin.scalp[0], hair.is_present * (1.0 - hair.is_cloth))
    return dataclasses.replace(skin, scalp=skin.scalp.at[0].set(strength)), hair


def _photograph(
    key: Array, generator: Generator, layers: Layers, skin: SkinLook, light: Light
) -> tuple[Array, Array, Array]:
    """Return the finished picture, where the head itself is seen, and what covers it."""
    keys = jax.random.split(key, 5)
    bank = generator.bank
    display = expose(keys[0], layers.linear, layers.head)
    behind = paint_backdrop(keys[1], bank.backdrops)
    image = display + (1.0 - layers.cover[..., None]) * (behind - display)
    lit_skin = jnp.sqrt(jnp.clip(skin.tone * 0.8, 0.0, 1.0))
    image, thing, kind = lax.cond(
        jax.random.uniform(keys[2]) < OCCLUDER_SHARE,
        lambda i: paint_occluder(
            keys[3], i, lit_skin, bank.backdrops, light=main_light(light), near=layers.cover
        ),
        lambda i: (i, jnp.zeros((PICTURE_SIZE, PICTURE_SIZE)), jnp.zeros((), jnp.int32)),
        image,
    )
    kinds = cover_kind(layers.kind, layers.bare, thing, kind)
    return develop(keys[4], image, bank.noise), layers.bare * (1.0 - thing), kinds


def _draw_one(
    generator: Generator, key: Array, head: Array, identity: Array, stretch: Array
) -> Sample:
    """Draw one head, ``[V, 3]`` in the canonical frame."""
    keys = jax.random.split(key, 7)
    scene, surface = generator.scene, generator.surface
    stage = place_head(keys[0], sample_view(keys[1]), head, scene, surface)
    light = sample_light(keys[2], generator.bank.irradiance)
    skin, hair = _sample_looks(keys[3], generator)
    atlas = compose_atlas(generator.bank, generator.masks, skin, _cloth_color(keys[4]))
    layers = draw_surface(scene, stage, light, atlas)
    eyes = head[scene.eye_vertices].mean(axis=1)
    layers = add_glasses(keys[5], layers, stage, eyes, head[generator.ears])
    layers = add_hair(layers, stage, generator.hair, hair, identity, stretch, light)
    image, bare, kind = _photograph(keys[6], generator, layers, skin, light)
    return Sample(
        image=jnp.round(image * 255).astype(jnp.uint8),
        surface=stage.surface,
        landmarks=landmark_points(surface, stage.surface),
        angles=stage.view.angles,
        head_mask=jnp.round(255.0 * bare).astype(jnp.uint8),
        kind=kind,
        ita=ita_angle(jnp.sqrt(skin.tone)),
    )


@functools.partial(jax.jit, static_argnames="together")
def render_batch(
    generator: Generator, keys: Shaped[Array, " batch"], *, together: int = 1
) -> Sample:
    """Return one labelled picture per key, stacked.

    Args:
        generator: sources of the pictures.
        keys: random keys.
        together: pictures that are drawn side by side; one is fastest on CPUs, many on GPUs.
    """
    pairs = jax.vmap(jax.random.split)(keys)
    heads = sample_heads(generator.head, generator.scene, pairs[:, 0])
    return lax.map(
        lambda row: _draw_one(generator, *row),
        (pairs[:, 1], heads.vertices, heads.identity, heads.stretch),
        batch_size=None if together == 1 else together,
    )
