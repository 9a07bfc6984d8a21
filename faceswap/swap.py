"""Swapping faces: the reference's skin on the target's geometry, put into the target's photo."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..core.arguments import as_number
from ..core.blending.composite import BlendConfig
from ..core.geometry.face_shape import load_shape_modes
from ..core.geometry.layout import UVLayout
from ..core.geometry.ramps import ramp
from ..core.io.face_files import FaceTexture
from ..core.once import once
from ..core.traced import keep_traced
from ..core.types import Face
from ..editing.complete import Completion
from ..editing.detail.finish import SharpnessMatch
from ..editing.edit import apply_source
from ..editing.identity import identity_shift
from ..editing.light import ColorMatch
from ..editing.plan import EditMasks, PlanConfig
from ..editing.regions import kept_regions, soften, swap_region
from ..editing.seen.features import brow_area
from ..editing.seen.harshness import profile_share
from ..editing.source import Reference

__all__ = [
    "SwapConfig",
    "applied_shape",
    "check_swap",
    "pair_masks",
    "swap_face",
    "swap_masks",
    "swap_reference",
]

_SIDEWAYS = (0.75, 1.0)  # of a profile: from 60 to 70 degrees
_BESIDE_ODD = 8.0  # texels of 256 around eyes and lips that are read beside their places
_HELD = 0.5  # of the mask: the outer half of its ramp, where it joins skin of the photo

RgbImage = Float[np.ndarray, "height width 3"]
ReferenceImage = Float[np.ndarray, "rows columns 3"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SwapConfig:
    """Settings of a swap.

    Attributes:
        keep: regions where the target's own pixels stay.
        color: ``match`` fits mean and spread of the skin's colours, ``light`` also how they vary
            over the face, ``none`` takes the reference's colours.
        complete: what stands in for skin that the reference does not show.
        occlusion: leave what covers the target's face (hair, glasses, hands) on top, and the half
            that a light from one side leaves black as it is.
        sharpness: ``match`` gives the face the blur and the grain of the target's photo, where
            that has more of them, and takes off noise that comes from making it brighter;
            ``none`` leaves its detail as it is.
        blend: how the face is put into the photo.
        strength: 0 keeps the target, 1 is the full swap.
        shape: 0 keeps the shape of the target's face, 1 gives eyes, brows, nose and cheeks the
            reference's; outline, mouth, pose and expression stay. Layouts without shape modes
            (that of imported PRNet weights) keep the target's.
        feather: width of the mask's soft border, in texels of a layout of size 256.
    """

    keep: tuple[str, ...] = ("eyeballs", "mouth_interior")
    color: ColorMatch = "light"
    complete: Completion = "auto"
    occlusion: bool = True
    sharpness: SharpnessMatch = "match"
    blend: BlendConfig = dataclasses.field(default_factory=BlendConfig)
    strength: float = 1.0
    shape: float = 1.0
    feather: float = 3.0

    def plan(self, *, is_masked: bool = False) -> PlanConfig:
        """Return how colours are found.

        Args:
            is_masked: a user's mask stands in for what the network knows of occluders.
        """
        return PlanConfig(
            color=self.color,
            complete=self.complete,
            occlusion=self.occlusion and not is_masked,
        )


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
        InputError: unknown region, or a number out of range.
    """
    given = (reference_image, reference)
    return swap_reference(target_image, target, given, layout, config=config, allowed=allowed)


def swap_reference(
    target_image: RgbImage,
    target: Face,
    reference: Reference,
    layout: UVLayout,
    *,
    config: SwapConfig | None = None,
    allowed: Float[np.ndarray, "height width"] | None = None,
) -> RgbImage:
    """Put a face into a photo: `swap_face` for all that a face can come from.

    Args:
        target_image: photo that is changed, RGB in [0, 1].
        target: the face of it to replace.
        reference: a photo with its face, or the texture of a face file.
        layout: UV layout of both faces.
        config: what is kept, colours, blending.
        allowed: as for `swap_face`.

    Returns:
        The changed photo; bit-identical outside the face.

    Raises:
        InputError: unknown region, or a number out of range.
    """
    config = config or SwapConfig()
    check_swap(layout, config)
    return apply_source(
        target_image,
        target,
        reference,
        pair_masks(target, reference, layout, config),
        layout,
        plan=config.plan(is_masked=allowed is not None),
        blend=config.blend,
        sharpness=config.sharpness,
        allowed=allowed,
    )


