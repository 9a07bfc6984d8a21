"""Pictures of a report."""

import dataclasses

import cv2
import jax.numpy as jnp
import numpy as np
from toy_faces import SIZE, toy_photo
from toy_models import ToyModel

from uvface.faceswap.photos import swap
from uvface.faceswap.report import _crop, _decided, report_page

ORIGINS = "green seen, blue mirrored, red filled, grey the target's own"


def test_a_large_face_is_averaged_in_its_picture():
    """Stripes of one pixel are grey at a fifth of their size; sampled, they would be a moire."""
    rows, columns = np.mgrid[:2400, :2400]
    stripes = ((rows + columns) % 2).astype(np.float32)[..., None].repeat(3, axis=-1)
    face = dataclasses.replace(toy_photo(1)[1], box=jnp.array([600.0, 600.0, 1700.0, 1700.0]))
    picture = _crop(stripes, face)
    assert picture.shape == (320, 320, 3)
    assert np.abs(picture - 0.5).max() < 0.1


def test_a_picture_shows_the_face_in_its_middle():
    image = np.zeros((200, 300, 3), np.float32)
    image[90:111, 190:211] = 1.0
    face = dataclasses.replace(toy_photo(1)[1], box=jnp.array([150.0, 50.0, 250.0, 150.0]))
    bright = np.argwhere(_crop(image, face)[..., 0] > 0.5)
    np.testing.assert_allclose(bright.mean(axis=0), 159.5, atol=0.5)


def _swapped(**options):
    return swap(toy_photo(1)[0], toy_photo(2)[0], model=ToyModel(), **options)


def test_what_is_kept_is_shown_as_the_target_s_own():
    """It was green, as if it were the reference's."""

    def coloured(**options):
        result = _swapped(**options)
        shown = _decided(result, result.swaps[0], result.stages[0])[ORIGINS]
        return np.ptp(shown, axis=-1)  # 0 in grey

    whole, kept = coloured(keep=()), coloured(keep="cheeks,nose")
    assert (whole > 0.5).sum() > 1.2 * (kept > 0.5).sum()
    assert coloured(keep="face").max() < 0.1


def test_what_a_mask_leaves_out_is_shown_as_the_target_s_own():
    """That half of the face was white and green, though it could not change."""
    mask = np.zeros((SIZE, SIZE), np.float32)
    mask[:, : SIZE // 2] = 1.0
    result = _swapped(keep=(), mask=mask)
    shown = _decided(result, result.swaps[0], result.stages[0])
    free, origins = shown["white: what may change"][..., 0], np.ptp(shown[ORIGINS], axis=-1)
    x = cv2.resize(np.asarray(result.faces[0].position_map)[..., 0], free.shape)
    allowed, out = x < SIZE / 2 - 4, x > SIZE / 2 + 4
    assert free[out].max() < 0.01 and origins[out].max() < 0.01
    assert free[allowed].max() > 0.99 and origins[allowed].max() > 0.9


def test_the_table_says_what_was_kept_and_how_faces_are_turned():
    result = _swapped(keep="cheeks,nose")
    page = report_page(result, output="out.png")
    kept = 100 * result.numbers[0].shares.kept
    assert f"kept as asked</td><td>{kept:.0f} % (--keep cheeks,nose)" in page
    numbers = dataclasses.replace(result.numbers[0], yaw=-12.0, reference_yaw=0.2)
    vars(result)["numbers"] = (numbers,)
    page = report_page(result, output="out.png")
    assert "turned 12° to the right of the picture" in page and "turned 0°<" in page


def test_the_table_names_the_reference_s_files(tmp_path):
    pixels = (255 * toy_photo(2)[0][..., ::-1] + 0.5).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "anna.png"), pixels)
    result = swap(toy_photo(1)[0], tmp_path / "anna.png", model=ToyModel(), keep=())
    assert "<td>anna.png: " in report_page(result, output="out.png")
