"""One skin in the light of another's: the light is found from normals, and nothing else changes."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.geometry.harmonics import harmonics
from uvface.editing.colour import apply_light
from uvface.editing.light import Skin, fit_colors, fit_light

SIZE = 64
TONE = jnp.array([0.68, 0.05, 0.06])
LEFT = jnp.zeros((9, 3)).at[3, 0].set(0.12)  # lights what faces the left or right
ABOVE = jnp.zeros((9, 3)).at[1].set(jnp.array([-0.1, 0.01, 0.0]))


def _ball(turn=0.0):
    """Return the normals of a ball's front, and where they are."""
    steps = (jnp.arange(SIZE, dtype=jnp.float32) + 0.5) / SIZE * 2 - 1
    x, y = jnp.meshgrid(steps, steps)
    inside = (x**2 + y**2 < 0.9).astype(jnp.float32)
    z = jnp.sqrt(jnp.maximum(1 - x**2 - y**2, 0.1))
    c, s = np.cos(turn), np.sin(turn)
    return jnp.stack([c * x + s * z, y, c * z - s * x], axis=-1), inside


def _skin(light, marks=0.0, turn=0.0, paleness=0.9, harshness=0.0):
    normal, weight = _ball(turn)
    lab = TONE + harmonics(normal) @ light + jnp.asarray(marks)
    return Skin(
        lab=lab,
        normal=normal,
        weight=weight,
        paleness=jnp.float32(paleness),
        harshness=jnp.float32(harshness),
    )


def _marks(seed):
    """Return spots as small as moles and brows, of zero mean."""
    noise = jax.random.normal(jax.random.key(seed), (SIZE, SIZE, 1))
    return 0.02 * noise * jnp.array([1.0, 0.3, 0.3])


