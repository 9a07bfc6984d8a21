"""What a swap knows and what it guesses, in numbers, and what to warn of."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float
from skimage.color import rgb2lab

from ..core.geometry.layout import UVLayout
from ..core.geometry.pose import angles_from_rotation
from ..core.io.face_files import FaceTexture
from ..core.types import Face
from ..editing.source import Reference
from .shares import SkinShares, Stages, count_shares

__all__ = ["FaceNumbers", "diagnose", "seam_steps", "warn_of"]

_GUESSED = 0.25  # share of the skin from which on a warning is due
_LEFT = 0.25  # of the skin, or of a feature
_COVERED = 0.3
_SWAPPED = 0.1  # share of the skin from which on it tells of the swap; a rim does not
_TURNED = 30.0  # degrees between both faces from which on they tell why skin is not seen
_SMALL = 0.5  # size of the reference's face over the target's
_SEAM = (1.3, 1.0)  # times the target's own step, and Lab units above it
_RING = 2  # pixels on each side of the mask's edge


@dataclasses.dataclass(frozen=True, kw_only=True)
class FaceNumbers:
    """One swapped face in numbers; sizes in pixels, angles in degrees, steps in CIE Lab units.

    The reference's size and yaw are None for a texture, which has neither; the shares are None
    where the face was not put in by our own pipeline.
    """

    box: tuple[float, ...]
    size: float
    yaw: float
    reference_size: float | None
    reference_yaw: float | None
    shares: SkinShares | None
    features_left: Mapping[str, float]  # share of eyes, brows, lips that unasked stays the target's
    seam_step: float  # mean step from pixel to pixel along the mask's edge
    own_step: float  # the same in the target before

    def record(self) -> dict[str, Any]:
        """Return the numbers as a JSON object."""
        numbers = dataclasses.asdict(self)
        shares, features = numbers.pop("shares"), numbers.pop("features_left")
        rounded = {
            name: round(value, 2) if isinstance(value, float) else value
            for name, value in numbers.items()
        }
        rounded["box"] = [round(value, 2) for value in self.box]
        if shares is not None:
            rounded["skin"] = {name: round(value, 4) for name, value in shares.items()}
            rounded["features_left"] = {name: round(v, 4) for name, v in features.items()}
        return rounded


def diagnose(
    before: Float[np.ndarray, "height width 3"],
    after: Float[np.ndarray, "height width 3"],
    face: Face,
    reference: Reference,
    stages: Stages | None,
    layout: UVLayout,
) -> FaceNumbers:
    """Return one swapped face in numbers.

    Args:
        before: the target photo.
        after: the swapped one.
        face: the target's face.
        reference: what was put on it.
        stages: from `plan_stages`; None where our own pipeline did not decide.
        layout: UV layout.
    """
    other = None if isinstance(reference, FaceTexture) else reference[1]
    seam, own = seam_steps(*_cut_face(before, after, face))
    shares, left = (None, {}) if stages is None else count_shares(stages, layout)
    return FaceNumbers(
        box=tuple(float(value) for value in face.box),
        size=_size(face),
        yaw=_yaw(face),
        reference_size=None if other is None else _size(other),
        reference_yaw=None if other is None else _yaw(other),
        shares=shares,
        features_left=left,
        seam_step=seam,
        own_step=own,
    )


def _size(face: Face) -> float:
    box = np.asarray(face.box, float)
    return float((box[2] - box[0] + box[3] - box[1]) / 2)


def _yaw(face: Face) -> float:
    return float(angles_from_rotation(face.camera.rotation)[0])


def _cut_face(
    before: Float[np.ndarray, "height width 3"],
    after: Float[np.ndarray, "height width 3"],
    face: Face,
) -> tuple[Float[np.ndarray, "rows columns 3"], Float[np.ndarray, "rows columns 3"]]:
    """Cut the face's surroundings out of both pictures."""
    points = np.asarray(face.position_map)[..., :2].reshape(-1, 2)
    limits = np.array([before.shape[1], before.shape[0]])
    low = np.clip(np.floor(points.min(axis=0)) - 4, 0, limits).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)) + 5, 0, limits).astype(int)
    part = (slice(low[1], high[1]), slice(low[0], high[0]))
    return before[part], after[part]


