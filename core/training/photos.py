"""``uvface evaluate``: the whole path on pictures with known landmarks, as a user runs it.

Photos with AFLW2000-style labels, or the validation samples of a pool of synthetic faces.

Protocol: distance in x and y over the 68 landmarks, over sqrt(w h) of the true landmarks' box
(AFLW2000-3D as 3DDFA and PRNet report it); bins of 0-30-60-90 degrees of true |yaw|.

References:
    Zhu et al., "Face Alignment Across Large Poses: A 3D Solution", CVPR 2016, section 5.1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..detection.protocol import box_overlap
from ..errors import InputError
from ..geometry.crop import box_from_landmarks
from ..geometry.pose import angles_from_rotation
from ..io.images import read_photo
from ..reconstruct import Model
from ..types import Face
from .evaluate import FaceError, normalized_mean_error, read_truth, summarize
from .exact import ExactErrors, exact_errors, intersection_over_union
from .pool import Pool, Sample

__all__ = ["evaluate"]

_SAME_FACE = 0.3  # overlap of boxes from which a detected face is the labelled one


def evaluate(
    folders: Sequence[str | Path], *, model: Model, detect: bool = False
) -> dict[str, Any]:
    """Measure landmark errors on pictures whose landmarks are known.

    Args:
        folders: ``NAME.jpg`` with AFLW2000-style ``NAME.mat`` (a name that was seen before is
            counted once); or one pool of synthetic faces, whose validation samples are used.
        model: from `uvface.load`.
        detect: boxes from the detector; by default they come from the true landmarks.

    Returns:
        Mean, mean of bins and bins in percent, the pose's mean absolute errors in degrees, the
        number of photos, the missed ones, and the error of every photo. For a pool also the
        dense error (mean 3D distance of the texels, weighted as in the loss, percent) and how
        well hidden texels are found (intersection over union of those that face the camera with
        something before them).

    Raises:
        InputError: no pair of picture and labels, or an unreadable one.
    """
    errors, missed, exact = [], [], []
    for labelled in _labelled(folders):
        face = _reconstruct(model, labelled, detect=detect)
        if face is None:
            missed.append(labelled.name)
            continue
        errors.append(_error(labelled, face))
        if labelled.sample is not None:
            exact.append(exact_errors(face, labelled.sample, model.layout))
    found = summarize(errors)
    return {
        **found.percent(),
        **found.pose(),
        **_exact_figures(exact),
        "photos": len(errors) + len(missed),
        "counts": list(found.counts),
        "missed": missed,
        "boxes": "detected" if detect else "true landmarks",
        "faces": {error.name: round(100 * error.nme, 3) for error in errors},
    }


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Labelled:
    """A picture with what is known of its face."""

    name: str
    image: np.ndarray  # [H, W, 3]
    truth: np.ndarray  # [68, 3] pixels
    angles: np.ndarray  # [3] yaw, pitch, roll, degrees
    sample: Sample | None = None  # exact labels of a synthetic face


def _labelled(folders: Sequence[str | Path]) -> Iterator[_Labelled]:
    if len(folders) == 1 and (Path(folders[0]) / "pool.json").is_file():
        return _labelled_samples(Path(folders[0]))
    pictures = [path for folder in folders for path in sorted(Path(folder).glob("*.jpg"))]
    pairs = {path.stem: path for path in reversed(pictures) if path.with_suffix(".mat").is_file()}
    if not pairs:
        raise InputError(f"no NAME.jpg with NAME.mat in {', '.join(map(str, folders))}")
    return (_labelled_photo(path) for path in reversed(pairs.values()))


def _labelled_photo(path: Path) -> _Labelled:
    truth, angles = read_truth(path.with_suffix(".mat"))
    return _Labelled(name=path.stem, image=read_photo(path).image, truth=truth, angles=angles)


def _labelled_samples(folder: Path) -> Iterator[_Labelled]:
    pool = Pool(folder, limit=1)
    for number in pool.validation():
        sample = pool.sample(number)
        yield _Labelled(
            name=str(number),
            image=sample.image.astype(np.float32) / 255.0,
            truth=sample.landmarks,
            angles=sample.angles,
            sample=sample,
        )


def _error(labelled: _Labelled, face: Face) -> FaceError:
    return FaceError(
        name=labelled.name,
        nme=normalized_mean_error(np.asarray(face.landmarks), labelled.truth),
        angles=labelled.angles,
        found_angles=np.array(angles_from_rotation(face.camera.rotation)),
    )


def _exact_figures(exact: list[ExactErrors]) -> dict[str, float]:
    if not exact:
        return {}
    dense = 100.0 * float(np.mean([one.dense for one in exact]))
    return {"dense": round(dense, 3), "covered_iou": round(intersection_over_union(exact), 3)}


def _reconstruct(model: Model, labelled: _Labelled, *, detect: bool) -> Face | None:
    box = np.asarray(box_from_landmarks(jnp.asarray(labelled.truth)), dtype=np.float32)
    if not detect:
        return model.reconstruct(labelled.image, boxes=[box.tolist()])[0]
    faces = model.reconstruct(labelled.image)
    boxes = [np.asarray(box_from_landmarks(face.landmarks)) for face in faces]
    overlap = [float(box_overlap(box[None], other)[0]) for other in boxes]
    if not overlap or max(overlap) < _SAME_FACE:
        return None
    return faces[int(np.argmax(overlap))]
