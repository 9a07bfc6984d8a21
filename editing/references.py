"""What callers give as a reference: photos, a face file, or a face that `uvface.texture` made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from ..core.errors import InputError
from ..core.face_choice import FaceWord
from ..core.io.face_files import FaceTexture
from ..core.io.photos import PhotoLike, Photos, photo_list, photo_path
from .finder import FaceFinder, FoundReference, Selection

__all__ = ["References", "find_reference", "reference_list", "reference_names"]

# Photos, a face file, or what `texture` returns: a face, or that with its warnings.
References = Photos | FaceTexture | tuple[FaceTexture, tuple[str, ...]]


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


def reference_names(references: Sequence[PhotoLike | FoundReference]) -> Any:
    """Return paths of references, for the record; of a face of `texture`, its hash and sources."""
    names = [
        _told(one) if isinstance(one, FoundReference) else str(photo_path(one) or "")
        for one in references
    ]
    return names[0] if len(names) == 1 else names


def _told(found: FoundReference) -> dict[str, Any]:
    """Return the hash of a face, and names and hashes of the photos that it was made of."""
    face = found.reference
    assert isinstance(face, FaceTexture)
    return {"sha256": face.sha256, "sources": [source.record() for source in face.sources]}
