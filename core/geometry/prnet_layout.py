"""PRNet's own UV layout, read from its checkout: for those who own its released weights.

Nothing of it comes with this package. PRNet's position maps have our shape, ``[256, 256, 3]``, and
its texels are ours. What it does not say (units, regions) is taken over from the layout `uvface`:
its canonical face is scaled onto ours by the landmarks, and each texel takes the regions of the
nearest point there.

References:
    Y. Feng et al., "Joint 3D Face Reconstruction and Dense Alignment with Position Map Regression
    Network", 2018; the released code's ``Data/uv-data`` and ``utils/write.py``.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import cv2
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

from ..errors import AssetError
from .landmarks import read_landmarks
from .layout import UVLayout, layout_digest, load_layout

__all__ = ["grid_triangles", "read_prnet_layout"]

_SIZE = 256
_WEIGHT = 16.0  # grey levels of the weight mask per unit of weight


def grid_triangles(mask: np.ndarray) -> Int[np.ndarray, "m 3"]:
    """Return the triangles of a mask's grid as numbers of masked texels, in PRNet's order.

    Each square of four texels has a triangle above and one below its rising diagonal, where their
    corners are in the mask. As in the released list, the very first is left out.
    """
    number = np.where(mask.ravel(), np.cumsum(mask.ravel()) - 1, -1).reshape(mask.shape)
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]
    both = np.stack([np.stack([a, b, c], -1), np.stack([b, d, c], -1)], axis=2).reshape(-1, 3)
    return both[(both >= 0).all(axis=1)][1:].astype(np.int32)


def _data_folder(folder: Path) -> Path:
    for candidate in (folder / "Data" / "uv-data", folder):
        if (candidate / "face_ind.txt").is_file():
            return candidate
    raise AssetError(
        f"no Data/uv-data/face_ind.txt in {folder}; give the folder of PRNet's checkout"
    )


def _read(folder: Path, name: str) -> np.ndarray:
    path = folder / name
    try:
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # of an empty file
            found = np.load(path) if path.suffix == ".npy" else np.loadtxt(path)
        return np.asarray(found, np.float64)
    except (OSError, EOFError, TypeError, ValueError) as error:
        raise AssetError(f"cannot read {path} ({error}); get PRNet's checkout again") from error


def _read_numbers(
    folder: Path, name: str, *, shape: tuple[int | None, ...], below: int
) -> np.ndarray:
    """Return the whole numbers of a file, each in [0, ``below``).

    Args:
        folder: where the file is.
        name: of the file.
        shape: of the numbers; None stands for any length.
        below: what they do not reach.
    """
    found = _read(folder, name)
    has_shape = found.ndim == len(shape) and all(
        wanted in (None, length) for wanted, length in zip(shape, found.shape, strict=True)
    )
    if not has_shape or not ((found >= 0) & (found < below) & (found % 1 == 0)).all():
        wanted = " x ".join("n" if length is None else str(length) for length in shape)
        raise AssetError(
            f"{folder / name} is damaged: {wanted} numbers from 0 to {below - 1} are needed; "
            "get PRNet's checkout again"
        )
    return found.astype(np.int32)


def _weights(folder: Path, mask: np.ndarray) -> np.ndarray:
    """Return PRNet's loss weights, mean 1 over the mask; even ones where its picture is missing."""
    path = folder / "uv_weight_mask.png"
    if path.is_file():
        found = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    else:  # OpenCV would warn of it
        found = np.full(mask.shape, _WEIGHT)
    if found is None or found.shape != mask.shape or not found[mask].any():
        raise AssetError(f"{path} holds no weights of the face; get PRNet's checkout again")
    weights = np.float32(found) / _WEIGHT * mask
    return weights / weights[mask].mean()


