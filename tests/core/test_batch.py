"""A batch: its photos, boxes and crops, and what is said of each photo."""

import cv2
import jax.numpy as jnp
import numpy as np
import pytest
import skimage.data
from batches import BOX, run_batch

from uvface.core.batch import output_names, reconstruct
from uvface.core.errors import InputError
from uvface.core.find_photos import find_photos
from uvface.core.geometry.crop import box_of_picture, crop_box, extract_crop
from uvface.core.io.boxes import read_boxes
from uvface.core.io.images import write_image
from uvface.core.io.results import OUTPUTS

pytestmark = pytest.mark.weights


@pytest.mark.parametrize("shape", [(256, 256), (100, 100), (120, 200), (333, 57)])
def test_crop_of_a_whole_picture_is_the_square_around_it(shape):
    photo_from_crop = crop_box(box_of_picture(*shape))
    side = max(shape)
    assert float(photo_from_crop.scale) == pytest.approx(side / 256)
    first = photo_from_crop.apply(jnp.array([-0.5, -0.5]))
    last = photo_from_crop.apply(jnp.array([255.5, 255.5]))
    middle = np.array([shape[1] - 1, shape[0] - 1]) / 2
    np.testing.assert_allclose(first, middle - side / 2, atol=1e-3)
    np.testing.assert_allclose(last, middle + side / 2, atol=1e-3)


def test_pre_cropped_picture_gives_the_same_face_as_its_photo(tmp_path, astronaut, model):
    photo_from_crop = crop_box(jnp.array(BOX))
    image = skimage.data.astronaut().astype(np.float32) / 255
    crop = extract_crop(image, photo_from_crop, 256)
    path = tmp_path / "crop.png"
    cv2.imwrite(str(path), np.rint(crop[..., ::-1] * 255).astype(np.uint8))
    (whole,) = run_batch([astronaut], tmp_path / "a", model, boxes={"astronaut.png": [BOX]})
    (small,) = run_batch([path], tmp_path / "b", model, cropped=True)
    (face,) = small.record["faces"]
    expected = photo_from_crop.inverse().apply(
        jnp.asarray(whole.record["faces"][0]["landmarks"], jnp.float32)
    )
    far = np.asarray(face["landmarks"])[:, :2] - np.asarray(expected)[:, :2]
    assert np.abs(far).max() < 1.0  # crop pixels; both were cut at slightly other places
    with pytest.raises(InputError, match="cropped"):
        run_batch([path], tmp_path / "c", model, cropped=True, boxes={"crop": [BOX]})


def test_boxes_from_a_folder_of_results(tmp_path, astronaut, model):
    (first,) = run_batch([astronaut], tmp_path / "a", model, boxes={"astronaut": [BOX]})
    (again,) = run_batch(
        [astronaut], tmp_path / "b", model, boxes=read_boxes(tmp_path / "a", [astronaut])
    )
    points = np.asarray(first.record["faces"][0]["landmarks"])[:, :2]
    np.testing.assert_allclose(
        again.record["faces"][0]["box"], [*points.min(axis=0), *points.max(axis=0)], atol=1e-2
    )


def test_a_damaged_landmark_file_fails_its_photo_and_no_other(tmp_path, astronaut, model):
    other = tmp_path / "other.png"
    other.write_bytes(astronaut.read_bytes())
    folder = tmp_path / "landmarks"
    folder.mkdir()
    (folder / "astronaut.json").write_text('{"faces": ')
    corners = np.array([[177.0, 71], [271, 71], [177, 188], [271, 188], [224, 130]])
    np.savetxt(folder / "other.txt", corners)
    boxes = read_boxes(folder, [astronaut, other])
    for options in ({}, {"skip_existing": True}):
        photos = [astronaut, other]
        failed, done = run_batch(photos, tmp_path / "out", model, boxes=boxes, **options)
        assert failed.error is not None and "cannot read landmarks" in failed.error
        assert (
            failed.record["error"] == failed.error
            and not (tmp_path / "out/astronaut.json").exists()
        )
        assert done.error is None and done.record["faces"][0]["box"] == BOX


def test_unknown_output_is_named():
    with pytest.raises(InputError, match="'mash'"):
        output_names("landmarks,mash")
    with pytest.raises(InputError, match="'mash'"):
        output_names("all,mash")
    assert output_names("pose,frontal", also=["frontal", "canonical"]) == (
        "pose",
        "frontal",
        "canonical",
    )


