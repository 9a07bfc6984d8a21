"""What stands in for texels that a photo does not show: the other side, or what is around."""

from __future__ import annotations

import dataclasses
from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float

from ..core.blending.poisson import poisson_correction
from ..core.geometry.ramps import ramp, smooth_step
from .regions import soften

__all__ = [
    "DRAWN_FROM",
    "Completion",
    "Shares",
    "complete",
    "fill_smoothly",
    "is_any_sure",
    "known_enough",
]

# ``none``: nothing, the target's own pixels stay; ``mirror``: the other side of the face where that
# is shown; ``fill``: that, and smooth colour for the rest; ``auto``: that, but only gaps are
# filled, and the target's own pixels stay where a larger part of the face is unknown.
Completion = Literal["none", "mirror", "fill", "auto"]

DRAWN_FROM = 0.375  # the shares' sum from which on they are drawn over the target's own
_ENOUGH = (0.25, 0.7)  # share of the visibility that is wanted
_EQUAL = 0.05  # visibility below which it makes no difference how little is seen
_MARGIN = 4.0  # texels of 256: what borders on hidden texels is not trusted
_CONTOUR = 3.0  # texels of 256: of what lies before a fold, its rim may be read past its contour
_PASSING = 6.0  # texels of 256 over which one kind of colour passes into another
_AROUND = 8.0  # texels of 256 over which colours are averaged before they are continued
_GAP = 10.0  # texels of 256: so far what is known reaches into what is not
_NEAR = (0.3, 0.65)  # share of known texels around one that make it part of a gap
_MISSING = (0.0, 0.1)  # visibility that a fold lacks of what is wanted, averaged as a margin
_ENOUGH_LIPS = 0.0025  # of the layout's area: a tenth of both lips


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Shares:
    """Where the colour of each texel comes from; what they leave to 1 is not known."""

    direct: Array  # [S, S], the texel itself
    mirrored: Array  # [S, S], the texel on the other side of the face
    filled: Array  # [S, S], what lies around it


def complete(
    seen: Float[Array, "size size"],
    beside: Float[Array, "size size"],
    *,
    wanted: Float[Array, "size size"],
    how: Completion = "auto",
    whole: Float[Array, "size size"] | None = None,
    left: Float[Array, "size size"] | None = None,
    folds: Float[Array, "size size"] | None = None,
) -> Shares:
    """Decide where the colour of each texel comes from.

    Args:
        seen: how well the photo shows each texel, in [0, 1].
        beside: how well it shows the texel on the other side of the face.
        wanted: how well the texel will be seen where it is put: a texel seen no worse than that
            is good enough, so that a face put back into its own photo is not changed.
        how: see `Completion`.
        whole: where ``auto`` fills gaps of any size, in [0, 1]: what would look torn if half of it
            stayed the target's own. If next to nothing is known of it, nothing of it is filled: no
            colour from around looks like it.
        left: where ``auto`` fills nothing, in [0, 1]: what no colour from around looks like.
        folds: where, in [0, 1], ``fill`` and ``auto`` fill what the photo hides up to where it is
            not wanted either, if it is wanted close by: what is read there lies before the fold.
    """
    direct, other = _enough(seen, wanted), _enough(beside, wanted)
    mirrored = jnp.zeros_like(direct)
    if how != "none":
        mirrored = (1.0 - direct) * _broad(jnp.maximum(other - direct, 0.0))
        # Both sides are never of one light: where what is read directly ends, the other fades in.
        passing = direct * other * smooth_step(2.0 * _around(mirrored, _PASSING))
        direct, mirrored = direct - passing, mirrored + passing
    known, torn = direct + mirrored, jnp.zeros_like(direct)
    fillable = jnp.ones_like(direct)
    if whole is not None:
        enough = known_enough(whole * (direct * seen + mirrored * beside))
        torn = whole * enough if how == "auto" else torn
        fillable -= whole * (1.0 - enough)
    filled = jnp.maximum(_gaps(known, how), torn) * (1.0 - known) * fillable
    if left is not None and how == "auto":
        filled *= 1.0 - left
    if folds is not None and how in ("fill", "auto"):
        missing = ramp(_around(jnp.maximum(wanted - seen, 0.0), _MARGIN), _MISSING)
        through = direct * folds * (1.0 - _inner(seen, _CONTOUR)) * missing
        direct, filled, known = direct - through, filled + through, known - through
    # Towards what is not known at all the target's own pixels fade in.
    total = known + filled
    fade = jnp.maximum(smooth_step(2.0 * _around(total, _PASSING) - 1.0), torn)
    fade = jnp.minimum(fade / jnp.maximum(total, 1e-3), 1.0)
    return Shares(direct=direct * fade, mirrored=mirrored * fade, filled=filled * fade)


