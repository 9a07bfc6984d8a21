"""Where the skin and the features of a swapped face come from, in shares of their surface."""

from __future__ import annotations

import dataclasses
from functools import partial

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..core.geometry.coarse import coarse_layout
from ..core.geometry.layout import UVLayout
from ..core.geometry.scales import pool
from ..core.geometry.texels import texel_footprint
from ..core.traced import keep_traced
from ..core.types import Face
from ..editing.edit import masks_within
from ..editing.plan import EditPlan, Layers, plan_edit
from ..editing.source import Reference, Source, source_for
from .swap import SwapConfig, pair_masks, swap_masks

__all__ = ["FEATURES", "SkinShares", "Stages", "count_shares", "plan_stages"]

FEATURES = ("eyes", "brows", "lips")  # which are not of the region ``skin``
_SOME = 0.1  # share of a feature that is free to change: of less there is nothing to tell
_NOTHING = 1e-6  # cm2


@dataclasses.dataclass(frozen=True, kw_only=True)
class SkinShares:
    """Where the skin of a swapped face comes from.

    What of the target's face is neither covered nor kept is swapped. The first four are shares
    of that and sum to 1 (all are 0 where nothing is swapped); the last two are shares of the
    face's skin, or of what a user's mask leaves.
    """

    seen: float  # the reference's photo shows it
    mirrored: float  # only the other side of the face is shown
    filled: float  # smooth colour from around
    left: float  # not known, or not as it is wanted: the target's own pixels stay
    covered: float  # the target's photo does not show it lit
    kept: float  # the target's own pixels stay, because the user says so


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Stages:
    """What was decided for a face, for numbers and pictures."""

    source: Source
    plan: EditPlan
    skin: Array  # [S, S], what the numbers tell of
    counted: Array  # [S, S], 1 where a user's mask leaves the face to be told of
    asked: Array  # [S, S], 1 where the target's own pixels stay because the user says so


def plan_stages(
    face: Face,
    reference: Reference,
    layout: UVLayout,
    *,
    config: SwapConfig,
    allowed: Float[np.ndarray, "height width"] | None = None,
) -> Stages:
    """Repeat what a swap decides in UV space.

    Args:
        face: the target's face.
        reference: what is put on it.
        layout: UV layout.
        config: how.
        allowed: as for `swap_face`.
    """
    masks = masks_within(allowed, face, pair_masks(face, reference, layout, config))
    # A plan does not depend on how large the source's picture is.
    source = source_for(reference, face, np.asarray(masks.mask), layout, side=1)
    how = config.plan(is_masked=allowed is not None)
    everywhere = jnp.asarray(np.ones(masks.mask.shape, np.float32))
    return Stages(
        source=source,
        plan=plan_edit(face, source, masks, layout, config=how),
        skin=masks.skin,
        counted=everywhere if masks.counted is None else masks.counted,
        asked=swap_masks(layout, config).keep,
    )


def count_shares(stages: Stages, layout: UVLayout) -> tuple[SkinShares, dict[str, float]]:
    """Return where the skin of a face comes from, and what of its features stays unasked.

    Args:
        stages: what was decided for the face.
        layout: UV layout.

    Returns:
        The skin's shares; and by feature the share that stays the target's own though nobody says
        so, because the reference does not show it, or not as it is wanted: from the side. Features
        that the target does not show, that a mask leaves out or that are to be kept are not there.
    """
    given = (stages.plan.layers, stages.skin, stages.counted, stages.asked)
    skin, *features = np.asarray(_areas(*given, layout)).tolist()
    named = zip(FEATURES, features, strict=True)
    return _skin_shares(*skin), {
        name: min(max(1.0 - sum(parts) / free, 0.0), 1.0)
        for name, (wanted, _, free, *parts) in named
        if free > max(_SOME * wanted, _NOTHING)
    }


def _skin_shares(wanted: float, shown: float, free: float, *parts: float) -> SkinShares:
    """Return shares of areas, in the order of `_areas`."""
    seen, mirrored, filled = (part / max(free, _NOTHING) for part in parts)
    return SkinShares(
        seen=seen,
        mirrored=mirrored,
        filled=filled,
        left=max(1.0 - seen - mirrored - filled, 0.0) if free > _NOTHING else 0.0,
        covered=1.0 - min(shown / wanted, 1.0) if wanted > _NOTHING else 0.0,
        kept=max(shown - free, 0.0) / max(wanted, _NOTHING),
    )


@partial(keep_traced, key="areas of a swap", like=0)
def _areas(
    layers: Layers, skin: Array, counted: Array, asked: Array, layout: UVLayout
) -> Float[Array, "parts 6"]:
    """Return areas in cm2, of the skin and of each feature.

    All of it; what the target shows; what of that is free to change; and of that what is seen,
    mirrored and filled.
    """
    parts = jnp.stack([skin, *(layout.region(name) for name in FEATURES)], axis=-1)
    stacked = jnp.concatenate([parts * counted[..., None], asked[..., None]], axis=-1)
    coarse = coarse_layout(layout, layers.mask.shape[0])
    stacked = pool(stacked, coarse.size)
    area = texel_footprint(coarse.canonical) ** 2 * coarse.mask
    shown = jnp.clip(layers.mask, 0.0, 1.0)
    drawn = shown * (1.0 - jnp.maximum(layers.keep, layers.white))
    told = jnp.stack(
        [
            jnp.ones_like(shown),
            shown,
            shown * (1.0 - stacked[..., -1]),
            *(drawn * share for share in (layers.direct, layers.mirrored, layers.filled)),
        ],
        axis=-1,
    )
    return jnp.einsum("ij,ijp,ijt->pt", area, stacked[..., :-1], told)
