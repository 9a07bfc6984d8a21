"""Fit the conversion from five points to the landmark box, on rendered faces.

Run as ``python -m uvface.core.detection.fit_landmark_box POOL... -o FILE``, where each POOL is a
folder of shards made by the synthesis: images with exact landmarks in all poses.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float

from ..errors import InputError
from .centerface import CenterFace
from .five_points import face_frame
from .landmark_box import harmonics, point_features
from .protocol import Detector

__all__ = ["Sample", "collect_samples", "fit_coefficients"]

_DIRECTIONS = 24  # directions in which the reach is compared
_RIDGE = 1e-3  # keeps coefficients small where features depend on each other
_MIRRORED = [1, 0, 2, 4, 3]  # the five points after a reflection


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """What a detector saw of a face, and where its landmarks are."""

    points: np.ndarray  # [5, 2]
    landmarks: np.ndarray  # [68, 2]


def collect_samples(
    shard: Path, detector: Detector, *, rng: np.random.Generator, roll: float = 15.0
) -> Iterator[Sample]:
    """Yield the detected faces of a shard, each image turned by a random angle.

    Args:
        shard: ``.npz`` with JPEG images and their landmarks.
        detector: what is asked for the points.
        rng: source of the angles.
        roll: standard deviation of the angles, degrees.
    """
    stored = np.load(shard)
    jpeg, offset = stored["jpeg"], stored["offset"]
    for index, landmarks in enumerate(stored["landmarks"]):
        coded = jpeg[offset[index] : offset[index + 1]]
        image = cv2.imdecode(coded, cv2.IMREAD_COLOR_RGB)
        if image is None:
            raise InputError(f"{shard} holds an image that is no JPEG; make the pool again")
        turned, matrix = _turn(image, float(rng.normal(0, roll)))
        truth = (landmarks[:, :2] @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
        for face in detector.detect(turned):
            if _is_same(face.points, truth):
                yield Sample(points=face.points, landmarks=truth)


def _turn(image: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    return cv2.warpAffine(image, matrix, (width, height)), matrix


def _is_same(points: Float[np.ndarray, "5 2"], landmarks: Float[np.ndarray, "68 2"]) -> bool:
    size = np.ptp(landmarks, axis=0).mean()
    inner = landmarks[17:].mean(axis=0)
    return bool(np.linalg.norm(points.mean(axis=0) - inner) < 0.35 * size)


def _mirror(sample: Sample) -> Sample:
    flip = np.array([-1, 1], dtype=np.float32)
    return Sample(points=(sample.points * flip)[_MIRRORED], landmarks=sample.landmarks * flip)


def fit_coefficients(samples: list[Sample]) -> Float[np.ndarray, "features harmonics"]:
    """Return the coefficients that predict the reach of the landmarks best (least squares).

    Every sample counts with its mirror image, so that the two sides are treated alike.
    """
    both = samples + [_mirror(sample) for sample in samples]
    angles = np.linspace(0, 2 * np.pi, _DIRECTIONS, endpoint=False)
    directions = np.stack([np.cos(angles), np.sin(angles)])
    features = np.stack([point_features(sample.points) for sample in both]).astype(np.float64)
    reach = np.stack(
        [(face_frame(s.points).from_photo(s.landmarks) @ directions).max(axis=0) for s in both]
    )
    basis = harmonics(angles)
    waves = reach @ np.linalg.pinv(basis).T  # [n, harmonics]: the basis is orthogonal
    normal = features.T @ features / len(both) + _RIDGE * np.eye(features.shape[1])
    return np.linalg.solve(normal, features.T @ waves / len(both))


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pools", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("-n", "--count", type=int, default=3000)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    shards = [shard for pool in options.pools for shard in sorted(pool.glob("shard_*.npz"))]
    samples: list[Sample] = []
    for shard in shards:
        samples += collect_samples(shard, CenterFace(), rng=rng)
        if len(samples) >= options.count:
            break
    rows = np.array2string(fit_coefficients(samples), precision=4, separator=", ", threshold=10**4)
    options.output.write_text(rows + "\n", encoding="utf-8")


if __name__ == "__main__":
    _main()