def _around(part: Array, texels: float) -> Array:
    """Return a mask blurred over texels of 256."""
    return soften(part[..., None], texels * part.shape[0] / 256)[..., 0]


def _enough(seen: Array, wanted: Array) -> Array:
    """Return 1 where a texel is seen well enough to be put where it is wanted."""
    # Also at the rim of what is wanted, where little of it is left, it must be there.
    inner = (_inner(seen) + _EQUAL) / (_inner(wanted) + _EQUAL)
    return ramp(jnp.minimum(inner, (seen + _EQUAL) / (wanted + _EQUAL)), _ENOUGH)


def _inner(seen: Array, rim: float = _MARGIN) -> Array:
    """Return a mask without its rim; a position map is never right to the texel."""
    around = _around(seen, rim)
    return jnp.minimum(seen, smooth_step(2.0 * around - 1.0))


def _broad(part: Array) -> Array:
    """Return a mask without its narrow parts; a line of the other side's light would be seen."""
    around = _around(part, _MARGIN)
    return part * smooth_step((around - 0.5) / 0.3)


def _gaps(known: Array, how: Completion) -> Array:
    """Return how far what is not known is to be filled."""
    if how in ("none", "mirror"):
        return jnp.zeros_like(known)
    if how == "fill":
        return jnp.broadcast_to(is_any_sure(known).astype(known.dtype), known.shape)
    return ramp(_around(known, _GAP), _NEAR)


def known_enough(part: Float[Array, "size size"]) -> Float[Array, ""]:
    """Return 0 for nothing, 1 for enough to tell the colour of a part of the size of lips.

    Args:
        part: the part, as far as it is known.
    """
    return smooth_step(part.mean() / _ENOUGH_LIPS)


def is_any_sure(known: Float[Array, "size size"]) -> Bool[Array, ""]:
    """Return whether enough is known to fill the rest: more than lines and rims."""
    return (_sure(known) > 0.0).any()


def _sure(known: Array) -> Array:
    """Return what is known without the rim of it, where colours are mixed."""
    return jnp.where(_inner(known) < 0.9, 0.0, known)


def fill_smoothly(
    image: Float[Array, "size size c"], known: Float[Array, "size size"]
) -> Float[Array, "size size c"]:
    """Continue the known part of a UV image over the rest: a membrane (Laplace's equation).

    Args:
        image: any channels; used where all is known.
        known: in [0, 1]; the rim of what is known is left out, its colours are mixed. Without more
            than that (`is_any_sure`) all is 0.
    """
    inner = _sure(known)[..., None]
    blurred = soften(jnp.concatenate([image * inner, inner], -1), _AROUND * image.shape[0] / 256)
    is_unknown = inner[..., 0] == 0.0
    smooth = blurred[..., :-1] / jnp.maximum(blurred[..., -1:], 1e-4)
    colors = jnp.where(is_unknown[..., None], 0.0, smooth)
    return colors + poisson_correction(colors, jnp.zeros_like(colors), is_unknown)
