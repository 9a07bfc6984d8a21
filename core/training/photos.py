"""``uvface evaluate``: the whole path on pictures with known landmarks, as a user runs it.

Photos with AFLW2000-style labels, or samples of a pool of synthetic faces.

Protocol: distance in x and y over the 68 landmarks, over sqrt(w h) of the true landmarks' box
(AFLW2000-3D as 3DDFA and PRNet report it); bins of 0-30-60-90 degrees of true |yaw|.

References:
    Zhu et al., "Face Alignment Across Large Poses: A 3D Solution", CVPR 2016, section 5.1.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..arguments import path_list
from ..detection.protocol import box_overlap
from ..errors import InputError
from ..geometry.crop import box_from_landmarks
from ..geometry.pose import angles_from_rotation
from ..reconstruct import Model, as_model
from ..types import Face
from ..whole_files import make_folder, no_empty_folder, write_bytes_atomic
from .evaluate import FaceError, landmark_errors, summarize
from .exact import ExactErrors, exact_errors
from .groups import group_figures
from .labelled import Labelled, PhotoSource, PoolSource, Source, is_pool
from .report import check_plotting, draw_worst, plot_cumulative, write_rows

__all__ = ["PROTOCOLS", "evaluate"]

PROTOCOLS = ("aflw2000", "synthetic")
_SAME_FACE = 0.3  # overlap of boxes from which a detected face is the labelled one

Track = Callable[[Iterable[int]], Iterable[int]]


def evaluate(
    folders: str | Path | Sequence[str | Path],
    *,
    model: Model | None = None,
    detect: bool = False,
    protocol: str | None = None,
    whole: bool = False,
    output: str | Path | None = None,
    track: Track = iter,
) -> dict[str, Any]:
    """Measure landmark errors on pictures whose landmarks are known.

    Args:
        folders: one or several, of ``NAME.jpg`` with AFLW2000-style ``NAME.mat`` (a name that was
            seen before is counted once); or one pool of synthetic faces, whose validation samples
            are used.
        model: from `uvface.load`; by default the embedded weights, which each call loads.
        detect: boxes from the detector; by default they come from the true landmarks.
        protocol: ``"aflw2000"`` or ``"synthetic"``: what the folders must hold; by default what
            they do hold.
        whole: of a pool, measure every sample (of a pool that nothing was trained on).
        output: folder for ``errors.csv``, ``cumulative.png``, ``worst.png`` and
            ``summary.json``; None writes nothing.
        track: passes the numbers of the pictures on, such as through a progress bar.

    Returns:
        Mean, mean of bins and bins in percent, also over 51 points and in 3D, the pose's mean
        absolute errors in degrees, the number of photos measured, the missed ones, why others
        failed (by name), and the error of every photo. For a pool also the tables of
        `group_figures`. None for a bin that is empty, which the mean of bins leaves out.

    Raises:
        InputError: no pair of picture and labels, or none that can be read; ``whole`` of photos; a
            pool whose labels are those of another UV layout than the model's.
    """
    source = _open(path_list(folders, "folders of pictures and labels"), protocol, whole)
    model = as_model(model)
    if isinstance(source, PoolSource):
        source.check_layout(model.layout)
    if output is None:
        return _measure(source, model, detect=detect, output=None, track=track)
    check_plotting()
    with no_empty_folder(Path(output)):
        make_folder(Path(output))
        return _measure(source, model, detect=detect, output=Path(output), track=track)


def _measure(
    source: Source, model: Model, *, detect: bool, output: Path | None, track: Track
) -> dict[str, Any]:
    errors, missed, exact, numbers = [], [], [], []
    failed: dict[str, str] = {}
    for number in track(range(len(source))):
        try:
            labelled = source[number]
            face = _reconstruct(model, labelled, detect=detect)
        except InputError as error:
            failed[source.name(number)] = str(error)
            continue
        if face is None:
            missed.append(labelled.name)
            continue
        numbers.append(number)
        errors.append(_error(labelled, face))
        if labelled.sample is not None:
            exact.append(exact_errors(face, labelled.sample, model.layout))
    if not errors and not missed:
        raise InputError("; ".join(f"{name}: {reason}" for name, reason in failed.items()))
    if not errors:
        raise InputError(f"the detector found none of {len(missed)} faces; leave --detect out")
    figures = _figures(errors, exact, missed, detect) | {"failed": failed}
    if output is not None:
        _write(output, figures, errors, exact, source, numbers)
    return figures


def _open(folders: Sequence[str | Path], protocol: str | None, whole: bool) -> Source:
    if protocol not in (None, *PROTOCOLS):
        raise InputError(f"unknown protocol {protocol!r}; choose {' or '.join(PROTOCOLS)}")
    if not folders:
        raise InputError("no folder to evaluate; give one with pictures and labels, or a pool")
    if protocol is None:
        is_synthetic = len(folders) == 1 and is_pool(folders[0])
    else:
        is_synthetic = protocol == "synthetic"
    if not is_synthetic and whole:
        raise InputError("whole is for one pool; of photos all are measured, leave it out")
    if not is_synthetic:
        return PhotoSource(folders)
    if len(folders) != 1:
        raise InputError(f"got {len(folders)} pools; evaluate one at a time")
    return PoolSource(folders[0], whole=whole)


def _figures(
    errors: list[FaceError], exact: list[ExactErrors], missed: list[str], detect: bool
) -> dict[str, Any]:
    found = summarize(errors)
    figures = {
        **found.percent(),
        **found.pose(),
        **(group_figures(errors, exact) if exact else {}),
        "photos": len(errors) + len(missed),
        "counts": list(found.counts),
        "missed": missed,
        "boxes": "detected" if detect else "true landmarks",
        "faces": {error.name: round(100 * error.nme, 3) for error in errors},
    }
    return dict(_without_nan(figures))


def _without_nan(value: Any) -> Any:
    """Return figures with None for NaN (nothing was there to measure), which JSON cannot hold."""
    if isinstance(value, dict):
        return {name: _without_nan(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _write(
    output: Path,
    figures: dict[str, Any],
    errors: list[FaceError],
    exact: list[ExactErrors],
    source: Source,
    numbers: list[int],
) -> None:
    summary = {name: value for name, value in figures.items() if name != "faces"}
    write_rows(output / "errors.csv", errors, exact)
    plot_cumulative(output / "cumulative.png", errors, missed=len(figures["missed"]))
    draw_worst(output / "worst.png", errors, [partial(source.__getitem__, n) for n in numbers])
    text = json.dumps(summary, indent=2, allow_nan=False)
    write_bytes_atomic(output / "summary.json", text.encode())


def _error(labelled: Labelled, face: Face) -> FaceError:
    landmarks = np.asarray(face.landmarks)
    return FaceError(
        name=labelled.name,
        **landmark_errors(landmarks, labelled.truth),
        angles=labelled.angles,
        found_angles=np.array(angles_from_rotation(face.camera.rotation)),
        landmarks=landmarks,
    )


def _reconstruct(model: Model, labelled: Labelled, *, detect: bool) -> Face | None:
    box = np.asarray(box_from_landmarks(jnp.asarray(labelled.truth)), dtype=np.float32)
    if not detect:
        return model.reconstruct(labelled.image, boxes=[box.tolist()])[0]
    faces = model.reconstruct(labelled.image)
    boxes = [np.asarray(box_from_landmarks(face.landmarks)) for face in faces]
    overlap = [float(box_overlap(box[None], other)[0]) for other in boxes]
    if not overlap or max(overlap) < _SAME_FACE:
        return None
    return faces[int(np.argmax(overlap))]
