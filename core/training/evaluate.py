"""Figures of an evaluation: normalised landmark errors, by yaw.

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
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ..errors import InputError

__all__ = [
    "Evaluation",
    "FaceError",
    "face_size",
    "landmark_errors",
    "read_truth",
    "summarize",
]

_POSE_LIMIT = 99.0  # degrees
_FIRST_INNER = 17  # the points before it are the jaw's
BINS = ((0.0, 30.0), (30.0, 60.0), (60.0, 181.0))


@dataclasses.dataclass(frozen=True, kw_only=True)
class FaceError:
    """Error of one face."""

    name: str
    nme: float  # over the face size
    angles: np.ndarray  # [3] true yaw, pitch, roll, degrees
    found_angles: np.ndarray  # [3]
    nme_51: float = float("nan")  # over the 51 points inside the face
    nme_3d: float = float("nan")  # 3D distance after the mean depths are made equal
    landmarks: np.ndarray | None = None  # [68, 3] as found, pixels

    @property
    def turn(self) -> np.ndarray:
        """Return the absolute differences of the angles, degrees."""
        return np.abs((self.found_angles - self.angles + 180.0) % 360.0 - 180.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Errors over a set of faces, as shares of the face size (0.03 is 3 %)."""

    mean: float  # over faces
    bins: tuple[float, ...]  # by absolute yaw; NaN where a bin is empty
    counts: tuple[int, ...]
    faces: tuple[FaceError, ...]

    @property
    def mean_of_bins(self) -> float:
        """Return the mean of the bins that hold a face."""
        return float(np.nanmean(self.bins))

    def percent(self) -> dict[str, float]:
        """Return the figures in percent, for a table or a weights header."""
        figures = {"mean": self.mean, "mean_of_bins": self.mean_of_bins}
        for name in ("nme_51", "nme_3d"):
            values = np.array([getattr(face, name) for face in self.faces])
            if np.isfinite(values).all():
                figures[name.replace("nme", "mean")] = float(values.mean())
        figures |= {
            f"yaw_{low:.0f}_{min(high, 90):.0f}": value
            for (low, high), value in zip(BINS, self.bins, strict=True)
        }
        return {name: round(100.0 * value, 3) for name, value in figures.items()}

    def pose(self) -> dict[str, float]:
        """Return the mean absolute errors of yaw, pitch and roll, degrees, and their mean.

        As in the literature, faces with a true angle beyond 99 degrees are left out.
        """
        kept = [face.turn for face in self.faces if np.abs(face.angles).max() <= _POSE_LIMIT]
        if not kept:
            return {}
        yaw, pitch, roll = (round(float(value), 2) for value in np.mean(kept, axis=0))
        mean = round(float(np.mean(kept)), 2)
        return {"pose_mae": mean, "yaw_mae": yaw, "pitch_mae": pitch, "roll_mae": roll}


def landmark_errors(
    predicted: Float[np.ndarray, "68 3"], truth: Float[np.ndarray, "68 3"]
) -> dict[str, float]:
    """Return ``nme``, ``nme_51`` and ``nme_3d``: all over sqrt(w h) of the 68 points' box."""
    size = face_size(truth)
    far = predicted - truth
    distance = np.linalg.norm(far[:, :2], axis=1)
    far = far - np.array([0.0, 0.0, far[:, 2].mean()])
    return {
        "nme": float(distance.mean() / size),
        "nme_51": float(distance[_FIRST_INNER:].mean() / size),
        "nme_3d": float(np.linalg.norm(far, axis=1).mean() / size),
    }


def face_size(truth: Float[np.ndarray, "68 d"]) -> float:
    """Return sqrt(w h) of the landmarks' box."""
    width, height = np.ptp(truth[:, :2], axis=0)
    return float(np.sqrt(width * height))


def summarize(faces: Iterable[FaceError]) -> Evaluation:
    """Return mean and yaw bins of faces."""
    faces = tuple(faces)
    if not faces:
        raise InputError("no face to evaluate")
    yaw = np.abs([face.angles[0] for face in faces])
    errors = np.array([face.nme for face in faces])
    members = [(yaw >= low) & (yaw < high) for low, high in BINS]
    return Evaluation(
        mean=float(errors.mean()),
        bins=tuple(float(errors[m].mean()) if m.any() else float("nan") for m in members),
        counts=tuple(int(m.sum()) for m in members),
        faces=faces,
    )


def read_truth(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return landmarks ``[68, 3]`` and yaw, pitch, roll in degrees of an AFLW2000 ``.mat``."""
    from scipy.io import loadmat

    try:
        stored = loadmat(path)
        landmarks = np.asarray(stored["pt3d_68"], dtype=np.float32).T
        pitch, yaw, roll = np.degrees(np.asarray(stored["Pose_Para"], np.float64).ravel()[:3])
    except Exception as error:  # a damaged file makes SciPy's parser fail in any way
        reason = f"no {error}" if isinstance(error, KeyError) else str(error) or "damaged"
        raise InputError(
            f"cannot read the labels {path} ({reason}); need pt3d_68 and Pose_Para as in AFLW2000"
        ) from error
    angles = np.array([yaw, pitch, roll])
    if landmarks.shape != (68, 3) or not np.isfinite([*landmarks.ravel(), *angles]).all():
        raise InputError(f"{path} holds pt3d_68 of shape {landmarks.T.shape}; need finite 3 x 68")
    return landmarks, angles
