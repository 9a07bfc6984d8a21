"""What makes one picture of a face differ from another: random numbers, drawn before all pixels.

Each subject has random numbers of its own: leaving one out changes nothing of the others.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ...core.arguments import name_list
from ...core.errors import InputError
from ...core.geometry.harmonics import CONSTANT
from ...core.geometry.pose import angles_from_rotation, inplane_rotation
from ...core.synthesis.numbers import Numbers
from ...core.synthesis.photo_faces import random_turn
from ..colour import lab_from_rgb, rgb_from_lab
from ..relight import random_light
from .quality import Grade, Quality, random_grade, random_quality

__all__ = [
    "MOST_YAW",
    "SUBJECTS",
    "YAW",
    "Makeup",
    "Recipe",
    "check_yaw",
    "describe",
    "draw_recipe",
    "subjects",
]

# What a recipe tells of, and the shape that the face has before (see `shapes`).
SUBJECTS = ("pose", "expression", "shape", "light", "color", "occluder", "quality")
YAW = 45.0  # degrees by which heads are turned at most, unless another limit is given
MOST_YAW = 75.0  # degrees: beyond it a turned photo shows too little
_ROLL = 10.0  # degrees, the furthest turn in the picture's plane
_OCCLUDED = 0.5  # share of the pictures
_WITHOUT = 0.4  # share of the lips, and of the brows, that keep their colour
_LIGHT = 0.72  # Oklab: lightness of skin from which on colours are as vivid as they get
_DIGITS = 4


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Makeup:
    """New colours of lips and brows."""

    colors: Array  # [2, 3] sRGB
    strength: Array  # [2], 0 keeps the old ones


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one picture is made of a face."""

    turn: Array  # [3, 3] rotation of the camera frame
    light: Array  # [9, 3], see `relight`
    makeup: Makeup
    grade: Grade
    has_occluder: Array  # [] bool
    occluder_key: Array
    quality: Quality


def subjects(names: str | Sequence[str]) -> tuple[str, ...]:
    """Return the subjects that a list or a comma-separated text names, each once.

    Raises:
        InputError: there is no subject of that name, or none is named.
    """
    found = tuple(dict.fromkeys(name_list(names, "subjects")))
    unknown = [name for name in found if name not in SUBJECTS]
    if unknown or not found:
        wrong = repr(unknown[0]) if unknown else "nothing"
        raise InputError(f"cannot vary {wrong}; choose from {', '.join(SUBJECTS)}")
    return found


def check_yaw(max_yaw: float | int, vary: Collection[str]) -> None:
    """Raise InputError where a limit of yaw is given, and no head is turned."""
    if max_yaw != YAW and "pose" not in vary:
        raise InputError(f"a yaw of up to {max_yaw:g} degrees is for pose; vary pose too")


def draw_recipe(
    key: Array,
    rotation: Float[np.ndarray, "3 3"],
    skin: Float[Array, " 3"],
    *,
    vary: Collection[str] = SUBJECTS,
    max_yaw: float | int = YAW,
) -> Recipe:
    """Draw the numbers of one picture.

    Args:
        key: random key.
        rotation: of the head in the photo.
        skin: colour of the face's skin, sRGB.
        vary: what changes, of `SUBJECTS`; no recipe tells of expression and shape.
        max_yaw: degrees of yaw by which the head is turned at most.
    """
    pose_key, rest = jax.random.split(key)
    recipe = _draw(rest, skin)
    neutral = Recipe(
        turn=jnp.eye(3),
        light=jnp.zeros((9, 3)).at[0].set(1.0 / CONSTANT),
        makeup=dataclasses.replace(recipe.makeup, strength=jnp.zeros(2)),
        grade=Grade.identity(),
        has_occluder=jnp.asarray(False),
        occluder_key=recipe.occluder_key,
        quality=Quality.identity(),
    )
    if "pose" in vary:
        random = np.random.default_rng(np.asarray(jax.random.key_data(pose_key)))
        recipe = dataclasses.replace(recipe, turn=_turn(random, rotation, max_yaw))
    kept = [name for subject, names in _FIELDS.items() if subject not in vary for name in names]
    return dataclasses.replace(recipe, **{name: getattr(neutral, name) for name in kept})