def check_swap(layout: UVLayout, config: SwapConfig) -> None:
    """Raise InputError for what no photo is needed to see, as `swap_face` does."""
    for name in ("strength", "shape"):
        as_number(name, getattr(config, name), 0, 1)
    for name in config.keep:
        layout.region(name)


def applied_shape(layout: UVLayout, config: SwapConfig) -> float:
    """Return how much of the reference's shape a face takes: nothing without shape modes."""
    return config.shape if config.shape and load_shape_modes(layout) is not None else 0.0


def pair_masks(
    target: Face, reference: Reference, layout: UVLayout, config: SwapConfig
) -> EditMasks:
    """Return `swap_masks` for a target and a reference.

    With how far the target's surface moves for the reference's shape; and where the target stays,
    because the reference is a profile.
    """
    masks, shift = swap_masks(layout, config), _shape_shift(target, reference, layout, config)
    if not config.keep:
        return dataclasses.replace(masks, shift=shift)
    shown = reference if isinstance(reference, FaceTexture) else reference[1]
    sideways = _kept_of_profile(target.visibility, jnp.asarray(shown.visibility), layout)
    return dataclasses.replace(masks, shift=shift, keep=jnp.maximum(masks.keep, sideways))


@partial(keep_traced, key="kept of a profile", like=0)
def _kept_of_profile(
    target: Float[Array, "size size"], reference: Float[Array, "size size"], layout: UVLayout
) -> Float[Array, "size size"]:
    """Return where a target that is no profile stays under one that is: at eyes and lips.

    From the front one would see halves of them, as they are seen from the side, and their mirror
    images.
    """
    skin = layout.region("skin")
    of_target, of_reference = (profile_share(skin * seen, layout) for seen in (target, reference))
    odd = jnp.maximum(layout.region("eyes"), layout.region("lips"))[..., None]
    around = jnp.minimum(4.0 * soften(odd, _BESIDE_ODD * layout.size / 256)[..., 0], 1.0)
    share = ramp(of_reference, _SIDEWAYS) * (1.0 - of_target)
    return share * around * (1.0 - brow_area(layout))


def _shape_shift(
    target: Face, reference: Reference, layout: UVLayout, config: SwapConfig
) -> Float[Array, "n n 3"] | None:
    """Return how far the target's surface would move to have the reference's shape, photo pixels.

    None where it keeps its own.
    """
    modes = load_shape_modes(layout) if config.shape else None
    if modes is None:
        return None
    if isinstance(reference, FaceTexture):  # of several photos the mean: each errs another way
        other = jnp.asarray(reference.shape)
    else:
        other = reference[1].position_map
    return config.shape * identity_shift(target.position_map, other, modes)


def swap_masks(layout: UVLayout, config: SwapConfig) -> EditMasks:
    """Return what a swap may change and what stays the target's own."""
    mask, keep = _mask_maker(config.keep, config.feather)(layout)
    return EditMasks(
        mask=mask,
        keep=keep,
        skin=layout.region("skin") * mask,
        strength=jnp.asarray(config.strength, jnp.float32),
        held=jnp.asarray(_HELD, jnp.float32),
    )


@once
def _mask_maker(keep: tuple[str, ...], feather: float) -> Callable[..., tuple[Array, Array]]:
    how = partial(_masks, keep=keep, feather=feather)
    return keep_traced(how, key=f"masks of a swap {keep} {feather}", like=(0, 0))


def _masks(layout: UVLayout, *, keep: tuple[str, ...], feather: float) -> tuple[Array, Array]:
    mask = swap_region(layout, feather=feather)
    if not keep:
        return mask, jnp.zeros_like(mask)
    return mask, kept_regions(layout, keep)
