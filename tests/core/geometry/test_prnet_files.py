"""Damaged files of a PRNet checkout: each is named in one line."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from uvface.core.errors import AssetError
from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.prnet_layout import read_prnet_layout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """Return our own layout, written as PRNet writes its own."""
    folder, ours = tmp_path_factory.mktemp("uv-data"), load_layout()
    indices = np.flatnonzero(np.asarray(ours.mask) > 0.5)
    np.savetxt(folder / "face_ind.txt", indices)
    np.savetxt(folder / "uv_kpt_ind.txt", np.floor(256 * np.asarray(ours.landmark_uv)).T)
    np.save(folder / "canonical_vertices.npy", np.asarray(ours.canonical).reshape(-1, 3)[indices])
    return folder


def test_a_whole_checkout_is_read(checkout, capfd):
    """OpenCV warned of the weight mask, which may be missing."""
    layout, ours = read_prnet_layout(checkout), load_layout()
    assert capfd.readouterr() == ("", "")
    np.testing.assert_array_equal(layout.mask, np.asarray(ours.mask) > 0.5)
    np.testing.assert_allclose(layout.landmark_uv, ours.landmark_uv, atol=0.5 / 256 + 1e-6)


def _cut(path: Path) -> None:
    path.write_text(path.read_text().splitlines()[0] + "\n")


def _last(value: str):
    def change(path: Path) -> None:
        path.write_text("\n".join([*path.read_text().splitlines()[:-1], value]))

    return change


def _vertices(value):
    return lambda path: np.save(path, value)


@pytest.mark.parametrize(
    ("name", "damage", "words"),
    [
        ("uv_kpt_ind.txt", _cut, "2 x 68 numbers from 0 to 255"),
        ("uv_kpt_ind.txt", lambda path: path.write_bytes(b""), "2 x 68 numbers"),
        ("face_ind.txt", _last("70000"), "n numbers from 0 to 65535"),
        ("face_ind.txt", _last("nan"), "n numbers from 0 to 65535"),
        ("face_ind.txt", _last("3"), "do not fit together"),
        ("canonical_vertices.npy", lambda path: path.write_bytes(b""), "cannot read"),
        ("canonical_vertices.npy", _vertices(np.array(["a"])), "cannot read"),
        ("canonical_vertices.npy", _vertices(np.zeros((5, 3))), "do not fit together"),
        ("triangles.txt", lambda path: path.write_text("0 1 999999\n0 1 2\n"), "n x 3 numbers"),
        ("uv_weight_mask.png", lambda p: cv2.imwrite(str(p), np.ones((9, 9))), "holds no weights"),
        ("uv_weight_mask.png", lambda p: p.write_bytes(b"no picture"), "holds no weights"),
    ],
)
def test_damaged_files_are_one_line(checkout, tmp_path, name, damage, words):
    folder = tmp_path / "uv-data"
    shutil.copytree(checkout, folder)
    damage(folder / name)
    with pytest.raises(AssetError, match=words) as caught:
        read_prnet_layout(folder)
    assert "\n" not in str(caught.value) and str(folder) in str(caught.value)
