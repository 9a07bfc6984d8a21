"""Editing the faces of a photo: other parts or colours, retouching, make-up, shapes, light."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ..core.face_choice import FaceChoice
from ..core.geometry.layout import UVLayout
from ..core.io.boxes import Boxes, as_boxes
from ..core.io.images import Photo
from ..core.io.photos import PhotoLike, open_photo
from ..core.levels import largest_difference
from ..core.reconstruct import Model, read_texture
from ..core.types import Face
from .amounts import Amounts, ColoredAmounts
from .edit import EditConfig, RgbImage, edit_face
from .finder import LIKE, FaceFinder, FoundReference
from .lamps import light_faces
from .makeup.face import make_up_face
from .references import References, find_reference
from .request import EditRequest, describe_edit, edit_request
from .reshape.face import reshape_face
from .reshape.teeth import Whites
from .result import EditResult
from .retouch.face import retouch_face

__all__ = ["edit", "edit_photo", "paint_face", "read_others", "shape_faces", "unseen"]

_UNSEEN = 1.5 / 255  # no pixel changes by more: nobody sees the edit


def edit(
    photo: PhotoLike,
    *,
    model: Model | None = None,
    regions: str | Sequence[str] = (),
    reference: References | None = None,
    strength: float = EditConfig.strength,
    feather: float = EditConfig.feather,
    recolor: str | None = None,
    retouch: Amounts | None = None,
    makeup: ColoredAmounts | None = None,
    reshape: Amounts | None = None,
    light: Amounts | None = None,
    faces: FaceChoice = "largest",
    like: PhotoLike | None = None,
    reference_face: FaceChoice = "largest",
    reference_like: PhotoLike | None = None,
    recognition: str | Path | None = None,
    boxes: Boxes | None = None,
) -> EditResult:
    """Change regions of the faces of a photo, retouch them, make them up, reshape them, light them.

    Args:
        photo: file, picture of Pillow, or RGB in [0, 1]; it is changed.
        model: from `uvface.load`; by default the embedded weights, which each call loads.
        regions: names of regions of the model's layout, as a list or separated by commas.
        reference: file, picture or array that the regions come from; several photos of one
            person, which are fused; a face file; or what `uvface.texture` returns.
        strength: 0 keeps the photo, 1 is the full edit.
        feather: width of the regions' soft border, in texels of 256, up to 64.
        recolor: colour for the regions, ``#RRGGBB`` or a name of CSS as ``crimson``.
        retouch: what is retouched how much, from 0 to 1, of `editing.retouch.face.RETOUCHES`:
            ``{"skin": 0.5, "teeth": 0.6}``, or ``"skin=0.5,teeth=0.6"``.
        makeup: make-up of `editing.makeup.face.MAKEUP`, from 0 to 1, each in a colour that suits
            the skin, or in one that is given: ``{"blush": 0.5, "lipstick": (0.8, "crimson")}``, or
            ``"blush=0.5,lipstick=0.8:crimson"``.
        reshape: what is made how much smaller or larger, or which expression is added, from -1
            to 1: ``{"smile": 0.5, "nose_width": -0.3}``, or ``"smile=0.5,nose_width=-0.3"``.
            An unknown name ends in an error that lists all.
        light: how the light on the face changes, from -1 to 1, of `editing.lamps.LIGHTS`:
            ``{"left": 0.5}`` is a lamp at the picture's left, -0.5 one at its right.
        faces: which faces of the photo are changed.
        like: a photo of the person whose face is changed, in place of ``faces``.
        reference_face: which face of the reference is taken.
        reference_like: a photo of the person whose face is taken, in place of
            ``reference_face``.
        recognition: network that likeness is measured by, an ``.onnx`` file.
        boxes: path, file name or stem -> boxes around the landmarks, in place of detection;
            those of arrays are found under ``photo``, ``reference`` and ``face to be like``.

    Raises:
        InputError: unusable file or option.
        NoFaceError: a photo shows no face.
        AssetError: likeness is asked for and no recognition network is there.
    """
    opened = open_photo(photo)
    finder = FaceFinder(model, boxes=as_boxes(boxes), recognition=recognition)
    request = edit_request(
        finder.model.layout,
        regions=regions,
        reference=reference,
        strength=strength,
        feather=feather,
        recolor=recolor,
        retouch=retouch,
        makeup=makeup,
        reshape=reshape,
        light=light,
        faces=faces,
        like=like,
        reference_face=reference_face,
        reference_like=reference_like,
    )
    likes = [like, reference_like]
    finder.require_likes(*likes)
    finder.require_boxes({"photo": [opened], "reference": request.sources, LIKE: likes})
    return edit_photo(opened, request, finder)


def read_others(request: EditRequest, finder: FaceFinder) -> None:
    """Read what regions come from and whom faces are to be like, for many photos.

    Raises:
        InputError, NoFaceError, AssetError: it cannot be read.
    """
    if request.target.like is not None:
        finder.read_person(request.target.like)
    if request.references:
        find_reference(finder, request.references, request.reference)


def edit_photo(photo: Photo, request: EditRequest, finder: FaceFinder) -> EditResult:
    """Edit a photo: `edit` for many, of which references are read once.

    Args:
        photo: it is changed.
        request: what is done, from `edit_request`.
        finder: finds faces.

    Raises:
        InputError: unusable file or option.
        NoFaceError: a photo shows no face.
        AssetError: likeness is asked for and no recognition network is there.
    """
    layout = finder.model.layout
    faces, warnings = finder.faces(photo, request.target)
    found: FoundReference | None = None
    if request.references:
        found = find_reference(finder, request.references, request.reference)
        warnings += found.warnings
    image = photo.image
    for face in faces:
        image = paint_face(image, face, request, found, layout)
    image, alpha, edited = shape_faces(image, photo.alpha, faces, request, layout)
    warnings += unseen(request, largest_difference(image, photo.image))
    return EditResult(
        image=image,
        faces=edited,
        alpha=alpha,
        photo=photo,
        operation=request.operation,
        settings=describe_edit(photo, request, finder),
        warnings=photo.warnings + warnings,
        references=() if found is None else found.photos,
        likes=request.likes,
        left_out=() if found is None else found.left_out,
    )


def unseen(request: EditRequest, difference: float) -> tuple[str, ...]:
    """Return a warning where an edit changes nothing that one sees.

    Args:
        request: what was done.
        difference: largest change of a value, of 1.
    """
    if not request.config.strength or difference >= _UNSEEN:
        return ()
    done = ", ".join(request.names)
    return (f"nothing that one sees changed: {done} hardly shows there",)


def paint_face(
    image: RgbImage,
    face: Face,
    request: EditRequest,
    found: FoundReference | None,
    layout: UVLayout,
) -> RgbImage:
    """Return a photo with the colours of a face edited, but for its light.

    Args:
        image: the photo, RGB in [0, 1].
        face: of the photo.
        request: what is done: regions, retouching, make-up.
        found: where the regions come from, if that is asked for.
        layout: UV layout of the face.
    """
    config = request.config
    if request.regions:
        image = edit_face(
            image,
            face,
            layout,
            regions=request.regions,
            reference=None if found is None else found.reference,
            recolor=request.recolor,
            config=config,
        )
    image = retouch_face(image, face, layout, _scaled(request.retouch, config.strength))
    makeup = {
        name: one._replace(amount=config.strength * one.amount)
        for name, one in request.makeup.items()
    }
    return make_up_face(image, face, layout, makeup)


def shape_faces(
    image: RgbImage,
    alpha: Float[np.ndarray, "height width"] | None,
    faces: Sequence[Face],
    request: EditRequest,
    layout: UVLayout,
    *,
    whites: Sequence[Whites] = (),
) -> tuple[RgbImage, Float[np.ndarray, "height width"] | None, list[Face]]:
    """Return a photo with its faces in other shapes and in another light, its opacity, the faces.

    Args:
        image: the photo, RGB in [0, 1], in the colours that the faces are to have.
        alpha: its opacity.
        faces: of the photo, those that change.
        request: what is done: shapes, light.
        layout: UV layout of the faces.
        whites: what is known of each face's eyes; none: what the photo shows of them.
    """
    strength, shaped = request.config.strength, [*faces]
    if request.reshape:
        amounts = _scaled(request.reshape, strength)
        for k, face in enumerate(faces):
            # The inside of a mouth has the colour of its lips, as they are now.
            face = dataclasses.replace(face, texture=read_texture(image, face.position_map))
            layers = image if alpha is None else np.dstack([image, alpha])
            known = whites[k] if whites else None
            layers, moved = reshape_face(layers, face, layout, amounts, whites=known)
            shaped[k] = dataclasses.replace(moved, texture=faces[k].texture)
            image, alpha = layers[..., :3], None if alpha is None else layers[..., 3]
    return light_faces(image, shaped, layout, _scaled(request.light, strength)), alpha, shaped


def _scaled(amounts: Mapping[str, float], strength: float) -> dict[str, float]:
    return {name: strength * amount for name, amount in amounts.items()}
