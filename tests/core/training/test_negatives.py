import cv2
import numpy as np
import pytest

from uvface.core.errors import InputError
from uvface.core.training.negatives import faceless_crop, read_pictures


def test_no_crop_shows_the_whole_middle():
    """The picture's middle is a ramp, as a face would fill it: no crop has all of it in place."""
    image = np.zeros((320, 320, 3), np.uint8)
    image[80:240, 80:240] = np.linspace(40, 255, 160).astype(np.uint8)[:, None, None]
    whole = cv2.resize(image[32:288, 32:288], (256, 256)).astype(float).ravel()
    crops = [faceless_crop(np.random.default_rng(seed), image, []) for seed in range(60)]
    assert all(crop.shape == (256, 256, 3) and crop.dtype == np.uint8 for crop in crops)
    assert len({crop.tobytes() for crop in crops}) > 40
    flat = [crop.astype(float).ravel() + 1e-3 * np.arange(crop.size) % 7 for crop in crops]
    assert max(np.corrcoef(whole, crop)[0, 1] for crop in flat) < 0.8


def test_pictures_are_used(tmp_path):
    green = np.full((64, 80, 3), (0, 255, 0), np.uint8)
    cv2.imwrite(str(tmp_path / "a.jpg"), green[..., ::-1])
    pictures = read_pictures(tmp_path)
    black = np.zeros((320, 320, 3), np.uint8)
    crops = [faceless_crop(np.random.default_rng(k), black, pictures) for k in range(40)]
    share = np.mean([crop[128, 128, 1] > 200 and crop[128, 128, 0] < 60 for crop in crops])
    assert 0.2 < share < 0.7


def test_folder_without_pictures_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="no JPEG picture"):
        read_pictures(tmp_path)
