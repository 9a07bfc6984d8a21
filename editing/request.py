"""What an edit is asked for: which faces change, and how; and how a record tells of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.arguments import name_list
from ..core.errors import InputError
from ..core.face_choice import FaceChoice
from ..core.geometry.layout import UVLayout
from ..core.io.photos import Origin, PhotoLike
from .amounts import Amounts, ColoredAmount, ColoredAmounts
from .edit import EditConfig, check_edit, check_numbers
from .finder import LIKE, FaceFinder, FoundReference, Selection, like_origins
from .lamps import parse_lights
from .makeup.face import parse_makeup
from .references import References, reference_list, reference_names
from .reshape.deform import parse_reshaping
from .retouch.face import parse_retouches

__all__ = ["EditRequest", "describe_edit", "edit_request"]


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
    def paints(self) -> bool:
        """Return whether colours of the face change, but for its light."""
        return bool(self.regions or self.retouch or self.makeup)

    @property
    def operation(self) -> str:
        """Return what is done, in a few words."""
        return f"edit {', '.join(self.names)}"

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
            reference and a colour, or one of these, or a feather, without a region; an unusable
            value.
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
    if not request.regions and request.config.feather != EditConfig.feather:
        raise InputError(f"a feather of {feather:g} texels is for regions; give one too")
    if changes_colors:
        check_edit(layout, regions=request.regions, recolor=recolor, config=request.config)
    return request


def describe_edit(photo: PhotoLike, request: EditRequest, finder: FaceFinder) -> dict[str, Any]:
    """Return what was asked for as JSON can hold it.

    Equal texts and equal files give equal pictures, by the same software.

    Args:
        photo: it, or the video, is changed.
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
    photos = {"photo": [photo], "reference": request.sources, LIKE: request.likes}
    return settings | finder.describe(selections, photos)
