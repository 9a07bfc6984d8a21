import os
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest
import trimesh

from uvface.core.errors import InputError
from uvface.core.io.meshes import MESH_SUFFIXES, write_colored_obj, write_mesh
from uvface.core.types import Mesh

HEIGHT = 100


@pytest.fixture
def quad() -> Mesh:
    """Return a square in the photo, facing the camera; vertex 2 belongs to no triangle."""
    corners = [[10, 20, 5], [60, 20, 5], [999, 999, 999], [60, 80, 6], [10, 80, 4]]
    return Mesh(
        vertices=jnp.array(corners, jnp.float32),
        triangles=jnp.array([[0, 4, 3], [0, 3, 1]], jnp.int32),  # counter-clockwise as seen
        uv=jnp.array([[0.1, 0.2], [0.9, 0.2], [0, 0], [0.9, 0.8], [0.1, 0.8]], jnp.float32),
        colors=jnp.array([[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1], [1, 1, 1]], jnp.float32),
    )


@pytest.fixture
def texture() -> np.ndarray:
    return np.random.default_rng(0).random((8, 16, 3)).astype(np.float32)


def read(path) -> trimesh.Trimesh:
    return trimesh.load(path, process=False, force="mesh")


@pytest.mark.parametrize("suffix", MESH_SUFFIXES)
def test_vertices_are_read_back_in_a_frame_with_y_up(tmp_path, quad, texture, suffix):
    (path, *_) = write_mesh(tmp_path / f"a b{suffix}", quad, texture, height=HEIGHT)
    mesh = read(path)
    expected = [[10, 79, 5], [60, 79, 5], [60, 19, 6], [10, 19, 4]]
    np.testing.assert_allclose(mesh.vertices, expected, atol=1e-3)
    np.testing.assert_array_equal(mesh.faces, [[0, 3, 2], [0, 2, 1]])
    assert (mesh.face_normals[:, 2] > 0.9).all()  # a viewer sees the outside


@pytest.mark.parametrize("suffix", [".obj", ".glb"])
def test_texture_stands_the_right_way_up(tmp_path, quad, texture, suffix):
    (path, *_) = write_mesh(tmp_path / f"face{suffix}", quad, texture, height=HEIGHT)
    visual = read(path).visual
    # trimesh: v upwards, of the picture that it has loaded
    np.testing.assert_allclose(visual.uv, [[0.1, 0.8], [0.9, 0.8], [0.9, 0.2], [0.1, 0.2]])
    material = visual.material
    picture = material.image if suffix == ".obj" else material.baseColorTexture
    np.testing.assert_array_equal(np.asarray(picture.convert("RGB")), np.rint(texture * 255))


def test_ply_has_vertex_colors(tmp_path, quad, texture):
    (path,) = write_mesh(tmp_path / "a.ply", quad, texture)
    mesh = read(path)
    np.testing.assert_array_equal(
        mesh.visual.vertex_colors[:, :3],
        [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]],
    )
    np.testing.assert_allclose(mesh.vertices[:, 1], [-20, -20, -80, -80])


def test_obj_with_vertex_colors(tmp_path, quad):
    path = tmp_path / "face_colors.obj"
    write_colored_obj(path, quad, height=HEIGHT)
    mesh = read(path)
    np.testing.assert_allclose(
        mesh.vertices, [[10, 79, 5], [60, 79, 5], [60, 19, 6], [10, 19, 4]], atol=1e-3
    )
    np.testing.assert_array_equal(mesh.faces, [[0, 3, 2], [0, 2, 1]])
    np.testing.assert_array_equal(
        mesh.visual.vertex_colors[:, :3],
        [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]],
    )


def test_obj_names_its_files_without_folder(tmp_path, quad, texture):
    files = write_mesh(tmp_path / "new" / "x.obj", quad, texture, height=HEIGHT)
    assert [file.name for file in files] == ["x.obj", "x.mtl", "x_texture.png"]
    assert str(tmp_path) not in files[0].read_text() + files[1].read_text()
    assert "map_Kd x_texture.png" in files[1].read_text()


def test_obj_names_files_whose_names_are_not_utf_8(tmp_path, quad, texture):
    files = write_mesh(tmp_path / os.fsdecode(b"a\xff.obj"), quad, texture, height=HEIGHT)
    assert b"\nmtllib a\xff.mtl\n" in files[0].read_bytes()
    assert b"\nmap_Kd a\xff_texture.png\n" in files[1].read_bytes()


def test_unknown_suffix(tmp_path, quad, texture):
    with pytest.raises(InputError, match="suffix"):
        write_mesh(tmp_path / "a.stl", quad, texture)


_BESIDE = """
import sys
import threading
import time

import numpy as np

from uvface.core.io.meshes import write_mesh
from uvface.core.types import Mesh

halfway = threading.Event()


class Slow:
    def find_spec(self, name, path, target=None):
        if name == "trimesh.util":
            halfway.set()
            time.sleep(1.0)


sys.meta_path.insert(0, Slow())
beside = threading.Thread(target=__import__, args=("trimesh",))
beside.start()
halfway.wait()
corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
mesh = Mesh(
    vertices=corners, triangles=np.array([[0, 1, 2]]), uv=corners[:, :2], colors=corners,
)
write_mesh(sys.argv[1], mesh, np.zeros((2, 2, 3), np.float32))
beside.join()
"""


@pytest.mark.parametrize("suffix", [".glb", ".ply"])
def test_meshes_are_written_while_a_thread_imports_trimesh(tmp_path, suffix):
    """``uvface reconstruct`` imports it beside the network's work."""
    path = tmp_path / f"face{suffix}"
    run = [sys.executable, "-c", _BESIDE, str(path)]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Error" not in done.stderr, done.stderr
    assert path.is_file()
