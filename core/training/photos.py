"""``uvface evaluate``: the whole path on photos with known landmarks, as a user runs it.

Protocol: distance in x and y over the 68 landmarks, over sqrt(w h) of the true landmarks' box
(AFLW2000-3D as 3DDFA and PRNet report it); bins of 0-30-60-90 degrees of true |yaw|.

References:
    Zhu et al., "Face Alignment Across Large Poses: A 3D Solution", CVPR 2016, section 5.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..detection.protocol import box_overlap
from ..errors import InputError
from ..geometry.crop import box_from_landmarks
from ..io.images import read_photo
from ..reconstruct import Model
from ..types import Face
from .evaluate import FaceError, normalized_mean_error, read_truth, summarize

__all__ = ["evaluate"]

_SAME_FACE = 0.3  # overlap of boxes from which a detected face is the labelled one


def evaluate(
    folders: Sequence[str | Path], *, model: Model, detect: bool = False
) -> dict[str, Any]:
    """Measure landmark errors on folders of ``NAME.jpg`` with AFLW2000-style ``NAME.mat``.

    Args:
        folders: pictures and labels; a name that was seen before is counted once.
        model: from `uvface.load`.
        detect: boxes from the detector; by default they come from the true landmarks.

    Returns:
        Mean, mean of bins and bins in percent, the number of photos, the missed ones, and the
        error of every photo.

    Raises:
        InputError: no pair of picture and labels, or an unreadable one.
    """
    errors, missed = [], []
    for path in _labelled(folders):
        truth, yaw = read_truth(path.with_suffix(".mat"))
        face = _reconstruct(model, path, truth, detect=detect)
        if face is None:
            missed.append(path.stem)
            continue
        predicted = np.asarray(face.landmarks)
        nme = normalized_mean_error(predicted, truth)
        errors.append(FaceError(name=path.stem, yaw=yaw, nme=nme, predicted=predicted, truth=truth))
    found = summarize(errors)
    return {
        **found.percent(),
        "photos": len(errors) + len(missed),
        "counts": list(found.counts),
        "missed": missed,
        "boxes": "detected" if detect else "true landmarks",
        "faces": {error.name: round(100 * error.nme, 3) for error in errors},
    }


def _labelled(folders: Sequence[str | Path]) -> list[Path]:
    pictures = [path for folder in folders for path in sorted(Path(folder).glob("*.jpg"))]
    pairs = {path.stem: path for path in reversed(pictures) if path.with_suffix(".mat").is_file()}
    if not pairs:
        raise InputError(f"no NAME.jpg with NAME.mat in {', '.join(map(str, folders))}")
    return list(reversed(pairs.values()))


def _reconstruct(model: Model, path: Path, truth: np.ndarray, *, detect: bool) -> Face | None:
    image = read_photo(path).image
    box = np.asarray(box_from_landmarks(jnp.asarray(truth)), dtype=np.float32)
    if not detect:
        return model.reconstruct(image, boxes=[box.tolist()])[0]
    faces = model.reconstruct(image)
    boxes = [np.asarray(box_from_landmarks(face.landmarks)) for face in faces]
    overlap = [float(box_overlap(box[None], other)[0]) for other in boxes]
    if not overlap or max(overlap) < _SAME_FACE:
        return None
    return faces[int(np.argmax(overlap))]
