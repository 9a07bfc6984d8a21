"""A face put onto a head that is turned further than its own."""

import dataclasses

import jax.numpy as jnp
import numpy as np
from mean_faces import mean_face

from uvface.core.blending.composite import BlendConfig
from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.scales import pool
from uvface.core.geometry.visibility import visibility
from uvface.editing.plan import EditMasks, PlanConfig, plan_edit
from uvface.editing.source import source_for
from uvface.faceswap.swap import SwapConfig, swap_face

PHOTO = np.full((256, 256, 3), 0.5, np.float32)


def _face(yaw):
    layout = load_layout("uvface")
    face = mean_face(layout, centre=(128.0, 128.0), scale=10.0, pose=(yaw, 0.0, 0.0))
    seen = visibility(face.position_map, layout)
    grey = jnp.full_like(face.texture, 0.5)
    return dataclasses.replace(face, texture=grey, visibility=seen, self_visibility=seen)


def _layers(target, reference):
    layout = load_layout("uvface")
    masks = EditMasks(
        mask=layout.region("face"),
        keep=jnp.zeros((256, 256)),
        skin=layout.region("skin"),
        strength=jnp.ones(()),
    )
    source = source_for((PHOTO, reference), target, np.asarray(masks.mask), layout, side=256)
    return plan_edit(target, source, masks, layout, config=PlanConfig()).layers


def _shown(face, size):
    """Return the texels of a plan that a face shows in full."""
    seen = load_layout("uvface").region("face") * face.visibility
    return np.asarray(pool(seen[..., None], size))[..., 0] > 0.9


def test_a_smear_is_not_taken_from_the_other_side_either():
    """Both sides of a frontal face are seen from the side; a profile shows one of them in full."""
    profile = _face(60.0)
    layers = _layers(profile, _face(0.0))
    shown = _shown(profile, len(layers.mask))
    assert np.asarray(layers.mirrored)[shown].max() < 0.05
    assert 0.7 < np.asarray(layers.direct)[shown].mean() < 0.95


def test_the_side_that_is_not_shown_comes_from_the_other():
    layers = _layers(_face(-45.0), _face(20.0))
    shown = _shown(_face(-45.0), len(layers.mask))
    assert np.asarray(layers.mirrored)[shown].mean() > 0.2


def test_a_nose_before_its_own_cheek_leaves_no_line_of_the_target():
    """Between nose and far cheek the surface is seen from the side, but it is no outline."""
    layout, target = load_layout("uvface"), _face(32.0)
    config = SwapConfig(color="none", blend=BlendConfig(method="feather"))
    white = np.ones_like(PHOTO)
    black = dataclasses.replace(_face(0.0), texture=jnp.zeros_like(target.texture))
    swapped = swap_face(white, target, 0.0 * white, black, layout, config=config)
    points = np.asarray(target.landmarks)[:, :2]
    bridge, inner_corners = points[27:31], points[[39, 42]]
    far = inner_corners[np.argmin(np.abs(inner_corners[:, 0] - bridge[0, 0]))]
    left, top = np.minimum(bridge.min(axis=0), far).astype(int)
    right, bottom = np.maximum(bridge.max(axis=0), far).astype(int) + 1
    assert swapped[top + 8 : bottom, left:right].max() < 0.1
