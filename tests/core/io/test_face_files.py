import dataclasses

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file
from toys import toy_layout

from uvface.core.errors import InputError
from uvface.core.io.face_files import FaceTexture, TextureSource, read_face_file


@pytest.fixture
def face():
    random = np.random.default_rng(0)
    return FaceTexture(
        texture=random.random((128, 128, 3), np.float32),
        visibility=random.random((64, 64), np.float32),
        position_map=random.random((64, 64, 3), np.float32),
        shape=random.random((64, 64, 3), np.float32),
        visible_fraction=0.625,
        layout="toy",
        layout_digest="toy-64",
        sources=(TextureSource(name="a.jpg", sha256="0" * 64),),
    )


def test_a_face_is_told_in_a_line(face):
    assert repr(face) == "FaceTexture(128 texels, layout='toy', sources=['a.jpg'])"


def test_face_is_read_back(tmp_path, face):
    face.save(tmp_path / "a.uvface")
    found = read_face_file(tmp_path / "a.uvface", layout=toy_layout())
    np.testing.assert_allclose(found.texture, face.texture, atol=0.51 / 65535)
    for name in ("visibility", "position_map", "shape"):
        assert (getattr(found, name) == getattr(face, name)).all()
    assert found.visible_fraction == 0.625
    assert found.sources == face.sources and found.software.startswith("uvface")


def test_sources_of_files_are_written_as_ever_and_older_ones_of_arrays_are_read(tmp_path, face):
    older = dataclasses.replace(face, sources=(*face.sources, TextureSource(name="", sha256="")))
    older.save(tmp_path / "a.uvface")
    assert b"array" not in (tmp_path / "a.uvface").read_bytes()
    assert read_face_file(tmp_path / "a.uvface").sources == older.sources


def test_the_same_face_gives_the_same_bytes(tmp_path, face):
    for name in ("a.uvface", "b.uvface"):
        face.save(tmp_path / name)
    assert (tmp_path / "a.uvface").read_bytes() == (tmp_path / "b.uvface").read_bytes()


def test_files_that_are_no_faces_are_input_errors(tmp_path, face):
    path = tmp_path / "a.uvface"
    path.write_bytes(b"no face")
    with pytest.raises(InputError, match=r"a\.uvface is no face file"):
        read_face_file(path)
    save_file({"texture": np.zeros((4, 4, 3), np.float32)}, path)
    with pytest.raises(InputError, match="no face file"):
        read_face_file(path)
    dataclasses.replace(face, shape=np.zeros((3, 3), np.float32)).save(path)
    with pytest.raises(InputError, match="shape"):
        read_face_file(path)
    face.save(path)
    with safe_open(path, "np") as stored:
        arrays, metadata = (
            {name: stored.get_tensor(name) for name in stored.keys()},
            stored.metadata(),
        )
    for name in ("texture", "visibility"):  # without axes
        save_file(arrays | {name: np.zeros((), arrays[name].dtype)}, path, metadata)
        with pytest.raises(InputError, match="no face file"):
            read_face_file(path)
    dataclasses.replace(face, visibility=face.visibility * np.nan).save(path)
    with pytest.raises(InputError, match="not numbers"):
        read_face_file(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="no face file"):
        read_face_file(path)


def test_another_layout_is_named(tmp_path, face):
    dataclasses.replace(face, layout="prnet", layout_digest="x").save(tmp_path / "a.uvface")
    with pytest.raises(InputError, match="prnet"):
        read_face_file(tmp_path / "a.uvface", layout=toy_layout())


def test_another_suffix_is_refused(tmp_path, face):
    with pytest.raises(InputError, match=r"\.uvface"):
        face.save(tmp_path / "a.png")


def test_maps_of_another_size_than_the_layout_s_are_refused(tmp_path, face):
    """They passed under the layout's digest, and ended a batch of swaps with a traceback."""
    maps = {name: getattr(face, name)[::2, ::2] for name in ("visibility", "position_map", "shape")}
    dataclasses.replace(face, **maps).save(tmp_path / "a.uvface")
    assert read_face_file(tmp_path / "a.uvface").shape.shape == (32, 32, 3)
    with pytest.raises(InputError, match="32 texels wide, its UV layout toy 64; make it again"):
        read_face_file(tmp_path / "a.uvface", layout=toy_layout())
