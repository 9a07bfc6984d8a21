"""Lips and brows of dark people have colour on pale faces, and lipstick stays."""

import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.geometry.coarse import coarse_layout
from uvface.core.geometry.layout import load_layout
from uvface.editing.colour import ColorTransfer, apply_light
from uvface.editing.feature_color import feature_light

SKIN = (0.7, 0.035, 0.045)
DARK = {"lips": (0.6, 0.018, 0.024), "brows": (0.4, 0.008, 0.008)}  # as pale as SKIN makes them
PALE = {"lips": (0.55, 0.055, 0.022), "brows": (0.42, 0.025, 0.02)}
RED = {**DARK, "lips": (0.5, 0.1, 0.05)}


@pytest.fixture(scope="module")
def layout():
    return coarse_layout(load_layout("uvface"), 128)


def _face(layout, features):
    """Return Oklab of a face: bare skin between every other hair of its brows."""
    face = jnp.broadcast_to(jnp.asarray(SKIN), (layout.size, layout.size, 3))
    for name, color in features.items():
        part = layout.region(name)
        part = part.at[:, ::2].set(0.0) if name == "brows" else part
        face += part[..., None] * (jnp.asarray(color) - face)
    return face


def _tinted(layout, source, target, *, paler, seen=1.0):
    colors, whole = _face(layout, source), jnp.ones((layout.size, layout.size))
    other = _face(layout, target)
    factor = feature_light(colors, seen * whole, other, whole, layout, paler=jnp.float32(paler))
    return colors, apply_light(ColorTransfer.identity(), colors, factor), other


def _chroma(lab, inside):
    mean = np.asarray(lab)[np.asarray(inside)].mean(axis=0)
    return mean[1:] / mean[0]


@pytest.mark.parametrize(("name", "least"), [("lips", 0.5), ("brows", 0.3)])
def test_grey_features_on_a_paler_face_get_most_of_the_colour_of_its_own(layout, name, least):
    before, after, other = _tinted(layout, DARK, PALE, paler=1.4)
    inside = layout.region(name) > 0.9
    if name == "brows":
        inside &= before[..., 0] < 0.5
    own, found, wanted = (_chroma(lab, inside) for lab in (before, after, other))
    assert (least * (wanted - own) < found - own)[0] and (found < wanted)[0]
    light = [np.asarray(lab)[np.asarray(inside)][:, 0] for lab in (before, after)]
    np.testing.assert_allclose(*light, rtol=0.02)
    far = np.asarray(layout.region("nose") > 0.9)
    np.testing.assert_allclose(np.asarray(after)[far], np.asarray(before)[far], atol=1e-6)


@pytest.mark.parametrize(
    ("source", "target", "given"),
    [
        (DARK, PALE, {"paler": 1.0}),
        (DARK, PALE, {"paler": 0.7}),  # on a darker face
        (DARK, PALE, {"paler": 1.4, "seen": 0.0}),
        (PALE, DARK, {"paler": 1.4}),  # whose features are no redder
    ],
)
def test_other_features_stay(layout, source, target, given):
    before, after, _ = _tinted(layout, source, target, **given)
    np.testing.assert_allclose(after, before, atol=1e-6)


def test_of_the_target_s_lipstick_only_what_lips_have_without_is_taken(layout):
    before, after, _ = _tinted(layout, DARK, RED, paler=1.4)
    inside = layout.region("lips") > 0.9
    own, found = (_chroma(lab, inside) for lab in (before, after))
    assert own[0] + 0.03 < found[0] < 0.12 and abs(found[1] - own[1]) < 0.03


def test_lipstick_stays(layout):
    before, after, _ = _tinted(layout, RED, PALE, paler=1.4)
    lips = np.asarray(layout.region("lips") > 0)
    np.testing.assert_allclose(np.asarray(after)[lips], np.asarray(before)[lips], atol=1e-6)
