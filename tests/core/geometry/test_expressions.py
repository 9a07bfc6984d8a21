"""Named expressions: what they move, and how."""

import jax.numpy as jnp
import numpy as np
import pytest
from toys import toy_layout

from uvface.core.errors import AssetError
from uvface.core.geometry import expressions
from uvface.core.geometry.expressions import load_expressions
from uvface.core.geometry.landmarks import read_landmarks
from uvface.core.geometry.layout import load_layout

LAYOUT = load_layout("uvface")
FIELDS = load_expressions(LAYOUT)
MIRRORED = [name for name in FIELDS if name != "mouth_left"]


def _landmarks(name):
    return np.asarray(read_landmarks(jnp.asarray(FIELDS[name]), LAYOUT.landmark_uv))


@pytest.mark.parametrize("name", MIRRORED)
def test_both_sides_of_a_face_do_the_same(name):
    other = np.asarray(LAYOUT.mirror(jnp.asarray(FIELDS[name]))) * [-1, 1, 1]
    on_face = np.asarray(LAYOUT.mask) > 0.5
    assert np.abs(other - FIELDS[name])[on_face].max() < 0.05  # cm


@pytest.mark.parametrize(
    ("name", "landmark", "axis", "sign"),
    [
        ("smile", 48, 1, -1),  # corners of the mouth go up (y points down) ...
        ("smile", 54, 0, 1),  # ... and apart
        ("frown", 48, 1, 1),
        ("pucker", 54, 0, -1),
        ("mouth_open", 57, 1, 1),
        ("mouth_left", 51, 0, 1),
        ("upper_lip_up", 51, 1, -1),
        ("brows_up", 19, 1, -1),
        ("brows_down", 19, 1, 1),
        ("eyes_closed", 37, 1, 1),
        ("eyes_wide", 37, 1, -1),
        ("squint", 41, 1, -1),
    ],
)
def test_landmarks_go_where_the_name_says(name, landmark, axis, sign):
    assert sign * _landmarks(name)[landmark, axis] > 0.1  # cm


def test_expressions_leave_the_rest_of_the_face():
    for name in ("eyes_closed", "eyes_wide", "brows_up"):
        assert np.abs(_landmarks(name)[48:]).max() < 0.05, name  # the mouth
    for name in ("smile", "frown", "pucker", "mouth_left"):
        assert np.abs(_landmarks(name)[17:27]).max() < 0.1, name  # the brows


def test_cheeks_are_puffed_to_the_front_and_sides():
    cheeks = np.asarray(LAYOUT.region("cheeks")) > 0.5
    assert FIELDS["cheeks_puffed"][cheeks][:, 2].max() > 0.3


def test_another_layout_has_none():
    assert load_expressions(toy_layout()) == {}


def test_a_damaged_file_is_named(tmp_path, monkeypatch):
    (tmp_path / "uv").mkdir()
    (tmp_path / "uv" / "uvface_expressions.npz").write_bytes(b"none")
    monkeypatch.setattr(expressions.resources, "files", lambda _: tmp_path)
    with pytest.raises(AssetError, match=r"uvface_expressions\.npz"):
        load_expressions(LAYOUT)
