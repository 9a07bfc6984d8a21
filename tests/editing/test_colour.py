"""Oklab against published values; colour transfers recover known ones and resist outliers."""

import jax.numpy as jnp
import numpy as np
import pytest

from uvface.editing.colour import (
    ColorTransfer,
    apply_light,
    apply_transfer,
    colourfulness,
    fit_transfer,
    lab_from_rgb,
    light_between,
    rgb_from_lab,
)


def _skin(count=2000, seed=0):
    random = np.random.default_rng(seed)
    lab = random.normal([0.7, 0.03, 0.05], [0.05, 0.01, 0.01], (count, 3))
    return rgb_from_lab(jnp.asarray(lab, jnp.float32))


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((1.0, 1.0, 1.0), (1.0, 0.0, 0.0)),
        ((1.0, 0.0, 0.0), (0.62796, 0.22486, 0.12585)),
        ((0.0, 0.0, 1.0), (0.45201, -0.03246, -0.31153)),
    ],
)
def test_oklab_of_known_colors(rgb, lab):
    np.testing.assert_allclose(lab_from_rgb(jnp.array(rgb)), lab, atol=2e-4)


def test_oklab_round_trip():
    rgb = jnp.asarray(np.random.default_rng(0).random((500, 3)), jnp.float32)
    np.testing.assert_allclose(rgb_from_lab(lab_from_rgb(rgb)), rgb, atol=2e-5)


def test_equal_textures_give_the_identity():
    rgb = _skin()
    lab = lab_from_rgb(rgb)
    transfer = fit_transfer(lab, jnp.ones(len(rgb)), lab, jnp.ones(len(rgb)))
    np.testing.assert_allclose(apply_transfer(transfer, lab), lab, atol=1e-6)


def test_transfer_recovers_a_known_map_despite_outliers():
    rgb = _skin()
    truth = lab_from_rgb(rgb) * jnp.array([1.1, 0.9, 1.0]) + jnp.array([-0.15, 0.01, 0.02])
    changed = np.array(rgb_from_lab(truth))
    changed[:200] = (0.02, 0.9, 0.1)  # a tenth is something else
    goal = lab_from_rgb(jnp.asarray(changed))
    transfer = fit_transfer(lab_from_rgb(rgb), jnp.ones(len(rgb)), goal, jnp.ones(len(rgb)))
    result = apply_transfer(transfer, lab_from_rgb(rgb))
    np.testing.assert_allclose(result[200:].mean(axis=0), truth[200:].mean(axis=0), atol=0.01)


def test_less_light_weakens_the_marks_on_either_side_of_the_skin():
    lab = lab_from_rgb(_skin())
    found = apply_transfer(
        fit_transfer(lab, jnp.ones(len(lab)), 0.7 * lab, jnp.ones(len(lab))), lab
    )
    np.testing.assert_allclose(found[:, 0], 0.7 * lab[:, 0], atol=0.01)


def test_black_stays_black_on_a_much_lighter_face():
    dark = lab_from_rgb(_skin()) * jnp.array([0.5, 1.0, 1.0])
    lighter = dark + jnp.array([0.4, 0.0, 0.0])
    transfer = fit_transfer(dark, jnp.ones(len(dark)), lighter, jnp.ones(len(dark)))
    ramp = jnp.stack([jnp.linspace(0.0, 0.35, 50), jnp.zeros(50), jnp.zeros(50)], axis=-1)
    found = np.asarray(apply_transfer(transfer, ramp))[:, 0]
    assert abs(found[0]) < 0.02
    assert (np.diff(found) > 0.0).all()
    assert np.asarray(apply_transfer(transfer, dark)).std(axis=0)[0] < 1.6 * dark[:, 0].std()


