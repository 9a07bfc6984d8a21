"""Two faces that change places: ``uvface exchange``, within a photo or between two."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, get_args, overload

import cv2
import numpy as np
from jaxtyping import Bool, Float

from ..core.arguments import OnOff, plain_number
from ..core.blending.composite import BlendMethod
from ..core.errors import InputError, NoFaceError
from ..core.face_choice import FaceChoice, FaceWord
from ..core.files import InputFiles
from ..core.io.boxes import Boxes, as_boxes
from ..core.io.images import Photo
from ..core.io.photos import PhotoLike, open_photo, photo_origin, photo_path
from ..core.reconstruct import Model
from ..core.types import Face
from ..editing.complete import Completion
from ..editing.detail.finish import SharpnessMatch
from ..editing.find_faces import pick_faces
from ..editing.finder import FaceFinder, FoundReference, Selection
from ..editing.light import ColorMatch
from .photos import FaceSwap, SwapResult
from .request import SwapOptions, SwapRequest, describe, describe_options, swap_options
from .swap import RgbImage, SwapConfig, swap_reference

__all__ = ["FacePair", "check_photos", "exchange", "join_changes", "read_pair"]

FacePair = FaceChoice | str | Sequence[FaceChoice | str]

_OPERATION = "exchange"
# Power of the distance to its edge by which a pixel of both faces is one's or the other's.
_DECIDED = 2.0


@overload
def exchange(
    photo: PhotoLike,
    other: None = None,
    *,
    model: Model | None = None,
    keep: str | Sequence[str] = ...,
    color: ColorMatch = ...,
    blend: BlendMethod = ...,
    complete: Completion = ...,
    occlusion: OnOff = ...,
    sharpness: SharpnessMatch = ...,
    strength: float = ...,
    shape: float = ...,
    faces: FacePair = ...,
    boxes: Boxes | None = None,
) -> SwapResult: ...


@overload
def exchange(
    photo: PhotoLike,
    other: PhotoLike,
    *,
    model: Model | None = None,
    keep: str | Sequence[str] = ...,
    color: ColorMatch = ...,
    blend: BlendMethod = ...,
    complete: Completion = ...,
    occlusion: OnOff = ...,
    sharpness: SharpnessMatch = ...,
    strength: float = ...,
    shape: float = ...,
    faces: FacePair = ...,
    boxes: Boxes | None = None,
) -> tuple[SwapResult, SwapResult]: ...


def exchange(
    photo: PhotoLike,
    other: PhotoLike | None = None,
    *,
    model: Model | None = None,
    keep: str | Sequence[str] = SwapConfig.keep,
    color: ColorMatch = SwapConfig.color,
    blend: BlendMethod = "poisson",
    complete: Completion = SwapConfig.complete,
    occlusion: OnOff = SwapConfig.occlusion,
    sharpness: SharpnessMatch = SwapConfig.sharpness,
    strength: float = 1.0,
    shape: float = SwapConfig.shape,
    faces: FacePair = "largest",
    boxes: Boxes | None = None,
) -> SwapResult | tuple[SwapResult, SwapResult]:
    """Let two faces change places, within ``photo`` or between it and ``other``.

    Both faces are read from the photos as they were.

    Args:
        photo: file, picture or array; with ``other`` missing, it shows both faces.
        other: a second photo.
        model: from `uvface.load`; by default the embedded weights, which each call loads.
        keep: as for `uvface.swap`, and so are the next seven.
        color: as there.
        blend: as there.
        complete: as there.
        occlusion: as there.
        sharpness: as there.
        strength: as there.
        shape: as there.
        faces: of one photo, the two faces, by numbers from the left or words, as ``(0, 2)`` or
            ``"left,right"``; by default the two largest. Of two photos, the face of each: one
            choice for both, or two.
        boxes: path, file name or stem -> boxes around the landmarks, in place of detection;
            those of arrays are found under ``photo`` and ``other``.

    Returns:
        Of one photo a result, with both faces changed; of two photos a result for each, in order.

    Raises:
        InputError: unusable file or option, or the two faces are the same.
        NoFaceError: a photo shows no face, or a single one where two change places.
    """
    options = swap_options(
        keep=keep,
        color=color,
        blend=blend,
        complete=complete,
        occlusion=occlusion,
        sharpness=sharpness,
        strength=strength,
        shape=shape,
    )
    check_photos(photo, other)
    choices = read_pair(faces, is_one_photo=other is None)
    finder = FaceFinder(model, boxes=as_boxes(boxes))
    finder.require_boxes({"photo": [photo], "other": [other]})
    if other is None:
        return _within(open_photo(photo), choices, finder, options)
    return _between((open_photo(photo), open_photo(other)), choices, finder, options)


def check_photos(photo: PhotoLike, other: PhotoLike | None) -> None:
    """Raise InputError where two photos are the same file."""
    path = None if other is None else photo_path(other)
    if path is not None and path in InputFiles([photo_path(photo)]):
        raise InputError(f"{path} twice; give it once, and two faces of it change places")


def read_pair(faces: FacePair, *, is_one_photo: bool) -> tuple[FaceChoice, ...]:
    """Return a choice of two faces: a number or a word for each; one ``largest`` for the two.

    Args:
        faces: numbers and words, or a text of them, separated by commas.
        is_one_photo: the faces are of one photo, so that they cannot be the same.

    Raises:
        InputError: it is none, or the same face twice.
    """
    given = faces.split(",") if isinstance(faces, str) else faces
    choices = tuple(map(_choice, given if isinstance(given, Iterable) else [given]))
    need = "need two, as in left,right or 0,2"
    if not 1 <= len(choices) <= 2:
        raise InputError(f"faces {faces!r}; {need}")
    if is_one_photo and len(choices) == 1 and choices != ("largest",):
        raise InputError(f"faces {faces!r} of one photo; {need}, or largest for the two largest")
    if is_one_photo and len({0 if one == "left" else one for one in choices}) < len(choices):
        raise InputError(f"faces {faces!r} name one face twice; {need}")
    return choices


def _choice(given: Any) -> FaceChoice:
    face = plain_number(given.strip() if isinstance(given, str) else given)
    if isinstance(face, str) and face.isdecimal():
        return int(face)
    if isinstance(face, int) and not isinstance(face, bool):
        return face
    words = [word for word in get_args(FaceWord) if word != "all"]
    for word in words:
        if face == word:
            return word
    raise InputError(f"face {given!r}; need a number from the left, or {', '.join(words)}")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Side:
    """A photo and the face of it that changes places."""

    name: str  # what boxes of the photo are found under if it is an array
    photo: Photo
    face: Face
    choice: Selection
    warnings: tuple[str, ...]


def _within(
    photo: Photo, choices: tuple[FaceChoice, ...], finder: FaceFinder, options: SwapOptions
) -> SwapResult:
    """Let two faces of a photo change places."""
    layout = finder.model.layout
    chosen_faces = _two_faces(photo, choices, finder)
    swaps = tuple(
        FaceSwap(face=face, found=_found(photo, other), number=number)
        for (number, face), other in zip(
            chosen_faces.items(), reversed(chosen_faces.values()), strict=True
        )
    )
    put_in = [_put_in(photo, one, finder, options) for one in swaps]
    chosen = {"faces": choices[0] if len(choices) == 1 else list(choices)}
    return SwapResult(
        image=join_changes(photo.image, *put_in),
        faces=[*chosen_faces.values()],
        photo=photo,
        operation=_OPERATION,
        settings=(
            chosen | finder.describe({}, {"photo": [photo]}) | describe_options(options, layout)
        ),
        warnings=photo.warnings + finder.warnings_of(photo, chosen_faces),
        swaps=swaps,
        config=options.config,
        layout=layout,
    )


def _two_faces(
    photo: Photo, choices: tuple[FaceChoice, ...], finder: FaceFinder
) -> dict[int, Face]:
    found = finder.find(photo, "all")
    if len(found) < 2:
        title = photo.path.name if photo.path else "the photo"
        raise NoFaceError(
            f"one face found in {title}, and two change places; give a second photo, or say where "
            "both are with a --boxes file"
        )
    if len(choices) == 2:
        return pick_faces(found, choices, photo)
    sizes = [-np.prod(np.asarray(face.box[2:] - face.box[:2])) for face in found]
    largest = sorted(int(number) for number in np.argsort(sizes, kind="stable")[:2])
    return {number: found[number] for number in largest}


def _between(
    photos: tuple[Photo, Photo],
    choices: tuple[FaceChoice, ...],
    finder: FaceFinder,
    options: SwapOptions,
) -> tuple[SwapResult, SwapResult]:
    """Let a face of a photo and one of another change places."""
    first, second = (
        _read(photo, choice, finder, name=name)
        for photo, choice, name in zip(
            photos, (choices[0], choices[-1]), ("photo", "other"), strict=True
        )
    )
    return _given(first, second, finder, options), _given(second, first, finder, options)


def _read(photo: Photo, choice: FaceChoice, finder: FaceFinder, *, name: str) -> _Side:
    (face,) = finder.find(photo, choice, name=name)
    notes = finder.warnings_of(photo, {0: face}, name="photo" if photo.path else name)
    return _Side(
        name=name,
        photo=photo,
        face=face,
        choice=Selection(faces=choice),
        warnings=photo.warnings + notes,
    )


def _given(target: _Side, other: _Side, finder: FaceFinder, options: SwapOptions) -> SwapResult:
    """Put one photo's face into the other."""
    found = _found(other.photo, other.face)
    one = FaceSwap(face=target.face, found=found, number=target.choice.number)
    request = SwapRequest(references=(other.photo,), target=target.choice, reference=other.choice)
    return SwapResult(
        image=_put_in(target.photo, one, finder, options),
        faces=[one.face],
        photo=target.photo,
        operation=_OPERATION,
        settings=describe(target.photo, request, options, finder, names=(target.name, other.name)),
        warnings=tuple(dict.fromkeys(target.warnings + other.warnings)),
        references=one.found.photos,
        swaps=(one,),
        config=options.config,
        layout=finder.model.layout,
    )


