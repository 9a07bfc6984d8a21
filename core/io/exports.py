"""Result files for other programs: MATLAB, and meshes in the frame of the mean face."""

from __future__ import annotations

import io
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from ..geometry.camera import estimate_similarity_3d
from ..geometry.layout import UVLayout
from ..types import Face
from ..whole_files import write_bytes_atomic
from .meshes import write_mesh

__all__ = ["canonical_map", "frontal_map", "write_mat", "write_turned"]


def canonical_map(face: Face) -> jnp.ndarray:
    """Return the position map ``[S, S, 3]`` without the pose: canonical frame, cm.

    The camera's similarity is undone. It was fitted to the rigid part of the face, so that the
    head stays where it is whatever the mouth does: expressions can be compared.
    """
    return face.camera.unproject(face.position_map)


def frontal_map(face: Face, layout: UVLayout) -> jnp.ndarray:
    """Return the position map ``[S, S, 3]`` laid onto the mean face: canonical frame, cm.

    As PRNet does it, all of the face is fitted to the canonical face, an open mouth too; but by a
    similarity, which shears nothing.
    """
    points = face.position_map.reshape(-1, 3)
    goal, weights = layout.canonical.reshape(-1, 3), layout.mask.reshape(-1)
    return estimate_similarity_3d(points, goal, weights).project(face.position_map)


def write_turned(
    base: Path,
    name: str,
    positions: jnp.ndarray,
    face: Face,
    layout: UVLayout,
    texture: np.ndarray,
    *,
    icc: bytes | None = None,
) -> dict[str, str]:
    """Write ``STEM_NAME.obj`` and ``.glb``: the textured mesh in the canonical frame, in cm.

    Args:
        base: folder and stem.
        name: of the output.
        positions: `frontal_map` or `canonical_map`.
        face: whose mesh it is.
        layout: its UV layout.
        texture: RGB in [0, 1], of any size.
        icc: ICC profile of the texture.

    Returns:
        Name of an output -> file.
    """
    mesh = layout.mesh(jnp.asarray(positions), jnp.asarray(face.texture))
    files = {}
    for suffix in (".obj", ".glb"):
        path = base.with_name(f"{base.name}_{name}{suffix}")
        written = write_mesh(path, mesh, texture, icc=icc)
        files[f"{name}_{suffix[1:]}"] = path.name
        if suffix == ".obj":
            files[f"{name}_texture"] = next(f.name for f in written if f.suffix == ".png")
    return files


def write_mat(base: Path, face: Face, layout: UVLayout, files: dict[str, str]) -> None:
    """Write ``STEM.mat`` as PRNet does, with what it lacks.

    ``vertices`` (n x 3, photo pixels, y down), ``colors`` (n x 3, 0 to 1), ``triangles`` (m x 3,
    counted from 1, as MATLAB does), ``visibility`` (n), ``landmarks`` (68 x 3).
    """
    from scipy.io import savemat

    triangles = np.asarray(layout.triangles)
    used, numbered = np.unique(triangles, return_inverse=True)
    content = io.BytesIO()
    savemat(
        content,
        {
            "vertices": np.asarray(face.position_map).reshape(-1, 3)[used],
            "colors": np.asarray(face.texture).reshape(-1, 3)[used],
            "triangles": numbered.reshape(triangles.shape) + 1,
            "visibility": np.asarray(face.visibility).reshape(-1, 1)[used],
            "landmarks": np.asarray(face.landmarks),
        },
        do_compression=True,
    )
    path = base.with_name(f"{base.name}.mat")
    write_bytes_atomic(path, content.getvalue())
    files["mat"] = path.name