def seam_steps(
    before: Float[np.ndarray, "height width 3"], after: Float[np.ndarray, "height width 3"]
) -> tuple[float, float]:
    """Return the mean step between neighbouring pixels along the edge of what was changed.

    Args:
        before: the target photo.
        after: the same with a swapped face.

    Returns:
        The step afterwards and before, in units of CIE Lab; zeros where nothing was changed.
    """
    ring = _edge((before != after).any(axis=-1))
    if not ring.any():
        return 0.0, 0.0
    return _mean_step(after, ring), _mean_step(before, ring)


def _edge(changed: Bool[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """Return the pixels near the border between changed and unchanged ones."""
    if not changed.size:
        return changed
    beside = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    near, far = (
        cv2.dilate(side.astype(np.uint8), beside, iterations=_RING) > 0
        for side in (changed, ~changed)
    )
    return np.asarray(near & far)


def _mean_step(
    image: Float[np.ndarray, "height width 3"], ring: Bool[np.ndarray, "height width"]
) -> float:
    lab = rgb2lab(np.clip(image, 0.0, 1.0))
    across = np.linalg.norm(np.diff(lab, axis=1), axis=-1)[ring[:, 1:] & ring[:, :-1]]
    down = np.linalg.norm(np.diff(lab, axis=0), axis=-1)[ring[1:] & ring[:-1]]
    steps = np.concatenate([across, down])
    return float(steps.mean()) if steps.size else 0.0


def warn_of(numbers: FaceNumbers) -> tuple[str, ...]:
    """Return what somebody who looks at the picture should know, one line each."""
    lines = [] if numbers.shares is None else _warn_of_shares(numbers, numbers.shares)
    if numbers.reference_size is not None and numbers.reference_size < _SMALL * numbers.size:
        sizes = f"{numbers.reference_size:.0f} pixels, the target's {numbers.size:.0f}"
        lines.append(f"the reference's face measures {sizes}: the result is soft")
    times, more = _SEAM
    if numbers.seam_step > max(times * numbers.own_step, numbers.own_step + more):
        steps = f"Lab step {numbers.seam_step:.1f}, before {numbers.own_step:.1f}"
        lines.append(f"a seam may show along the mask's edge ({steps})")
    return tuple(lines)


def _warn_of_shares(numbers: FaceNumbers, shares: SkinShares) -> list[str]:
    lines, why, guessed = [], _why_unseen(numbers), shares.mirrored + shares.filled
    left = {"skin": shares.left} | dict(numbers.features_left)
    if 1.0 - shares.covered - shares.kept < _SWAPPED:
        guessed = left["skin"] = 0.0
    if guessed >= _GUESSED:
        lines.append(f"{why}: {100 * guessed:.0f} % of the skin is guessed")
    parts = [f"{100 * part:.0f} % of the {name}" for name, part in left.items() if part >= _LEFT]
    if parts:
        verb = "is" if len(parts) == 1 and parts[0].endswith("skin") else "are"
        lines.append(f"{why}: {_listed(parts)} {verb} left to the target")
    if shares.covered >= _COVERED:
        lines.append(
            f"{100 * shares.covered:.0f} % of the target's face is covered or turned away and stays"
        )
    return lines


def _why_unseen(numbers: FaceNumbers) -> str:
    """Return why not all of the reference's face can be put on the target's."""
    yaw, other = numbers.yaw, numbers.reference_yaw
    if other is None or abs(other - yaw) < _TURNED:
        return "not all of the reference's face is seen"
    return f"reference turned {round(other)} degrees, target {round(yaw)}"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(", ".join(words).rsplit(", ", 1))
