"""Result files of a reconstruction: what stands in them and what they are called.

``STEM.json`` is always written; the rest is chosen by name (`OUTPUTS`). With several faces of one
photo the stem of a face's files is ``STEM_0``, ``STEM_1``, ... from left to right.
"""

from __future__ import annotations

import dataclasses
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..drawing.layers import depth_map, normal_map, pncc_map
from ..drawing.overlay import draw_overlay
from ..errors import InputError
from ..files import InputFiles
from ..geometry.layout import UVLayout
from ..geometry.pose import angles_from_rotation
from ..levels import quantise
from ..types import Face, Mesh
from ..whole_files import write_bytes_atomic
from .existing import file_sizes, origin, record_bytes, whole_result
from .exports import canonical_map, frontal_map, write_mat, write_turned
from .face_records import face_record
from .images import Photo, write_image
from .meshes import write_colored_obj, write_mesh
from .position_maps import pack_position_map
from .textures import as_texture_size, photo_texture, resized_visibility

__all__ = ["ENDINGS", "MASKED", "OUTPUTS", "TEXTURED", "is_result_name", "write_results"]

_DEPTH_LEVELS = 65534  # 0 means no face, 1 to 65535 are depths


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Output:
    """One face on its way into files."""

    base: Path  # folder and stem of the face's files
    stem: str  # of the photo
    is_first: bool  # of the photo's faces
    face: Face
    photo: Photo
    layout: UVLayout
    size: int  # texels along each side of textures
    mask_hidden: bool
    files: dict[str, str]  # name of an output -> file; grows

    @property
    def shape(self) -> dict[str, int]:
        """Return the photo's height and width."""
        return {"height": self.photo.height, "width": self.photo.width}

    @cached_property
    def texture(self) -> np.ndarray:
        """Return the texture ``[size, size, 3]``; of a large photo it takes a while."""
        return photo_texture(self.photo.image, self.face, self.size)

    @cached_property
    def opacity(self) -> np.ndarray | None:
        """Return 0 where a texel ``[size, size]`` is hidden; None: all are shown."""
        return self.seen(self.size) if self.mask_hidden else None

    def seen(self, size: int) -> np.ndarray:
        """Return the visibility at ``size`` x ``size`` texels."""
        return resized_visibility(self.face, self.layout, size)

    @property
    def skin(self) -> np.ndarray:
        """Return the texture for meshes, which have no opacity: black where it is hidden."""
        return self.texture if self.opacity is None else self.texture * self.opacity[..., None]

    def mesh(self) -> Mesh:
        """Return the mesh in the photo; its vertices' colours are black where they are hidden."""
        colors = jnp.asarray(self.face.texture)
        if self.mask_hidden:
            colors = colors * jnp.asarray(self.seen(self.layout.size))[..., None]
        return self.layout.mesh(jnp.asarray(self.face.position_map), colors)


def write_results(
    folder: Path,
    path: Path,
    photo: Photo,
    faces: Sequence[Face],
    layout: UVLayout,
    *,
    save: Sequence[str],
    weights: str,
    texture_size: int | None = None,
    mask_hidden: bool = False,
    options: Mapping[str, Any] | None = None,
    inputs: InputFiles | None = None,
) -> dict[str, Any]:
    """Write the chosen files of every face and ``STEM.json``, all of them or none.

    They replace an earlier ``STEM.json`` of the photo and all files that it names once they are
    complete; no other file is written over.

    Args:
        folder: where the files go.
        path: the photo's file; gives the stem and the name in the JSON file.
        photo: the photo.
        faces: its faces from left to right.
        layout: their UV layout.
        save: names from `OUTPUTS`.
        weights: name of the weights, for the JSON file.
        texture_size: texels along each side of textures, read from the photo; by default those
            of the layout.
        mask_hidden: make hidden texels transparent in the texture's picture, black on meshes;
            vertices' colours too, but for ``mat``, which holds the visibility. An OBJ saved with
            ``texture`` has its picture, of which only what is wholly hidden is black.
        options: what else the files came from, for the JSON file (`existing.read_existing`).
        inputs: files that stay even where an earlier result names them.

    Returns:
        What was written to ``STEM.json``.

    Raises:
        InputError: an unknown name in ``save``, a file in the way that is no result of this photo,
            or one cannot be written.
    """
    unknown = [name for name in save if name not in OUTPUTS]
    if unknown:
        raise InputError(f"cannot save {unknown[0]!r}; choose from {', '.join(OUTPUTS)}")
    texture_size = as_texture_size(texture_size)
    record_path = folder / f"{path.stem}.json"
    of = origin(record_path, path, options or {})
    with whole_result(record_path, of=of, spare=inputs or InputFiles()) as place:
        records = []
        for index, face in enumerate(faces):
            stem = path.stem if len(faces) == 1 else f"{path.stem}_{index}"
            record = face_record(face, photo, layout)
            out = _Output(
                base=place / stem,
                stem=path.stem,
                is_first=index == 0,
                face=face,
                photo=photo,
                layout=layout,
                size=texture_size or layout.size,
                mask_hidden=mask_hidden,
                files=record["files"],
            )
            records.append(record | _save_all(out, save))
        content = {
            "image": of["image"],
            "path": of["path"],
            "width": photo.width,
            "height": photo.height,
            "weights": weights,
            "options": of["options"],
            "sizes": file_sizes(place.iterdir()),
            "faces": records,
        }
        write_bytes_atomic(place / record_path.name, record_bytes(content))
    return content


