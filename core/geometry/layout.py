"""UV layout: which point of the face each texel is.

Convention:
    u to the right, v down, both in [0, 1]; the texel of row i and column j has its centre at
    u = (j + 0.5) / S, v = (i + 0.5) / S. Texels are numbered row-major, ``i * S + j``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from functools import cache
from importlib import resources
from pathlib import Path

import jax
import numpy as np
from jax import Array
from jaxtyping import Float

from ..errors import AssetError, InputError
from ..types import Mesh
from .landmarks import read_landmarks
from .texels import texel_uv

__all__ = [
    "UVLayout",
    "layout_digest",
    "load_layout",
    "pack_layout",
    "save_layout",
    "unpack_layout",
]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class UVLayout:
    """A parameterisation of the face: everything downstream takes one, none knows which."""

    mask: Array  # [S, S], 1 where the texel lies on the face
    triangles: Array  # [M, 3] int32, texel numbers, counter-clockwise from outside
    canonical: Array  # [S, S, 3], canonical positions in cm; smoothly extended outside the mask
    landmark_uv: Array  # [68, 2], iBUG order in the convention of 300W-LP
    mirror_texel: Array  # [S * S] int32, the texel on the other side of the face
    texel_weights: Array  # [S, S], for the training loss; mean 1 over the mask
    regions: dict[str, Array]  # name -> [S, S] soft mask in [0, 1]
    name: str = dataclasses.field(metadata={"static": True})
    digest: str = dataclasses.field(metadata={"static": True})  # `layout_digest` of its arrays

    @property
    def size(self) -> int:
        """Return S, the number of texels along one side."""
        return int(self.mask.shape[0])

    def region(self, name: str) -> Float[Array, "size size"]:
        """Return the soft mask of a region; an unknown name is an `InputError`."""
        if name not in self.regions:
            known = ", ".join(sorted(self.regions))
            raise InputError(f"unknown region {name!r}; the layout {self.name} has: {known}")
        return self.regions[name]

    def mirror(self, image: Float[Array, "size size c"]) -> Float[Array, "size size c"]:
        """Return a UV image with its sides exchanged (values are not changed)."""
        flat = image.reshape(-1, image.shape[-1])
        return flat[self.mirror_texel].reshape(image.shape)

    def landmarks(self) -> Float[Array, "68 3"]:
        """Return the landmarks in the canonical frame, cm."""
        return read_landmarks(self.canonical, self.landmark_uv)

    @jax.jit
    def mesh(
        self, position_map: Float[Array, "size size 3"], texture: Float[Array, "size size 3"]
    ) -> Mesh:
        """Return the mesh whose vertices are the texels (also those outside the mask)."""
        return Mesh(
            vertices=position_map.reshape(-1, 3),
            triangles=self.triangles,
            uv=texel_uv(self.size).reshape(-1, 2),
            colors=texture.reshape(-1, 3),
        )


_ARRAYS = ("mask", "triangles", "canonical", "landmark_uv", "mirror_texel", "texel_weights")


def layout_digest(arrays: dict[str, np.ndarray]) -> str:
    """Return the SHA-256 over the names and bytes of mask, triangles and landmark UVs.

    These say which texel is which point of a face. Canonical positions, mirror map, weights and
    regions do not count: layouts that differ in them alone have one digest.
    """
    digest = hashlib.sha256()
    for name in ("mask", "triangles", "landmark_uv"):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


def pack_layout(layout: UVLayout) -> dict[str, np.ndarray]:
    """Return a layout as named arrays for a file (masks as 8 bit, positions as float32)."""
    arrays = {name: np.asarray(getattr(layout, name)) for name in _ARRAYS}
    arrays["mask"] = arrays["mask"].astype(np.uint8)
    names = sorted(layout.regions)
    stack = np.stack([np.asarray(layout.regions[name]) for name in names])
    arrays["region_masks"] = np.round(stack * 255).astype(np.uint8)
    header = json.dumps({"name": layout.name, "regions": names})
    arrays["header"] = np.frombuffer(header.encode(), np.uint8)
    return arrays


def unpack_layout(arrays: dict[str, np.ndarray]) -> UVLayout:
    """Return the layout of packed arrays; a `KeyError` or `ValueError` where they are damaged."""
    stored = arrays["header"]
    text = stored.tobytes().decode() if stored.dtype == np.uint8 else str(stored)
    header = json.loads(text)
    masks = arrays["region_masks"].astype(np.float32) / 255
    own = {name: arrays[name] for name in _ARRAYS} | {"mask": arrays["mask"].astype(np.float32)}
    # All together: `jnp.asarray` would compile a copy for every shape.
    own, regions = jax.device_put((own, dict(zip(header["regions"], masks, strict=True))))
    return UVLayout(**own, regions=regions, name=header["name"], digest=layout_digest(arrays))


def save_layout(path: Path, layout: UVLayout) -> None:
    """Write a layout as a compressed ``.npz``."""
    np.savez_compressed(path, **pack_layout(layout))  # type: ignore[arg-type]


def _read_layout(path: Path) -> UVLayout:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return unpack_layout(dict(stored))
    except (OSError, KeyError, ValueError) as error:
        raise AssetError(
            f"cannot read the UV layout {path} ({error}); rebuild or reinstall it"
        ) from error


@cache
def load_layout(name: str = "uvface", *, size: int = 256) -> UVLayout:
    """Load a layout that comes with the package.

    Args:
        name: name of the layout.
        size: texels along one side; 256 comes with the package, others are built by
            ``python -m uvface.core.synthesis.build_layout``.

    Raises:
        AssetError: the file is missing or damaged.
    """
    path = Path(str(resources.files("uvface.assets"))) / "uv" / f"{name}_{size}.npz"
    if not path.is_file():
        raise AssetError(f"no UV layout {path.name} in {path.parent}; build or reinstall it")
    return _read_layout(path)
