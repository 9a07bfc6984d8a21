"""Swapping faces of photos: who is found, who is put on whom, and what is returned."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from ..core.arguments import OnOff
from ..core.blending.composite import BlendMethod
from ..core.errors import InputError
from ..core.face_choice import FaceChoice
from ..core.geometry.layout import UVLayout
from ..core.io.boxes import Boxes, as_boxes
from ..core.io.face_files import FaceTexture, is_face_file
from ..core.io.images import Photo
from ..core.io.photos import Origin, PhotoLike, open_photo, photo_origin
from ..core.reconstruct import Model
from ..core.traced import nothing_new
from ..core.types import Camera, Face
from ..editing.complete import Completion
from ..editing.counted import free_texels
from ..editing.detail.finish import SharpnessMatch
from ..editing.find_faces import pick_faces
from ..editing.finder import LIKE, FaceFinder, FoundReference
from ..editing.light import ColorMatch
from ..editing.references import References, find_reference
from ..editing.result import EditResult
from .diagnosis import FaceNumbers, diagnose, warn_of
from .masks import MaskLike, read_mask
from .request import (
    Preset,
    SwapOptions,
    SwapRequest,
    describe,
    swap_options,
    swap_request,
)
from .shares import Stages, plan_stages
from .swap import SwapConfig, swap_masks, swap_reference

__all__ = ["FaceSwap", "SwapResult", "prepare_swap", "swap", "swap_photo"]

_LEAST_FREE = 0.02  # of a mask: less is not seen
_MASKED_OUT = "the mask leaves nothing of the face free to change; white is what may"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class FaceSwap:
    """One face of the target, and what was put on it."""

    face: Face
    found: FoundReference
    number: int | None = None  # from the left; None of one that was chosen by another word than all


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SwapResult(EditResult):
    """A photo with swapped faces.

    Attributes:
        swaps: what was put on which face, in the order of ``faces``.
        config: how.
        layout: UV layout of the faces.
        mask: the user's own, which stood in for what the network knows of occluders.
        masked_out: those of ``swaps`` that it left as they were.
    """

    swaps: tuple[FaceSwap, ...]
    config: SwapConfig
    layout: UVLayout
    mask: PhotoLike | None = None
    masked_out: tuple[FaceSwap, ...] = ()

    @cached_property
    def allowed(self) -> Float[np.ndarray, "height width"] | None:
        """Return which pixels the user's mask lets change, in [0, 1]; None without one."""
        return None if self.mask is None else read_mask(self.mask, self.photo)

    @cached_property
    def stages(self) -> tuple[Stages | None, ...]:
        """Return what was decided for each face, found on first need; None by the preset prnet."""
        if self.settings["preset"] == "prnet":
            return (None,) * len(self.swaps)
        return tuple(
            plan_stages(
                one.face, one.found.reference, self.layout, config=self.config, allowed=self.allowed
            )
            for one in self.swaps
        )

    @cached_property
    def numbers(self) -> tuple[FaceNumbers, ...]:
        """Return each face in numbers: sizes, angles, what was seen and what is guessed."""
        return tuple(
            diagnose(
                self.photo.image,
                self.image,
                one.face,
                one.found.reference,
                stages,
                self.layout,
            )
            for one, stages in zip(self.swaps, self.stages, strict=True)
        )

    @property
    def all_warnings(self) -> tuple[str, ...]:
        """Return the warnings of reading the photos, and those that the numbers give."""
        many = len(self.numbers) > 1
        found = [
            f"face {one.number}: {line}" if many else line
            for one, numbers in zip(self.swaps, self.numbers, strict=True)
            for line in (*warn_of(numbers), *([_MASKED_OUT] if one in self.masked_out else ()))
        ]
        return tuple(dict.fromkeys((*self.warnings, *found)))

    @property
    def inputs(self) -> dict[str, Origin]:
        """Return role -> what the picture was made from, and what was looked at."""
        mask = {} if self.mask is None else {"mask": photo_origin(self.mask)}
        return super().inputs | mask

    def record(self, output: str | Path) -> dict[str, Any]:
        """Return what was done as a JSON object, with the numbers of each face."""
        faces = [
            ({} if one.number is None else {"face": one.number})
            | numbers.record()
            | {"reference": [str(path) for path in one.found.files]}
            for one, numbers in zip(self.swaps, self.numbers, strict=True)
        ]
        return super().record(output) | {"faces": faces, "warnings": list(self.all_warnings)}


