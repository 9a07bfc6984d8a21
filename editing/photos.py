"""Editing the faces of a photo: other parts or colours, retouching, make-up, shapes, light."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from ..core.arguments import name_list
from ..core.errors import InputError
from ..core.geometry.layout import UVLayout
from ..core.io.boxes import Boxes
from ..core.io.images import Photo
from ..core.io.photos import Origin, PhotoLike, open_photo
from ..core.levels import largest_difference
from ..core.reconstruct import FaceChoice, Model, read_texture
from ..core.types import Face
from .amounts import Amounts, ColoredAmount, ColoredAmounts
from .deform import parse_reshaping
from .edit import EditConfig, RgbImage, check_edit, check_numbers, edit_face
from .finder import LIKE, FaceFinder, FoundReference, Selection, like_origins
from .lamps import light_faces, parse_lights
from .makeup import make_up_face, parse_makeup
from .references import References, find_reference, reference_list, reference_names
from .result import EditResult
from .retouch import parse_retouches, retouch_face
from .warp import reshape_face

__all__ = ["EditRequest", "describe_edit", "edit", "edit_photo", "edit_request", "read_others"]

_UNSEEN = 1.5 / 255  # no pixel changes by more: nobody sees the edit


@dataclasses.dataclass(frozen=True, kw_only=True)
class EditRequest:
    """What an edit is asked for.

    Attributes:
        regions: names of regions that get other colours.
        references: where they come from: a photo, several of one person, or one found before.
        recolor: their new colour.
        retouch: what is retouched, and how much of it.
        makeup: make-up, how much of it, and its colours.
        reshape: expressions and proportions, and how much of each.
        light: how the light changes, and how much.
        target: which faces are changed.
        reference: which face of the reference is taken.
        config: strength, border, colours.
    """

    regions: tuple[str, ...] = ()
    references: tuple[PhotoLike | FoundReference, ...] = ()
    recolor: str | None = None
    retouch: Mapping[str, float] = dataclasses.field(default_factory=dict)
    makeup: Mapping[str, ColoredAmount] = dataclasses.field(default_factory=dict)
    reshape: Mapping[str, float] = dataclasses.field(default_factory=dict)
    light: Mapping[str, float] = dataclasses.field(default_factory=dict)
    target: Selection = dataclasses.field(default_factory=Selection)
    reference: Selection = dataclasses.field(default_factory=Selection)
    config: EditConfig = dataclasses.field(default_factory=EditConfig)

    @property
    def names(self) -> list[str]:
        """Return all that is changed."""
        return [*self.regions, *self.retouch, *self.makeup, *self.reshape, *self.light]

    @property
    def sources(self) -> list[PhotoLike]:
        """Return all files and photos that regions come from."""
        return [one for one in self.references if not isinstance(one, FoundReference)]

    @property
    def likes(self) -> tuple[Origin, ...]:
        """Return the photos by whose likeness faces are chosen."""
        return like_origins(self.target, self.reference)


def edit_request(
    layout: UVLayout,
    *,
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
) -> EditRequest:
    """Return what `edit` is asked for, read and checked; its arguments are those of `edit`.

    Raises:
        InputError: what no photo is needed to see: nothing is to be done, a region without a
            reference and a colour, or one of these without a region; an unusable value.
    """
    if reference is None and (reference_face != "largest" or reference_like is not None):
        raise InputError("a face of the reference is chosen, but no reference given; give it")
    request = EditRequest(
        regions=name_list(regions, "regions"),
        references=() if reference is None else reference_list(reference),
        recolor=recolor,
        retouch={} if retouch is None else parse_retouches(retouch),
        makeup={} if makeup is None else parse_makeup(makeup),
        reshape={} if reshape is None else parse_reshaping(reshape, layout),
        light={} if light is None else parse_lights(light),
        target=Selection(faces=faces, like=like),
        reference=Selection(faces=reference_face, like=reference_like),
        config=check_numbers(EditConfig(strength=strength, feather=feather)),
    )
    changes_colors = bool(request.references) or recolor is not None
    amounts = (request.retouch, request.makeup, request.reshape, request.light)
    if not (changes_colors or any(amounts)):
        wanted = "a reference photo, a colour, what to retouch, to make up, to reshape or to light"
        raise InputError(f"nothing to do; give {wanted}")
    if request.regions and not changes_colors:
        told = ", ".join(request.regions)
        raise InputError(f"nothing to do with {told}; give a reference or a colour")
    if changes_colors:
        check_edit(layout, regions=request.regions, recolor=recolor, config=request.config)
    return request


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
        retouch: what is retouched how much, from 0 to 1, of `editing.retouch.RETOUCHES`:
            ``{"skin": 0.5, "teeth": 0.6}``, or ``"skin=0.5,teeth=0.6"``.
        makeup: make-up of `editing.makeup.MAKEUP`, from 0 to 1, each in a colour that suits the
            skin, or in one that is given: ``{"blush": 0.5, "lipstick": (0.8, "crimson")}``, or
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
        boxes: file name or stem -> boxes around the landmarks, in place of detection.

    Raises:
        InputError: unusable file or option.
        NoFaceError: a photo shows no face.
        AssetError: likeness is asked for and no recognition network is there.
    """
    opened = open_photo(photo)
    finder = FaceFinder(model, boxes=boxes, recognition=recognition)
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
    faces, warnings = finder.faces(photo, request.target)
    found: FoundReference | None = None
    if request.references:
        found = find_reference(finder, request.references, request.reference)
        warnings += found.warnings
    image, alpha, edited = photo.image, photo.alpha, []
    for face in faces:
        image, alpha, face = _edited(image, alpha, face, request, found, finder.model.layout)
        edited.append(face)
    lights = _scaled(request.light, request.config.strength)
    image = light_faces(image, edited, finder.model.layout, lights)
    done = ", ".join(request.names)
    if request.config.strength and largest_difference(image, photo.image) < _UNSEEN:
        warnings += (f"nothing that one sees changed: {done} hardly shows there",)
    return EditResult(
        image=image,
        faces=edited,
        alpha=alpha,
        photo=photo,
        operation=f"edit {done}",
        settings=describe_edit(photo, request, finder),
        warnings=photo.warnings + warnings,
        references=() if found is None else found.photos,
        likes=request.likes,
        left_out=() if found is None else found.left_out,
    )