def _save_all(out: _Output, save: Sequence[str]) -> dict[str, Any]:
    """Write the chosen files of a face, pictures beside the rest: text keeps but one core busy."""
    chosen = [name for name in OUTPUTS if name in save]

    def write(names: Sequence[str]) -> tuple[dict[str, Any], dict[str, str]]:
        own, said = dataclasses.replace(out, files={}), dict[str, Any]()
        for name in names:
            said |= OUTPUTS[name](own)
        return said, own.files

    with ThreadPoolExecutor(max_workers=1) as beside:
        pictures = beside.submit(write, [name for name in chosen if name in _PICTURES])
        said, files = write([name for name in chosen if name not in _PICTURES])
    out.files.update(files | pictures.result()[1])
    return said | pictures.result()[0]


def _save_landmarks(out: _Output) -> dict[str, Any]:
    rows = np.asarray(out.face.landmarks).tolist()
    text = "".join(f"{x:.4f} {y:.4f} {z:.4f}\n" for x, y, z in rows)
    return _write(out, "_kpt.txt", text.encode(), "landmarks")


def _save_pose(out: _Output) -> dict[str, Any]:
    rows = np.asarray(out.face.camera.matrix()).tolist()
    angles = [float(angle) for angle in angles_from_rotation(out.face.camera.rotation)]
    lines = [" ".join(f"{value:.6f}" for value in row) for row in rows]
    named = zip(("yaw", "pitch", "roll"), angles, strict=True)
    lines += [f"{name} {angle:.4f}" for name, angle in named]
    return _write(out, "_pose.txt", ("\n".join(lines) + "\n").encode(), "pose")


def _save_mesh(out: _Output) -> dict[str, Any]:
    mesh = out.mesh()
    for suffix in (".obj", ".glb"):
        path = out.base.with_name(out.base.name + suffix)
        write_mesh(path, mesh, out.skin, height=out.photo.height, icc=out.photo.icc)
        out.files[suffix[1:]] = path.name
    return {}


def _save_ply(out: _Output) -> dict[str, Any]:
    mesh = out.mesh()
    path = out.base.with_name(out.base.name + ".ply")
    write_mesh(path, mesh, out.face.texture, height=out.photo.height)  # shows vertices' colours
    out.files["ply"] = path.name
    return {}


def _save_colors(out: _Output) -> dict[str, Any]:
    mesh = out.mesh()
    path = out.base.with_name(out.base.name + "_colors.obj")
    write_colored_obj(path, mesh, height=out.photo.height)
    out.files["colors"] = path.name
    return {}


def _save_texture(out: _Output) -> dict[str, Any]:
    path = out.base.with_name(out.base.name + "_texture.png")
    colors = out.texture
    if out.opacity is not None:  # viewers of the mesh, which has this texture, pass over alpha
        colors = colors * (quantise(out.opacity)[..., None] > 0)
    write_image(path, colors, alpha=out.opacity, icc=out.photo.icc)
    out.files["texture"] = path.name
    return {}


def _save_visibility(out: _Output) -> dict[str, Any]:
    content = _png(quantise(out.seen(out.size)), {})
    return _write(out, "_visibility.png", content, "visibility")


def _save_depth(out: _Output) -> dict[str, Any]:
    """Write float32 depth with its validity, and 16 bits where depth = offset + scale * value."""
    depth, coverage = depth_map(out.face, out.layout, **out.shape)
    covered = depth[coverage > 0.5]
    low, high = (float(covered.min()), float(covered.max())) if covered.size else (0.0, 0.0)
    scale = max(high - low, 1e-6) / _DEPTH_LEVELS
    offset = low - scale  # value 1 is the farthest depth
    values = np.where(coverage > 0.5, np.rint((depth - offset) / scale), 0)
    named = {"scale": scale, "offset": offset}
    content = _png(np.clip(values, 0, 65535).astype(np.uint16), {"depth": json.dumps(named)})
    _write(out, "_depth.png", content, "depth")
    stream = io.BytesIO()
    np.savez_compressed(stream, depth=depth, valid=coverage > 0.5)
    _write(out, "_depth.npz", stream.getvalue(), "depth_npz")
    return {"depth": named}


