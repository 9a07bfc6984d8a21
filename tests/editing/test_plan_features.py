"""What a plan does to lips, brows and eyes of a reference, by those of the target."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from mean_faces import mean_face

from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.scales import pool
from uvface.editing.colour import apply_light, lab_from_rgb, rgb_from_lab
from uvface.editing.plan import EditMasks, PlanConfig, plan_edit
from uvface.editing.source import source_for

LAYOUT = load_layout("uvface")
PHOTO = np.full((256, 256, 3), 0.5, np.float32)
LIPS, EYES = (np.asarray(LAYOUT.region(name)) for name in ("lips", "eyeballs"))
LOWER = np.cumsum(LIPS, axis=0) > 0.5 * LIPS.sum(axis=0)  # from the lower lip on
PALE = {"skin": (0.75, 0.04, 0.05), "lips": (0.6, 0.066, 0.03), "brows": (0.42, 0.03, 0.02)}
GREY = {**PALE, "lips": (0.6, 0.03, 0.03), "brows": (0.4, 0.008, 0.008)}  # on skin as pale
DARK = {"skin": (0.45, 0.022, 0.035), "lips": (0.36, 0.019, 0.016), "brows": (0.33, 0.006, 0.006)}
# Skin of one tone would be that of a photo in black and white, and beside smooth skin what is
# rough would be a beard.
GRAIN = np.random.default_rng(0).normal(0.0, 0.01, (256, 256, 1)).astype(np.float32)
BLUSHES = np.broadcast_to(np.sin(np.arange(256, dtype=np.float32) / 9)[:, None, None], GRAIN.shape)
WHITE = (0.85, 0.0, 0.0)


def _face(colors, *, eyes=WHITE, hidden=None):
    """Return a face of Oklab colours, in even light; ``eyes`` of None are closed."""
    light = colors["skin"][0]
    spread = np.concatenate([GRAIN, 0.03 * light * BLUSHES, 0.0 * GRAIN], axis=-1)
    lab = jnp.asarray(np.float32(colors["skin"]) + spread)
    for name, color in {"lips": colors["lips"], "brows": colors["brows"], "eyeballs": eyes}.items():
        if color is not None:
            lab += LAYOUT.region(name)[..., None] * (jnp.asarray(color) - lab)
    face = mean_face(LAYOUT, centre=(128.0, 128.0), scale=10.0, pose=(0.0, 0.0, 0.0))
    seen = face.visibility if hidden is None else face.visibility * jnp.asarray(1.0 - hidden)
    return dataclasses.replace(face, texture=rgb_from_lab(lab), visibility=seen)


def _plan(target, reference):
    masks = EditMasks(
        mask=LAYOUT.region("face"),
        keep=LAYOUT.region("mouth_interior"),
        skin=LAYOUT.region("skin"),
        strength=jnp.ones(()),
    )
    source = source_for((PHOTO, reference), target, np.asarray(masks.mask), LAYOUT, side=256)
    return plan_edit(target, source, masks, LAYOUT, config=PlanConfig())


def _drawn(plan, reference):
    """Return the colours that are read at the texels' own places, Oklab."""
    layers = plan.layers
    lab = lab_from_rgb(pool(reference.texture, layers.mask.shape[0]))
    return apply_light(
        plan.direct_transfer, lab, layers.light, hair=layers.hair, spared=layers.spared
    )


def _redness(lab, part):
    """Return mean a / L where all of a plan's texel is in a part."""
    mean = np.asarray(lab)[_inside(part, len(lab))].mean(axis=0)
    return mean[1] / mean[0]


def _inside(part, size):
    return np.asarray(pool(jnp.asarray(part, jnp.float32)[..., None], size))[..., 0] > 0.95


def test_lips_and_brows_of_a_darker_face_take_most_of_a_paler_target_s_redness():
    reference = _face(DARK)
    drawn = _drawn(_plan(_face(PALE), reference), reference)
    brows = np.asarray(LAYOUT.region("brows"))
    for part, name, least in ((LIPS, "lips", 0.08), (brows, "brows", 0.04)):
        wanted = PALE[name][1] / PALE[name][0]
        assert least < _redness(drawn, part) < wanted, name  # as they were: 0.05, 0.02


def test_lips_that_are_filled_are_as_red_as_those_that_are_seen():
    reference = _face(DARK, hidden=LIPS * LOWER)
    plan = _plan(_face(PALE), reference)
    upper, lower = LIPS * ~LOWER, LIPS * LOWER
    shown, filled = (_inside(part, 128) for part in (upper, lower))
    shares = plan.layers
    assert np.asarray(shares.direct)[shown].mean() > 0.5
    assert np.median(np.asarray(shares.filled)[filled]) > 0.8
    drawn = _redness(_drawn(plan, reference), upper)
    # What is fine of the target's lips is added. Untinted, they would have 0.073.
    assert 0.08 < drawn - 0.005 < _redness(shares.fill, lower) < drawn + 0.03


def test_lips_and_brows_do_not_redden_when_the_target_blinks():
    """Closed eyes tell nothing of how pale its skin is: it counts as pale as skin can be."""
    shaded = {name: tuple(0.73 * np.array(color)) for name, color in PALE.items()}
    reference = _face({name: tuple(0.73 * np.array(color)) for name, color in GREY.items()})
    drawn = _drawn(_plan(_face(shaded, eyes=None), reference), reference)
    for name in ("lips", "brows"):
        part, (light, red, _) = np.asarray(LAYOUT.region(name)), GREY[name]
        assert _redness(drawn, part) == pytest.approx(red / light, abs=0.01), name


def test_eyes_take_their_whiteness_from_open_eyes_alone():
    """Those of a target that are closed are skin: whites would become as dark as lids."""
    dim, reference = (0.7, 0.0, 0.0), _face(PALE)
    for eyes, low, high in ((None, 0.97, 1.03), (dim, 0.8, 0.9)):
        drawn = _drawn(_plan(_face(PALE, eyes=eyes), reference), reference)
        light = np.asarray(drawn)[_inside(EYES, 128), 0].mean() / WHITE[0]
        assert low < light < high, eyes