@pytest.mark.parametrize("colours", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("color", ["match", "light"])
def test_skin_of_little_colour_put_onto_itself_stays_as_it_is(color, colours):
    """Drawn faces and pale ones lost half of the colours of their lips (43 dB)."""
    marks = _marks(3) * jnp.array([1.0, 2.0 * colours, 2.0 * colours])
    lips = jnp.zeros((SIZE, SIZE, 3)).at[40:46, 24:40].set(jnp.array([-0.1, 0.1, 0.02]))
    skin = _skin(LEFT, marks)
    shown = dataclasses.replace(skin, weight=skin.weight.at[38:48, 22:42].set(0.0))
    shown = dataclasses.replace(shown, lab=shown.lab + lips)
    fit = fit_colors(shown, shown, color=color)
    same = apply_light(fit.transfer, shown.lab, fit.light)
    np.testing.assert_allclose(same, shown.lab, atol=2e-4)


def test_light_is_found_from_the_normals():
    for light in (LEFT, ABOVE):
        skin = _skin(light)
        basis = harmonics(skin.normal)[..., 1:]
        wanted, found = (
            np.asarray((basis @ x)[skin.weight > 0]) for x in (light[1:], fit_light(skin))
        )
        spread = (wanted - wanted.mean(axis=0)).std()
        miss = found - wanted
        # A weak light is drawn towards none.
        assert (miss - miss.mean(axis=0)).std() < 0.3 * spread


def test_a_beard_is_not_taken_for_light():
    normal, _ = _ball()
    beard = jnp.where(normal[..., 1:2] > 0.55, jnp.array([-0.3, 0.0, 0.0]), 0.0)
    lit = _skin(LEFT, beard)
    bent = np.abs(np.asarray(fit_light(lit)) - LEFT[1:]).max()
    basis = np.asarray(harmonics(normal)).reshape(-1, 9) * np.asarray(lit.weight).reshape(-1, 1)
    lab = np.asarray(lit.lab * lit.weight[..., None]).reshape(-1, 3)
    plain = np.abs(np.linalg.lstsq(basis, lab, rcond=None)[0][1:] - LEFT[1:]).max()
    assert bent < 0.6 * plain


def _relit(source, target, color):
    match = fit_colors(source, target, color)
    return apply_light(match.transfer, source.lab, match.light)


def _error(lab, truth, weight):
    return float((jnp.linalg.norm(lab - truth, axis=-1) * weight).sum() / weight.sum())


@pytest.mark.parametrize("turn", [0.0, 0.5])
def test_each_way_comes_nearer_to_the_skin_in_the_other_light(turn):
    source, target = _skin(LEFT, _marks(1), turn), _skin(ABOVE, _marks(2))
    source = dataclasses.replace(source, lab=0.9 * source.lab)
    truth = _skin(ABOVE, _marks(1)).lab
    errors = [
        _error(_relit(source, target, color), truth, source.weight)
        for color in ("none", "match", "light")
    ]
    assert errors[1] < errors[0]
    assert errors[2] < 0.4 * errors[1]


def test_light_is_carried_on_to_where_the_source_is_not_seen():
    source, target = _skin(LEFT), _skin(ABOVE)
    hidden = jnp.where(source.normal[..., 0] > 0.4, 0.0, source.weight)
    found = _relit(dataclasses.replace(source, weight=hidden), target, "light")
    unseen = source.weight - hidden
    matched = _relit(dataclasses.replace(source, weight=hidden), target, "match")
    assert _error(found, target.lab, unseen) < 0.5 * _error(matched, target.lab, unseen)


def test_a_skin_in_its_own_light_is_not_changed():
    skin = _skin(LEFT + ABOVE, _marks(3))
    np.testing.assert_allclose(_relit(skin, skin, "light"), skin.lab, atol=2e-4)


def test_nothing_to_compare_changes_nothing():
    skin = _skin(LEFT, _marks(3))
    unseen = dataclasses.replace(skin, weight=jnp.zeros((SIZE, SIZE)))
    match = fit_colors(unseen, skin, "light")
    np.testing.assert_allclose(match.light, 1.0, atol=1e-6)
    found = apply_light(match.transfer, skin.lab, match.light)
    np.testing.assert_allclose(found, skin.lab, atol=1e-6)


def test_what_is_marked_in_a_shadow_keeps_its_contrast():
    """A mole in the shadow of the nose is as dark against the skin as it is in the light."""
    mole = np.ones((SIZE, SIZE, 1), np.float32)
    mole[31:33, 45:47] = 0.7
    shade = np.ones_like(mole)
    shade[12:52, 32:60] = 0.6
    plain = _skin(0.0 * LEFT)
    shaded = TONE * jnp.asarray(mole * shade)
    # As a mole is left out where the light is compared: it is not skin.
    weight = jnp.where(mole[..., 0] < 1.0, 0.0, plain.weight)
    match = fit_colors(dataclasses.replace(plain, lab=shaded, weight=weight), plain, "light")
    found = np.asarray(apply_light(match.transfer, shaded, match.light))[..., 0]
    assert 0.66 < found[31, 45] / found[31, 41] < 0.74
    assert found[31, 41] > 0.9 * TONE[0]


@pytest.mark.parametrize("color", ["match", "light"])
def test_a_black_and_white_source_takes_the_target_s_colours(color):
    """Lips are no skin, so that their colour is not compared; it is the target's all the same."""
    lips = np.zeros((SIZE, SIZE, 1), np.float32)
    lips[40:46, 24:40] = 1.0
    reds = lips * np.array([0.0, 0.06, 0.0])
    plain = _skin(0.0 * LEFT, _marks(1) * (1 - lips) + reds)
    is_skin = jnp.asarray(lips[..., 0] == 0.0).astype(jnp.float32)
    target = dataclasses.replace(plain, weight=plain.weight * is_skin)
    grey = dataclasses.replace(target, lab=target.lab * jnp.array([0.9, 0.0, 0.0]))
    found = np.asarray(_relit(grey, target, color))
    mean = found[41:45, 26:38].mean(axis=(0, 1))
    np.testing.assert_allclose(mean, TONE + jnp.array([0.0, 0.06, 0.0]), atol=0.015)
    coloured = dataclasses.replace(target, lab=target.lab - jnp.asarray(reds))
    found = np.asarray(_relit(coloured, target, color))[41:45, 26:38].mean(axis=(0, 1))
    assert found[1] < TONE[1] + 0.02


@pytest.mark.parametrize("color", ["match", "light"])
def test_a_highlight_does_not_bleach_a_black_and_white_source(color):
    """It is pale in the target because it is bright there; the source's skin is not."""
    normal, _ = _ball()
    bright = 0.15 * jnp.exp(-8.0 * ((normal[..., :1] - 0.4) ** 2 + normal[..., 1:2] ** 2))
    target = _skin(0.0 * LEFT, _marks(1) + bright * jnp.array([1.0, -0.25, -0.4]))
    grey = _skin(0.0 * LEFT, _marks(2))
    grey = dataclasses.replace(grey, lab=grey.lab * jnp.array([1.2, 0.0, 0.0]))
    found = np.asarray(_relit(grey, target, color))[28:36, 40:50]
    tones = (found[..., 1:] / found[..., :1]).mean(axis=(0, 1))
    own = np.asarray(target.lab)[28:36, 40:50]
    paler = (own[..., 1:] / own[..., :1]).mean(axis=(0, 1))
    wanted = TONE[1:] / TONE[0]
    if color == "match":
        assert (np.abs(tones - wanted) < 0.1 * np.abs(paler - wanted)).all()
    else:  # with the target's light it shines there, too: as pale as the target, and no more
        assert (np.abs(tones - paler) < 0.45 * np.abs(paler - wanted)).all()


def test_skin_shines_where_the_target_s_does():
    spot = np.zeros((SIZE, SIZE, 1), np.float32)
    spot[20:26, 26:34] = 1.0
    white = jnp.array([0.12, -0.01, -0.01])
    dark = _skin(0.0 * LEFT, -0.35 * TONE)
    target = dataclasses.replace(dark, lab=dark.lab + spot * white)
    mole = np.roll(spot, 20, axis=0)
    source = _skin(0.0 * LEFT, -0.06 * mole)
    found = np.asarray(_relit(source, target, "light"))[..., 0]
    skin = np.median(found[np.asarray(dark.weight) > 0])
    assert found[22:24, 28:32].mean() > skin + 0.06
    # What is darker in the source is its own.
    assert found[42:44, 28:32].mean() < skin - 0.02
    matt = np.asarray(_relit(source, dark, "light"))[..., 0]
    assert matt[22:24, 28:32].mean() < skin + 0.01


def test_a_source_s_shine_does_not_become_a_white_spot():
    spot = np.zeros((SIZE, SIZE, 1), np.float32)
    spot[20:26, 26:34] = 1.0
    light = _skin(0.0 * LEFT)
    dark = dataclasses.replace(light, lab=0.5 * light.lab + spot * jnp.array([0.15, 0.0, 0.0]))
    found, matched = (np.asarray(_relit(dark, light, c))[..., 0] for c in ("light", "match"))
    skin = np.median(found[np.asarray(light.weight) > 0])
    rises = [lab[22:24, 28:32].mean() - skin for lab in (found, matched)]
    assert rises[0] < 0.6 * rises[1]


def _hairy(share):
    """Return hair of a share of the skin's lightness at some texels of dark skin, and the skin."""
    hair = np.ones((SIZE, SIZE, 1), np.float32)
    hair[20:24, 20:44] = share
    plain = _skin(0.0 * LEFT, paleness=0.55)
    return dataclasses.replace(plain, lab=0.55 * plain.lab), jnp.asarray(hair)


@pytest.mark.parametrize(("paleness", "least", "most"), [(0.9, 0.5, 0.6), (0.55, 0.7, 0.75)])
def test_dark_hair_does_not_become_paler_with_the_skin(paleness, least, most):
    """Where the target is paler, not in more light."""
    dark, hair = _hairy(0.7)
    target = _skin(0.0 * LEFT, paleness=paleness)
    match = fit_colors(dark, target, "light")
    grows = jnp.where(hair[..., 0] < 1.0, match.skin, 0.0)
    found = np.asarray(apply_light(match.transfer, dark.lab * hair, match.light, hair=grows))[
        ..., 0
    ]
    assert least < found[22, 32] / found[28, 32] < most
    assert found[28, 32] == pytest.approx(float(TONE[0]), abs=0.01)
    # Bare skin within hair stays skin, and so do its shades.
    shade = np.asarray(apply_light(match.transfer, 0.95 * dark.lab, match.light, hair=match.skin))
    assert shade[28, 32, 0] == pytest.approx(0.95 * float(TONE[0]), abs=0.03)


def test_what_shines_on_dark_skin_shines_no_more_on_pale_skin():
    """The lamp's light that skin throws back is not the skin's: it adds the same to any."""
    dark, _ = _hairy(1.0)
    gains = []
    for paleness in (0.55, 0.9):
        match = fit_colors(dark, _skin(0.0 * LEFT, paleness=paleness), "match")
        shiny = dark.lab.at[..., 0].add(0.1)
        found = apply_light(match.transfer, shiny, match.light)[..., 0]
        gains.append(float((found - TONE[0])[32, 32]) / 0.1)
    more_light, paler = gains
    assert paler < 0.7 * more_light


@pytest.mark.parametrize("paleness", [(0.55, 0.9), (0.9, 0.55)])
def test_eyes_are_as_white_beside_paler_skin_in_the_same_light(paleness):
    before, after = paleness
    source = _skin(0.0 * LEFT, paleness=before)
    target = _skin(0.0 * LEFT, paleness=after)
    source, target = (
        dataclasses.replace(skin, lab=skin.paleness * skin.lab) for skin in (source, target)
    )
    match = fit_colors(source, target, "light")
    eyes = jnp.linspace(0.1, 0.7, SIZE)[:, None, None] * jnp.ones((SIZE, SIZE, 3))
    eyes *= jnp.array([1.0, 0.0, 0.0])
    found = apply_light(match.transfer, eyes, match.light, spared=jnp.ones((SIZE, SIZE)))
    np.testing.assert_allclose(found[..., 0], eyes[..., 0], atol=0.005)
    skin = apply_light(match.transfer, source.lab, match.light, spared=jnp.zeros((SIZE, SIZE)))
    np.testing.assert_allclose(skin[32, 32, 0], target.lab[32, 32, 0], atol=0.01)


def test_harsh_light_draws_shadows_as_sharp_as_features():
    stripe = np.zeros((SIZE, SIZE, 1), np.float32)
    stripe[20:44, 28:33] = 1.0
    marks = stripe * np.array([-0.07, 0.0, 0.0], np.float32)
    left = [
        float(_relit(_skin(LEFT, marks, harshness=harsh), _skin(LEFT), "light")[32, 30, 0])
        for harsh in (0.0, 1.0)
    ]
    plain = float(_relit(_skin(LEFT), _skin(LEFT), "light")[32, 30, 0])
    assert plain - left[0] > 0.04 and plain - left[1] < 0.03


@pytest.mark.parametrize("color", ["match", "light"])
def test_skins_of_which_either_photo_shows_another_half_are_matched(color):
    """Nothing is seen in both: what either shows tells its tone."""
    source = _skin(LEFT, _marks(1))
    is_left = (jnp.arange(SIZE) < SIZE // 2).astype(jnp.float32)
    source = dataclasses.replace(source, weight=source.weight * is_left)
    other = jnp.array([0.8, 0.6, 0.0]) * _skin(LEFT, _marks(2)).lab  # darker, and of another hue
    target = dataclasses.replace(_skin(LEFT), lab=other)
    target = dataclasses.replace(target, weight=target.weight * (1.0 - is_left))
    found, wanted = (
        (skin * weight[..., None]).sum(axis=(0, 1)) / weight.sum()
        for skin, weight in (
            (_relit(source, target, color), source.weight),
            (target.lab, target.weight),
        )
    )
    np.testing.assert_allclose(found, wanted, atol=0.04)


def test_a_grey_skin_of_another_half_gets_the_colours_of_the_target_once():
    """It got them twice, as an orange: no texel told that the tint was the target's own."""
    is_left = (jnp.arange(SIZE) < SIZE // 2).astype(jnp.float32)
    source, target = _skin(LEFT, _marks(1)), _skin(LEFT, _marks(2))
    grey = source.lab * jnp.array([1.0, 0.0, 0.0])
    source = dataclasses.replace(source, lab=grey, weight=source.weight * is_left)
    target = dataclasses.replace(target, weight=target.weight * (1.0 - is_left))
    found = _relit(source, target, "match")[..., 1:] / _relit(source, target, "match")[..., :1]
    wanted = (target.lab[..., 1:] / target.lab[..., :1]).mean(axis=(0, 1))
    shown = np.asarray(found)[np.asarray(source.weight) > 0.0]
    np.testing.assert_allclose(shown.mean(axis=0), wanted, atol=0.015)
