"""Photos of one person to a face file: ``uvface texture``."""

from __future__ import annotations

from pathlib import Path

from ..core.arguments import as_number
from ..core.face_choice import FaceChoice
from ..core.io.boxes import Boxes, as_boxes
from ..core.io.face_files import FaceTexture
from ..core.io.photos import PhotoLike, Photos, photo_list
from ..core.reconstruct import Model
from .finder import LIKE, FaceFinder, Selection
from .fuse import LARGEST_TEXTURE

__all__ = ["texture"]


def texture(
    photos: Photos,
    *,
    model: Model | None = None,
    faces: FaceChoice = "largest",
    like: PhotoLike | None = None,
    size: int | None = None,
    recognition: str | Path | None = None,
    boxes: Boxes | None = None,
) -> tuple[FaceTexture, tuple[str, ...]]:
    """Fuse photos of one person into a texture that a swap or an edit can take its face from.

    Args:
        photos: files or arrays, RGB in [0, 1], no folders; one is enough.
        model: from `uvface.load`; by default the embedded weights, which each call loads.
        faces: which face of each photo is the person's.
        like: a photo of the person, in place of ``faces``.
        size: texels along a side, 64 to 4096; by default as many as the photos fill.
        recognition: network that likeness is measured by, an ``.onnx`` file.
        boxes: path, file name or stem -> boxes around the landmarks, in place of detection;
            those of arrays are found under ``reference``, of ``like`` under
            ``face to be like``.

    Returns:
        The face, whose ``save`` writes a face file, and warnings of one line each.

    Raises:
        InputError: unusable file or option.
        NoFaceError: no photo shows a face.
        AssetError: likeness is asked for and no recognition network is there.
    """
    if size is not None:
        size = as_number("texels", size, 64, LARGEST_TEXTURE, is_whole=True)
    finder = FaceFinder(model, boxes=as_boxes(boxes), recognition=recognition)
    finder.require_likes(like)
    given = photo_list(photos)
    finder.require_boxes({"reference": given, LIKE: [like]})
    found = finder.fuse(given, Selection(faces=faces, like=like), size=size)
    assert isinstance(found.reference, FaceTexture)
    return found.reference, found.warnings
