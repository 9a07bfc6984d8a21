"""How pale skin is follows from eyes and brows within it, not from the light it stands in."""

import jax.numpy as jnp
import pytest

from uvface.core.geometry.coarse import coarse_layout
from uvface.core.geometry.layout import load_layout
from uvface.editing.seen.paleness import PALE, skin_paleness


@pytest.fixture(scope="module")
def layout():
    return coarse_layout(load_layout(), 128)


def _paleness(layout, *, skin, white, hair=None, exposure=1.0, seen=1.0):
    """Return what is told of a face of plain skin; Oklab L of its parts in full light."""
    light = jnp.full((128, 128), skin)
    eyes = layout.region("eyeballs") > 0.5
    inner = jnp.cumsum(eyes, axis=1) % 3 > 0  # two of three texels are white, else iris
    light = jnp.where(eyes, jnp.where(inner, white, 0.2), light)
    if hair is not None:
        light = jnp.where(layout.region("brows") > 0.5, hair, light)
    lab = exposure * light[..., None] * jnp.array([1.0, 0.06, 0.06])
    is_seen = jnp.full((128, 128), seen)
    return float(skin_paleness(lab, layout.region("skin") * is_seen, is_seen, is_seen, layout))


@pytest.mark.parametrize("exposure", [0.4, 1.0, 1.3])
def test_dark_skin_is_told_from_pale_skin_in_any_light(layout, exposure):
    dark = _paleness(layout, skin=0.36, white=0.66, hair=0.25, exposure=exposure)
    pale = _paleness(layout, skin=0.66, white=0.7, hair=0.4, exposure=exposure)
    assert dark == pytest.approx(0.36 / 0.66, abs=0.01)
    assert pale == pytest.approx(0.66 / 0.7, abs=0.01)


def test_skin_beside_much_darker_hair_is_not_dark(layout):
    """Lit from the side, the white of an eye shines on a face that is all in shadow."""
    assert _paleness(layout, skin=0.4, white=0.8, hair=0.14) == pytest.approx(PALE)


@pytest.mark.parametrize("case", [{"white": 0.36}, {"white": 0.1}, {"white": 0.7, "seen": 0.0}])
def test_where_no_white_is_seen_skin_counts_as_pale(layout, case):
    assert _paleness(layout, skin=0.36, **case) == pytest.approx(PALE)
