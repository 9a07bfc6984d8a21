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


def test_pictures_are_read_whatever_their_suffix_and_no_larger_than_crops_need(tmp_path):
    """Two suffixes were left out; photos of a camera filled the memory at full size."""
    for name, shape in {"a.jpg": (64, 80), "B.JPG": (1200, 1800), "c.jpeg": (2048, 1100)}.items():
        picture = np.full((*shape, 3), (200, 90, 10), np.uint8)
        cv2.imencode(".jpg", picture[..., ::-1])[1].tofile(tmp_path / name)
    (tmp_path / "d.jpg").write_bytes(b"no picture")
    pictures = read_pictures(tmp_path)
    assert [p.shape[:2] for p in pictures] == [(1024, 1536), (64, 80), (1907, 1024)]
    assert all(np.abs(p.mean(axis=(0, 1)) - [200, 90, 10]).max() < 3 for p in pictures)


def test_pictures_too_small_to_be_cut_are_left_out(tmp_path):
    """One of 3x3 ended the run in a thread, at some step, with an error of OpenCV."""
    for name, size in (("a.jpg", 3), ("b.jpg", 63), ("c.jpg", 64)):
        cv2.imwrite(str(tmp_path / name), np.full((size, 90, 3), size, np.uint8))
    pictures = read_pictures(tmp_path)
    assert [p.shape[:2] for p in pictures] == [(64, 90)]
    black = np.zeros((320, 320, 3), np.uint8)
    for seed in range(40):
        faceless_crop(np.random.default_rng(seed), black, pictures)
    (tmp_path / "c.jpg").unlink()
    with pytest.raises(InputError, match="no JPEG picture of 64 pixels or more"):
        read_pictures(tmp_path)
