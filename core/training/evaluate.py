"""Evaluation protocols: AFLW2000-style landmark error, and dense error on synthetic faces.

Convention:
    The error of a face (NME) is the mean 2D distance of its 68 landmarks over sqrt(w h) of the box
    of its true landmarks. Bins are of the absolute true yaw: [0, 30), [30, 60), [60, 90] degrees
    (beyond 90 belongs to the last). "Mean of bins" is the literature's figure for AFLW2000-3D; the
    plain mean is over faces. True landmarks are used as the files have them: as in the published
    comparisons, they are compared with pixel-centre coordinates.

References:
    X. Zhu et al., "Face Alignment Across Large Poses: A 3D Solution", 2016, section 5.2.
    Y. Feng et al., "Joint 3D Face Reconstruction and Dense Alignment with Position Map Regression
    Network", 2018, section 4.2.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..errors import InputError
from ..geometry.crop import box_from_landmarks, crop_box, extract_crop
from ..geometry.landmarks import read_landmarks
from ..geometry.layout import UVLayout
from ..geometry.spline import evaluate_control
from ..io.images import read_photo
from .feed import validation_batches
from .pool import Pool

__all__ = [
    "Evaluation",
    "FaceError",
    "Predict",
    "evaluate_folder",
    "evaluate_folders",
    "evaluate_photos",
    "evaluate_synthetic",
    "normalized_mean_error",
    "read_truth",
    "summarize",
]

Predict = Callable[[Any], Any]  # crops [B, 256, 256, 3] in [0, 1] -> position maps, crop pixels
BINS = ((0.0, 30.0), (30.0, 60.0), (60.0, 181.0))


@dataclasses.dataclass(frozen=True, kw_only=True)
class FaceError:
    """Error of one face."""

    name: str
    yaw: float  # degrees, true
    nme: float  # over the face size
    predicted: np.ndarray  # [68, 3] photo pixels
    truth: np.ndarray  # [68, 3] photo pixels


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Errors over a set of faces, as shares of the face size (0.03 is 3 %)."""

    mean: float  # over faces
    bins: tuple[float, ...]  # by absolute yaw; NaN where a bin is empty
    counts: tuple[int, ...]
    faces: tuple[FaceError, ...]
    dense: float | None = None  # mean 3D distance of the texels, weighted as in the loss

    @property
    def mean_of_bins(self) -> float:
        """Return the mean of the bins that hold a face."""
        return float(np.nanmean(self.bins))

    def percent(self) -> dict[str, float]:
        """Return the figures in percent, for a table or a weights header."""
        figures = {"mean": self.mean, "mean_of_bins": self.mean_of_bins}
        figures |= {
            f"yaw_{low:.0f}_{min(high, 90):.0f}": value
            for (low, high), value in zip(BINS, self.bins, strict=True)
        }
        if self.dense is not None:
            figures["dense"] = self.dense
        return {name: round(100.0 * value, 3) for name, value in figures.items()}


def normalized_mean_error(
    predicted: Float[np.ndarray, "68 d"], truth: Float[np.ndarray, "68 d"]
) -> float:
    """Return the mean 2D distance over sqrt(w h) of the true landmarks' box."""
    width, height = np.ptp(truth[:, :2], axis=0)
    distance = np.linalg.norm(predicted[:, :2] - truth[:, :2], axis=1)
    return float(distance.mean() / np.sqrt(width * height))


def summarize(faces: Iterable[FaceError], *, dense: float | None = None) -> Evaluation:
    """Return mean and yaw bins of faces."""
    faces = tuple(faces)
    if not faces:
        raise InputError("no face to evaluate")
    yaw = np.abs([face.yaw for face in faces])
    errors = np.array([face.nme for face in faces])
    members = [(yaw >= low) & (yaw < high) for low, high in BINS]
    return Evaluation(
        mean=float(errors.mean()),
        bins=tuple(float(errors[m].mean()) if m.any() else float("nan") for m in members),
        counts=tuple(int(m.sum()) for m in members),
        faces=faces,
        dense=dense,
    )


def read_truth(path: Path) -> tuple[np.ndarray, float]:
    """Return landmarks [68, 3] and yaw in degrees of an AFLW2000 ``.mat``."""
    from scipy.io import loadmat

    try:
        stored = loadmat(path)
        landmarks = np.asarray(stored["pt3d_68"], dtype=np.float32).T
        yaw = float(np.degrees(stored["Pose_Para"].ravel()[1]))
    except (OSError, KeyError, ValueError, NotImplementedError) as error:
        raise InputError(f"cannot read the landmarks {path} ({error})") from error
    return landmarks, yaw


