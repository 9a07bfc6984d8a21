"""Recolouring: the mean is the new colour, detail stays, skin between the hairs stays."""

import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.errors import InputError
from uvface.editing.colour import lab_from_rgb, rgb_from_lab
from uvface.editing.recolor import contrast_of, parse_color, recolor


def _skin(count=2000, seed=0):
    random = np.random.default_rng(seed)
    lab = random.normal([0.7, 0.03, 0.05], [0.05, 0.01, 0.01], (count, 3))
    return rgb_from_lab(jnp.asarray(lab, jnp.float32))


def test_recolor_moves_the_mean_and_keeps_the_detail():
    rgb, color = _skin(), jnp.array(parse_color("#a07060"))
    image, weights = recolor(rgb, jnp.ones(len(rgb)), color)
    result = lab_from_rgb(image)
    assert weights.mean() > 0.99
    np.testing.assert_allclose(result.mean(axis=0), lab_from_rgb(color), atol=6e-3)
    detail = lab_from_rgb(rgb)[:, 0]
    np.testing.assert_allclose(
        result[:, 0] - result[:, 0].mean(), detail - detail.mean(), atol=5e-3
    )


@pytest.mark.parametrize("text", ["red", "#12345", "#1234567", "#gg0000", ""])
def test_other_colors_are_input_errors(text):
    with pytest.raises(InputError, match="#RRGGBB"):
        parse_color(text)


def test_skin_between_the_hairs_of_a_brow_keeps_its_color():
    skin, hair = _skin(3000), _skin(1000) * 0.3
    image = jnp.concatenate([skin, hair])
    mask = jnp.where(jnp.arange(4000) < 2000, 0.0, 1.0)  # half of the region is skin
    color = jnp.array(parse_color("#604020"))
    _, weights = recolor(image, mask, color, around=1.0 - mask, contrast="around")
    assert weights[:2000].max() == 0.0
    assert weights[2000:3000].mean() < 0.1 and weights[3000:].mean() > 0.9


def test_the_white_of_the_eye_keeps_its_color():
    image = jnp.concatenate([_skin(500) * 0.4, jnp.full((700, 3), 0.9)])
    color = jnp.array(parse_color("#3060a0"))
    _, weights = recolor(image, jnp.ones(1200), color, contrast="darker")
    assert weights[:500].mean() > 0.9 and weights[500:].max() < 0.05


def test_contrast_follows_the_regions():
    assert contrast_of(["brows_left", "brows_right"]) == "around"
    assert contrast_of(["eyeballs"]) == "darker"
    assert contrast_of(["cheeks", "lips"]) == "all"
