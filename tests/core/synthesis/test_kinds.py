import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.synthesis.kinds import KINDS, TONES, ita_angle, kind_number, tone_name
from uvface.core.synthesis.layers import cover_kind, number_where


def test_ita_angle_of_known_skins():
    """Reference: Lab values by scikit-image."""
    from skimage.color import rgb2lab

    skins = np.array([[244, 214, 200], [188, 138, 102], [60, 41, 33]], np.float32) / 255
    lab = rgb2lab(skins[None])[0]
    expected = np.degrees(np.arctan2(lab[:, 0] - 50, lab[:, 2]))
    np.testing.assert_allclose(ita_angle(jnp.asarray(skins)), expected, atol=0.3)
    assert [tone_name(float(angle)) for angle in expected] == ["very light", "tan", "dark"]


def test_every_angle_has_a_tone():
    assert tone_name(90.0) == TONES[0][0] and tone_name(-90.0) == TONES[-1][0]
    assert tone_name(55.0) == "light"


@pytest.mark.parametrize("alpha, expected", [(0.9, "hair"), (0.3, "none"), (0.5, "hair")])
def test_a_layer_names_what_it_hides(alpha: float, expected: str):
    nothing, bare = number_where(jnp.zeros((2, 2), bool), "hair"), jnp.ones((2, 2))
    found = cover_kind(nothing, bare, jnp.full((2, 2), alpha), jnp.array(kind_number("hair")))
    assert {KINDS[k] for k in np.asarray(found).ravel()} == {expected}


def test_thin_layers_that_hide_together_count():
    cover = jax.jit(cover_kind)
    kind, alpha = jnp.zeros((1, 1), jnp.uint8), jnp.full((1, 1), 0.4)
    kind = cover(kind, jnp.ones((1, 1)), alpha, jnp.array(kind_number("glasses")))
    assert int(kind[0, 0]) == 0
    kind = cover(kind, jnp.full((1, 1), 0.6), alpha, jnp.array(kind_number("hair")))
    assert KINDS[int(kind[0, 0])] == "hair"
    # The picture's background is never bare: a layer of no strength names nothing there.
    nothing = cover(kind * 0, jnp.zeros((1, 1)), jnp.zeros((1, 1)), jnp.array(1))
    assert int(nothing[0, 0]) == 0
