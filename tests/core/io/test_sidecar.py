import hashlib
import json

import pytest

from uvface.core.errors import InputError
from uvface.core.io.sidecar import is_intact, read_sidecar, sidecar_path, write_sidecar


def test_sidecar_names_the_files_by_their_hashes(tmp_path):
    image, photo = tmp_path / "out.png", tmp_path / "in.png"
    image.write_bytes(b"picture")
    photo.write_bytes(b"photo")
    write_sidecar(
        image, {"operation": "swap", "image": "x"}, inputs={"target": photo, "reference 0": None}
    )
    assert sidecar_path(image) == tmp_path / "out.png.json"
    found = read_sidecar(image)
    assert found["image"] == "out.png" and found["operation"] == "swap"
    hashes = [entry["sha256"] for entry in found["inputs"]]
    assert hashes == [hashlib.sha256(b"photo").hexdigest(), ""]
    assert is_intact(image, found)
    image.write_bytes(b"changed")
    assert not is_intact(image, found)


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