def test_marks_fade_on_an_overexposed_face_and_brows_stay_dark():
    dark = lab_from_rgb(_skin()) * jnp.array([0.65, 1.0, 1.0])
    white = dark * jnp.array([0.2, 1.0, 1.0]) + jnp.array([0.81, 0.0, 0.0])
    transfer = fit_transfer(dark, jnp.ones(len(dark)), white, jnp.ones(len(dark)))
    mean = float(transfer.source_mean[0])
    steps = jnp.array([-0.3, -0.05, -1e-4, 1e-4, 0.05])
    lab = jnp.stack([mean + steps, jnp.zeros(5), jnp.zeros(5)], axis=-1)
    brow, pore, below, above, shine = np.asarray(apply_transfer(transfer, lab))[:, 0]
    assert below - pore < 0.05 and shine - above < 0.05
    assert abs(above - below) < 1e-3
    assert brow < 0.6 * below


def test_no_common_texels_give_the_identity():
    rgb = _skin(50)
    lab = lab_from_rgb(rgb)
    transfer = fit_transfer(lab, jnp.zeros(len(rgb)), lab[::-1] * 0.5, jnp.zeros(len(rgb)))
    np.testing.assert_array_equal(apply_transfer(transfer, lab), lab)


@pytest.mark.parametrize(
    ("lighter", "told", "paler"),
    [(1.0, 1.58, 1.0), (1.4, 1.58, 1.4), (1.4, 1.2, 1.2), (1.4, 1.0, 1.0), (0.7, 1.3, 1.0)],
)
def test_skin_is_at_most_as_much_paler_as_it_is_lighter(lighter, told, paler):
    """Of eyes that are closed or in the shade next to nothing is told: both may be as dark."""
    lab = jnp.asarray(np.random.default_rng(0).normal([0.5, 0.04, 0.05], 0.01, (400, 3)))
    lab, weights = lab.astype(jnp.float32), jnp.ones(400)
    fitted = fit_transfer(lab, weights, lighter * lab, weights, paler=told)
    assert float(fitted.paler) == pytest.approx(paler, abs=0.02)
    assert float(ColorTransfer.identity().paler) == 1.0


def test_a_black_and_white_target_leaves_no_colour():
    rng = np.random.default_rng(3)
    source = lab_from_rgb(jnp.asarray(rng.uniform(0.2, 0.8, (400, 3)), jnp.float32))
    grey = np.repeat(rng.uniform(0.2, 0.8, (400, 1)), 3, axis=1)
    target = lab_from_rgb(jnp.asarray(grey, jnp.float32))
    fitted = fit_transfer(source, jnp.ones(400), target, jnp.ones(400))
    result = np.asarray(apply_transfer(fitted, source))
    assert np.abs(result[:, 1:]).max() < 1e-3
    assert result[:, 0].std() > 0.05


def test_lips_on_skin_of_one_flat_colour_lose_it_too():
    """As in a drawing: skin without blotches was taken for that of a toned print, like itself."""
    rng = np.random.default_rng(7)
    light = rng.uniform(0.5, 0.8, (400, 1))
    drawn = jnp.asarray(light * np.array([1.0, 0.05, 0.07]), jnp.float32)
    grey = lab_from_rgb(jnp.asarray(np.repeat(light, 3, axis=1), jnp.float32))
    lips = jnp.array([[0.5, 0.12, 0.04]])
    assert np.abs(apply_transfer(_fitted(drawn, grey), lips)[:, 1:]).max() < 1e-3
    np.testing.assert_allclose(apply_transfer(_fitted(drawn, drawn), lips), lips, atol=1e-4)


def _fitted(source, target):
    return fit_transfer(source, jnp.ones(len(source)), target, jnp.ones(len(source)))


def test_what_stands_out_from_pale_colours_is_pale_too():
    """Cheeks of 0.7 times their redness stood out from the skin of nearly grey photos, blue."""
    random = np.random.default_rng(5)
    lab = jnp.asarray(random.normal([0.7, 0.04, 0.06], [0.03, 0.02, 0.02], (2000, 3)), jnp.float32)
    pale = lab * jnp.array([1.0, 0.4, 0.4])
    np.testing.assert_allclose(apply_transfer(_fitted(lab, pale), lab), pale, atol=1e-3)


