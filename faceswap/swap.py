"""Swapping faces: the reference's skin on the target's geometry, put into the target's photo."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..core.blending.composite import BlendConfig, BlendMethod
from ..core.errors import InputError
from ..core.geometry.layout import UVLayout
from ..core.geometry.pose import angles_from_rotation
from ..core.reconstruct import FaceChoice, Model
from ..core.types import Face
from ..editing.complete import Completion
from ..editing.edit import apply_source
from ..editing.plan import ColorMatch, EditMasks, PlanConfig
from ..editing.regions import combine_regions, soften, swap_region
from ..editing.result import Boxes, EditResult, PhotoLike, find_faces, open_photo

__all__ = ["SwapConfig", "SwapResult", "swap", "swap_face", "swap_masks"]

RgbImage = Float[np.ndarray, "height width 3"]
ReferenceImage = Float[np.ndarray, "rows columns 3"]

_KEEP_GROWTH = 2.0  # texels of 256: softness of the kept regions' border, which lies outside
_TURNED = 50.0  # degrees between the faces from which on much is guessed


@dataclasses.dataclass(frozen=True, kw_only=True)
class SwapConfig:
    """Settings of a swap.

    Attributes:
        keep: regions where the target's own pixels stay.
        color: ``match`` fits mean and spread of the skin's colours, ``light`` also how they vary
            over the face, ``none`` takes the reference's colours.
        complete: what stands in for skin that the reference does not show.
        occlusion: leave what covers the target's face (hair, glasses, hands) on top.
        blend: how the face is put into the photo.
        strength: 0 keeps the target, 1 is the full swap.
        feather: width of the mask's soft border, in texels of a layout of size 256.
    """

    keep: tuple[str, ...] = ("eyeballs", "mouth_interior")
    color: ColorMatch = "light"
    complete: Completion = "auto"
    occlusion: bool = True
    blend: BlendConfig = dataclasses.field(default_factory=BlendConfig)
    strength: float = 1.0
    feather: float = 6.0


class SwapResult(EditResult):
    """A photo with swapped faces: `EditResult` of a swap."""


def swap_face(
    target_image: RgbImage,
    target: Face,
    reference_image: ReferenceImage,
    reference: Face,
    layout: UVLayout,
    *,
    config: SwapConfig | None = None,
    allowed: Float[np.ndarray, "height width"] | None = None,
) -> RgbImage:
    """Put the face of one photo into another.

    The reference's colours are read where its photo shows them, from the mirrored side where
    only that is shown; what is known from neither is filled or left to the target.

    Args:
        target_image: photo that is changed, RGB in [0, 1].
        target: the face of it to replace.
        reference_image: photo that the face comes from.
        reference: the face of it.
        layout: UV layout of both faces.
        config: what is kept, colours, blending.
        allowed: pixels of the target that may change, in [0, 1]; it stands in for what the
            network knows of the target's occluders.

    Returns:
        The changed photo; bit-identical outside the face.

    Raises:
        InputError: unknown region or option.
    """
    config = config or SwapConfig()
    if not 0.0 <= config.strength <= 1.0:
        raise InputError(f"strength {config.strength}; need 0 to 1")
    plan = PlanConfig(
        color=config.color,
        complete=config.complete,
        occlusion=config.occlusion and allowed is None,
    )
    return apply_source(
        target_image,
        target,
        (reference_image, reference),
        swap_masks(layout, config),
        layout,
        plan=plan,
        blend=config.blend,
        allowed=allowed,
    )


def swap_masks(layout: UVLayout, config: SwapConfig) -> EditMasks:
    """Return what a swap may change and what stays the target's own."""
    mask, keep = _masks(layout, keep=config.keep, feather=config.feather)
    return EditMasks(
        mask=mask,
        keep=keep,
        skin=layout.region("skin") * mask,
        strength=jnp.asarray(config.strength, jnp.float32),
    )


@partial(jax.jit, static_argnames=("keep", "feather"))
def _masks(layout: UVLayout, *, keep: tuple[str, ...], feather: float) -> tuple[Array, Array]:
    mask = swap_region(layout, feather=feather)
    if not keep:
        return mask, jnp.zeros_like(mask)
    width = _KEEP_GROWTH * layout.size / 256
    kept = soften(combine_regions(layout, keep)[..., None], width)[..., 0]
    return mask, jnp.clip(2.0 * kept - 0.15, 0.0, 1.0)


def swap(
    target: PhotoLike,
    reference: PhotoLike,
    *,
    model: Model,
    keep: Sequence[str] = SwapConfig.keep,
    color: ColorMatch = SwapConfig.color,
    blend: BlendMethod = "poisson",
    strength: float = 1.0,
    faces: FaceChoice = "largest",
    reference_face: FaceChoice = "largest",
    boxes: Boxes | None = None,
) -> SwapResult:
    """Put the face of ``reference`` into ``target``.

    Args:
        target: file, or RGB in [0, 1]; it is changed.
        reference: file or array that the face comes from.
        model: from `uvface.load`.
        keep: regions where the target's own pixels stay.
        color: ``light``, ``match`` or ``none``.
        blend: ``poisson``, ``feather`` or ``none``.
        strength: 0 keeps the target, 1 is the full swap.
        faces: which faces of the target are changed.
        reference_face: which face of the reference is taken.
        boxes: stem of a file's name -> boxes around the landmarks, in place of detection.

    Raises:
        InputError: unusable file or option.
        NoFaceError: a photo shows no face.
    """
    config = SwapConfig(
        keep=tuple(keep), color=color, blend=BlendConfig(method=blend), strength=strength
    )
    photo, other = open_photo(target), open_photo(reference)
    found = find_faces(photo, model, faces=faces, boxes=boxes, name="target")
    chosen = find_faces(other, model, faces=reference_face, boxes=boxes, name="reference")
    image = photo.image
    for face in found:
        image = swap_face(image, face, other.image, chosen[0], model.layout, config=config)
    return SwapResult(
        image=image,
        faces=found,
        photo=photo,
        operation="swap",
        settings={
            "reference": str(other.path or ""),
            "keep": list(keep),
            "color": color,
            "blend": blend,
            "strength": strength,
        },
        warnings=photo.warnings + other.warnings + _pose_warnings(found, chosen[0]),
    )


def _pose_warnings(targets: Sequence[Face], reference: Face) -> tuple[str, ...]:
    """Say where much of the swapped face cannot have been seen."""
    yaw = float(angles_from_rotation(reference.camera.rotation)[0])
    lines = []
    for target in targets:
        own = float(angles_from_rotation(target.camera.rotation)[0])
        if abs(own - yaw) > _TURNED:
            turned = f"the faces are turned {own:.0f} and {yaw:.0f} degrees"
            lines.append(f"{turned}; what one photo hides is mirrored or left as it was")
    return tuple(lines)
