"""A source's texels, each read at its own place and at its mirror image's, in a target's light."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..core.compilation import computed_once
from ..core.geometry.layout import UVLayout
from .colour import apply_light
from .feature_color import feature_light
from .light import ColorMatch, SkinMatch, fit_colors
from .seen.eyes import white_light
from .seen.features import brow_area, spared_share
from .side import Side

__all__ = ["Reading", "feature_lights", "read_both", "whole_light"]


class Reading(NamedTuple):
    """One of the two ways to read a source's texels, and what takes its colours to the target's."""

    side: Side  # what the source shows so
    fit: SkinMatch  # of its skin
    hair: Array  # [S, S] Oklab L of the skin around if hair grows there, else 0
    colors: Array  # [S, S, 3] Oklab in the target's light


def read_both(
    shown: Side,
    target: Side,
    skin: Float[Array, "size size"],
    layout: UVLayout,
    *,
    color: ColorMatch,
) -> tuple[Reading, Reading]:
    """Read a source's texels at their own places, and at those on the other side of the face.

    Args:
        shown: what the source shows.
        target: what it will be put onto.
        skin: weights of the texels that colours are compared on.
        layout: of all.
        color: how colours are found.
    """
    sides = [shown.drawn_on(target), shown.mirrored(layout).drawn_on(target)]
    fits = _fitted(sides, target, skin, color)
    spared, brows = spared_share(layout), brow_area(layout)
    hair = [
        fit.skin * jnp.maximum(brows, 1.0 - side.plain)
        for fit, side in zip(fits, sides, strict=True)
    ]
    colors = [
        computed_once(apply_light(fit.transfer, side.lab, fit.light, hair=dark, spared=spared))
        for fit, side, dark in zip(fits, sides, hair, strict=True)
    ]
    if color != "none":  # colours of another tone would all be a shade, or none
        sides = [
            side.without_shade_at_end(own, target, layout)
            for side, own in zip(sides, colors, strict=True)
        ]
    direct, mirrored = map(Reading, sides, fits, hair, colors)
    return direct, mirrored


def _fitted(
    sides: Sequence[Side], target: Side, region: Array, color: ColorMatch
) -> list[SkinMatch]:
    """Return what takes the skin of each side to the target's; both are fitted in one program."""
    skins = [side.skin(region) for side in sides]
    both = jax.tree.map(lambda *leaves: jnp.stack(leaves), *skins)
    fitted = jax.vmap(partial(fit_colors, target=target.skin(region), color=color))(both)
    return [jax.tree.map(lambda leaf, k=k: leaf[k], fitted) for k in range(len(sides))]


def feature_lights(
    readings: Sequence[Reading], target: Side, layout: UVLayout
) -> Float[Array, "readings size size 3"]:
    """Return `feature_light` of each reading.

    Args:
        readings: of a source.
        target: what it will be put onto.
        layout: of all.
    """
    return jax.vmap(
        lambda colors, seen, paler: feature_light(
            colors, seen, target.lab, target.seen, layout, paler=paler
        )
    )(
        jnp.stack([reading.colors for reading in readings]),
        jnp.stack([reading.side.seen for reading in readings]),
        jnp.stack([reading.fit.transfer.paler for reading in readings]),
    )


def whole_light(
    reading: Reading, tint: Float[Array, "size size 3"], target: Side, layout: UVLayout
) -> Float[Array, "size size 3"]:
    """Return what the target's light multiplies a reading's skin, eyes, lips and brows by.

    Args:
        reading: of a source.
        tint: of `feature_lights`.
        target: what it will be put onto.
        layout: of all.
    """
    eyes = white_light(reading.colors, reading.side.white, target.lab, target.white, layout)
    return reading.fit.light * eyes * tint