def _save_normals(out: _Output) -> dict[str, Any]:
    colors = normal_map(out.face, out.layout, **out.shape)
    return _write(out, "_normals.png", _png(quantise(colors), {}), "normals")


def _save_pncc(out: _Output) -> dict[str, Any]:
    colors = pncc_map(out.face, out.layout, **out.shape)
    return _write(out, "_pncc.png", _png(quantise(colors), {}), "pncc")


def _save_turned(out: _Output, name: str, positions: Any) -> dict[str, Any]:
    icc = out.photo.icc
    files = write_turned(out.base, name, positions, out.face, out.layout, out.skin, icc=icc)
    out.files.update(files)
    return {}


def _save_frontal(out: _Output) -> dict[str, Any]:
    return _save_turned(out, "frontal", frontal_map(out.face, out.layout))


def _save_canonical(out: _Output) -> dict[str, Any]:
    return _save_turned(out, "canonical", canonical_map(out.face))


def _save_mat(out: _Output) -> dict[str, Any]:
    write_mat(out.base, out.face, out.layout, out.files)
    return {}


def _save_posmap(out: _Output) -> dict[str, Any]:
    content = pack_position_map(out.face.position_map, out.face.visibility, out.layout)
    return _write(out, "_posmap.npz", content, "posmap")


def _save_photo(out: _Output) -> dict[str, Any]:
    """Write the photo as it was read: upright, its first frame; once for all of its faces."""
    path = out.base.with_name(f"{out.stem}_photo.png")
    if out.is_first:
        write_image(
            path,
            out.photo.image,
            alpha=out.photo.alpha,
            bit_depth=out.photo.bit_depth,
            icc=out.photo.icc,
        )
    out.files["photo"] = path.name
    return {}


def _save_overlay(out: _Output) -> dict[str, Any]:
    picture = draw_overlay(out.photo.image, out.face, out.layout)
    return _write(out, "_overlay.png", _png(picture, {}, effort=2), "overlay")


def _write(out: _Output, ending: str, content: bytes, name: str) -> dict[str, Any]:
    path = out.base.with_name(out.base.name + ending)
    write_bytes_atomic(path, content)
    out.files[name] = path.name
    return {}


def _png(pixels: np.ndarray, text: dict[str, str], *, effort: int = 6) -> bytes:
    """Return a grey (8 or 16 bits) or RGB picture as PNG with text chunks, packed by 0 to 9."""
    chunks = PngInfo()
    for key, value in text.items():
        chunks.add_text(key, value)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", pnginfo=chunks, compress_level=effort)
    return stream.getvalue()


Saver = Callable[[_Output], dict[str, Any]]

# name of an output -> what writes it; it notes its files and returns what else the JSON states
OUTPUTS: dict[str, Saver] = {
    "landmarks": _save_landmarks,
    "pose": _save_pose,
    "mesh": _save_mesh,
    "colors": _save_colors,
    "frontal": _save_frontal,
    "canonical": _save_canonical,
    "ply": _save_ply,
    "mat": _save_mat,
    "texture": _save_texture,  # after the meshes, which write a file of this name, too
    "visibility": _save_visibility,
    "depth": _save_depth,
    "normals": _save_normals,
    "pncc": _save_pncc,
    "posmap": _save_posmap,
    "overlay": _save_overlay,
    "photo": _save_photo,
}
TEXTURED = ("mesh", "frontal", "canonical", "texture", "visibility")  # have a texture's size
# Hidden texels can be left out of these.
MASKED = ("mesh", "colors", "frontal", "canonical", "ply", "texture")
_PICTURES = frozenset(("visibility", "depth", "normals", "pncc", "posmap", "overlay", "photo"))

_MESH = (".obj", ".mtl", "_texture.png", ".glb")

# name of an output -> what the names of its files end in, after the stem
ENDINGS: dict[str, tuple[str, ...]] = {
    "landmarks": ("_kpt.txt",),
    "mesh": _MESH,
    "colors": ("_colors.obj",),
    "ply": (".ply",),
    "mat": (".mat",),
    "depth": ("_depth.png", "_depth.npz"),
    "pose": ("_pose.txt",),
    "posmap": ("_posmap.npz",),
    **{name: tuple(f"_{name}{ending}" for ending in _MESH) for name in ("frontal", "canonical")},
    **{
        name: (f"_{name}.png",)
        for name in ("texture", "visibility", "normals", "pncc", "overlay", "photo")
    },
}


def is_result_name(name: str, photo: Path) -> bool:
    """Return whether a file of results of a photo may have a name, whatever is chosen."""
    if not name.startswith(photo.stem):
        return False
    ending = re.sub(r"^_\d+", "", name.removeprefix(photo.stem))
    return any(ending in endings for endings in [(".json",), *ENDINGS.values()])