def swap(
    target: PhotoLike,
    reference: References | None = None,
    *,
    model: Model | None = None,
    keep: str | Sequence[str] = SwapConfig.keep,
    color: ColorMatch = SwapConfig.color,
    blend: BlendMethod = "poisson",
    complete: Completion = SwapConfig.complete,
    occlusion: OnOff = SwapConfig.occlusion,
    sharpness: SharpnessMatch = SwapConfig.sharpness,
    mask: MaskLike | None = None,
    strength: float = 1.0,
    shape: float = SwapConfig.shape,
    preset: Preset = "uvface",
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
        target: file, picture of Pillow, or RGB in [0, 1]; it is changed.
        reference: file, picture or array that the face comes from; several photos of one
            person, which are fused; a face file; or what `uvface.texture` returns. Not with
            ``mapping``.
        model: from `uvface.load`; by default the embedded weights, which each call loads.
        keep: regions where the target's own pixels stay, as a list or separated by commas;
            ``none`` or an empty list keeps none.
        color: ``light``, ``match`` or ``none``.
        blend: ``poisson``, ``mixed`` (the same with the stronger gradient of both, so that the
            target's moles and stubble stay where the reference's skin is plain), ``laplacian``,
            ``feather`` or ``none``.
        complete: what stands in for skin that the reference does not show: ``none``, ``mirror``
            (the other side), ``fill`` (that, and smooth colour) or ``auto``.
        occlusion: leave what covers the target's face (hair, glasses, hands) on top: ``on`` or
            ``off``, or a bool.
        mask: picture of the target's size, white where pixels may change, or weights of shape
            ``[H, W]`` in [0, 1]; in place of ``occlusion``.
        sharpness: ``match`` gives the face the blur and the grain of the target's photo, where
            that has more of them, and takes off noise that comes from making it brighter;
            ``none`` leaves its detail as it is.
        strength: 0 keeps the target, 1 is the full swap.
        shape: 0 keeps the shape of the target's face, 1 takes the reference's within its outline.
        preset: ``prnet`` pastes as PRNet's own code does, for comparison.
        faces: which faces of the target are changed.
        like: a photo of the person in the target whose face is changed, in place of ``faces``.
        reference_face: which face of the reference is taken.
        reference_like: a photo of the person whose face is taken, in place of
            ``reference_face``.
        mapping: face of the target, by its number from the left or a word -> reference, as in
            ``{0: "anna.jpg", "right": "ben.jpg"}``.
        recognition: network that likeness is measured by, an ``.onnx`` file.
        boxes: path, file name or stem -> boxes around the landmarks, in place of detection;
            those of arrays are found under ``target``, ``reference`` and ``face to be like``.

    Raises:
        InputError: unusable file or option.
        NoFaceError: a photo shows no face.
        AssetError: likeness is asked for and no recognition network is there.
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
        preset=preset,
    )
    request = swap_request(
        reference,
        mapping=mapping,
        faces=faces,
        like=like,
        reference_face=reference_face,
        reference_like=reference_like,
        mask=mask,
    )
    finder = FaceFinder(model, boxes=as_boxes(boxes), recognition=recognition)
    finder.require_likes(like, reference_like)
    finder.require_boxes(
        {"target": [target], "reference": request.sources, LIKE: [like, reference_like]}
    )
    return swap_photo(open_photo(target), request, finder, options=options)


def swap_photo(
    photo: Photo, request: SwapRequest, finder: FaceFinder, *, options: SwapOptions
) -> SwapResult:
    """Swap faces of one photo; `swap` with what a batch shares already made.

    Args:
        photo: the target.
        request: who gets which face.
        finder: finds the faces.
        options: how they are put in.

    Raises:
        InputError, NoFaceError, AssetError: as `swap`.
    """
    request.check()
    if options.preset == "prnet" and request.mask is not None:
        raise InputError("a mask and the preset prnet, which pastes the whole face; give one")
    swaps, warnings = (_mapped if request.mapping else _selected)(photo, request, finder)
    image, layout, config = photo.image, finder.model.layout, options.config
    allowed = None if request.mask is None else read_mask(request.mask, photo)
    masked_out = []
    for one in swaps:
        if options.preset == "prnet":
            image = _swap_like_prnet(image, one, layout)
            continue
        before = image
        image = swap_reference(
            before, one.face, one.found.reference, layout, config=config, allowed=allowed
        )
        if allowed is not None and np.array_equal(image, before):
            masked_out += [one] if _is_barred(allowed, one.face, layout, config) else []
    return SwapResult(
        image=image,
        faces=[one.face for one in swaps],
        photo=photo,
        operation="swap",
        settings=describe(photo, request, options, finder),
        warnings=tuple(dict.fromkeys(photo.warnings + warnings)),
        references=tuple(dict.fromkeys(photo for one in swaps for photo in one.found.photos)),
        swaps=tuple(swaps),
        config=config,
        mask=request.mask,
        masked_out=tuple(masked_out),
        likes=request.likes,
        left_out=tuple(dict.fromkeys(photo for one in swaps for photo in one.found.left_out)),
        layout=layout,
    )


