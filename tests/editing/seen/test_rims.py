"""Rims of glasses, drawn and found again."""

from functools import cache

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.geometry.coarse import coarse_layout
from uvface.core.geometry.layout import load_layout
from uvface.editing.seen.rims import find_rims

SIZE = 128
SKIN = np.float32([0.62, 0.44, 0.35])
HAIR = np.float32([0.3, 0.2, 0.15])
EYES = [(80, 78), (174, 78)]  # texels of 256
# Colours of thin rims; the last is as light as skin is.
COLORS = {"dark": (0.2, 0.18, 0.17), "silver": (0.95, 0.95, 0.97), "red": (0.68, 0.3, 0.3)}


@cache
def _layout():
    return coarse_layout(load_layout("uvface"), SIZE)


def _curve(axes, *, shift=(0, 4), width=2, size=256):
    """Return two ellipses around the eyes, 1 on the line."""
    scale = 8
    picture = np.zeros((256 * scale, 256 * scale), np.uint8)
    for x, y in EYES:
        centre = ((x + shift[0]) * scale, (y + shift[1]) * scale)
        cv2.ellipse(picture, centre, [a * scale for a in axes], 0, 0, 360, 255, width * scale)
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _skin(seed=0, grain=0.01):
    noise = np.random.default_rng(seed).normal(0, grain, (256, 256, 1))
    return np.float32(SKIN + noise)


def _browed(texture):
    """Draw brows of single hairs."""
    brows = np.array(load_layout("uvface").region("brows"))
    strokes = np.random.default_rng(3).random((256, 256)).astype(np.float32)
    strokes = cv2.GaussianBlur(strokes, (0, 0), sigmaX=1.5, sigmaY=0.7)
    hair = brows * np.clip((strokes - strokes.mean()) / strokes.std() * 0.35 + 0.6, 0, 1)
    return texture * (1 - hair[..., None]) + HAIR * hair[..., None]


def _worn(texture, line, color):
    return texture * (1 - line[..., None]) + np.float32(color) * line[..., None]


_find_rims = jax.jit(find_rims)


def _find(texture, covered=None):
    everywhere = jnp.ones((SIZE, SIZE))
    covered = jnp.zeros((SIZE, SIZE)) if covered is None else jnp.asarray(covered)
    rims = _find_rims(jnp.asarray(texture), covered, everywhere, everywhere, _layout())
    return np.asarray(rims.share), np.asarray(rims.lens)


@pytest.mark.parametrize("color", COLORS.values(), ids=list(COLORS))
def test_a_rim_is_found_all_around(color):
    line = _curve((44, 32))
    share, lens = _find(_worn(_skin(), line, color))
    on, off = _curve((44, 32), size=SIZE), _curve((44, 32), width=12, size=SIZE)
    assert share[on > 0.7].min() > 0.9
    assert share[off == 0.0].max() < 0.05
    assert lens[on > 0.3].max() < 0.5
    for x, y in EYES:
        assert lens[(y + 20) // 2, x // 2] > 0.95
        assert lens[(y + 60) // 2, x // 2] == lens[(y - 20) // 2, x // 2] == 0.0


@pytest.mark.parametrize("color", [COLORS["dark"], COLORS["red"]], ids=["dark", "red"])
def test_a_rim_is_followed_through_brows(color):
    brows = np.asarray(load_layout("uvface").region("brows"))
    line = _curve((44, 38), shift=(0, 10))
    crossing = (line > 0.9) & (brows > 0.5)
    assert crossing.sum() > 40
    texture = _worn(_browed(_skin()), line, color)
    share, _ = _find(texture)
    assert share[(line * (brows > 0.5))[::2, ::2] > 0.9].mean() > 0.9


def test_brows_above_a_rim_are_none():
    brows = np.asarray(_layout().region("brows"))
    line = _curve((42, 28), shift=(0, 14))
    share, _ = _find(_worn(_browed(_skin()), line, COLORS["dark"]))
    apart = _curve((42, 28), shift=(0, 14), width=14, size=SIZE) == 0.0
    assert share[(brows > 0.5) & apart].mean() < 0.05
    assert share[_curve((42, 28), shift=(0, 14), size=SIZE) > 0.7].mean() > 0.95


def test_a_lens_without_a_lower_rim_has_none():
    line = _curve((44, 32))
    line[86:] = 0.0  # half-rimmed: the lower half is glass
    share, lens = _find(_worn(_skin(), line, COLORS["dark"]))
    assert share[:38][_curve((44, 32), size=SIZE)[:38] > 0.7].min() > 0.9
    assert share[54:].max() < 0.05
    assert lens[54:].max() < 0.05


def test_plain_skin_has_no_rims():
    for texture in (_skin(), _browed(_skin(grain=0.0)), np.zeros((256, 256, 3), np.float32)):
        share, _ = _find(texture)
        brows = np.asarray(_layout().region("brows"))
        assert share[brows == 0.0].mean() < 0.01


def test_what_the_network_finds_counts_as_a_line():
    line = _curve((40, 32), size=SIZE)
    share, _ = _find(_skin(grain=0.0), covered=line)
    assert share[line > 0.7].mean() > 0.9


def test_rims_of_any_shape_are_found():
    rng = np.random.default_rng(5)
    for _ in range(24):
        axes = int(rng.integers(30, 43)), int(rng.integers(26, 45))
        shift = int(rng.integers(-4, 5)), int(rng.integers(-2, 11))
        share, _ = _find(_worn(_skin(), _curve(axes, shift=shift), COLORS["dark"]))
        assert share[_curve(axes, shift=shift, size=SIZE) > 0.7].mean() > 0.95, (axes, shift)
