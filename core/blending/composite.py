"""One entry to all ways of putting an edited picture over the original."""

from __future__ import annotations

import dataclasses
from typing import Literal

import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float

from .coarse_poisson import coarse_poisson_blend
from .laplacian import laplacian_blend
from .poisson import with_stronger_gradients

__all__ = ["BlendConfig", "BlendMethod", "composite"]

BlendMethod = Literal["poisson", "mixed", "laplacian", "feather", "none"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class BlendConfig:
    """How an edit is put into the photo.

    Attributes:
        method: ``poisson`` keeps the edit's detail and takes the colours at the mask's edge
            from the photo; ``mixed`` is the same with the stronger gradient of both (Perez et al.
            2003, equations 12 and 13), so that moles and stubble of the photo stay where the edit
            is plain; ``laplacian`` mixes coarse bands of detail over wide borders, fine ones
            over narrow borders; ``feather`` mixes by the mask; ``none`` pastes where the mask is
            above one half.
        tolerance: poisson and mixed only: error that the solver aims at, in [0, 1] colour units.
    """

    method: BlendMethod = "poisson"
    tolerance: float = 1e-3

    @property
    def is_joined(self) -> bool:
        """Return whether the edit's colours follow the photo's at the mask's edge."""
        return self.method in ("poisson", "mixed")


def composite(
    target: Float[Array, "height width c"],
    source: Float[Array, "height width c"],
    mask: Float[Array, "height width"],
    *,
    region: Bool[Array, "height width"] | None = None,
    valid: Bool[Array, "height width"] | None = None,
    reach: Float[Array, ""] | None = None,
    strength: Float[Array, ""] | None = None,
    config: BlendConfig | None = None,
) -> Float[Array, "height width c"]:
    """Put ``source`` over ``target`` where ``mask`` is above 0.

    Args:
        target: photo, RGB in [0, 1].
        source: picture of the same size.
        mask: weights in [0, 1].
        region: poisson and mixed only: pixels to solve for; default: where the mask is above 0.
        valid: pixels that exist, for windows that reach beyond the photo; all if None.
        reach: poisson and mixed only: pixels over which the correction at the mask's edge decays;
            None: it does not.
        strength: share of the change that is made, by all methods alike; 1 if None.
        config: method and its options.

    Returns:
        The composite, clipped to [0, 1] inside the mask, bit-identical to ``target`` where the
        mask is 0.
    """
    config = config or BlendConfig()
    weight = mask[..., None]
    if config.method == "mixed":
        source = with_stronger_gradients(
            target,
            source,
            mask > 0.0 if region is None else region,
            valid=valid,
            reach=reach,
            tolerance=config.tolerance,
        )
    if config.is_joined:
        blended = coarse_poisson_blend(
            target,
            source,
            mask,
            region=region,
            valid=valid,
            reach=reach,
            tolerance=config.tolerance,
        )
    elif config.method == "laplacian":
        blended = laplacian_blend(target, source, mask)
    elif config.method == "feather":
        blended = target + weight * (source - target)
    else:
        blended = jnp.where(weight > 0.5, source, target)
    changed = jnp.where(weight > 0.0, jnp.clip(blended, 0.0, 1.0), target)
    if strength is None:
        return changed
    return jnp.where(strength < 1.0, target + strength * (changed - target), changed)