def test_results_beside_the_photos_are_no_photos(tmp_path, astronaut, model):
    options = {"boxes": {"astronaut": [BOX]}, "save": "mesh,overlay,visibility"}
    for _ in range(2):
        items = list(reconstruct(tmp_path, tmp_path, model=model, **options))
        assert [item.photo for item in items] == [astronaut]
    assert find_photos([tmp_path / "*"]) == [astronaut]
    overlay = tmp_path / "astronaut_overlay.png"
    assert find_photos([overlay]) == [overlay]  # it was named


def test_a_glob_takes_pictures_only(tmp_path, astronaut, model):
    (tmp_path / "sub").mkdir()
    (tmp_path / "notes.txt").write_text("no picture")
    boxes = {"astronaut": [BOX]}
    (item,) = run_batch(str(tmp_path / "*"), tmp_path / "out", model, boxes=boxes)
    assert item.photo == astronaut
    with pytest.raises(InputError, match="no pictures"):
        find_photos([tmp_path / "*.txt"])


def test_empty_names_of_outputs_are_passed_over_and_all_is_all():
    assert output_names("landmarks, ,pose,") == ("landmarks", "pose")
    assert output_names("landmarks,all") == output_names("all", also=["frontal"]) == tuple(OUTPUTS)


def test_errors_name_the_photo_once(tmp_path, astronaut, model):
    missing = tmp_path / "missing.png"
    items = run_batch(
        [astronaut, missing], tmp_path / "out", model, boxes={"astronaut": [BOX]}, faces=1
    )
    assert items[0].error is not None and items[0].error.startswith(f"{astronaut}: no face 1")
    assert items[0].record["error"] == items[0].error
    assert items[1].error is not None and items[1].error.count(str(missing)) == 1


def test_a_run_of_which_nothing_comes_leaves_no_folder(tmp_path, astronaut, model):
    (item,) = run_batch([tmp_path / "missing.png"], tmp_path / "new" / "out", model)
    assert item.error is not None and not (tmp_path / "new").exists()
    (tmp_path / "old").mkdir()
    run_batch([tmp_path / "missing.png"], tmp_path / "old", model)
    assert (tmp_path / "old").is_dir()
    run_batch(
        [tmp_path / "missing.png", astronaut], tmp_path / "new", model, boxes={"astronaut": [BOX]}
    )
    assert (tmp_path / "new" / "astronaut.json").is_file()


def test_warnings_of_faces_name_photo_and_face(tmp_path, astronaut, model):
    small = [210.0, 110, 240, 140]
    (item,) = run_batch([astronaut], tmp_path / "a", model, boxes={"astronaut": [small]})
    assert any(line.startswith(f"{astronaut}: the face is only 30") for line in item.warnings)
    (item,) = run_batch([astronaut], tmp_path / "b", model, boxes={"astronaut": [BOX, small]})
    assert any(line.startswith(f"{astronaut}, face 1: the face is") for line in item.warnings)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"texture_size": 9000}, "texture size 9000; need a whole number, 64 to 8192"),
        ({"texture_size": 64, "save": "landmarks,colors"}, "64 is for textures; save one of mesh,"),
        ({"texture_size": 64, "save": "ply"}, "64 is for textures"),  # of the layout's vertices
        ({"mask_hidden": True, "save": "mat,visibility"}, "masked in textures; save one of mesh,"),
        ({"boxes": {"anna": [BOX]}}, "boxes of 'anna', but none of astronaut.png; need"),
    ],
)
def test_a_wrong_option_ends_the_call_not_each_photo(tmp_path, astronaut, options, message):
    with pytest.raises(InputError, match=message):
        reconstruct(astronaut, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_nothing_to_read_is_said(tmp_path):
    with pytest.raises(InputError, match=r"^nothing to read; need names of files, folders"):
        reconstruct([], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "size", "said"),
    [
        ({"cropped": True}, 3, "a.png of 3x3 px is no cropped face; need 7 px"),
        ({"boxes": {"a": []}}, 64, "no face found in a.png; its boxes are none"),
    ],
)
def test_what_is_said_of_a_photo_fits_what_was_given(tmp_path, model, options, size, said):
    write_image(tmp_path / "a.png", np.full((size, size, 3), 0.5, np.float32))
    (item,) = reconstruct(tmp_path / "a.png", tmp_path, model=model, save="pose", **options)
    assert said in (item.error or item.warnings[0])


def test_a_run_of_which_nobody_takes_an_item_leaves_no_folder(astronaut, tmp_path, model):
    run = reconstruct(astronaut, tmp_path / "new/out", model=model, save="landmarks")
    assert not (tmp_path / "new").exists()
    assert next(run).error is None and (tmp_path / "new/out/astronaut.json").is_file()
    with pytest.raises(InputError, match=r"cannot make the folder .*astronaut\.png"):
        reconstruct(astronaut, astronaut, model=model)  # told at once, not with the first item
