"""Other expressions and proportions of a face that is about to be turned, for ``uvface augment``.

The face is reshaped on its stage, by the one path of all reshaping (`reshape_face`), and its head
is cut out anew: pixels and position map move together, so that labels stay as exact as they are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping

import numpy as np

from ...core.geometry.layout import UVLayout
from ...core.synthesis.profiling import PhotoFace, with_shape
from ...core.types import Face
from ..reshape.deform import PROPORTIONS, reshape_names
from ..reshape.face import reshape_face
from .parts import on_stage

__all__ = ["draw_amounts", "draw_expression", "draw_shape", "wear_shape"]

_EXPRESSIVE = 0.6  # share of the pictures with another expression
_MOUTH_MOVED, _MOUTH_OPENED, _BROWS_MOVED, _EYES_MOVED = 0.8, 0.5, 0.5, 0.5  # of these, the share
_CLOSING = 0.25  # of the mouths that open or close: these close as far as they are open
_RESHAPED = 0.5  # share of the pictures with other proportions
_MOST_PROPORTIONS = 4  # of a picture
_PROPORTION = 0.5  # the largest amount of one
_DIGITS = 4
# Name -> least and largest amount; of each one is taken.
_MOUTHS = (
    ("smile", 0.2, 1.0),
    ("smile", 0.2, 1.0),
    ("frown", 0.2, 0.8),
    ("pucker", 0.2, 0.9),
    ("upper_lip_up", 0.2, 0.7),
    ("mouth_left", -0.7, 0.7),
    ("cheeks_puffed", 0.2, 0.7),
)
_OPENED, _CLOSED = (0.15, 0.7), (-1.0, -0.3)
_BROWS = (("brows_up", 0.2, 1.0), ("brows_down", 0.2, 1.0))
_EYES = (
    ("eyes_closed", 0.2, 0.7),
    ("eyes_closed", 1.0, 1.0),
    ("eyes_wide", 0.2, 0.8),
    ("squint", 0.2, 0.9),
)


def draw_amounts(
    random: Callable[[str], np.random.Generator], layout: UVLayout, *, vary: Collection[str]
) -> dict[str, dict[str, float]]:
    """Draw how the face of one picture is reshaped: subject -> name -> amount.

    Args:
        random: gives a subject's own numbers of the picture.
        layout: UV layout of the face; what it does not know is left out.
        vary: what changes, of `recipe.SUBJECTS`.
    """
    draws = {"expression": draw_expression, "shape": draw_shape}
    known = set(reshape_names(layout))
    return {
        subject: {name: amount for name, amount in draw(random(subject)).items() if name in known}
        for subject, draw in draws.items()
        if subject in vary
    }


def draw_expression(random: np.random.Generator) -> dict[str, float]:
    """Draw an expression: of mouth, brows and eyes, each alone or together; often none."""
    amounts: dict[str, float] = {}
    has_any, moves, opens, knits, blinks, closes = (
        random.random(6)
        < (_EXPRESSIVE, _MOUTH_MOVED, _MOUTH_OPENED, _BROWS_MOVED, _EYES_MOVED, _CLOSING)
    ).tolist()
    if not has_any:
        return amounts
    for has, choices in ((moves, _MOUTHS), (knits, _BROWS), (blinks, _EYES)):
        if has:
            name, low, high = choices[random.integers(len(choices))]
            amounts[name] = _amount(random, low, high)
    if opens:
        amounts["mouth_open"] = _amount(random, *(_CLOSED if closes else _OPENED))
    return amounts


def draw_shape(random: np.random.Generator) -> dict[str, float]:
    """Draw other proportions, mild ones of a few parts; in half of the pictures none."""
    if random.random() >= _RESHAPED:
        return {}
    count = int(random.integers(1, _MOST_PROPORTIONS + 1))
    names = random.choice(sorted(PROPORTIONS), size=count, replace=False).tolist()
    return {name: _amount(random, -_PROPORTION, _PROPORTION) for name in names}


def _amount(random: np.random.Generator, low: float, high: float) -> float:
    return round(float(random.uniform(low, high)), _DIGITS)


def wear_shape(
    face: PhotoFace, photo_face: Face, amounts: Mapping[str, Mapping[str, float]], layout: UVLayout
) -> PhotoFace:
    """Give a face on its stage other expressions and proportions.

    Args:
        face: from `face.prepare`, perhaps with parts of another.
        photo_face: the face of the photo that it was made of.
        amounts: from `draw_amounts`.
        layout: UV layout of the faces.
    """
    whole = {name: amount for part in amounts.values() for name, amount in part.items()}
    if not any(whole.values()):
        return face
    shown = dataclasses.replace(on_stage(face, photo_face), texture=face.completed)
    image, moved = reshape_face(np.asarray(face.image), shown, layout, whole)
    return with_shape(face, np.clip(image, 0.0, 1.0), np.asarray(moved.position_map), layout)
