"""Recolouring: the mean is the new colour, detail stays, skin between the hairs stays."""

import jax.numpy as jnp
import numpy as np
import pytest
from toys import toy_layout

from uvface.core.errors import InputError
from uvface.core.geometry.layout import load_layout
from uvface.editing.colour import lab_from_rgb, rgb_from_lab
from uvface.editing.recolor import contrast_of, parse_color, recolor, split_regions


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


@pytest.mark.parametrize("text", ["#dc143c", "DC143C", "crimson", "Crimson"])
def test_colors_have_numbers_and_names(text):
    np.testing.assert_allclose(parse_color(text), [220 / 255, 20 / 255, 60 / 255])


@pytest.mark.parametrize(
    "text", ["reddish", "#12345", "#1234567", "#a0183080", "rgb(300,0,0)", "#gg0000", ""]
)
def test_other_colors_are_input_errors(text):
    with pytest.raises(InputError, match="#RRGGBB"):
        parse_color(text)


def _grid(rows=60, columns=100):
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    return x, y


def _smooth(distance):
    """Return 1 inside a border, 0 outside, over some pixels."""
    return jnp.asarray(np.clip(0.5 - distance / 6, 0, 1), jnp.float32)


def _picture(*layers):
    """Paint Oklab colours over each other, each with its mask."""
    lab = jnp.zeros((60, 100, 3))
    for color, mask in layers:
        weight = jnp.broadcast_to(jnp.asarray(mask, jnp.float32), lab.shape[:2])[..., None]
        lab = lab + weight * (jnp.array(color) - lab)
    return rgb_from_lab(lab)


def test_lips_are_painted_whole_where_a_part_looks_like_skin():
    x, y = _grid()
    mask = _smooth(np.hypot((x - 50) / 2, y - 30) - 18)
    skin, lip = (0.72, 0.04, 0.04), (0.55, 0.08, 0.03)
    spot, likeness = _smooth(np.hypot(x - 50, y - 35) - 8), _smooth(np.hypot(x - 5, y - 5) - 8)
    image = _picture((skin, 1.0), (lip, mask), (skin, spot), (lip, likeness))
    color = jnp.array(parse_color("#a01830"))
    _, weights = recolor(image, mask, color, around=1.0 - mask, scale=25.0, contrast="lips")
    assert weights[mask > 0.9].min() > 0.9
    assert weights[mask == 0.0].max() == 0.0
    assert np.abs(np.diff(weights, axis=0)).max() < 0.5  # no hard edge


def test_the_border_of_the_lips_follows_their_color():
    _, y = _grid()
    mask = jnp.asarray(np.clip(0.5 - (np.abs(y - 30) - 15) / 12, 0, 1))
    lip = _smooth(np.abs(y - 30) - 12)  # narrower than the mask
    image = _picture(((0.72, 0.04, 0.04), 1.0), ((0.55, 0.08, 0.03), lip))
    color = jnp.array(parse_color("#a01830"))
    _, weights = recolor(image, mask, color, around=1.0 - mask, scale=25.0, contrast="lips")
    assert weights[y == 46].max() < 0.3 and weights[y == 38].min() > 0.9


def _brow(contrast):
    """Return a faint brow in a wide mask, on skin that darkens to one side."""
    x, y = _grid()
    mask = _smooth(np.abs(y - 30) - 15)
    hair = _smooth(np.abs(y - 30) - 4)
    light = jnp.asarray(0.45 - 0.15 * x / 100 - contrast * np.asarray(hair))
    lab = jnp.stack([light, jnp.full_like(light, 0.03), jnp.full_like(light, 0.04)], axis=-1)
    return rgb_from_lab(lab), mask, hair


def test_the_hairs_of_a_faint_brow_are_painted_and_not_the_skin():
    image, mask, hair = _brow(0.1)
    color = jnp.array(parse_color("#c09060"))
    _, weights = recolor(image, mask, color, around=1.0 - mask, scale=25.0, contrast="hairs")
    assert weights[hair == 1.0].mean() > 0.8
    assert weights[hair == 0.0].max() < 0.3


def test_no_rim_around_a_brow_is_brighter_than_skin_and_brow():
    image, mask, hair = _brow(0.25)
    color = jnp.array(parse_color("#806040"))
    colored, weights = recolor(image, mask, color, around=1.0 - mask, scale=25.0, contrast="hairs")
    result = lab_from_rgb(image + weights[..., None] * (colored - image))[..., 0]
    rim = (hair > 0.0) & (hair < 1.0)
    assert result[rim].max() < result[hair == 1.0].max() + 0.04


def test_no_dark_rim_is_left_where_skin_is_paler_above_a_brow_than_below():
    _, y = _grid()
    mask, hair = _smooth(np.abs(y - 30) - 15), np.asarray(_smooth((np.abs(y - 30) - 5) / 3))
    skin = np.where(y < 30, 0.76, 0.52)
    light = jnp.asarray((1.0 - hair) * skin + hair * 0.34, jnp.float32)
    lab = jnp.stack([light, jnp.full_like(light, 0.03), jnp.full_like(light, 0.04)], axis=-1)
    image, color = rgb_from_lab(lab), jnp.array(parse_color("#d0a060"))  # L is 0.74
    colored, weights = recolor(image, mask, color, around=1.0 - mask, scale=12.0, contrast="hairs")
    result = lab_from_rgb(image + weights[..., None] * (colored - image))[..., 0]
    assert result[10:35, 20:80].min() > 0.66  # 0.63 with the skin of all around


