"""What pictures are made of is known by the files' contents, wherever they lie."""

import shutil

import pytest

from uvface.core.synthesis.head import COMPACT_FILE, NEUTRAL_FILE
from uvface.core.synthesis.origin import drawn_origin, merge_origins, photo_origin


@pytest.fixture
def pack(tmp_path):
    """Return a folder with files where the data pack has them."""
    folder = tmp_path / "pack"
    names = [
        f"face_model/{COMPACT_FILE}", "face_model/mediapipe_to_ict.npz", "skins/a_face.jpg",
        "parts/eyes/brown.jpg",
        "hdri/hdri_sh9.npz", "backgrounds/images/1.jpg", "made/skins.npz", "made/fits.npz",
        "photos/images/p.jpg", "photos/landmarks.npz",
    ]  # fmt: skip
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def _drawn(pack):
    return drawn_origin(pack / "face_model", folder=pack, photo_skins=pack / "made")


def _turned(pack, *, weights="a"):
    photos, fits = pack / "photos", pack / "made"
    return photo_origin(photos, pack=photos, assets=None, fits=fits, weights=weights)


@pytest.mark.parametrize(
    ("origin", "name"),
    [
        (_drawn, f"face_model/{COMPACT_FILE}"),
        (_drawn, "parts/eyes/brown.jpg"),
        (_drawn, "made/skins.npz"),
        (_turned, "face_model/mediapipe_to_ict.npz"),
        (_turned, "photos/images/p.jpg"),
        (_turned, "made/fits.npz"),
    ],
)
def test_other_contents_are_another_origin_and_another_place_is_not(pack, tmp_path, origin, name):
    first = origin(pack)
    moved = tmp_path / "elsewhere" / "pack"
    shutil.copytree(pack, moved)
    assert origin(moved) == first
    (moved / name).write_text("other")
    assert origin(moved).sources_sha256 != first.sources_sha256


def test_licences_are_those_of_what_is_used(pack):
    drawn = sorted(_drawn(pack).licences.values())
    assert drawn == ["CC-BY-4.0", "CC0-1.0", "CC0-1.0", "MIT"]
    bare = drawn_origin(pack / "face_model", folder=None, photo_skins=None)
    assert (
        set(bare.licences.values()) == {"MIT"}
        and bare.sources_sha256 != _drawn(pack).sources_sha256
    )
    assert set(_turned(pack).licences.values()) == {"MIT", "CC-BY-4.0"}
    assert _turned(pack, weights="b").sources_sha256 != _turned(pack).sources_sha256
    own = photo_origin(pack / "photos" / "images", pack=None, assets=None, fits=None, weights="a")
    assert set(own.licences.values()) == {"not stated"}


def test_a_folder_of_meshes_is_a_head_too(tmp_path):
    for name in (NEUTRAL_FILE, "identity000.obj"):
        (tmp_path / name).write_text(name)
    first = drawn_origin(tmp_path, folder=None, photo_skins=None)
    (tmp_path / "identity000.obj").write_text("other")
    assert (
        drawn_origin(tmp_path, folder=None, photo_skins=None).sources_sha256 != first.sources_sha256
    )


def test_merged_origins_name_everything_once():
    one = {"data": "a; b", "licences": {"x": "MIT"}, "size": 320}
    other = {"data": "b; c", "licences": {"y": "CC0"}}
    assert merge_origins([one, other, {"size": 320}]) == {
        "data": "a; b; c; pictures of unknown origin",
        "licences": {"x": "MIT", "y": "CC0"},
    }


def test_headers_written_by_hand_are_merged():
    """A description was ignored, and licences of null ended in a traceback."""
    parts = [{"description": "old faces", "licences": None}, {"data": "b", "description": "c"}]
    assert merge_origins(parts) == {"data": "old faces; b", "licences": {}}