def _edited(
    image: RgbImage,
    alpha: Float[np.ndarray, "height width"] | None,
    face: Face,
    request: EditRequest,
    found: FoundReference | None,
    layout: UVLayout,
) -> tuple[RgbImage, Float[np.ndarray, "height width"] | None, Face]:
    """Return the photo with a face edited but for its light, its opacity, the face as it is."""
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
    image = make_up_face(image, face, layout, makeup)
    if request.reshape:
        # The inside of a mouth has the colour of its lips, as they are now.
        face = dataclasses.replace(face, texture=read_texture(image, face.position_map))
        layers = image if alpha is None else np.dstack([image, alpha])
        amounts = _scaled(request.reshape, config.strength)
        layers, face = reshape_face(layers, face, layout, amounts)
        image, alpha = layers[..., :3], None if alpha is None else layers[..., 3]
    return image, alpha, face


def _scaled(amounts: Mapping[str, float], strength: float) -> dict[str, float]:
    return {name: strength * amount for name, amount in amounts.items()}


def describe_edit(photo: PhotoLike, request: EditRequest, finder: FaceFinder) -> dict[str, Any]:
    """Return what was asked for as JSON can hold it.

    Equal texts and equal files give equal pictures, by the same software.

    Args:
        photo: it is changed.
        request: what is done.
        finder: what finds faces; its weights, its detector and the photos' boxes are told.

    Raises:
        AssetError: likeness is asked for and no recognition network is there.
    """
    config = request.config
    settings: dict[str, Any] = {
        "regions": list(request.regions),
        "recolor": request.recolor,
        "retouch": dict(request.retouch),
        "makeup": {
            name: one.amount if one.color is None else list(one)
            for name, one in request.makeup.items()
        },
        "reshape": dict(request.reshape),
        "light": dict(request.light),
        "strength": config.strength,
        "feather": config.feather,
        "color": config.color,
    }
    selections = {"faces": request.target}
    if request.references:
        settings["reference"] = reference_names(request.references)
        selections["reference_face"] = request.reference
    photos = [photo, *request.sources, *request.likes]
    return settings | finder.describe(selections, photos)
