"""Parametric head: the ICT-FaceKit light model (USC Institute for Creative Technologies, MIT).

Convention:
    `HeadModel` keeps the axes of ICT-FaceKit: x to the subject's LEFT (image-right of a frontal
    view), y UP, z out of the face, centimetres. `canonical_from_ict` turns points into the
    canonical frame of the package, whose y points down. Quads are listed counter-clockwise as
    seen from outside (in the right-handed ICT axes); a triangle repeats its last index.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..errors import InputError
from ..io.arrays import open_arrays

__all__ = ["HeadModel", "canonical_from_ict", "head_vertices", "load_head"]

COMPACT_FILE = "ict_facekit_light_compact.npz"
NEUTRAL_FILE = "generic_neutral_mesh.obj"

# First vertex of each part, from the README of ICT-FaceKit ("Geometries" of the light model).
PARTS = {
    "face": 0,
    "head_neck": 9409,
    "mouth_socket": 11248,
    "eye_socket_left": 13294,
    "eye_socket_right": 13678,
    "gums_tongue": 14062,
    "teeth": 17039,
    "sclera_left": 21451,
    "iris_left": 22221,
    "sclera_right": 23021,
    "iris_right": 23791,
    "lacrimal_fluid_left": 24591,
    "lacrimal_fluid_right": 24795,
    "eye_blend_left": 24999,
    "eye_blend_right": 25023,
    "eye_occlusion_left": 25047,
    "eye_occlusion_right": 25199,
    "eyelashes_left": 25351,
    "eyelashes_right": 26035,
}


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class HeadModel:
    """Linear head model: vertices = neutral + identity offsets + expression offsets."""

    neutral: Array  # [V, 3], cm, ICT axes (y up)
    identity: Array  # [I, V, 3], offset of one standard deviation per mode
    expression: Array  # [E, V, 3], offset of the full expression
    uv: Array  # [T, 2], origin at the bottom left; the integer part of u is the tile
    faces: Array  # [F, 4] int32, quads of vertices
    faces_uv: Array  # [F, 4] int32, quads of uv
    vertex_part: Array  # [V] int32, index into part_names
    face_part: Array  # [F] int32, index into part_names
    expression_names: tuple[str, ...] = dataclasses.field(metadata={"static": True})
    part_names: tuple[str, ...] = dataclasses.field(metadata={"static": True})

    def part_vertices(self, *names: str) -> np.ndarray:
        """Return the sorted vertex numbers of the named parts."""
        return np.flatnonzero(self._is_part(self.vertex_part, names))

    def part_quads(self, *names: str) -> np.ndarray:
        """Return the numbers of the quads of the named parts (rows of faces and faces_uv)."""
        return np.flatnonzero(self._is_part(self.face_part, names))

    def expression_index(self, name: str) -> int:
        """Return the position of a named expression among the coefficients."""
        if name not in self.expression_names:
            raise InputError(f"unknown expression {name!r}; known: {self.expression_names}")
        return self.expression_names.index(name)

    def _is_part(self, part: Array, names: tuple[str, ...]) -> np.ndarray:
        unknown = [name for name in names if name not in self.part_names]
        if unknown:
            raise InputError(f"unknown head parts {unknown}; known: {self.part_names}")
        return np.isin(np.asarray(part), [self.part_names.index(name) for name in names])


def head_vertices(
    head: HeadModel,
    identity: Float[Array, " identities"],
    expression: Float[Array, " expressions"],
) -> Float[Array, "vertices 3"]:
    """Return the vertices of one head (cm, ICT axes).

    Args:
        head: the model.
        identity: coefficients in standard deviations, about N(0, 1).
        expression: coefficients in [0, 1], order of ``head.expression_names``.
    """
    offset = jnp.tensordot(identity, head.identity, axes=1)
    return head.neutral + offset + jnp.tensordot(expression, head.expression, axes=1)


def canonical_from_ict(points: Float[Array, "*n 3"]) -> Float[Array, "*n 3"]:
    """Turn ICT axes (y up) into the canonical frame (y down); it is its own inverse."""
    return points * jnp.array([1.0, -1.0, 1.0], dtype=points.dtype)


def load_head(path: Path | str) -> HeadModel:
    """Load the head model.

    Args:
        path: a folder with the compact file ``ict_facekit_light_compact.npz``, that file, or
            the folder ``FaceXModel`` of ICT-FaceKit (or the checkout that holds it).

    Raises:
        InputError: nothing of the kind is there, or the files do not fit together.
    """
    path = Path(path)
    compact = path if path.suffix == ".npz" else path / COMPACT_FILE
    if compact.is_file():
        return _load_compact(compact)
    for folder in (path, path / "FaceXModel"):
        if (folder / NEUTRAL_FILE).is_file():
            return _load_obj_folder(folder)
    raise InputError(
        f"no head model in {path}: need {COMPACT_FILE} or ICT-FaceKit's folder with {NEUTRAL_FILE}"
    )


def _load_compact(path: Path) -> HeadModel:
    with open_arrays(path) as stored:
        return HeadModel(
            neutral=jnp.asarray(stored["vertices"], dtype=jnp.float32),
            identity=jnp.asarray(stored["identity"].astype(np.float32)),
            expression=jnp.asarray(stored["expression"].astype(np.float32)),
            uv=jnp.asarray(stored["uv"], dtype=jnp.float32),
            faces=jnp.asarray(stored["faces"], dtype=jnp.int32),
            faces_uv=jnp.asarray(stored["faces_uv"], dtype=jnp.int32),
            vertex_part=jnp.asarray(stored["vertex_part"].astype(np.int32)),
            face_part=jnp.asarray(stored["face_part"].astype(np.int32)),
            expression_names=tuple(str(name) for name in stored["expression_names"]),
            part_names=tuple(str(name) for name in stored["part_names"]),
        )


def _load_obj_folder(folder: Path) -> HeadModel:
    text = (folder / NEUTRAL_FILE).read_text()
    neutral = _obj_floats(text, "v")
    faces, faces_uv = _obj_quads(text)
    stems = sorted(file.stem for file in folder.glob("*.obj") if file.name != NEUTRAL_FILE)
    identity_names = [stem for stem in stems if re.fullmatch(r"identity\d+", stem)]
    expression_names = [stem for stem in stems if stem not in identity_names]
    vertex_part = np.searchsorted([*PARTS.values()], np.arange(len(neutral)), side="right") - 1
    return HeadModel(
        neutral=jnp.asarray(neutral),
        identity=_offsets(folder, identity_names, neutral),
        expression=_offsets(folder, expression_names, neutral),
        uv=jnp.asarray(_obj_floats(text, "vt")[:, :2]),
        faces=jnp.asarray(faces),
        faces_uv=jnp.asarray(faces_uv),
        vertex_part=jnp.asarray(vertex_part.astype(np.int32)),
        # A quad that touches two parts belongs to the later one: sockets hang on the face.
        face_part=jnp.asarray(vertex_part[faces].max(axis=1).astype(np.int32)),
        expression_names=tuple(expression_names),
        part_names=tuple(PARTS),
    )


def _offsets(folder: Path, stems: list[str], neutral: np.ndarray) -> Array:
    offsets = np.zeros((len(stems), *neutral.shape), np.float32)
    for row, stem in zip(offsets, stems, strict=True):
        vertices = _obj_floats((folder / f"{stem}.obj").read_text(), "v")
        if vertices.shape != neutral.shape:
            raise InputError(
                f"{stem}.obj has {len(vertices)} vertices, {NEUTRAL_FILE} has {len(neutral)}; "
                "take both from the same release of ICT-FaceKit"
            )
        row[:] = vertices - neutral
    return jnp.asarray(offsets)


def _obj_floats(text: str, keyword: str) -> np.ndarray:
    rows = re.findall(rf"^{keyword}[ \t]+(.+)$", text, flags=re.MULTILINE)
    if not rows:
        raise InputError(f"an OBJ file of the head model has no lines {keyword!r}")
    columns = len(rows[0].split())
    return np.array(" ".join(rows).split(), dtype=np.float32).reshape(-1, columns)[:, :3]


def _obj_quads(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Return quads of vertices and of uv; a triangle repeats its last corner."""
    rows = re.findall(r"^f[ \t]+(.+)$", text, flags=re.MULTILINE)
    corners = [[corner.split("/")[:2] for corner in row.split()] for row in rows]
    if any(len(row) not in (3, 4) or any(len(c) < 2 for c in row) for row in corners):
        raise InputError(f"{NEUTRAL_FILE}: need triangles or quads with texture coordinates")
    padded = np.array([[*row, row[-1]][:4] for row in corners], dtype=np.int32) - 1
    return padded[..., 0], padded[..., 1]
