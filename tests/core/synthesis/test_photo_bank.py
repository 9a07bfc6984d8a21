from pathlib import Path

import numpy as np
import pytest

from uvface.core.errors import InputError
from uvface.core.synthesis.photo_bank import complete_photo_skins, mean_colors


def _painted() -> np.ndarray:
    row, column = np.mgrid[:384, :384] / 384
    light = np.stack([150 + 60 * row, 110 + 40 * column, 90 + 20 * row], axis=-1)
    return np.stack([light, 0.4 * light]).astype(np.uint8)


def test_photo_of_a_painted_skin_is_completed_without_a_border(tmp_path: Path):
    painted = _painted()
    photo = np.round(0.9 * painted[0]).astype(np.uint8)
    mask = np.zeros((384, 384), np.uint8)
    mask[90:300, 80:300] = 255
    masked = np.where(mask[..., None] > 0, photo, 0)
    np.savez(tmp_path / "skins.npz", face=masked[None], mask=mask[None])
    skins = complete_photo_skins(tmp_path, painted)
    assert skins.bases.tolist() == [0]
    np.testing.assert_allclose(skins.rims, 0.81, atol=0.03)
    error = np.abs(skins.faces[0].astype(float) - photo.astype(float))
    assert error.max() < 5


def test_no_folder_means_no_photo_skins(tmp_path: Path):
    assert complete_photo_skins(None, _painted()).faces.shape == (0, 384, 384, 3)
    with pytest.raises(InputError, match=r"no skins\.npz"):
        complete_photo_skins(tmp_path, _painted())


def test_mean_colours_are_those_of_the_cheeks():
    plain = np.full((1, 384, 384, 3), (200, 100, 50), np.uint8)
    expected = (np.array([200, 100, 50]) / 255) ** 2
    np.testing.assert_allclose(mean_colors(plain)[0], expected, rtol=1e-5)