def _is_barred(
    allowed: Float[np.ndarray, "height width"], face: Face, layout: UVLayout, config: SwapConfig
) -> bool:
    """Return whether a user's mask leaves nothing of what a swap would change of a face."""
    free = free_texels(allowed, np.asarray(face.position_map)[..., :2])
    swapped = np.asarray(swap_masks(layout, config).mask) * np.asarray(face.self_visibility)
    return bool((free * swapped).max() < _LEAST_FREE)


def prepare_swap(layout: UVLayout, request: SwapRequest, options: SwapOptions) -> None:
    """Load what earlier processes kept of deciding a swap, for a process that makes but one.

    A grey picture's face is put on itself: a plan's code depends on no photo's size. It is another
    for textures, which several references become.
    """
    paths = [Path(one) for one in request.references if isinstance(one, str | Path)]
    is_photo = len(request.references) == len(paths) == 1 and not is_face_file(paths[0])
    if options.preset == "prnet" or not is_photo:
        return
    grey, face = np.full((256, 256, 3), 0.5, np.float32), _anybody(layout)
    with nothing_new(), suppress(Exception):  # the swap itself meets it, too, and is heard
        allowed = None if request.mask is None else np.ones(grey.shape[:2], np.float32)
        plan_stages(face, (grey, face), layout, config=options.config, allowed=allowed)


def _anybody(layout: UVLayout) -> Face:
    """Return the mean face, all of it seen, in the middle of a picture of 256 pixels."""
    scale, middle = np.float32(9.0), np.array([128.0, 128.0, 0.0], np.float32)
    position_map = scale * np.asarray(layout.canonical) + middle  # JAX would compile each step
    turn = np.eye(3, dtype=np.float32)
    one = jnp.asarray(np.float32(1.0))
    return Face(
        position_map=jnp.asarray(position_map),
        texture=jnp.asarray(np.full_like(position_map, 0.5)),
        visibility=layout.mask,
        self_visibility=layout.mask,
        camera=Camera(
            scale=jnp.asarray(scale),
            rotation=jnp.asarray(turn),
            translation=jnp.asarray(middle),
        ),
        landmarks=jnp.asarray(np.zeros((68, 3), np.float32)),
        box=jnp.asarray(np.array([64.0, 64.0, 192.0, 192.0], np.float32)),
        score=one,
        confidence=one,
    )


def _selected(
    photo: Photo, request: SwapRequest, finder: FaceFinder
) -> tuple[list[FaceSwap], tuple[str, ...]]:
    with ThreadPoolExecutor(max_workers=1) as beside:  # neither keeps all cores busy
        reference = beside.submit(find_reference, finder, request.references, request.reference)
        faces, warnings = finder.faces(photo, request.target, name="target")
        found = reference.result()
    choice = request.target.faces
    numbers = range(len(faces)) if choice == "all" else [request.target.number]
    swaps = [
        FaceSwap(face=face, found=found, number=number)
        for face, number in zip(faces, numbers, strict=True)
    ]
    return swaps, warnings + found.warnings


def _mapped(
    photo: Photo, request: SwapRequest, finder: FaceFinder
) -> tuple[list[FaceSwap], tuple[str, ...]]:
    faces = finder.find(photo, "all", name="target")
    chosen = pick_faces(faces, list(request.mapping), photo, name="target")
    swaps = [
        FaceSwap(
            face=face,
            found=find_reference(finder, references, request.reference),
            number=number,
        )
        for (number, face), references in zip(chosen.items(), request.mapping.values(), strict=True)
    ]
    warnings = finder.warnings_of(photo, chosen, name="target")
    return swaps, warnings + tuple(line for one in swaps for line in one.found.warnings)


def _swap_like_prnet(image: np.ndarray, one: FaceSwap, layout: UVLayout) -> np.ndarray:
    from .prnet import swap_like_prnet

    if isinstance(one.found.reference, FaceTexture):
        raise InputError("the preset prnet takes a photo; a face file or several are not for it")
    return swap_like_prnet(image, one.face, *one.found.reference, layout)
