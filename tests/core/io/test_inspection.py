"""What is read off a file on how it was made: from Python, and by the command."""

import json

import numpy as np
import pytest

import uvface
from uvface.cli import main
from uvface.core.errors import InputError
from uvface.core.io.face_files import FaceTexture, TextureSource
from uvface.core.io.images import write_image
from uvface.core.io.provenance import Provenance
from uvface.core.io.sidecar import write_sidecar

GREY = np.full((8, 8, 3), 0.5, np.float32)
SWAP = Provenance(operation="swap")


@pytest.fixture
def swapped(tmp_path):
    """Return a picture with a packet and a sidecar."""
    path = tmp_path / "out.png"
    write_image(path, GREY, provenance=SWAP)
    write_sidecar(path, {"operation": "swap"}, inputs={})
    return path


def test_packet_and_sidecar_of_a_picture_are_found(swapped):
    for path in (swapped, str(swapped)):
        found = uvface.inspect(path)
        assert found.path == swapped and found.provenance == SWAP and found.has_provenance
        assert found.sidecar["operation"] == "swap" and found.sidecar_fits is True
        assert found.face is None and found.warnings == ()


def test_a_picture_that_was_changed_since_is_a_warning(swapped):
    write_image(swapped, GREY / 2, provenance=SWAP)
    found = uvface.inspect(swapped)
    assert found.sidecar["operation"] == "swap" and found.sidecar_fits is False
    (line,) = found.warnings
    assert line.startswith(f"{swapped} is not the file that its sidecar was written for")


def test_a_damaged_sidecar_is_a_warning_and_hides_no_packet(swapped):
    swapped.with_name("out.png.json").write_text("{")
    found = uvface.inspect(swapped)
    assert found.provenance == SWAP and found.sidecar is None and found.sidecar_fits is None
    (line,) = found.warnings
    assert line.startswith(f"{swapped}.json is no JSON")


def test_nothing_says_how_a_photo_was_made(tmp_path):
    write_image(tmp_path / "photo.png", GREY)
    found = uvface.inspect(tmp_path / "photo.png")
    assert not found.has_provenance and found.record() is None and found.warnings == ()


def test_a_face_file_tells_of_its_photos(tmp_path):
    maps = np.zeros((8, 8, 3), np.float32)
    source = TextureSource(name="anna.jpg", sha256="ab")
    face = FaceTexture(
        texture=np.zeros((16, 16, 3), np.float32),
        visibility=np.eye(8, dtype=np.float32),
        position_map=maps,
        shape=maps,
        visible_fraction=0.125,
        layout="uvface",
        layout_digest="cd",
        sources=(source,),
    )
    face.save(tmp_path / "anna.uvface")
    found = uvface.inspect(tmp_path / "anna.uvface")
    assert found.has_provenance and found.provenance is None and found.face.sources == (source,)
    assert found.record() == {
        "file": str(tmp_path / "anna.uvface"),
        "software": face.software,
        "layout": "uvface",
        "layout_digest": "cd",
        "texels": 16,
        "visible_fraction": 0.125,
        "sources": [{"name": "anna.jpg", "sha256": "ab"}],
    }


@pytest.mark.parametrize("change", ["none", "picture", "sidecar", "both"])
def test_the_command_prints_the_record_and_the_warnings(swapped, capsys, change):
    if change in ("picture", "both"):
        write_image(swapped, GREY)
    if change in ("sidecar", "both"):
        swapped.with_name("out.png.json").write_text("{")
    found = uvface.inspect(swapped)
    assert len(found.warnings) == (change != "none")
    assert main(["inspect", str(swapped)]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == found.record()
    lines = [f"warning: {line}" for line in found.warnings]
    if change == "both":
        lines.append(f"no provenance: nothing in {swapped} says that it is synthetic")
    assert printed.err.splitlines() == lines


def test_what_is_no_picture_is_an_error(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(InputError, match=r"a\.json is not an image we know"):
        uvface.inspect(tmp_path / "a.json")
    with pytest.raises(InputError, match="does not exist"):
        uvface.inspect(tmp_path / "clip.webm")
    (tmp_path / "clip.webm").write_bytes(b"\x1aE\xdf\xa3")
    with pytest.raises(InputError, match=r"only \.mp4, \.m4v, \.mov can be inspected"):
        uvface.inspect(tmp_path / "clip.webm")
    with pytest.raises(InputError, match="does not exist"):
        uvface.inspect("none.png")