_FIELDS = {  # subject -> fields of a recipe
    "pose": ("turn",),
    "light": ("light",),
    "color": ("makeup", "grade"),
    "occluder": ("has_occluder",),
    "quality": ("quality",),
}


def _turn(random: np.random.Generator, rotation: np.ndarray, max_yaw: float | int) -> Array:
    roll = jnp.eye(3).at[:2, :2].set(inplane_rotation(float(random.uniform(-_ROLL, _ROLL))))
    return roll @ jnp.asarray(random_turn(random, rotation, max_yaw=max_yaw))


@jax.jit
def _draw(key: Array, skin: Array) -> Recipe:
    keys = jax.random.split(key, 6)
    return Recipe(
        turn=jnp.eye(3),
        light=random_light(keys[0]),
        makeup=_makeup(keys[1], skin),
        grade=random_grade(keys[2]),
        has_occluder=Numbers(keys[3], 1).chance(_OCCLUDED),
        occluder_key=keys[4],
        quality=random_quality(keys[5]),
    )


def _makeup(key: Array, skin: Array) -> Makeup:
    """Return lips from brown to pink and brows from black to fair, darker than the skin."""
    draw = Numbers(key, 12)
    lightness = lab_from_rgb(skin)[0]
    low, high = jnp.array([0.62, 0.45]), jnp.array([0.92, 0.85])
    dark = low + (high - low) * draw.uniform((2,))
    # Pigment on dark skin is as much less vivid.
    chroma = jnp.array([0.06, 0.01]) + jnp.array([0.08, 0.04]) * draw.uniform((2,))
    chroma = chroma * jnp.minimum(lightness / _LIGHT, 1.0)
    # Degrees of hue in Oklab: lips from pink to brown, brows from brown to fair.
    hue = jnp.array([5.0, 55.0]) + jnp.array([35.0, 30.0]) * draw.uniform((2,))
    angle = hue * (math.pi / 180)
    axes = [lightness * dark, chroma * jnp.cos(angle), chroma * jnp.sin(angle)]
    is_kept = draw.uniform((2,)) < _WITHOUT
    # Whole lips change, but of a brow only its hairs: these bear more.
    least, most = jnp.array([0.15, 0.3]), jnp.array([0.65, 0.9])
    strength = jnp.where(is_kept, 0.0, least + (most - least) * draw.uniform((2,)))
    return Makeup(colors=rgb_from_lab(jnp.stack(axes, axis=-1)), strength=strength)


def describe(recipe: Recipe, *, vary: Collection[str], kind: str) -> dict[str, Any]:
    """Return what a recipe varies, by subject, as JSON can hold it.

    Args:
        recipe: of the picture.
        vary: the subjects that were.
        kind: of what lies before the face: ``hand``, ``thing`` or ``none``.
    """
    yaw, pitch, roll = (_number(angle) for angle in angles_from_rotation(recipe.turn))
    makeup, colors, quality = recipe.makeup, recipe.grade, recipe.quality
    lips, brows = (_color(color) for color in np.asarray(makeup.colors))
    strength = [_number(value) for value in makeup.strength]
    told: dict[str, Any] = {
        "pose": {"turn": {"yaw": yaw, "pitch": pitch, "roll": roll}},
        "light": {"harmonics": np.round(np.asarray(recipe.light, float), _DIGITS).tolist()},
        "color": {
            "lips": {"color": lips, "strength": strength[0]},
            "brows": {"color": brows, "strength": strength[1]},
            "gain": [_number(value) for value in colors.gain],
            "gamma": _number(colors.gamma),
            "saturation": _number(colors.saturation),
        },
        "occluder": {"kind": kind},
        "quality": {
            "blur": _number(quality.blur),
            "resolution": _number(quality.resolution),
            "noise": _number(quality.noise),
            "jpeg": int(quality.jpeg),
        },
    }
    return {subject: value for subject, value in told.items() if subject in vary}


def _number(value: Any) -> float:
    return round(float(value), _DIGITS)


def _color(color: np.ndarray) -> str:
    return "#" + "".join(f"{value:02x}" for value in np.rint(255 * color).astype(int).tolist())