def _pairs(folder: Path) -> list[Path]:
    paths = [p for p in sorted(Path(folder).glob("*.jpg")) if p.with_suffix(".mat").is_file()]
    if not paths:
        raise InputError(f"no pair NAME.jpg and NAME.mat in {folder}")
    return paths


def _face_error(
    predict: Predict, read: Predict, name: str, image: np.ndarray, truth: np.ndarray, yaw: float
) -> FaceError:
    """Crop by the true landmarks' box, predict, map back to the photo, compare."""
    photo_from_crop = crop_box(box_from_landmarks(jnp.asarray(truth)))
    crop = extract_crop(image, photo_from_crop)
    landmarks = read(predict(jnp.asarray(crop)[None])[0])
    predicted = np.asarray(photo_from_crop.apply(landmarks))
    error = normalized_mean_error(predicted, truth)
    return FaceError(name=name, yaw=yaw, nme=error, predicted=predicted, truth=truth)


def _reader(layout: UVLayout) -> Predict:
    return jax.jit(lambda position_map: read_landmarks(position_map, layout.landmark_uv))


def _labelled_face(predict: Predict, read: Predict, path: Path) -> FaceError:
    truth, yaw = read_truth(path.with_suffix(".mat"))
    return _face_error(predict, read, path.stem, read_photo(path).image, truth, yaw)


def evaluate_folder(predict: Predict, folder: Path, layout: UVLayout) -> Evaluation:
    """Measure on a folder of ``NAME.jpg`` with ``NAME.mat`` (``pt3d_68``, ``Pose_Para``).

    Args:
        predict: the network; crops are made from the true landmarks' boxes.
        folder: pictures and their labels.
        layout: UV layout of the predicted maps.
    """
    return evaluate_folders(predict, [folder], layout)


def evaluate_folders(predict: Predict, folders: Iterable[Path], layout: UVLayout) -> Evaluation:
    """Measure on several folders; a picture whose name was seen before is counted once."""
    paths: dict[str, Path] = {}
    for folder in folders:
        paths = {path.stem: path for path in _pairs(folder)} | paths
    read = _reader(layout)
    return summarize(_labelled_face(predict, read, paths[name]) for name in sorted(paths))


def evaluate_photos(predict: Predict, archive: Path, layout: UVLayout) -> Evaluation:
    """Measure on the held-out photos that ``core/synthesis/photo_skins.py`` writes.

    Args:
        predict: the network.
        archive: ``heldout.npz`` with images (uint8), landmarks68 (fitted) and names; frontal.
        layout: UV layout of the predicted maps.
    """
    try:
        with np.load(archive, allow_pickle=False) as stored:
            names, images, points = (stored[k] for k in ("names", "images", "landmarks68"))
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"cannot read the photos {archive} ({error})") from error
    read = _reader(layout)
    return summarize(
        _face_error(predict, read, str(name), image.astype(np.float32) / 255.0, truth, 0.0)
        for name, image, truth in zip(names, images, points.astype(np.float32), strict=True)
    )


def evaluate_synthetic(
    predict: Predict, pool: Pool, layout: UVLayout, *, indices: range, batch: int = 16
) -> Evaluation:
    """Measure on pool samples: landmarks, and every texel against the exact map."""
    weights = jnp.asarray(layout.texel_weights) * layout.mask
    weights = weights / weights.sum()

    @jax.jit
    def measure(maps: Any, control: Any) -> tuple[Any, Any]:
        truth = jax.vmap(lambda c: evaluate_control(c, layout.size))(control)
        far = jnp.linalg.norm(maps - truth, axis=-1)
        points = jax.vmap(lambda m: read_landmarks(m, layout.landmark_uv))(maps)
        return points, jnp.sum(far * weights, axis=(1, 2))

    faces, dense = [], []
    start = indices.start
    for some in validation_batches(pool, indices, batch):
        maps = predict(jnp.asarray(some.images, dtype=jnp.float32) / 255.0)
        points, far = (np.asarray(a) for a in measure(maps, jnp.asarray(some.control)))
        for i, truth in enumerate(some.landmarks):
            faces.append(
                FaceError(
                    name=str(start + i),
                    yaw=float(pool.sample(start + i).angles[0]),
                    nme=normalized_mean_error(points[i], truth),
                    predicted=points[i],
                    truth=truth,
                )
            )
            dense.append(far[i] / float(np.sqrt(np.prod(np.ptp(truth[:, :2], axis=0)))))
        start += len(some.landmarks)
    return summarize(faces, dense=float(np.mean(dense)))