def test_skin_in_a_cool_light_keeps_its_blotches():
    lab = lab_from_rgb(_skin())
    cool = lab - lab[..., :1] * jnp.array([0.0, 0.03, 0.06])
    np.testing.assert_allclose(apply_transfer(_fitted(lab, cool), lab), cool, atol=1e-3)


def test_a_toned_target_has_one_tone_from_black_to_white():
    """The spread of a sepia print's a and b is that of its lightness, and no colour."""
    rng = np.random.default_rng(4)
    source = lab_from_rgb(jnp.asarray(rng.uniform(0.2, 0.8, (400, 3)), jnp.float32))
    light = rng.uniform(0.3, 0.9, (400, 1))
    sepia = lab_from_rgb(jnp.asarray(light * [1.0, 0.85, 0.65], jnp.float32))
    result = np.asarray(apply_transfer(_fitted(source, sepia), source))
    tone = np.asarray(sepia[:, 1:] / sepia[:, :1]).mean(axis=0)
    np.testing.assert_allclose(result[:, 1:] / result[:, :1], np.tile(tone, (400, 1)), atol=0.02)
    assert result[:, 0].std() > 0.05


def test_it_has_one_tone_too_where_the_source_has_little_colour():
    rng = np.random.default_rng(6)
    off = rng.normal(0.0, 0.004, (400, 2))  # of a / L and b / L: between none and all colours
    light = rng.uniform(0.5, 0.8, (400, 1))
    source = jnp.asarray(np.concatenate([light, light * (0.07 + off)], axis=1), jnp.float32)
    assert 0.1 < float(colourfulness(source, jnp.ones(400))) < 0.9
    print_light = rng.uniform(0.3, 0.9, (400, 1))
    sepia = lab_from_rgb(jnp.asarray(print_light * [1.0, 0.85, 0.65], jnp.float32))
    lips = jnp.array([[0.5, 0.12, 0.04]])
    light, *tone = np.asarray(apply_transfer(_fitted(source, sepia), lips))[0]
    usual = np.asarray(sepia[:, 1:] / sepia[:, :1]).mean(axis=0)
    np.testing.assert_allclose(np.array(tone) / light, usual, atol=0.005)


def test_black_takes_no_colour_from_the_difference_of_two_skins():
    """Pupils and lashes of an orange photo do not turn blue on a pale face."""
    rng = np.random.default_rng(5)
    light = rng.uniform(0.4, 0.7, (400, 1))
    orange, pale = (
        lab_from_rgb(jnp.asarray(light * skin, jnp.float32))
        for skin in ([1.0, 0.45, 0.1], [1.0, 0.85, 0.8])
    )
    lab = jnp.array([[0.0, 0.0, 0.0], [0.1, 0.0, 0.0]])
    black, lash = np.asarray(apply_transfer(_fitted(orange, pale), lab))
    np.testing.assert_allclose(black, 0.0, atol=1e-6)
    assert np.hypot(*lash[1:]) < 0.05


def test_light_multiplies_what_the_cones_receive():
    skin, shadow = jnp.array([0.7, 0.05, 0.06]), jnp.array([0.42, 0.03, 0.036])
    light = jnp.broadcast_to(light_between(shadow, skin), (3, 3))
    mole = 0.5 * shadow
    lab = jnp.stack([shadow, mole, jnp.zeros(3)])
    found = np.asarray(apply_light(ColorTransfer.identity(), lab, light))
    np.testing.assert_allclose(found, [skin, 0.5 * skin, jnp.zeros(3)], atol=1e-5)
    np.testing.assert_allclose(light_between(skin, skin), 1.0, atol=1e-6)
    warm = jnp.array([0.7, 0.08, 0.12])
    found = apply_light(ColorTransfer.identity(), skin, light_between(skin, warm))
    np.testing.assert_allclose(found, warm, atol=1e-5)
