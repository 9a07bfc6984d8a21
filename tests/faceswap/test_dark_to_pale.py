"""A dark face on a pale one, real photos: skin takes the target's tone, brows stay dark."""

import numpy as np
import pytest

import uvface
from uvface.core.io.images import read_photo

DARK = ("neutral_096_03", "neutral_137_03", "neutral_114_03")
PALE = "neutral_113_03"


@pytest.fixture(scope="module")
def model():
    return uvface.load()


def _photo(folder, name):
    return np.asarray(read_photo(folder / "photos_cc_by/images" / f"{name}.jpg").image)


def _brows(image, face, layout):
    """Return the lightness of the darkest tenth of the brows relative to the forehead's."""
    x, y = np.moveaxis(np.rint(np.asarray(face.position_map)[..., :2]).astype(int), -1, 0)
    light = image[y, x].mean(axis=-1)
    brows, forehead = (np.asarray(layout.region(name)) > 0.6 for name in ("brows", "forehead"))
    return np.quantile(light[brows], 0.1) / np.median(light[forehead])


@pytest.mark.parametrize("name", DARK)
def test_brows_of_a_dark_face_do_not_become_pale_with_the_skin(model, shared_data, name):
    target, reference = _photo(shared_data, PALE), _photo(shared_data, name)
    (face,) = model.reconstruct(target)
    result = uvface.swap(target, reference, model=model, shape=0.0)
    # 0.74 to 0.79 when all that is dark was made lighter by what skin is.
    assert _brows(np.asarray(result.image), face, model.layout) < 0.62


def test_brows_of_a_pale_face_in_dim_light_become_paler_with_it(model, shared_data):
    """They are as they would be from a photo in full light."""
    target, reference = _photo(shared_data, PALE), _photo(shared_data, "neutral_003_03")
    (face,) = model.reconstruct(target)
    contrasts = []
    for image in (reference, 0.5 * reference):
        result = uvface.swap(target, image, model=model, shape=0.0)
        contrasts.append(_brows(np.asarray(result.image), face, model.layout))
    assert contrasts[1] == pytest.approx(contrasts[0], abs=0.03)
