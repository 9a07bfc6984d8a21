"""What a swap is asked for: who gets which face, and how; and how a record tells of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ..core.arguments import OnOff, as_choice, as_number, as_switch, name_list
from ..core.blending.composite import BlendConfig, BlendMethod
from ..core.errors import InputError
from ..core.face_choice import FaceChoice
from ..core.geometry.layout import UVLayout
from ..core.io.photos import Origin, PhotoLike
from ..editing.complete import Completion
from ..editing.detail.finish import SharpnessMatch
from ..editing.finder import LIKE, FaceFinder, FoundReference, Selection, like_origins
from ..editing.light import ColorMatch
from ..editing.references import References, reference_list, reference_names
from .mapping import unique_faces
from .masks import MaskLike, as_mask
from .swap import SwapConfig, applied_shape

__all__ = [
    "Preset",
    "SwapOptions",
    "SwapRequest",
    "describe",
    "describe_options",
    "swap_options",
    "swap_request",
]

Preset = Literal["uvface", "prnet"]


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
    def pairs(self) -> list[tuple[Selection, tuple[PhotoLike | FoundReference, ...]]]:
        """Return which faces are changed, with what comes onto them."""
        if not self.mapping:
            return [(self.target, self.references)]
        return [(Selection(faces=face), given) for face, given in self.mapping.items()]

    @property
    def sources(self) -> list[PhotoLike]:
        """Return all files and photos that faces come from."""
        mapped = (one for given in self.mapping.values() for one in given)
        every = (*self.references, *mapped)
        return [one for one in every if not isinstance(one, FoundReference)]

    @property
    def likes(self) -> tuple[Origin, ...]:
        """Return the photos by whose likeness faces are chosen."""
        return like_origins(self.target, self.reference)

    def check(self) -> None:
        """Raise InputError where it is not said once who gets which face."""
        if bool(self.references) == bool(self.mapping):
            given = "both a reference and" if self.references else "neither a reference nor"
            raise InputError(f"{given} a map of faces; give one of the two")
        if self.mapping and (self.target.faces != "largest" or self.target.like is not None):
            raise InputError("a map of faces and a choice of faces; give one of the two")


def swap_request(
    reference: References | None,
    *,
    mapping: Mapping[FaceChoice, References] | None,
    faces: FaceChoice,
    like: PhotoLike | None,
    reference_face: FaceChoice,
    reference_like: PhotoLike | None,
    mask: MaskLike | None = None,
) -> SwapRequest:
    """Return who gets which face, of what callers of `swap` give.

    Raises:
        InputError: an unusable reference, map or mask, or a choice of faces and a person.
    """
    if mapping is not None and not (isinstance(mapping, Mapping) and mapping):
        raise InputError(f"mapping {mapping!r}; need face -> photo, as in {{0: 'anna.jpg'}}")
    return SwapRequest(
        references=() if reference is None else reference_list(reference),
        target=Selection(faces=faces, like=like),
        reference=Selection(faces=reference_face, like=reference_like),
        mapping=unique_faces(
            (one, reference_list(given)) for one, given in (mapping or {}).items()
        ),
        mask=None if mask is None else as_mask(mask),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class SwapOptions:
    """How faces are put in.

    Attributes:
        config: settings of the swap of one face.
        preset: ``prnet`` pastes as PRNet's own code does, for comparison; ``config`` is not used.
    """

    config: SwapConfig = dataclasses.field(default_factory=SwapConfig)
    preset: Preset = "uvface"


def swap_options(
    *,
    keep: str | Sequence[str],
    color: ColorMatch,
    blend: BlendMethod,
    complete: Completion,
    occlusion: OnOff,
    sharpness: SharpnessMatch,
    strength: float,
    shape: float,
    preset: Preset = "uvface",
) -> SwapOptions:
    """Return how faces are put in, of what callers of `swap` give.

    Raises:
        InputError: an unusable option.
    """
    config = SwapConfig(
        keep=_kept(keep),
        color=as_choice("color", color, ColorMatch),
        blend=BlendConfig(method=as_choice("blend", blend, BlendMethod)),
        complete=as_choice("complete", complete, Completion),
        occlusion=as_switch("occlusion", occlusion),
        sharpness=as_choice("sharpness", sharpness, SharpnessMatch),
        strength=as_number("strength", strength, 0, 1),
        shape=as_number("shape", shape, 0, 1),
    )
    return SwapOptions(config=config, preset=as_choice("preset", preset, Preset))


def _kept(keep: str | Sequence[str]) -> tuple[str, ...]:
    kept = name_list(keep, "regions to keep")
    texts = (keep,) if isinstance(keep, str) else tuple(keep)
    if texts and not any(text.strip(" ,") for text in texts):  # as of a variable that is not set
        raise InputError(f"keep {keep!r} names no region; give names, or none")
    return kept


def describe(
    target: PhotoLike,
    request: SwapRequest,
    options: SwapOptions,
    finder: FaceFinder,
    *,
    names: tuple[str, str] = ("target", "reference"),
) -> dict[str, Any]:
    """Return what was asked for, and how it is done, as JSON can hold it.

    Equal texts and equal files give equal pictures, by the same software.

    Args:
        target: the photo that is changed.
        request: who gets which face.
        options: how faces are put in.
        finder: what finds them; its weights, its detector and the photos' boxes are told.
        names: what boxes of the target, and those of references, are found under if these are
            arrays.

    Raises:
        AssetError: likeness is asked for and no recognition network is there.
    """
    settings: dict[str, Any] = {"reference": reference_names(request.references)}
    if request.mapping:
        settings = {"map": {str(f): reference_names(given) for f, given in request.mapping.items()}}
    photos = {names[0]: [target], names[1]: request.sources, LIKE: request.likes}
    selections = {"reference_face": request.reference}
    if not request.mapping:  # which tells of the faces by itself
        selections = {"faces": request.target, **selections}
    settings |= finder.describe(selections, photos)
    return settings | describe_options(options, finder.model.layout, mask=request.mask)


def describe_options(
    options: SwapOptions, layout: UVLayout, *, mask: PhotoLike | None = None
) -> dict[str, Any]:
    """Return how faces are put in as JSON can hold it.

    Args:
        options: how.
        layout: UV layout of the faces; one without shapes takes none.
        mask: picture that says which pixels may change.
    """
    if options.preset == "prnet":  # whose own code knows nothing of the others: they do not count
        return {"preset": options.preset}
    config = options.config
    named = {} if mask is None else {"mask": reference_names((mask,))}
    return (
        {"preset": options.preset}
        | named
        | {
            "keep": list(config.keep),
            "color": config.color,
            "blend": config.blend.method,
            "tolerance": config.blend.tolerance,
            "complete": config.complete,
            "occlusion": config.occlusion and mask is None,
            "sharpness": config.sharpness,
            "strength": config.strength,
            "shape": applied_shape(layout, config),
            "feather": config.feather,
        }
    )
