"""Colours for texels that neither side of the source shows: from around, in the target's detail.

The underside of a nose is shaded and has nostrils: smooth colour from far around would be too
light, and what is fine there in the target are the folds around it, not skin. It has the colours
of its rim, as much darker as the target's own is than its rim.
"""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..core.geometry.scales import enlarge, pool
from .colour import DARK
from .complete import Completion, Shares, fill_smoothly, is_any_sure, known_enough
from .regions import soften
from .side import Side

__all__ = ["detail", "fill_colors"]

_TEXELS = 64  # along a side, of colours that are continued smoothly
_DETAIL = 6.0  # texels of 256: what is finer is not colour but skin
_RIM = 3.0  # texels of 256: so far the colours at the rim of a nose's underside reach
_RIM_KNOWN = 0.1  # share of known texels so far around from which on these are its colours
_WIDE = 14.0  # texels of 256: so far around, where no rim is known


def fill_colors(
    shown: Shares,
    direct: Float[Array, "size size 3"],
    mirrored: Float[Array, "size size 3"],
    *,
    target: Side,
    lips: Float[Array, "size size"],
    underside: Float[Array, "size size"],
    how: Completion,
) -> tuple[Float[Array, "size size 3"], Float[Array, "size size"]]:
    """Return Oklab for texels that neither side shows, and 0 where there is none for them.

    Colours from what lies around them, for lips from what is known of the lips.

    Args:
        shown: where colours are known.
        direct: Oklab read from the texels themselves.
        mirrored: from those on the other side of the face.
        target: the face that they will be put onto.
        lips: mask of the lips.
        underside: mask of what lies under the tip of the nose.
        how: as of `complete`.
    """
    if how in ("none", "mirror"):
        return jnp.zeros_like(direct), jnp.zeros_like(lips)
    known = (shown.direct + shown.mirrored)[..., None]
    colors = shown.direct[..., None] * direct + shown.mirrored[..., None] * mirrored
    is_lip = lips[..., None]
    layers = [colors * (1.0 - is_lip), known * (1.0 - is_lip), colors * is_lip, known * is_lip]
    small = pool(jnp.concatenate(layers, axis=-1), _TEXELS)
    weight: Float[Array, "size size"] = small[..., 3]
    mean = small[..., :3] / jnp.maximum(weight[..., None], 1e-6)
    smooth = enlarge(fill_smoothly(mean, weight), direct.shape[0])
    rim, near = _mean_around(colors, known, _RIM)
    below = smooth + jnp.minimum(near / _RIM_KNOWN, 1.0) * (rim - smooth)
    smooth += underside[..., None] * (below * _shade(target, known) - smooth)
    lip_weight = small[..., 7:]
    lip_color = small[..., 4:7].sum(axis=(0, 1)) / jnp.maximum(lip_weight.sum(), 1e-6)
    is_sure = is_any_sure(weight)
    smooth = jnp.where(is_sure, smooth, lip_color)
    lip_share = is_lip * known_enough(lip_weight[..., 0])
    filled = smooth + lip_share * (lip_color - smooth)
    return filled, jnp.maximum(is_sure.astype(filled.dtype), lip_share[..., 0])


def detail(target: Side, *, underside: Float[Array, "size size"]) -> Float[Array, "size size 3"]:
    """Return what is finer than a few texels of a face's Oklab, where it is seen.

    Filled skin would be flat without it.

    Args:
        target: the face.
        underside: mask of what lies under the tip of the nose: there, none.
    """
    seen = target.seen[..., None]
    around, _ = _mean_around(target.lab * seen, seen, _DETAIL)
    return (1.0 - underside[..., None]) * seen * (target.lab - around)


def _shade(target: Side, known: Float[Array, "size size 1"]) -> Float[Array, "size size 1"]:
    """Return how much darker a face is than it is around where colours are known, at most 1."""
    seen, light = target.seen[..., None], target.lab[..., :1]
    shown = seen * known
    own, told = _mean_around(light * seen, seen, _RIM)
    (rim, near), (wide, _) = (_mean_around(light * shown, shown, x) for x in (_RIM, _WIDE))
    beside = wide + jnp.minimum(near / _RIM_KNOWN, 1.0) * (rim - wide)
    darker = jnp.minimum(own / jnp.maximum(beside, DARK), 1.0)
    return 1.0 + jnp.minimum(told / _RIM_KNOWN, 1.0) * (darker - 1.0)


def _mean_around(
    colors: Float[Array, "size size c"], known: Float[Array, "size size 1"], texels: float
) -> tuple[Float[Array, "size size c"], Float[Array, "size size 1"]]:
    """Return the mean of what is known over texels of 256 around each, and how much that is.

    Args:
        colors: weighted by ``known``.
        known: weights.
        texels: standard deviation.
    """
    both = soften(jnp.concatenate([colors, known], axis=-1), texels * known.shape[0] / 256)
    return both[..., :-1] / jnp.maximum(both[..., -1:], 1e-3), both[..., -1:]
