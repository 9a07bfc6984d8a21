"""Results of an earlier run: what a new one replaces and removes, and what stays."""

import json
from pathlib import Path

import numpy as np
import pytest
from mean_faces import mean_face

from uvface.core.batch import find_photos
from uvface.core.errors import InputError
from uvface.core.geometry.layout import load_layout
from uvface.core.io.images import Photo
from uvface.core.io.results import OUTPUTS, write_results

PHOTO = Photo(image=np.full((200, 200, 3), 0.5, np.float32))
NAME = Path("some folder/as tro.naut.jpg")


@pytest.fixture(scope="module")
def layout():
    return load_layout()


@pytest.fixture(scope="module")
def face(layout):
    return mean_face(layout, centre=(100.0, 100.0), scale=8.0)


def test_an_interrupted_run_leaves_no_record_of_an_earlier_one(tmp_path, face, layout, monkeypatch):
    options = {"save": ["landmarks", "pose"], "weights": "w"}
    write_results(tmp_path, NAME, PHOTO, [face], layout, **options)

    def stop(out):
        raise KeyboardInterrupt

    monkeypatch.setitem(OUTPUTS, "pose", stop)
    with pytest.raises(KeyboardInterrupt):
        write_results(tmp_path, NAME, PHOTO, [face], layout, **options)
    assert not (tmp_path / "as tro.naut.json").exists()
    assert (tmp_path / "as tro.naut_kpt.txt").exists()


@pytest.mark.parametrize("content", ["", "[]", '{"faces": []}', "notes"])
def test_a_json_file_of_others_is_kept(tmp_path, face, layout, content):
    path = tmp_path / "as tro.naut.json"
    path.write_text(content)
    with pytest.raises(InputError, match="no result of uvface"):
        write_results(tmp_path, NAME, PHOTO, [face], layout, save=["pose"], weights="w")
    assert path.read_text() == content and list(tmp_path.iterdir()) == [path]


def _write_p(folder, face, layout, *, faces, **options):
    """Write results of a photo ``p.png`` of the folder."""
    save = ("mesh", "overlay", "landmarks")
    path = folder / "p.png"
    write_results(folder, path, PHOTO, [face] * faces, layout, save=save, weights="w", **options)


def test_a_run_that_finds_fewer_faces_leaves_no_files_of_the_others(tmp_path, face, layout):
    """Nothing names them any more, so that their pictures would be taken for photos."""
    (tmp_path / "p.png").write_bytes(b"a photo")
    _write_p(tmp_path, face, layout, faces=2)
    assert (tmp_path / "p_1.mtl").is_file() and (tmp_path / "p_1_texture.png").is_file()
    _write_p(tmp_path, face, layout, faces=1)
    assert not list(tmp_path.glob("p_0*")) and not list(tmp_path.glob("p_1*"))
    assert find_photos(tmp_path) == [tmp_path / "p.png"]
    whole = sorted(tmp_path.iterdir())
    _write_p(tmp_path, face, layout, faces=1)
    assert sorted(tmp_path.iterdir()) == whole


def test_files_of_other_records_photos_and_other_folders_are_not_removed(tmp_path, face, layout):
    out = tmp_path / "out"
    _write_p(out, face, layout, faces=2)
    record = json.loads((out / "p.json").read_text())
    outside = tmp_path / "p_outside.png"
    outside.write_bytes(b"a photo")
    record["faces"][0]["files"] |= {"a": "../p_outside.png", "b": str(outside), "c": "other.png"}
    (out / "other.png").write_bytes(b"a photo")
    (out / "p.json").write_text(json.dumps(record))
    other = json.loads((out / "p.json").read_text())
    other["faces"] = other["faces"][1:]  # of a photo p_1.png
    (out / "p_1.json").write_text(json.dumps(other))
    _write_p(out, face, layout, faces=1, inputs={"p_0_overlay.png"})
    assert outside.is_file() and (out / "other.png").is_file()
    assert (out / "p_1_overlay.png").is_file() and (out / "p_0_overlay.png").is_file()
    assert not (out / "p_0_kpt.txt").exists() and not (out / "p_0.mtl").exists()
