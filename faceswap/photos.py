"""Swapping faces of photos: who is found, who is put on whom, and what is returned."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..core.blending.composite import BlendConfig, BlendMethod
from ..core.errors import InputError
from ..core.geometry.layout import UVLayout
from ..core.geometry.pose import angles_from_rotation
from ..core.io.face_files import FaceTexture
from ..core.io.images import Photo
from ..core.reconstruct import FaceChoice, Model
from ..core.types import Face
from ..editing.finder import FaceFinder, FoundReference, Selection, pick_faces
from ..editing.plan import ColorMatch
from ..editing.result import Boxes, EditResult, PhotoLike, open_photo
from .swap import SwapConfig, swap_reference

__all__ = ["FaceSwap", "References", "SwapRequest", "SwapResult", "swap", "swap_photo"]

References = PhotoLike | Sequence[PhotoLike]
_TURNED = 50.0  # degrees between the faces from which on much is guessed


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class FaceSwap:
    """One face of the target, and what was put on it."""

    face: Face
    found: FoundReference


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class SwapResult(EditResult):
    """A photo with swapped faces.

    Attributes:
        swaps: what was put on which face, in the order of ``faces``.
        config: how.
        layout: UV layout of the faces.
    """

    swaps: tuple[FaceSwap, ...]
    config: SwapConfig
    layout: UVLayout


@dataclasses.dataclass(frozen=True, kw_only=True)
class SwapRequest:
    """Who gets which face.

    Attributes:
        references: what the face comes from: a photo, or several of one person.
        target: which faces are changed.
        reference: which face of the reference is taken.
        mapping: face of the target -> its references, in place of ``references``.
    """

    references: tuple[PhotoLike, ...] = ()
    target: Selection = dataclasses.field(default_factory=Selection)
    reference: Selection = dataclasses.field(default_factory=Selection)
    mapping: Mapping[FaceChoice, tuple[PhotoLike, ...]] = dataclasses.field(default_factory=dict)


def swap(
    target: PhotoLike,
    reference: References | None = None,
    *,
    model: Model,
    keep: Sequence[str] = SwapConfig.keep,
    color: ColorMatch = SwapConfig.color,
    blend: BlendMethod = "poisson",
    strength: float = 1.0,
    faces: FaceChoice = "largest",
    like: PhotoLike | None = None,
    reference_face: FaceChoice = "largest",
    reference_like: PhotoLike | None = None,
    mapping: Mapping[FaceChoice, References] | None = None,
    recognition: str | Path | None = None,
    boxes: Boxes | None = None,
) -> SwapResult:
    """Put the face of ``reference`` into ``target``.

    Args:
        target: file, or RGB in [0, 1]; it is changed.
        reference: file or array that the face comes from; several photos of one person, which
            are fused; or a face file. Not with ``mapping``.
        model: from `uvface.load`.
        keep: regions where the target's own pixels stay.
        color: ``light``, ``match`` or ``none``.
        blend: ``poisson``, ``feather`` or ``none``.
        strength: 0 keeps the target, 1 is the full swap.
        faces: which faces of the target are changed.
        like: a photo of the person in the target whose face is changed, in place of ``faces``.
        reference_face: which face of the reference is taken.
        reference_like: a photo of the person whose face is taken, in place of
            ``reference_face``.
        mapping: face of the target, by its number from the left or a word -> reference.
        recognition: network that likeness is measured by, an ``.onnx`` file.
        boxes: stem of a file's name -> boxes around the landmarks, in place of detection.

    Raises:
        InputError: unusable file or option.
        NoFaceError: a photo shows no face.
        AssetError: likeness is asked for and no recognition network is there.
    """
    config = SwapConfig(
        keep=tuple(keep), color=color, blend=BlendConfig(method=blend), strength=strength
    )
    request = SwapRequest(
        references=() if reference is None else _several(reference),
        target=Selection(faces=faces, like=like),
        reference=Selection(faces=reference_face, like=reference_like),
        mapping={face: _several(given) for face, given in (mapping or {}).items()},
    )
    finder = FaceFinder(model, boxes=boxes, recognition=recognition)
    return swap_photo(open_photo(target), request, finder, config=config)


def _several(references: References) -> tuple[PhotoLike, ...]:
    if isinstance(references, str | Path | Photo | np.ndarray):
        return (references,)
    return tuple(references)


def swap_photo(
    photo: Photo, request: SwapRequest, finder: FaceFinder, *, config: SwapConfig
) -> SwapResult:
    """Swap faces of one photo; `swap` with what a batch shares already made.

    Args:
        photo: the target.
        request: who gets which face.
        finder: finds the faces.
        config: how they are put in.

    Raises:
        InputError, NoFaceError, AssetError: as `swap`.
    """
    if bool(request.references) == bool(request.mapping):
        given = "both" if request.references else "neither"
        raise InputError(f"{given} a reference and a map of faces; give one of the two")
    swaps, warnings = (_mapped if request.mapping else _selected)(photo, request, finder)
    image, layout = photo.image, finder.model.layout
    for one in swaps:
        image = swap_reference(image, one.face, one.found.reference, layout, config=config)
    return SwapResult(
        image=image,
        faces=[one.face for one in swaps],
        photo=photo,
        operation="swap",
        settings=_settings(request, config),
        warnings=tuple(dict.fromkeys(photo.warnings + warnings)),
        swaps=tuple(swaps),
        config=config,
        layout=layout,
    )


def _selected(
    photo: Photo, request: SwapRequest, finder: FaceFinder
) -> tuple[list[FaceSwap], tuple[str, ...]]:
    faces, warnings = finder.faces(photo, request.target, name="target")
    found = finder.reference(request.references, request.reference)
    swaps = [FaceSwap(face=face, found=found) for face in faces]
    return swaps, warnings + found.warnings + _pose_warnings(swaps)


def _mapped(
    photo: Photo, request: SwapRequest, finder: FaceFinder
) -> tuple[list[FaceSwap], tuple[str, ...]]:
    faces, _ = finder.faces(photo, Selection(faces="all"), name="target")
    chosen = pick_faces(faces, list(request.mapping), (photo.height, photo.width))
    swaps = [
        FaceSwap(face=face, found=finder.reference(references, request.reference))
        for face, references in zip(chosen, request.mapping.values(), strict=True)
    ]
    warnings = tuple(line for one in swaps for line in one.found.warnings)
    return swaps, warnings + _pose_warnings(swaps)


def _settings(request: SwapRequest, config: SwapConfig) -> dict[str, Any]:
    """Return the options as JSON can hold them."""
    options: dict[str, Any] = {"reference": _named(request.references)}
    if request.mapping:
        options = {"map": {str(f): _named(given) for f, given in request.mapping.items()}}
    for name, selection in (("faces", request.target), ("reference_face", request.reference)):
        options[name] = selection.faces
        if selection.like is not None:
            options[f"{name}_like"] = _named((selection.like,))
    return options | {
        "keep": list(config.keep),
        "color": config.color,
        "blend": config.blend.method,
        "strength": config.strength,
    }


def _named(photos: Sequence[PhotoLike]) -> str | list[str]:
    paths = [photo.path if isinstance(photo, Photo) else photo for photo in photos]
    names = [str(path) if isinstance(path, str | Path) else "" for path in paths]
    return names[0] if len(names) == 1 else names


def _pose_warnings(swaps: Sequence[FaceSwap]) -> tuple[str, ...]:
    """Say where much of the swapped face cannot have been seen."""
    lines = []
    for one in swaps:
        if isinstance(one.found.reference, FaceTexture):
            continue
        yaw = float(angles_from_rotation(one.found.reference[1].camera.rotation)[0])
        own = float(angles_from_rotation(one.face.camera.rotation)[0])
        if abs(own - yaw) > _TURNED:
            turned = f"the faces are turned {own:.0f} and {yaw:.0f} degrees"
            lines.append(f"{turned}; what one photo hides is mirrored or left as it was")
    return tuple(lines)
