"""Result files for other programs: MATLAB, and meshes in the frame of the mean face."""

from __future__ import annotations

import io
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from ..geometry.layout import UVLayout
from ..types import Face
from .files import write_bytes_atomic
from .meshes import write_mesh

__all__ = ["frontal_map", "write_frontal", "write_mat"]


def frontal_map(face: Face) -> jnp.ndarray:
    """Return the position map ``[S, S, 3]`` without the pose: canonical frame, cm.

    The camera's similarity is undone: nothing is sheared, and the expression stays.
    """
    moved = face.position_map - face.camera.translation
    return moved @ face.camera.rotation / face.camera.scale


def write_frontal(
    base: Path, face: Face, layout: UVLayout, texture: np.ndarray, files: dict[str, str]
) -> None:
    """Write ``STEM_frontal.obj`` and ``.glb``: the textured mesh, turned to the front, in cm."""
    mesh = layout.mesh(frontal_map(face), jnp.asarray(face.texture))
    for suffix in (".obj", ".glb"):
        path = base.with_name(f"{base.name}_frontal{suffix}")
        written = write_mesh(path, mesh, texture)
        files[f"frontal_{suffix[1:]}"] = path.name
        if suffix == ".obj":
            files["frontal_texture"] = next(f.name for f in written if f.suffix == ".png")


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