def _found(photo: Photo, face: Face) -> FoundReference:
    """Return a face of a photo as what another is taken from."""
    return FoundReference(reference=(photo.image, face), photos=(photo_origin(photo),))


def _put_in(photo: Photo, one: FaceSwap, finder: FaceFinder, options: SwapOptions) -> RgbImage:
    """Return a photo with one of its faces replaced."""
    given, layout = one.found.reference, finder.model.layout
    return swap_reference(photo.image, one.face, given, layout, config=options.config)


def join_changes(before: RgbImage, first: RgbImage, second: RgbImage) -> RgbImage:
    """Return a picture with both changes of it.

    What lies within the outline of only one of them is as there, bit for bit, whatever the order.
    Where both do, as along cheeks that touch, a pixel is mixed by how deep it lies in either.

    Args:
        before: the picture.
        first: the same with one part changed.
        second: the same with another part changed.
    """
    depths = [_depth((after != before).any(axis=-1)) for after in (first, second)]
    joined = np.where((second != before).any(axis=-1)[..., None], second, first)
    both = (depths[0] > 0.0) & (depths[1] > 0.0)
    mine, others = (depth[both][:, None] ** _DECIDED for depth in depths)
    joined[both] = (mine * first[both] + others * second[both]) / (mine + others)
    return np.asarray(joined)


def _depth(changed: Bool[np.ndarray, "height width"]) -> Float[np.ndarray, "height width"]:
    """Return how far pixels lie inside the outline of a change, pixels; 0 outside."""
    outlines, _ = cv2.findContours(
        changed.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    inside = np.zeros(changed.shape, np.uint8)  # also eyes, a mouth or a strand of hair that stay
    cv2.drawContours(inside, outlines, -1, 1, cv2.FILLED)
    return np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