def test_only_the_iris_of_an_eye_is_painted():
    x, y = _grid()
    mask = _smooth(np.hypot((x - 50) / 2, y - 30) - 20)
    distance = np.hypot(x - 55, y - 30)
    lashes = _smooth(np.abs(x - 12) - 6)
    image = _picture(
        ((0.9, 0.0, 0.0), 1.0),
        ((0.2, 0.0, 0.0), lashes),
        ((0.4, 0.02, 0.03), _smooth(distance - 15)),
        ((0.15, 0.0, 0.0), _smooth(distance - 5)),
    )
    color = jnp.array(parse_color("#3070c0"))
    _, weights = recolor(image, mask, color, scale=25.0, contrast="iris")
    assert weights[(distance > 9) & (distance < 11)].min() > 0.9
    assert weights[distance < 4].max() < 0.1
    assert weights[(distance > 20)].max() < 0.05


def test_a_brown_eye_in_the_shade_gets_a_blue_that_does_not_glow_around_a_whole_pupil():
    """Irises were as light as in the light, and pupils, as dark as these, wedges and squares."""
    x, y = _grid()
    mask = _smooth(np.hypot((x - 50) / 2, y - 30) - 20)
    distance = np.hypot(x - 50, y - 30)
    white = 0.65
    image = _picture(
        ((white, 0.0, 0.01), 1.0),
        ((0.25, 0.02, 0.03), _smooth(distance - 15)),
        ((0.2, 0.0, 0.0), _smooth(distance - 5)),
        ((0.9, 0.0, 0.0), _smooth(np.hypot(x - 52, y - 27) - 2)),  # a reflection
    )
    color = jnp.array(parse_color("#7a9cc0"))  # L is 0.68
    colored, weights = recolor(image, mask, color, scale=25.0, contrast="iris")
    assert weights[distance < 4].max() < 0.05
    ring = (distance > 8.5) & (distance < 12)
    result = lab_from_rgb(image + weights[..., None] * (colored - image))
    assert 0.35 < result[ring, 0].mean() < 0.75 * white
    assert result[ring, 2].mean() < -0.03  # and blue


def test_all_of_a_pale_iris_around_a_small_pupil_is_painted():
    x, y = _grid()
    mask = _smooth(np.hypot((x - 50) / 2, y - 30) - 20)
    distance = np.hypot(x - 50, y - 30)
    image = _picture(
        ((0.8, 0.0, 0.0), 1.0),
        ((0.55, -0.01, -0.04), _smooth(distance - 15)),
        ((0.15, 0.0, 0.0), _smooth(distance - 3)),
    )
    color = jnp.array(parse_color("#4a2c18"))
    _, weights = recolor(image, mask, color, scale=25.0, contrast="iris")
    assert weights[(distance > 5) & (distance < 12)].min() > 0.8  # a pale ring stayed from 4 to 7
    assert weights[distance < 2].max() < 0.1


def test_lashes_stay_dark_where_lids_get_a_pale_color():
    _, y = _grid()
    mask = _smooth(np.abs(y - 30) - 20)
    lashes = _smooth((np.abs(y - 45) - 4) * 3)
    image = _picture(((0.5, 0.03, 0.04), 1.0), ((0.15, 0.0, 0.0), lashes))
    color = jnp.array(parse_color("#e0c8e8"))  # L is 0.86
    colored, weights = recolor(image, mask, color, around=1.0 - mask, scale=25.0, contrast="lids")
    assert weights[(y > 15) & (y < 38)].min() > 0.9
    result = lab_from_rgb(image + weights[..., None] * (colored - image))[..., 0]
    assert result[(y > 43) & (y < 47)].max() < 0.2  # 0.45 as a part of all


def test_lids_in_the_shade_keep_their_share_of_light():
    x, _ = _grid()
    shade = np.where(x < 50, 1.0, 0.7)
    lab = jnp.stack([jnp.asarray(shade * v, jnp.float32) for v in (0.6, 0.03, 0.04)], axis=-1)
    whole = jnp.ones(shade.shape)
    color = jnp.array(parse_color("#5060a0"))
    colored, _ = recolor(rgb_from_lab(lab), whole, color, around=0.0 * whole, contrast="lids")
    result = lab_from_rgb(colored)[..., 0]
    np.testing.assert_allclose(result[30, 90] / result[30, 10], 0.7, atol=0.02)


def test_contrast_follows_the_region():
    assert contrast_of("brows_left") == "hairs"
    assert contrast_of("lips_lower") == "lips"
    assert contrast_of("eyeballs") == "iris"
    assert contrast_of("eyes_right") == "iris"
    assert contrast_of("lids_upper_left") == "lids"
    assert contrast_of("cheeks") == "all"


def test_regions_are_split_by_kind_and_then_by_part():
    given = ["lips", "cheeks", "brows_left", "chin", "brows", "lips_upper"]
    assert split_regions(load_layout(), given) == [
        ("lips", [["lips_upper"], ["lips_lower"]]),
        ("all", [["cheeks", "chin"]]),
        ("hairs", [["brows_left"], ["brows_right"]]),
    ]
    assert split_regions(load_layout(), ["lids_upper"]) == [("lids", [["lids_upper"]])]
    assert split_regions(toy_layout(), ["lips", "chin"]) == [  # has no lip of its own
        ("lips", [["lips"]]),
        ("all", [["chin"]]),
    ]


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["eyes"], ["eyeballs_left", "eyeballs_right"]),
        (["eyes_left"], ["eyeballs_left"]),
        (["eyes_right", "eyeballs"], ["eyeballs_right", "eyeballs_left"]),
    ],
)
def test_a_color_of_eyes_is_one_of_irises(names, parts):
    """Before, whites and lids got it, too."""
    assert split_regions(load_layout(), names) == [("iris", [[part] for part in parts])]
