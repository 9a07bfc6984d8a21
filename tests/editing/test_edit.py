"""Edits of one region: what changes, what must not."""

import dataclasses
import math

import jax.numpy as jnp
import numpy as np
import pytest
from toy_faces import layout, toy_photo

from uvface.core.blending.composite import BlendConfig
from uvface.core.errors import InputError
from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.render import render_texture
from uvface.core.io.face_files import FaceTexture
from uvface.editing import edit as edit_module
from uvface.editing.apply import render_edit
from uvface.editing.colour import lab_from_rgb
from uvface.editing.edit import EditConfig, check_edit, edit_face
from uvface.editing.plan import EditMasks, PlanConfig
from uvface.editing.recolor import parse_color, split_regions
from uvface.editing.source import source_for
from uvface.editing.windows import cut_edit_window, paste_window


def _pixel(face, row, column):
    x, y = (round(float(c)) for c in face.position_map[row, column, :2])
    return y, x


def test_only_the_region_changes():
    (image, face), reference = toy_photo(1), toy_photo(2)
    result = edit_face(image, face, layout(), regions=["nose"], reference=reference)
    change = np.abs(result - image).max(axis=-1)
    assert change[_pixel(face, 32, 32)] > 0.005
    assert change[_pixel(face, 44, 32)] == 0.0 and change[_pixel(face, 32, 50)] == 0.0
    assert (change > 0).mean() < 0.1


def test_strength_zero_is_the_identity():
    (image, face), reference = toy_photo(1), toy_photo(2)
    for settings in ({"reference": reference}, {"recolor": "#00ff00"}):
        config = EditConfig(strength=0.0)
        result = edit_face(image, face, layout(), regions=["lips"], config=config, **settings)
        assert (result == image).all()


def test_recolor_gives_the_region_the_color_and_nothing_else():
    image, face = toy_photo(1)
    result = edit_face(image, face, layout(), regions=["chin"], recolor="#903050")
    place = _pixel(face, 52, 32)
    goal = lab_from_rgb(jnp.array(parse_color("#903050")))
    np.testing.assert_allclose(lab_from_rgb(jnp.asarray(result[place])), goal, atol=0.1)
    assert (result[_pixel(face, 20, 32)] == image[_pixel(face, 20, 32)]).all()


def test_a_fold_of_hidden_texels_is_recolored_with_what_is_around():
    image, face = toy_photo(1)
    fold = face.visibility.at[:, 32].set(0.0)
    folded = dataclasses.replace(face, visibility=fold)
    settings = {"regions": ["chin"], "recolor": "#903050"}
    result = edit_face(image, folded, layout(), **settings)
    np.testing.assert_allclose(result, edit_face(image, face, layout(), **settings), atol=0.02)


def test_each_lip_gets_the_color_by_its_own_mean():
    image, face = toy_photo(1)
    mask, upper = layout().region("lips"), (jnp.arange(64.0) < 44)[:, None]
    lips = {"lips_upper": jnp.where(upper, mask, 0.0), "lips_lower": jnp.where(upper, 0.0, mask)}
    parted = dataclasses.replace(layout(), regions=layout().regions | lips)
    assert split_regions(parted, ["lips"]) == [("lips", [["lips_upper"], ["lips_lower"]])]
    upper, lower = _pixel(face, 42, 32), _pixel(face, 46, 32)
    image = np.where((np.arange(len(image)) > upper[0])[:, None, None], 1.6 * image, image)
    image = np.minimum(image, 1.0)
    result = edit_face(image, face, parted, regions=["lips"], recolor="#903050")
    before, after = (lab_from_rgb(jnp.asarray(x)) for x in (image, result))
    contrast = abs(float(after[lower][0] - after[upper][0]))
    assert contrast < 0.8 * abs(float(before[lower][0] - before[upper][0]))


def _with_eyeballs():
    """Return the toy layout with the inner half of its eyes as eyeballs."""
    eyes = {side: layout().region(f"eyes_{side}") for side in ("left", "right")}
    balls = {f"eyeballs_{side}": jnp.maximum(2.0 * eye - 1.0, 0.0) for side, eye in eyes.items()}
    return dataclasses.replace(layout(), regions=layout().regions | balls)


def test_a_color_of_eyes_changes_what_one_of_eyeballs_changes():
    """Before, lids and whites got the colour of the irises."""
    image, face = toy_photo(1)
    settings = {"recolor": "#2060c0"}
    for side in ("left", "right"):
        eyes = edit_face(image, face, _with_eyeballs(), regions=[f"eyes_{side}"], **settings)
        balls = edit_face(image, face, _with_eyeballs(), regions=[f"eyeballs_{side}"], **settings)
        assert (eyes == balls).all() and (eyes != image).any()


