"""Skins: one texture atlas per sample, mixed from the bank and shifted over all tones.

Colours are worked on as squares of the stored values, a cheap stand-in for linear light.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float, Int

from .atlas import FACE_SIZE, HEAD_SIZE, SMALL_SIZE
from .bank import Bank
from .masks import SkinMasks
from .numbers import Numbers

__all__ = ["SkinLook", "compose_atlas", "pack_colors", "sample_skin", "unpack_colors"]

# Skin tones from very light to very dark with the mid-brown and Asian ones (sRGB, lit evenly).
_TONES = (
    (244, 214, 200),
    (236, 200, 178),
    (228, 188, 160),
    (218, 176, 142),
    (205, 158, 122),
    (188, 138, 102),
    (163, 112, 80),
    (136, 90, 64),
    (108, 70, 50),
    (82, 54, 40),
    (60, 41, 33),
)
# Hair: black, dark brown, brown, light brown, blond, red, grey, white (sRGB).
_HAIR_COLORS = (
    (18, 16, 16),
    (38, 28, 23),
    (62, 44, 32),
    (98, 72, 50),
    (160, 128, 84),
    (112, 58, 32),
    (118, 114, 110),
    (196, 192, 186),
)
_HAIR_PROBABILITY = (0.27, 0.24, 0.16, 0.1, 0.09, 0.04, 0.06, 0.04)


def _linear(colors: tuple) -> Array:
    return jnp.asarray((np.array(colors, np.float32) / 255) ** 2)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class SkinLook:
    """What the skin of one sample looks like; colours are squared values."""

    first: Array  # [] int32, skin of the bank
    second: Array  # [] int32
    mix: Array  # [], share of the second
    photo: Array  # [] int32, skin from a photo
    photo_share: Array  # [], 1 = the photo's skin is used where it is known
    tone: Array  # [3], mean colour of the cheeks
    contrast: Array  # [], exponent of the skin's own detail
    hair_color: Array  # [3]
    brow: Array  # [] int32
    brow_strength: Array  # []
    brow_shift: Array  # [2] int32, texels
    lips: Array  # [4], colour and strength
    makeup: Array  # [3], strength of blush, eyelids, liner
    blotch: Array  # [2], strength of coarse and fine mottling
    hairs: Array  # [3], strength of beard, moustache, goatee
    scalp: Array  # [2], strength of hair on the scalp, shift of the hairline in cm
    eye: Array  # [] int32
    eye_tint: Array  # [3]
    noise_offset: Array  # [2] int32


def sample_skin(key: Array, bank: Bank) -> SkinLook:
    """Return a random look."""
    draw = Numbers(key, 80)
    count = bank.faces.shape[0]
    tones = _linear(_TONES)
    level = draw.uniform(high=len(_TONES) - 1.001)
    low = jnp.floor(level).astype(jnp.int32)
    tone = tones[low] + (level - jnp.floor(level)) * (tones[low + 1] - tones[low])
    tone = tone * jnp.exp(0.05 * draw.normal((3,)) + 0.1 * draw.normal())
    # Skins whose own tone is near need less of a shift: draw three, take the nearest.
    drawn = draw.integer(count, (3,))
    gap = jnp.abs(jnp.log(bank.face_means[drawn].mean(axis=1) / tone.mean()))
    first = drawn[jnp.argmin(gap)]
    photos = bank.photo_faces.shape[0]
    photo = draw.integer(max(photos, 1))
    is_photo = (draw.chance(0.55)) & (photos > 0)
    if photos:
        gain = jnp.exp(0.1 * draw.normal() + 0.04 * draw.normal((3,)))
        tone = jnp.where(is_photo, bank.photo_means[photo] * gain, tone)
    hair = _linear(_HAIR_COLORS)[draw.choice(jnp.array(_HAIR_PROBABILITY))]
    is_dark = tone.mean() < 0.2
    hair = jnp.where(is_dark & (draw.chance(0.85)), 0.006, hair)
    eye_weights = bank.eye_weights[(is_dark | (hair.mean() < 0.012)).astype(jnp.int32)]
    hair = hair * jnp.exp(0.25 * draw.normal() + 0.08 * draw.normal((3,)))
    chance = draw.uniform((8,))
    amount = draw.uniform((8,))
    lip_color = tone * jnp.exp(jnp.array([0.15, -0.6, -0.4]) + 0.3 * draw.normal((3,)))
    lip_share = jnp.where(chance[0] < 0.4, amount[0] * 0.8, 0.0)
    return SkinLook(
        first=first,
        second=draw.integer(count),
        mix=jnp.where(chance[1] < 0.6, 0.5 * amount[1], 0.0),
        photo=photo,
        photo_share=is_photo.astype(jnp.float32),
        tone=jnp.clip(tone, 0.012, 0.85),
        contrast=draw.uniform(low=0.8, high=1.5),
        hair_color=jnp.clip(hair, 0.002, 0.8),
        brow=draw.integer(bank.brows.shape[0]),
        brow_strength=draw.uniform(low=0.35, high=1.0),
        brow_shift=draw.integer(7, (2,)) - 3,
        lips=jnp.append(jnp.clip(lip_color, 0, 1), lip_share),
        makeup=jnp.where(chance[2:5] < 0.3, amount[2:5], 0.0) * jnp.array([0.5, 0.6, 0.8]),
        blotch=jnp.array([0.03, 0.025]) * draw.uniform((2,), low=0.2, high=2.0),
        hairs=_facial_hair(draw),
        scalp=jnp.stack([amount[5], 0.9 * draw.normal()]),
        eye=draw.choice(eye_weights),
        eye_tint=jnp.exp(0.15 * draw.normal() + 0.05 * draw.normal((3,))),
        noise_offset=draw.integer(bank.noise.shape[1] - FACE_SIZE, (2,)),
    )


def _facial_hair(draw: Numbers) -> Array:
    kind, amount = draw.uniform(), draw.uniform(low=0.15, high=1.0)
    none, full = jnp.zeros(3), jnp.array([1.0, 1.0, 1.0])
    kinds = jnp.stack([none, full, jnp.array([0.0, 1, 0]), jnp.array([0.0, 1, 1]), 0.35 * full])
    bounds = jnp.array([0.62, 0.78, 0.83, 0.9])
    return amount * kinds[(kind > bounds).sum()]


def _square(image: Array) -> Array:
    value = image.astype(jnp.float32) * (1 / 255)
    return value * value


def _color(color: Array) -> Array:
    """Return a colour that broadcasts against planes ``[3, S, S]``."""
    return color[:, None, None]


def _blend(image: Array, color: Array, weight: Array) -> Array:
    return image + weight * (_color(color) - image)


def _base_skin(bank: Bank, look: SkinLook) -> tuple[Array, Array]:
    """Return face and head tiles ``[3, S, S]`` of the mixed skin, shifted to the tone."""
    tiles = []
    for stack in (bank.faces, bank.heads):
        first = _square(stack[look.first]) * _color(1.0 / bank.face_means[look.first])
        second = _square(stack[look.second]) * _color(1.0 / bank.face_means[look.second])
        detail = first + look.mix * (second - first)
        # Exponent of the detail: dark paintings hold more contrast than light ones.
        tiles.append(_color(look.tone) * (1.0 + look.contrast * (detail - 1.0)))
    face, head = tiles
    if bank.photo_faces.shape[0] == 0:
        return face, head
    gain = look.tone / bank.photo_means[look.photo]
    is_photo = look.photo_share > 0.5
    photo_head = _square(bank.heads[bank.photo_bases[look.photo]])
    photo_head = photo_head * _color(gain * bank.photo_rims[look.photo])
    photo_face = _square(bank.photo_faces[look.photo]) * _color(gain)
    return jnp.where(is_photo, photo_face, face), jnp.where(is_photo, photo_head, head)


def _noise(bank: Bank, look: SkinLook, size: int) -> Array:
    return lax.dynamic_slice(bank.noise, (0, *look.noise_offset), (4, size, size))


def _face_tile(skin: Array, bank: Bank, masks: SkinMasks, look: SkinLook) -> Array:
    noise = _noise(bank, look, FACE_SIZE)
    mottle = look.blotch[0] * noise[2] + look.blotch[1] * noise[1]
    skin = skin * (1.0 - mottle * _color(jnp.array([0.5, 1.0, 1.0])))
    plain = 1.0 - look.photo_share
    skin = _blend(skin, look.lips[:3], look.lips[3] * masks.lips)
    blush = jnp.clip(look.tone * jnp.array([1.1, 0.55, 0.6]), 0, 1)
    skin = _blend(skin, blush, look.makeup[0] * masks.blush)
    skin = _blend(skin, look.tone * jnp.array([0.35, 0.25, 0.3]), look.makeup[1] * masks.eyelids)
    liner = (0.25 + look.makeup[2]) * plain * masks.liner
    skin = _blend(skin, jnp.array([0.003, 0.002, 0.002]), liner)
    strand = jnp.clip(0.8 + 0.25 * noise[0], 0.0, 1.0)
    bare = jnp.ones(())
    for strength, mask in zip(look.hairs, masks.hairs, strict=True):
        bare = bare * (1.0 - strength * mask)
    skin = _blend(skin, look.hair_color, 0.9 * (1.0 - bare) * strand)
    brow = bank.brows[look.brow].astype(jnp.float32) * (1 / 255)
    brow = jnp.roll(brow, look.brow_shift, axis=(0, 1))
    skin = _blend(skin, 0.7 * look.hair_color, look.brow_strength * plain * brow)
    return _scalp(skin, masks.scalp_face, noise, look)


def _scalp(skin: Array, level: Array, noise: Array, look: SkinLook) -> Array:
    level = level + look.scalp[1] + 0.3 * noise[2] + 0.25 * noise[0]
    strand = jnp.clip(0.8 + 0.25 * noise[0], 0.0, 1.0)
    return _blend(skin, look.hair_color, look.scalp[0] * jnp.clip(level + 0.5, 0, 1) * strand)


def compose_atlas(
    bank: Bank, masks: SkinMasks, look: SkinLook, cloth: Float[Array, " 3"]
) -> Int[Array, "rows columns"]:
    """Return the packed atlas of one sample."""
    face, head = _base_skin(bank, look)
    face = _face_tile(face, bank, masks, look)
    head = _scalp(head, masks.scalp_head, _noise(bank, look, HEAD_SIZE), look)
    white = 0.45  # the painted sclera is whiter than real ones, and the lids shade it
    eye = _square(bank.eyes[look.eye]) * _color(look.eye_tint * white)
    noise = bank.noise[:, :SMALL_SIZE, :SMALL_SIZE]
    fabric = _color(cloth) * (1.0 + 0.12 * noise[2] + 0.08 * noise[1])
    upper = jnp.concatenate([eye, 0.85 * _square(bank.teeth)], axis=2)
    lower = jnp.concatenate([_square(bank.gums), fabric], axis=2)
    right = jnp.concatenate([head, upper, lower], axis=1)
    return pack_colors(jnp.concatenate([face, right], axis=2))


def pack_colors(planes: Float[Array, "3 rows columns"]) -> Int[Array, "rows columns"]:
    """Pack linear colours in [0, 1] as three ten-bit square roots: one gather per texel."""
    root = (jnp.sqrt(jnp.clip(planes, 0.0, 1.0)) * 1023.0 + 0.5).astype(jnp.int32)
    return (root[0] << 20) | (root[1] << 10) | root[2]


def unpack_colors(packed: Int[Array, " *n"]) -> Float[Array, "*n 3"]:
    """Return square roots of colours in [0, 1]."""
    parts = [(packed >> shift) & 1023 for shift in (20, 10, 0)]
    return jnp.stack(parts, axis=-1).astype(jnp.float32) * (1 / 1023)
