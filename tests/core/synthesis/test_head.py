from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.errors import InputError
from uvface.core.synthesis.head import HeadModel, canonical_from_ict, head_vertices, load_head

VERTICES = np.array([[-1, 0, 0], [1, 0, 0], [1, 2, 0], [-1, 2, 0], [0, 3, 0]], np.float32)
FACES = "f 1/1/1 2/2/1 3/3/1 4/4/1\nf 4/4 3/3 5/5\n"


def write_obj(path: Path, vertices: np.ndarray, *, tail: str = "") -> None:
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices]
    path.write_text("# a comment\n" + "\n".join(lines) + "\n" + tail)


@pytest.fixture
def obj_folder(tmp_path: Path) -> Path:
    uv = "".join(f"vt {0.1 * k} {0.2 * k}\n" for k in range(5))
    write_obj(tmp_path / "generic_neutral_mesh.obj", VERTICES, tail=uv + "vn 0 0 1\n" + FACES)
    for mode in range(3):
        write_obj(tmp_path / f"identity{mode:03d}.obj", VERTICES + 0.1 * (mode + 1), tail=FACES)
    write_obj(tmp_path / "jawOpen.obj", VERTICES - [0, 1, 0], tail=FACES)
    write_obj(tmp_path / "browDown_L.obj", VERTICES - [0, 0, 2], tail=FACES)
    return tmp_path


def test_obj_folder_gives_offsets_by_name(obj_folder: Path) -> None:
    head = load_head(obj_folder)
    assert head.expression_names == ("browDown_L", "jawOpen")
    np.testing.assert_allclose(head.identity[1], 0.2, atol=1e-6)
    np.testing.assert_allclose(head.expression[1], np.tile([0.0, -1, 0], (5, 1)), atol=1e-6)
    assert head.faces.tolist() == [[0, 1, 2, 3], [3, 2, 4, 4]]
    np.testing.assert_allclose(head.uv[2], [0.2, 0.4], atol=1e-6)
    assert head.part_quads("face").tolist() == [0, 1]


def test_obj_folder_is_found_in_a_checkout(obj_folder: Path) -> None:
    inner = obj_folder / "FaceXModel"
    inner.mkdir()
    for file in obj_folder.glob("*.obj"):
        file.rename(inner / file.name)
    assert load_head(obj_folder).neutral.shape == (5, 3)


def test_compact_file_equals_the_obj_folder(obj_folder: Path, tmp_path: Path) -> None:
    head = load_head(obj_folder)
    np.savez(
        tmp_path / "ict_facekit_light_compact.npz",
        vertices=head.neutral,
        part_names=np.array(head.part_names),
        expression_names=np.array(head.expression_names),
        **{n: getattr(head, n) for n in ("uv", "faces", "faces_uv", "vertex_part", "face_part")},
        **{n: np.asarray(getattr(head, n), np.float16) for n in ("identity", "expression")},
    )
    compact = load_head(tmp_path)
    assert jax.tree.structure(compact) == jax.tree.structure(head)
    for ours, theirs in zip(jax.tree.leaves(compact), jax.tree.leaves(head), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_head_vertices_adds_the_offsets(obj_folder: Path) -> None:
    head = load_head(obj_folder)
    identity, expression = jnp.array([1.0, 0.0, -1.0]), jnp.array([0.5, 0.0])
    expected = VERTICES + 0.1 - 0.3 - np.array([0, 0, 1.0])
    vertices = jax.jit(head_vertices)(head, identity, expression)
    np.testing.assert_allclose(vertices, expected, atol=1e-5)


def test_canonical_frame_points_down() -> None:
    np.testing.assert_array_equal(
        canonical_from_ict(jnp.array([[1.0, 2.0, 3.0]])), [[1.0, -2.0, 3.0]]
    )


def test_errors_say_what_is_needed(tmp_path: Path, obj_folder: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"generic_neutral_mesh\.obj"):
        load_head(tmp_path / "empty")
    with pytest.raises(InputError, match="unknown head parts"):
        load_head(obj_folder).part_vertices("nose")
    write_obj(obj_folder / "mouthSmile_L.obj", VERTICES[:3])
    with pytest.raises(InputError, match="same release"):
        load_head(obj_folder)


def test_shared_model_has_its_parts(shared_data: Path) -> None:
    head = load_head(shared_data / "face_model")
    assert isinstance(head, HeadModel)
    assert head.neutral.shape == (26719, 3)
    assert head.identity.shape[0] == 100 and head.expression.shape[0] == 57
    assert len(head.part_vertices("face")) == 9409
    # The part of a quad follows from its vertices: the rule used for OBJ folders.
    rule = np.asarray(head.vertex_part)[np.asarray(head.faces)].max(axis=1)
    np.testing.assert_array_equal(rule, head.face_part)


@pytest.mark.shared
def test_obj_folder_of_the_real_head_has_its_parts(shared_data: Path, tmp_path: Path) -> None:
    """ICT-FaceKit's own files: the same mesh, offsets and parts as in the compact file."""
    head = load_head(shared_data / "face_model")
    neutral = np.asarray(head.neutral)
    corners = np.stack([np.asarray(head.faces), np.asarray(head.faces_uv)], axis=-1) + 1
    rows = [
        " ".join(f"{v}/{t}" for v, t in dict.fromkeys(map(tuple, quad)))
        for quad in corners.tolist()
    ]
    uv = "".join(f"vt {u} {v}\n" for u, v in np.asarray(head.uv).tolist())
    faces = "".join(f"f {row}\n" for row in rows)
    write_obj(tmp_path / "generic_neutral_mesh.obj", neutral, tail=uv + faces)
    jaw = head.expression_index("jawOpen")
    write_obj(tmp_path / "identity000.obj", neutral + np.asarray(head.identity[0]))
    write_obj(tmp_path / "jawOpen.obj", neutral + np.asarray(head.expression[jaw]))
    found = load_head(tmp_path)
    assert found.part_names == head.part_names[: len(found.part_names)]
    for name in ("faces", "faces_uv", "vertex_part", "face_part"):
        np.testing.assert_array_equal(getattr(found, name), getattr(head, name), err_msg=name)
    np.testing.assert_allclose(found.identity[0], head.identity[0], atol=1e-4)
    np.testing.assert_allclose(found.expression[0], head.expression[jaw], atol=1e-4)
