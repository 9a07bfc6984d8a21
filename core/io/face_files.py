"""Face files: a face as a texture, to be used again without its photos.

A face file (``.uvface``) is a safetensors file: no pickle, arrays by name, and a header of texts
that names the UV layout and the photos that it was made from.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, UInt16
from safetensors import SafetensorError
from safetensors.numpy import load, save

from ..errors import InputError
from ..files import read_bytes
from ..whole_files import check_length, write_bytes_atomic
from .provenance import software_name

if TYPE_CHECKING:  # `uvface inspect` reads face files without JAX
    from ..geometry.layout import UVLayout

__all__ = [
    "FaceTexture",
    "TextureSource",
    "check_face_file_name",
    "is_face_file",
    "read_face_file",
    "write_face_file",
]

_SUFFIX = ".uvface"
_FORMAT = "uvface face 1"
_KEY = "uvface"  # of the header's text
_TOP = np.float32(65535)
_LARGEST = 8192  # texels along a side that are read


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextureSource:
    """A photo that a texture was made from."""

    name: str  # of the file, without its folder; empty for an array
    sha256: str  # of the file's bytes, or as `array_record` of an array; once empty for arrays
    array: Mapping[str, Any] | None = dataclasses.field(default=None, hash=False)  # size and type

    def record(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        array = {} if self.array is None else {"array": dict(self.array)}
        return {"name": self.name, "sha256": self.sha256} | array


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class FaceTexture:
    """A face without a photo; the arrays are NumPy's, since the texture may be large.

    Attributes:
        texture: ``[R, R, 3]`` float32, RGB in [0, 1], R texels of its own.
        visibility: ``[S, S]`` float32, 1 where some photo shows the texel of the layout.
        position_map: ``[S, S, 3]`` float32 in the pixels of the photo that showed most.
        shape: ``[S, S, 3]`` float32, positions without the pose, in cm.
        visible_fraction: share of the face that some photo shows.
        layout: name of the UV layout.
        layout_digest: SHA-256 of the layout.
        sources: the photos.
        software: what made it.
    """

    texture: np.ndarray
    visibility: np.ndarray
    position_map: np.ndarray
    shape: np.ndarray
    visible_fraction: float
    layout: str
    layout_digest: str
    sources: tuple[TextureSource, ...] = ()
    software: str = dataclasses.field(default_factory=software_name)

    def __repr__(self) -> str:
        """Return a line, without the arrays."""
        sources = [source.name for source in self.sources]
        return f"FaceTexture({len(self.texture)} texels, layout={self.layout!r}, {sources=})"

    @cached_property
    def sha256(self) -> str:
        """Return the hash of what decides how the face looks, its arrays and its layout."""
        found = hashlib.sha256(self.layout_digest.encode())
        for array in (self.texture, self.visibility, self.position_map, self.shape):
            found.update(repr(array.shape).encode())
            found.update(np.ascontiguousarray(array, np.float32).data)
        return found.hexdigest()

    def record(self) -> dict[str, Any]:
        """Return what tells of the face, without its arrays, as JSON can hold it."""
        return {
            "software": self.software,
            "layout": self.layout,
            "layout_digest": self.layout_digest,
            "texels": int(self.texture.shape[0]),
            "visible_fraction": round(self.visible_fraction, 4),
            "sources": [source.record() for source in self.sources],
        }

    def save(self, path: str | Path) -> None:
        """Write the face file: `write_face_file`."""
        write_face_file(path, self)


def is_face_file(path: str | Path) -> bool:
    """Return whether a file is a face file by its name."""
    return Path(path).suffix.lower() == _SUFFIX


def check_face_file_name(path: Path) -> None:
    """Raise InputError where a face file is not written under a name."""
    if not is_face_file(path):
        raise InputError(f"{path} does not end in {_SUFFIX}; name the face file so")
    check_length(path)


def write_face_file(path: str | Path, face: FaceTexture) -> None:
    """Write a face file, as a whole or not at all; colours are rounded to 16 bits.

    Raises:
        InputError: the path does not end in ``.uvface``, or cannot be written.
    """
    path = Path(path)
    check_face_file_name(path)
    arrays = {
        "texture": np.rint(np.clip(face.texture, 0.0, 1.0) * _TOP).astype(np.uint16),
        "visibility": np.asarray(face.visibility, np.float32),
        "position_map": np.asarray(face.position_map, np.float32),
        "shape": np.asarray(face.shape, np.float32),
    }
    header = {
        "format": _FORMAT,
        "layout": face.layout,
        "layout_digest": face.layout_digest,
        "visible_fraction": face.visible_fraction,
        "software": face.software,
        "sources": [source.record() for source in face.sources],
    }
    # One text: safetensors writes several in no fixed order, and equal faces shall be equal files.
    write_bytes_atomic(path, save(arrays, metadata={_KEY: json.dumps(header)}))


def read_face_file(path: str | Path, *, layout: UVLayout | None = None) -> FaceTexture:
    """Read a face file.

    Args:
        path: the file.
        layout: UV layout that it must be made for; any if None.

    Raises:
        InputError: it is no face file, is damaged, or is made for another layout.
    """
    path = Path(path)
    content = read_bytes(path)
    try:
        header, arrays = _header(content), load(content)
        face = _from_arrays(header, arrays)
    except (SafetensorError, ValueError, KeyError, TypeError, IndexError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is no face file of uvface ({reason}); make it again") from error
    if layout is not None and face.layout_digest != layout.digest:
        raise InputError(
            f"{path} is made for the UV layout {face.layout}, not for these weights' "
            f"{layout.name}; make it again from its photos"
        )
    if layout is not None and len(face.visibility) != layout.size:
        raise InputError(
            f"{path} is {len(face.visibility)} texels wide, its UV layout {layout.name} "
            f"{layout.size}; make it again from its photos"
        )
    return face


def _header(content: bytes) -> dict[str, Any]:
    length = int.from_bytes(content[:8], "little")
    header = json.loads(json.loads(content[8 : 8 + length])["__metadata__"][_KEY])
    if header["format"] != _FORMAT:
        raise ValueError(f"its format is {header['format']!r}, not {_FORMAT!r}")
    return dict(header)


def _from_arrays(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> FaceTexture:
    texture: UInt16[np.ndarray, "texels texels 3"] = arrays["texture"]
    visible: Float[np.ndarray, "size size"] = arrays["visibility"]
    size = visible.shape[0]
    shapes = {
        "texture": (texture.shape[0], texture.shape[0], 3),
        "visibility": (size, size),
        "position_map": (size, size, 3),
        "shape": (size, size, 3),
    }
    for name, expected in shapes.items():
        if arrays[name].shape != expected:
            raise ValueError(f"{name} has the shape {arrays[name].shape}")
    if texture.dtype != np.uint16 or not 1 <= texture.shape[0] <= _LARGEST:
        raise ValueError(f"its texture is {texture.dtype}, {texture.shape[0]} texels wide")
    if not all(np.isfinite(arrays[name]).all() for name in shapes):
        raise ValueError("it has values that are not numbers")
    return FaceTexture(
        texture=texture.astype(np.float32) / _TOP,
        visibility=visible,
        position_map=arrays["position_map"],
        shape=arrays["shape"],
        visible_fraction=float(header.get("visible_fraction", visible.mean())),  # older files
        layout=header["layout"],
        layout_digest=header["layout_digest"],
        sources=tuple(TextureSource(**source) for source in header["sources"]),
        software=header["software"],
    )
