"""Textured meshes to OBJ, GLB and PLY files.

Convention:
    Files hold a right-handed frame: x right, y UP, z towards the viewer. A point (x, y, z) of
    the photo frame becomes (x, height - 1 - y, z), in pixels, so that the bottom-left pixel's
    centre is the origin; of the canonical frame (no height given) it becomes (x, -y, z), in cm.
    Triangles stay counter-clockwise from outside. Texture coordinates follow the format: OBJ
    counts v upwards, glTF downwards. Only vertices that a triangle uses are written.
"""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
from jax import Array
from jaxtyping import Float
from PIL import Image

from ..errors import InputError
from ..types import Mesh
from ..whole_files import write_bytes_atomic

__all__ = ["MESH_SUFFIXES", "write_colored_obj", "write_mesh"]

MESH_SUFFIXES = (".obj", ".glb", ".ply")

TextureImage = Float[np.ndarray, "rows columns 3"] | Float[Array, "rows columns 3"]

_MTL = """# {name}: written by uvface
newmtl face
Ka 1 1 1
Kd 1 1 1
Ks 0 0 0
illum 1
map_Kd {texture}
"""


def write_mesh(
    path: str | Path,
    mesh: Mesh,
    texture: TextureImage,
    *,
    height: int | None = None,
    icc: bytes | None = None,
) -> list[Path]:
    """Write a mesh in the format of the path's suffix.

    An OBJ file comes with ``STEM.mtl`` and ``STEM_texture.png`` in the same folder, which it
    names without the folder; GLB holds its texture; PLY holds one colour per vertex.

    Args:
        path: ends in .obj, .glb or .ply.
        mesh: in the photo frame, or in the canonical frame.
        texture: RGB in [0, 1], of any size.
        height: of the photo in pixels, for a mesh in the photo frame.
        icc: ICC profile of the texture, for the picture of an OBJ file. glTF forbids readers to
            heed one, and its validator warns of it.

    Returns:
        The files written, the mesh first.

    Raises:
        InputError: unknown suffix, or a file cannot be written.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in MESH_SUFFIXES:
        raise InputError(f"{path} has no known mesh suffix; use one of {', '.join(MESH_SUFFIXES)}")
    compact = _compact(mesh, height)
    if kind == ".obj":
        files = _obj_files(path, compact, _picture(texture), icc)
    elif kind == ".glb":
        files = {path: _glb(compact, _picture(texture))}
    else:
        files = {path: _ply(compact)}
    for file, content in reversed(files.items()):  # the mesh last: it names the others
        write_bytes_atomic(file, content)
    return list(files)


def write_colored_obj(path: Path, mesh: Mesh, *, height: int | None = None) -> None:
    """Write an OBJ file with one colour per vertex (``v x y z r g b``), as PRNet does.

    Args:
        path: ends in .obj.
        mesh: in the photo frame, or in the canonical frame.
        height: of the photo in pixels, for a mesh in the photo frame.

    Raises:
        InputError: the file cannot be written.
    """
    compact = _compact(mesh, height)
    rows = np.concatenate([compact.vertices, np.clip(compact.colors, 0, 1)], axis=1)
    text = [
        "# written by uvface\n",
        _lines("v %.4f %.4f %.4f %.4f %.4f %.4f\n", rows),
        _lines("f %d %d %d\n", compact.triangles + 1),
    ]
    write_bytes_atomic(path, "".join(text).encode())


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _FileMesh:
    """The used part of a mesh, as files need it."""

    vertices: np.ndarray  # [n, 3] float32, y up
    triangles: np.ndarray  # [m, 3] int
    uv: np.ndarray  # [n, 2] float32, v UP
    colors: np.ndarray  # [n, 3] float32


def _compact(mesh: Mesh, height: int | None) -> _FileMesh:
    triangles = np.asarray(mesh.triangles)
    used, renumbered = np.unique(triangles, return_inverse=True)
    vertices = np.asarray(mesh.vertices, dtype=np.float32)[used]
    vertices[:, 1] = (0 if height is None else height - 1) - vertices[:, 1]
    u, v = np.asarray(mesh.uv, dtype=np.float32)[used].T
    return _FileMesh(
        vertices=vertices,
        triangles=renumbered.reshape(triangles.shape),
        uv=np.stack([u, 1 - v], axis=1),
        colors=np.asarray(mesh.colors, dtype=np.float32)[used],
    )


def _bytes(colors: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(np.asarray(colors), 0, 1) * 255).astype(np.uint8)


def _picture(texture: TextureImage) -> Image.Image:
    return Image.fromarray(_bytes(np.asarray(texture)))


def _lines(pattern: str, values: np.ndarray) -> str:
    """Return one formatted line per row."""
    return (pattern * len(values)) % tuple(values.reshape(-1).tolist())


def _obj_files(
    path: Path, mesh: _FileMesh, picture: Image.Image, icc: bytes | None
) -> dict[Path, bytes]:
    """Return file contents; written here since trimesh's exporter does not let us name files."""
    material = path.with_suffix(".mtl")
    texture = path.with_name(f"{path.stem}_texture.png")
    corners = np.array([f"{i}/{i}" for i in range(1, len(mesh.vertices) + 1)], dtype=object)
    text = [
        f"# written by uvface\nmtllib {material.name}\nusemtl face\n",
        _lines("v %.4f %.4f %.4f\n", mesh.vertices),
        _lines("vt %.6f %.6f\n", mesh.uv),
        _lines("f %s %s %s\n", corners[mesh.triangles]),
    ]
    named = _MTL.format(name=material.name, texture=texture.name)
    stream = io.BytesIO()
    picture.save(stream, "PNG", icc_profile=icc)
    # A file's name need not be UTF-8: its bytes are written as they are.
    return {
        path: "".join(text).encode("utf-8", "surrogateescape"),
        material: named.encode("utf-8", "surrogateescape"),
        texture: stream.getvalue(),
    }


# trimesh takes half a second to import, which `uvface swap` does not need. It is imported whole and
# its parts are found through it: a thread may be importing it, too (`uvface reconstruct`), and a
# part that is imported by itself meets a package that is half there.


def _glb(mesh: _FileMesh, picture: Image.Image) -> bytes:
    import trimesh

    material = trimesh.visual.material.PBRMaterial(
        name="face", baseColorTexture=picture, metallicFactor=0.0, roughnessFactor=1.0
    )
    # Its texture coordinates are turned by trimesh when it writes.
    visual = trimesh.visual.TextureVisuals(uv=mesh.uv, material=material)
    return trimesh.exchange.gltf.export_glb(_trimesh(mesh, visual), include_normals=True)


def _ply(mesh: _FileMesh) -> bytes:
    import trimesh

    visual = trimesh.visual.ColorVisuals(vertex_colors=_bytes(mesh.colors))
    return trimesh.exchange.ply.export_ply(_trimesh(mesh, visual), encoding="binary")


def _trimesh(mesh: _FileMesh, visual: Any) -> Any:
    import trimesh

    return trimesh.Trimesh(
        vertices=mesh.vertices,
        faces=mesh.triangles,
        visual=visual,
        process=False,
        validate=False,
    )
