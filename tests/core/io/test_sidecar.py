import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from uvface.core.errors import InputError
from uvface.core.io.photos import array_record, open_photo, photo_origin
from uvface.core.io.sidecar import (
    is_intact,
    read_sidecar,
    sidecar_path,
    spare_sidecar,
    write_sidecar,
)


def test_sidecar_names_the_files_by_their_hashes(tmp_path):
    image, photo = tmp_path / "out.png", tmp_path / "in.png"
    image.write_bytes(b"picture")
    photo.write_bytes(b"photo")
    write_sidecar(image, {"operation": "swap", "image": "x"}, inputs={"target": photo})
    assert sidecar_path(image) == tmp_path / "out.png.json"
    found = read_sidecar(image)
    assert found["image"] == "out.png" and found["operation"] == "swap"
    hashes = [entry["sha256"] for entry in found["inputs"]]
    assert hashes == [hashlib.sha256(b"photo").hexdigest()]
    assert is_intact(image, found)
    image.write_bytes(b"changed")
    assert not is_intact(image, found)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "float32"])
def test_arrays_are_named_by_the_hash_of_their_bytes(tmp_path, dtype):
    """Nothing was said of them."""
    count = 3 * 160 * 140  # more than there are numbers of 16 bits
    if dtype.startswith("u"):
        array = (np.arange(count) % (np.iinfo(dtype).max + 1)).astype(dtype)
    else:
        array = np.linspace(0, 1, count).astype(dtype)
    array, image = array.reshape(160, 140, 3), tmp_path / "out.png"
    image.write_bytes(b"picture")
    write_sidecar(image, {}, inputs={"target": photo_origin(array)})
    assert read_sidecar(image)["inputs"] == [
        {
            "role": "target",
            "path": "",
            "sha256": hashlib.sha256(array.tobytes()).hexdigest(),
            "array": {"width": 140, "height": 160, "dtype": dtype},
        }
    ]


def test_a_picture_is_named_by_its_values_and_doubles_as_they_are_read():
    values = np.random.default_rng(0).integers(0, 256, (8, 6, 3), np.uint8)
    assert array_record(photo_origin(Image.fromarray(values))) == array_record(photo_origin(values))
    doubles = np.random.default_rng(1).random((8, 6, 3))
    assert array_record(open_photo(doubles)) == array_record(open_photo(np.float32(doubles)))


def test_the_same_work_gives_the_same_bytes(tmp_path):
    image = tmp_path / "out.png"
    image.write_bytes(b"picture")
    contents = []
    for _ in range(2):
        write_sidecar(image, {"settings": {"a": 1}}, inputs={"target": image})
        contents.append(sidecar_path(image).read_bytes())
    assert contents[0] == contents[1]


def test_no_or_another_sidecar(tmp_path):
    assert read_sidecar(tmp_path / "out.png") is None
    for content in ("[]", "{", json.dumps({"format": "x"})):
        sidecar_path(tmp_path / "out.png").write_text(content)
        assert read_sidecar(tmp_path / "out.png") is None  # somebody else's
    with pytest.raises(InputError, match="cannot read"):
        is_intact(tmp_path / "out.png", {})


def test_a_folder_in_the_way_is_told_before_the_picture_is_written(tmp_path):
    """It was after: the picture of before was gone, and the new one had no sidecar."""
    sidecar_path(tmp_path / "out.png").mkdir()
    with pytest.raises(InputError, match=r"cannot write .*out\.png\.json: it is a folder"):
        spare_sidecar(tmp_path / "out.png")


def test_a_sidecar_that_cannot_be_written_takes_that_of_an_older_picture_along(tmp_path):
    """It would tell of the new one."""
    picture, other = tmp_path / "out.png", tmp_path / "face.png"
    picture.write_bytes(b"old")
    write_sidecar(picture, {"operation": "swap"}, inputs={})
    picture.write_bytes(b"new")
    with pytest.raises(InputError, match="cannot read"):
        write_sidecar(picture, {"operation": "edit"}, inputs={"reference": other})
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]