def test_a_color_of_lids_leaves_the_eyeballs_bit_by_bit():
    """As any other region's, the soft border of lids would run over them."""
    image, face = toy_photo(1)
    balls, regions = _with_eyeballs().regions["eyeballs_left"], layout().regions
    lids = jnp.maximum(regions["eyes_left"] - balls, 0.0)
    own = {"eyeballs": balls, "lids_upper": lids}
    eyed = dataclasses.replace(layout(), regions=regions | own)
    result = edit_face(image, face, eyed, regions=["lids_upper"], recolor="#2030c0")
    drawn, _ = render_texture(balls[..., None], face.position_map, eyed, height=120, width=120)
    is_eyeball = np.asarray(drawn)[..., 0] > 0.9
    assert is_eyeball.sum() > 20
    assert (result == image)[is_eyeball].all() and (result != image).any()


def test_the_soft_border_of_lids_ends_before_the_eye():
    uv = load_layout()
    eyeballs, mask = uv.region("eyeballs"), uv.region("lids_upper")
    for feather in (0.0, 3.0, 6.0):
        painted = edit_module._painted_masks(uv, "lids", [["lids_upper"]], feather)[..., 0]
        assert painted[eyeballs > 0.3].max() == 0.0
        assert painted.max() > 0.5 * mask.max()


def test_regions_of_several_kinds_are_recolored_as_one_after_the_other():
    """Before, brow hair, the skin under it and lips had one mean: skin of the forehead was red."""
    image, face = toy_photo(1)
    settings = {"recolor": "#801020"}
    together = edit_face(image, face, layout(), regions=["lips", "brows", "chin"], **settings)
    one_by_one = image
    for name in ("lips", "brows", "chin"):
        one_by_one = edit_face(one_by_one, face, layout(), regions=[name], **settings)
    np.testing.assert_allclose(together, one_by_one, atol=1e-5)
    brows = edit_face(image, face, layout(), regions=["brows"], **settings)
    place = _pixel(face, 20, 43)  # skin between the hairs, if any
    assert (np.abs(together - image) > 0.0)[_pixel(face, 44, 32)].any()
    assert (together[place] == brows[place]).all()
    away = _pixel(face, 26, 32)
    assert (together[away] == image[away]).all()


def test_a_feather_that_leaves_nothing_of_one_of_several_kinds_is_an_input_error(monkeypatch):
    monkeypatch.setattr("uvface.editing.regions._LEAST", 0.5)
    config = EditConfig(feather=20.0)
    settings = {"regions": ["face", "lips"], "config": config}
    check_edit(layout(), recolor=None, **settings)
    with pytest.raises(InputError, match="nothing of lips; lower"):
        check_edit(layout(), recolor="#801020", **settings)


def test_the_other_photo_s_own_region_comes_back():
    (image, face) = toy_photo(1)
    result = edit_face(image, face, layout(), regions=["cheeks"], reference=(image, face))
    difference = np.abs(result - image)
    assert difference.max() < 0.03 and np.quantile(difference, 0.999) < 0.01


def test_a_texture_is_drawn_as_it_is():
    image, face = toy_photo(1)
    mask = layout().region("nose")
    masks = EditMasks(mask=mask, keep=jnp.zeros_like(mask), skin=mask, strength=jnp.ones(()))
    window = cut_edit_window(image, face, np.asarray(mask))
    own = np.asarray(face.position_map)
    plain = FaceTexture(
        texture=np.full((256, 256, 3), 0.25, np.float32),
        visibility=np.asarray(layout().mask),
        position_map=own,
        shape=own,
        visible_fraction=1.0,
        layout="toy",
        layout_digest="",
    )
    source = source_for(plain, face, np.asarray(mask), layout(), side=max(window.image.shape[:2]))
    blend = BlendConfig(method="feather")
    plan = PlanConfig(color="none")
    edited = render_edit(window, face, source, masks, layout(), config=plan, blend=blend)
    result = paste_window(image, window, edited)
    np.testing.assert_allclose(result[_pixel(face, 32, 32)], 0.25, atol=1e-3)
    assert (result[_pixel(face, 44, 32)] == image[_pixel(face, 44, 32)]).all()


def test_a_feather_that_leaves_nothing_is_an_input_error(monkeypatch):
    monkeypatch.setattr("uvface.editing.regions._LEAST", 0.5)  # the toy's regions are all large
    image, face = toy_photo(1)
    config = EditConfig(feather=60.0)
    with pytest.raises(InputError, match="nothing of nose; lower"):
        edit_face(image, face, layout(), regions=["nose"], recolor="#00ff00", config=config)


def test_wrong_options_are_input_errors():
    image, face = toy_photo(1)
    with pytest.raises(InputError, match="nothing to do"):
        edit_face(image, face, layout(), regions=["nose"])
    with pytest.raises(InputError, match="unknown region"):
        edit_face(image, face, layout(), regions=["beak"], recolor="#ffffff")
    wrong = {"strength 2.0": EditConfig(strength=2.0), "feather": EditConfig(feather=math.inf)}
    for name, config in wrong.items():
        with pytest.raises(InputError, match=f"{name}.*; need a number"):
            edit_face(image, face, layout(), regions=["nose"], recolor="#fff000", config=config)