def _scaled(canonical: np.ndarray, points: np.ndarray, ours: UVLayout) -> np.ndarray:
    """Scale and shift canonical positions so that their landmarks lie on ours, in cm."""
    goal = np.asarray(read_landmarks(ours.canonical, ours.landmark_uv))
    centre, goal_centre = points.mean(axis=0), goal.mean(axis=0)
    scale = ((points - centre) * (goal - goal_centre)).sum() / ((points - centre) ** 2).sum()
    return (canonical - centre) * scale + goal_centre


def _extended(values: Float[np.ndarray, "n 3"], mask: np.ndarray) -> np.ndarray:
    """Return a map whose texels outside the mask take the value of the nearest one inside."""
    inside = np.argwhere(mask)
    nearest = cKDTree(inside).query(np.argwhere(np.ones_like(mask)))[1]
    return values[nearest].reshape(*mask.shape, 3).astype(np.float32)


def _regions(canonical: np.ndarray, mask: np.ndarray, ours: UVLayout) -> dict[str, np.ndarray]:
    is_face = np.asarray(ours.mask) > 0.5
    tree = cKDTree(np.asarray(ours.canonical)[is_face])
    nearest = tree.query(canonical.reshape(-1, 3))[1]
    return {
        name: np.asarray(region)[is_face][nearest].reshape(mask.shape) * mask
        for name, region in ours.regions.items()
    }


def read_prnet_layout(folder: str | Path) -> UVLayout:
    """Return the layout `prnet`.

    Args:
        folder: PRNet's checkout, or its ``Data/uv-data``: ``face_ind.txt``, ``uv_kpt_ind.txt`` and
            ``canonical_vertices.npy``; the weight mask and ``triangles.txt`` may be missing.

    Raises:
        AssetError: a file is missing or damaged.
    """
    data = _data_folder(Path(folder))
    indices = _read_numbers(data, "face_ind.txt", shape=(None,), below=_SIZE * _SIZE)
    columns, rows = _read_numbers(data, "uv_kpt_ind.txt", shape=(2, 68), below=_SIZE)
    vertices = _read(data, "canonical_vertices.npy")
    mask = np.isin(np.arange(_SIZE * _SIZE), indices).reshape(_SIZE, _SIZE)
    is_ordered = (np.diff(indices) > 0).all()  # of the mask's texels, row by row
    if vertices.shape != (len(indices), 3) or not (is_ordered and mask[rows, columns].all()):
        raise AssetError(f"the files in {data} do not fit together; get PRNet's checkout again")
    if not np.isfinite(vertices).all():
        raise AssetError(f"{data / 'canonical_vertices.npy'} holds places that are no numbers")
    has_list = (data / "triangles.txt").is_file()
    triangles = (
        _read_numbers(data, "triangles.txt", shape=(None, 3), below=len(indices))
        if has_list
        else grid_triangles(mask)
    )
    ours = load_layout()
    number = np.cumsum(mask.ravel()).reshape(mask.shape) - 1
    canonical = _scaled(vertices, vertices[number[rows, columns]], ours)
    full = _extended(canonical, mask)
    mirror = np.arange(_SIZE * _SIZE, dtype=np.int32).reshape(_SIZE, _SIZE)[:, ::-1].ravel()
    arrays = {
        "mask": mask.astype(np.uint8),
        "triangles": indices[triangles][:, [0, 2, 1]],  # ours are the other way round
        "landmark_uv": ((np.stack([columns, rows], axis=-1) + 0.5) / _SIZE).astype(np.float32),
    }
    return UVLayout(
        mask=jnp.asarray(mask, jnp.float32),
        triangles=jnp.asarray(arrays["triangles"], jnp.int32),
        canonical=jnp.asarray(full),
        landmark_uv=jnp.asarray(arrays["landmark_uv"]),
        mirror_texel=jnp.asarray(mirror),
        texel_weights=jnp.asarray(_weights(data, mask), jnp.float32),
        regions={n: jnp.asarray(r, jnp.float32) for n, r in _regions(full, mask, ours).items()},
        name="prnet",
        digest=layout_digest(arrays),
    )
