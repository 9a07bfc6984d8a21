"""Editing the faces of a photo: parts of other photos, colours, retouching, shapes, light."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..core.arguments import name_list
from ..core.errors import InputError
from ..core.geometry.layout import UVLayout
from ..core.io.boxes import Boxes
from ..core.io.photos import Origin, PhotoLike, open_photo
from ..core.reconstruct import FaceChoice, Model, read_texture
from .amounts import Amounts
from .deform import parse_reshaping
from .edit import EditConfig, check_edit, check_numbers, edit_face
from .finder import LIKE, FaceFinder, FoundReference, Selection, like_origins
from .lamps import light_face, parse_lights
from .references import References, find_reference, reference_list, reference_names
from .result import EditResult
from .retouch import parse_retouches, retouch_face
from .source import Reference
from .warp import reshape_face

__all__ = ["EditRequest", "check_request", "edit"]

_UNSEEN = 1.5 / 255  # no pixel changes by more: nobody sees the edit


@dataclasses.dataclass(frozen=True, kw_only=True)
class EditRequest:
    """What an edit is asked for, beside its regions.

    Attributes:
        config: settings of the edit.
        retouch: what is retouched, and how much of it.
        reshape: expressions and proportions, and how much of each.
        light: how the light changes, and how much.
    """

    config: EditConfig
    retouch: Mapping[str, float]
    reshape: Mapping[str, float]
    light: Mapping[str, float]

    @property
    def amounts(self) -> dict[str, dict[str, float]]:
        """Return what is changed by amounts, by the option that says so."""
        kinds = {"retouch": self.retouch, "reshape": self.reshape, "light": self.light}
        return {kind: dict(amounts) for kind, amounts in kinds.items()}

    @property
    def names(self) -> list[str]:
        """Return all of it."""
        return [name for amounts in self.amounts.values() for name in amounts]


def check_request(
    layout: UVLayout,
    *,
    regions: Sequence[str],
    has_reference: bool,
    recolor: str | None,
    retouch: Amounts | None,
    reshape: Amounts | None,
    light: Amounts | None,
    config: EditConfig,
) -> EditRequest:
    """Return what `edit` is asked for, read and checked.

    Raises:
        InputError: what no photo is needed to see: nothing is to be done, a region without a
            reference and a colour, or one of these without a region; an unusable value.
    """
    retouches = {} if retouch is None else parse_retouches(retouch)
    shape = {} if reshape is None else parse_reshaping(reshape, layout)
    lights = {} if light is None else parse_lights(light)
    changes_colors = has_reference or recolor is not None
    if not (retouches or shape or lights or changes_colors):
        wanted = "a reference photo, a colour, what to retouch, to reshape or to light"
        raise InputError(f"nothing to do; give {wanted}")
    if regions and not changes_colors:
        raise InputError(f"nothing to do with {', '.join(regions)}; give a reference or a colour")
    if changes_colors:
        config = check_edit(layout, regions=regions, recolor=recolor, config=config)
    else:
        config = check_numbers(config)
    return EditRequest(config=config, retouch=retouches, reshape=shape, light=lights)


def edit(
    photo: PhotoLike,
    *,
    model: Model | None = None,
    regions: str | Sequence[str] = (),
    reference: References | None = None,
    strength: float = 1.0,
    feather: float = 3.0,
    recolor: str | None = None,
    retouch: Amounts | None = None,
    reshape: Amounts | None = None,
    light: Amounts | None = None,
    faces: FaceChoice = "largest",
    like: PhotoLike | None = None,
    reference_face: FaceChoice = "largest",
    reference_like: PhotoLike | None = None,
    recognition: str | Path | None = None,
    boxes: Boxes | None = None,
) -> EditResult:
    """Change regions of the faces of a photo, retouch them, reshape them, then light them.

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
    regions = name_list(regions, "regions")
    if reference is None and (reference_face != "largest" or reference_like is not None):
        raise InputError("a face of the reference is chosen, but no reference given; give it")
    opened = open_photo(photo)
    finder = FaceFinder(model, boxes=boxes, recognition=recognition)
    given = () if reference is None else reference_list(reference)
    sources = [one for one in given if not isinstance(one, FoundReference)]
    finder.require_boxes({"photo": [opened], "reference": sources, LIKE: [like, reference_like]})
    layout = finder.model.layout
    request = check_request(
        layout,
        regions=regions,
        has_reference=reference is not None,
        recolor=recolor,
        retouch=retouch,
        reshape=reshape,
        light=light,
        config=EditConfig(strength=strength, feather=feather),
    )
    selections = {"faces": Selection(faces=faces, like=like)}
    found, warnings = finder.faces(opened, selections["faces"])
    shown: Reference | None = None
    origins: tuple[Origin, ...] = ()
    config = request.config
    settings: dict[str, Any] = {"regions": list(regions), "recolor": recolor}
    settings |= request.amounts | _settings(config)
    if reference is not None:
        selections["reference_face"] = Selection(faces=reference_face, like=reference_like)
        chosen = find_reference(finder, given, selections["reference_face"])
        shown, origins, warnings = chosen.reference, chosen.photos, warnings + chosen.warnings
        settings["reference"] = reference_names(given)
    likes = like_origins(*selections.values())
    photos = [opened, *sources, *likes]
    image, alpha, edited = opened.image, opened.alpha, []
    for face in found:
        if regions:
            image = edit_face(
                image,
                face,
                layout,
                regions=regions,
                reference=shown,
                recolor=recolor,
                config=config,
            )
        image = retouch_face(image, face, layout, _scaled(request.retouch, config.strength))
        if request.reshape:
            # The inside of a mouth has the colour of its lips, as they are now.
            face = dataclasses.replace(face, texture=read_texture(image, face.position_map))
            amount = _scaled(request.reshape, config.strength)
            layers = image if alpha is None else np.dstack([image, alpha])
            layers, face = reshape_face(layers, face, layout, amount)
            image, alpha = layers[..., :3], None if alpha is None else layers[..., 3]
        image = light_face(image, face, layout, _scaled(request.light, config.strength))
        edited.append(face)
    done = ", ".join([*regions, *request.names])
    if config.strength and np.abs(image - opened.image).max() < _UNSEEN:
        warnings += (f"nothing that one sees changed: {done} hardly shows there",)
    return EditResult(
        image=image,
        faces=edited,
        alpha=alpha,
        photo=opened,
        operation=f"edit {done}",
        settings=settings | finder.describe(selections, photos),
        warnings=opened.warnings + warnings,
        references=origins,
        likes=likes,
    )


def _scaled(amounts: Mapping[str, float], strength: float) -> dict[str, float]:
    return {name: strength * amount for name, amount in amounts.items()}


def _settings(config: EditConfig) -> dict[str, float | str]:
    return {"strength": config.strength, "feather": config.feather, "color": config.color}
