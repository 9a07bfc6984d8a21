"""Swaps on a layout of 256 texels, which is decided and drawn at 128."""

import dataclasses
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from mean_faces import mean_face
from toy_faces import texture

from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.render import render_texture
from uvface.core.geometry.sampling import resize_map, sample_texture
from uvface.core.geometry.visibility import visibility
from uvface.faceswap.diagnosis import diagnose
from uvface.faceswap.evaluation.measures import psnr
from uvface.faceswap.shares import plan_stages
from uvface.faceswap.swap import SwapConfig, swap_face, swap_masks

LAYOUT = load_layout("uvface")
SIDE = 160  # pixels
FREE = SwapConfig(keep=())
_draw = jax.jit(
    lambda colors, places: render_texture(colors, places, LAYOUT, height=SIDE, width=SIDE)
)
_see = jax.jit(lambda image, places: (sample_texture(image, places), visibility(places, LAYOUT)))


@cache
def photo(seed, yaw=0.0, is_mirrored=False):
    """Return a picture of the mean face and the face; the mirrored one mirrors both."""
    turn = -yaw if is_mirrored else yaw
    face = mean_face(LAYOUT, centre=((SIDE - 1) / 2, 70.0), scale=7.0, pose=(turn, 0.0, 0.0))
    colors = resize_map(texture(seed), LAYOUT.size)
    drawn, coverage = _draw(colors[:, ::-1] if is_mirrored else colors, face.position_map)
    backdrop = 0.2 + 0.02 * seed
    image = np.asarray(jnp.where(coverage[..., None] > 0, drawn, backdrop), np.float32)
    seen, visible = _see(image, face.position_map)
    return image, dataclasses.replace(
        face, texture=seen, visibility=visible, self_visibility=visible
    )


def test_pixels_outside_the_layouts_mask_are_the_targets():
    image, face = photo(1, 20.0)
    for feather in (0.0, 3.0):
        config = dataclasses.replace(FREE, feather=feather)
        result = swap_face(image, face, *photo(2), LAYOUT, config=config)
        mask = swap_masks(LAYOUT, config).mask[..., None]
        allowed = np.asarray(_draw(mask, face.position_map)[0])[..., 0] > 0.0
        assert (result[~allowed] == image[~allowed]).all()
        assert (result[allowed] != image[allowed]).mean() > 0.8


def test_a_mirrored_pair_gives_the_mirrored_result():
    result = swap_face(*photo(1, 25.0), *photo(2, -10.0), LAYOUT, config=FREE)
    target, reference = photo(1, 25.0, is_mirrored=True), photo(2, -10.0, is_mirrored=True)
    mirrored = swap_face(*target, *reference, LAYOUT, config=FREE)
    assert np.abs(mirrored[:, ::-1] - result).max() < 0.02


def test_a_photo_swapped_with_itself_comes_back():
    image, face = photo(3, 30.0)
    result = swap_face(image, face, image, face, LAYOUT)
    mask = swap_masks(LAYOUT, SwapConfig()).mask[..., None]
    inside = np.asarray(_draw(mask, face.position_map)[0])[..., 0] > 0.5
    assert (result != image)[inside].any(axis=-1).mean() > 0.9  # drawn anew
    assert psnr(result, image, inside) > 80.0  # 117


def test_shares_of_skin_sum_to_one():
    (image, face), reference = photo(1, -40.0), photo(2, 40.0)
    result = swap_face(image, face, *reference, LAYOUT, config=FREE)
    stages = plan_stages(face, reference, LAYOUT, config=FREE)
    found = diagnose(image, result, face, reference, stages, LAYOUT)
    shares = dataclasses.asdict(found.shares)
    assert shares.pop("covered") > 0.1  # turned away
    assert abs(sum(shares.values()) - 1.0) < 1e-4
    assert shares["mirrored"] > 0.05
