"""What a swap is asked for: who gets which face, and how; and how a record tells of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from ..core.errors import InputError
from ..core.io.face_files import FaceTexture
from ..core.io.photos import PhotoLike, Photos, photo_list, photo_path
from ..core.reconstruct import FaceChoice, FaceWord
from ..editing.finder import FaceFinder, FoundReference, Selection, like_files
from .swap import SwapConfig

__all__ = [
    "Preset",
    "References",
    "SwapOptions",
    "SwapRequest",
    "describe",
    "find_reference",
    "reference_list",
]

Preset = Literal["uvface", "prnet"]
# Photos, a face file, or what `texture` returns: a face, or that with its warnings.
References = Photos | FaceTexture | tuple[FaceTexture, tuple[str, ...]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SwapRequest:
    """Who gets which face.

    Attributes:
        references: what the face comes from: a photo, several of one person, or one found
            before.
        target: which faces are changed.
        reference: which face of the reference is taken.
        mapping: face of the target -> its references, in place of ``references``.
        mask: picture of the target's size, white where pixels may change.
    """

    references: tuple[PhotoLike | FoundReference, ...] = ()
    target: Selection = dataclasses.field(default_factory=Selection)
    reference: Selection = dataclasses.field(default_factory=Selection)
    mapping: Mapping[FaceChoice, tuple[PhotoLike | FoundReference, ...]] = dataclasses.field(
        default_factory=dict
    )
    mask: PhotoLike | None = None

    @property
    def sources(self) -> list[PhotoLike]:
        """Return all files and photos that faces come from."""
        mapped = (one for given in self.mapping.values() for one in given)
        every = (*self.references, *mapped)
        return [one for one in every if not isinstance(one, FoundReference)]

    @property
    def likes(self) -> tuple[Path, ...]:
        """Return the files by whose likeness faces are chosen."""
        return like_files(self.target, self.reference)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SwapOptions:
    """How faces are put in.

    Attributes:
        config: settings of the swap of one face.
        preset: ``prnet`` pastes as PRNet's own code does, for comparison; ``config`` is not used.
    """

    config: SwapConfig = dataclasses.field(default_factory=SwapConfig)
    preset: Preset = "uvface"


def describe(
    target: PhotoLike, request: SwapRequest, options: SwapOptions, finder: FaceFinder
) -> dict[str, Any]:
    """Return what was asked for as JSON can hold it.

    Equal texts and equal files give equal pictures, by the same software.

    Args:
        target: the photo that is changed.
        request: who gets which face.
        options: how faces are put in.
        finder: what finds them; its weights, its detector and the photos' boxes are told.

    Raises:
        AssetError: likeness is asked for and no recognition network is there.
    """
    settings: dict[str, Any] = {"reference": _named(request.references)}
    if request.mapping:
        settings = {"map": {str(f): _named(given) for f, given in request.mapping.items()}}
    photos = [target, *request.sources, *request.likes]
    selections = {"faces": request.target, "reference_face": request.reference}
    settings |= finder.describe(selections, photos) | {"preset": options.preset}
    # PRNet's own code knows nothing of the other options: they do not count, nor are they told.
    return settings if options.preset == "prnet" else settings | _described(request, options)


def _described(request: SwapRequest, options: SwapOptions) -> dict[str, Any]:
    config = options.config
    mask = {} if request.mask is None else {"mask": _named((request.mask,))}
    return mask | {
        "keep": list(config.keep),
        "color": config.color,
        "blend": config.blend.method,
        "mixed": config.blend.mixed,
        "tolerance": config.blend.tolerance,
        "complete": config.complete,
        "occlusion": config.occlusion,
        "sharpness": config.sharpness,
        "strength": config.strength,
        "shape": config.shape,
        "feather": config.feather,
    }


def _named(references: Sequence[PhotoLike | FoundReference]) -> Any:
    names = [
        _sources(one) if isinstance(one, FoundReference) else str(photo_path(one) or "")
        for one in references
    ]
    return names[0] if len(names) == 1 else names


def _sources(found: FoundReference) -> list[dict[str, str]]:
    """Return names and hashes of the photos that a face was made of, as its file has them."""
    assert isinstance(found.reference, FaceTexture)
    return [dataclasses.asdict(source) for source in found.reference.sources]


def reference_list(given: References) -> tuple[PhotoLike | FoundReference, ...]:
    """Return what a face comes from as several things: photos, or one face that `texture` made.

    Raises:
        InputError: it is neither, or a face and others.
    """
    faces = [given] if isinstance(given, FaceTexture) else given
    if isinstance(faces, list | tuple) and any(isinstance(one, FaceTexture) for one in faces):
        face, *rest = faces
        warnings: Any = rest[0] if rest else ()
        if not isinstance(face, FaceTexture) or len(rest) > 1 or not _are_texts(warnings):
            raise InputError("a face of uvface.texture and other references; it stands alone")
        return (FoundReference(reference=face, photos=(), warnings=tuple(warnings)),)
    photos: Any = given
    return photo_list(photos)


def _are_texts(warnings: Any) -> bool:
    return isinstance(warnings, list | tuple) and all(isinstance(one, str) for one in warnings)


def find_reference(
    finder: FaceFinder, references: Sequence[PhotoLike | FoundReference], selection: Selection
) -> FoundReference:
    """Return what a face is taken from; see `FaceFinder.reference`.

    Raises:
        InputError, NoFaceError, AssetError: as there; a face is made for another UV layout.
    """
    found = references[0] if references else None
    if not isinstance(found, FoundReference):
        photos = [one for one in references if not isinstance(one, FoundReference)]
        return finder.reference(photos, selection)
    is_other = selection.faces == "all" or selection.faces not in (0, *get_args(FaceWord))
    if selection.like is not None or is_other:
        raise InputError("a face of uvface.texture is one; leave out the choice of its face")
    face, layout = found.reference, finder.model.layout
    if isinstance(face, FaceTexture) and face.layout_digest != layout.digest:
        raise InputError(
            f"the reference is made for the UV layout {face.layout}, not for these weights' "
            f"{layout.name}; make it again from its photos"
        )
    return found
