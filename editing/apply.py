"""The one path that puts an edit into a photo: plan in UV, draw, look colours up, blend.

Data flow, on a window of the photo whose size is one of few classes (so that no new photo compiles
anything again)::

    layers of the plan at the texels --rasterise with the target's geometry--> layers at the pixels
    places at the pixels --bicubic--> colours of the source --colour transfer--> drawn face
    drawn face --edges of the surface averaged--> drawn face
    drawn face --no noise that light lifted, the photo's blur and grain--> drawn face
    window --moved along with the surface, where the face takes another shape--> window
    drawn face + mask + window --Poisson--> window --paste--> photo

The source is read once, at the target's pixels: its detail does not pass through a texture.

Convention:
    Texels are read from the source where it shows them, from the mirrored texel where only that
    is shown, filled from around or left to the target elsewhere (`complete.Completion`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from ..core.blending.composite import BlendConfig, composite
from ..core.geometry.layout import UVLayout
from ..core.geometry.ramps import smooth_step
from ..core.geometry.rasterize import rasterize
from ..core.geometry.sampling import sample_bicubic, sample_bilinear
from ..core.traced import blank, keep_traced
from ..core.types import Face, Fragments
from .colour import apply_light, lab_from_rgb, rgb_from_lab
from .complete import DRAWN_FROM
from .detail.finish import SharpnessMatch, finish
from .edges import closed_gaps, edge_share, tent_average
from .plan import EditMasks, EditPlan, Layers, PlanConfig, plan_edit
from .source import Source
from .stacks import Stacks, interpolate_layers, unstacked
from .windows import Window

__all__ = ["render_edit"]

_LEAST_MOVED = 0.02  # pixels: less is not seen
_LEAST_MASK = 0.02  # below this a mask is 0: no pixel is solved for that nobody would see
_COMPARED_FROM = 0.6  # visibility in both photos from which on the mask's edge joins the colours
_REACH = 1.0  # cm: over this distance the correction at the mask's edge fades
_LARGEST_STEP = 0.3  # a larger difference at the mask's edge is hair or background, not light


class _Places(NamedTuple):
    """Where the source and the masks are read."""

    direct: Array  # [h, w, 2] source pixels
    mirrored: Array  # [h, w, 2]
    is_mirrored: Array  # [] some pixel needs the other side
    is_moved: Array  # [] some pixel of the target moves
    uv: Array  # [h, w, 2] of the layout


class _Drawn(NamedTuple):
    """A source drawn into a window; all but the colours are ``[h, w]``."""

    colors: Array  # [h, w, 3]
    before: Array  # Oklab L of the source's colours; of what was filled, as it is drawn
    mask: Array  # what may change, in [0, 1]
    keep: Array  # where the target's own pixels stay
    is_comparable: Array  # both photos show the skin well enough to compare their colours
    is_covered: Array  # the target's face covers the pixel


def render_edit(
    window: Window,
    face: Face,
    source: Source,
    masks: EditMasks,
    layout: UVLayout,
    *,
    config: PlanConfig | None = None,
    blend: BlendConfig | None = None,
    sharpness: SharpnessMatch = "match",
) -> Float[Array, "rows columns 3"]:
    """Put a source's colours into a window of the target photo.

    Args:
        window: of the target photo.
        face: the target's face; its geometry is drawn.
        source: where colours come from.
        masks: what may change.
        layout: UV layout of the face and the source.
        config: how colours are found.
        blend: how the drawn face is put into the window.
        sharpness: ``match`` gives the drawn face the blur and the grain of the photo, where that
            has more of them, and takes off noise that comes from making it brighter; ``none``
            leaves the source's detail as it is.

    Returns:
        The new window; bit-identical where nothing changes.
    """
    # Short compiled calls: XLA would merge the steps and repeat the reads for each channel, and
    # the first and the last do not depend on the source's size, nor the plan on the window's.
    config = config or PlanConfig()
    plan = plan_edit(face, source, masks, layout, config=config)
    drawn, places, window = _draw(plan, source, masks, window, face.camera.scale)
    drawn = _soft_edges(drawn, places.uv, window.image)
    if sharpness == "match":
        is_drawn, is_compared = _compared(drawn, window)
        colors = finish(
            drawn.colors,
            window.image,
            before=drawn.before,
            places=places.direct,
            is_drawn=is_drawn,
            is_compared=is_compared,
        )
        drawn = drawn._replace(colors=colors)
    # Colours that were not matched are taken from the mask's edge for the whole face.
    reach = None if config.color == "none" else _REACH * face.camera.scale
    blended: Array = _blender(blend)(drawn, window, masks.strength, masks.held, reach)
    return blended


# Of a large face each array of its pixels takes up to a gigabyte: functions of their own, so that
# what only they need is gone when they are done.


def _draw(
    plan: EditPlan, source: Source, masks: EditMasks, window: Window, scale: Array
) -> tuple[_Drawn, _Places, Window]:
    """Return what is drawn, where it was read, and the window, moved along with the surface."""
    pixels, is_covered = _layers_at_pixels(plan, window)
    places = _places(pixels, plan.layers)
    direct = _read(source.image, places.direct)
    mirrored = _read(source.image, places.mirrored) if bool(places.is_mirrored) else direct
    fine = _read_masks(masks, places.uv)
    if bool(places.is_moved):
        window = _moved(window, pixels, plan.layers, is_covered)
    return _shade(plan, pixels, fine, direct, mirrored, is_covered, scale), places, window


def _layers_at_pixels(plan: EditPlan, window: Window) -> tuple[Stacks, Array]:
    """Return the plan's layers at the window's pixels, and which of these the face covers."""
    fragments = _rasterize(plan.vertices, plan.triangles, window)
    return interpolate_layers(fragments, plan.triangles, plan.layers), fragments.is_covered


# What takes longest to trace is kept between processes.


@cache
def _blender(config: BlendConfig | None) -> Callable[..., Array]:
    return keep_traced(partial(_blend_drawn, config=config), key=f"blend {config}", like=0)


_read = keep_traced(sample_bicubic, key="read bicubic", like=0)


@partial(keep_traced, key="read masks", like=0)
def _read_masks(masks: EditMasks, uv: Array) -> Float[Array, "rows columns 2"]:
    """Return what may change, and where the target's own pixels stay."""
    texels = jnp.stack([masks.mask, masks.keep], axis=-1)
    return sample_bilinear(texels, uv * texels.shape[0] - 0.5)


@jax.jit
def _places(pixels: Stacks, like: Layers) -> _Places:
    layers = unstacked(pixels, like)
    return _Places(
        direct=layers.place,
        mirrored=layers.mirrored_place,
        is_mirrored=jnp.any(layers.mirrored * layers.mask > 0.0),
        is_moved=jnp.any(jnp.abs(layers.moved) > _LEAST_MOVED),
        uv=layers.uv,
    )


@partial(keep_traced, key="move", like=blank(Window))
def _moved(window: Window, pixels: Stacks, like: Layers, is_covered: Array) -> Window:
    """Move the target's own pixels along with its surface: what stays of it fits the new shape.

    As far as they may change: what a user's mask lets through in part moves in part.
    """
    moved = unstacked(pixels, like).moved * _above_least(window.allowed)[..., None]
    height, width = window.image.shape[:2]
    columns = jnp.arange(width, dtype=moved.dtype)
    rows = jnp.arange(height, dtype=moved.dtype)
    place = jnp.stack(jnp.meshgrid(columns, rows), axis=-1) - moved
    read = jnp.clip(sample_bicubic(window.image, place), 0.0, 1.0)
    is_moved = is_covered & (jnp.abs(moved).max(axis=-1) > _LEAST_MOVED)
    return dataclasses.replace(window, image=jnp.where(is_moved[..., None], read, window.image))


def _above_least(mask: Array) -> Array:
    """Return a mask that is 0 also where nobody would see it."""
    return jnp.clip((mask - _LEAST_MASK) / (1.0 - _LEAST_MASK), 0.0, 1.0)


@partial(keep_traced, key="rasterize", like=blank(Fragments))
def _rasterize(vertices: Array, triangles: Array, window: Window) -> Fragments:
    height, width = window.image.shape[:2]
    return rasterize(vertices, triangles, height=height, width=width, origin=window.origin)


@partial(keep_traced, key="shade", like=blank(_Drawn))
def _shade(
    plan: EditPlan,
    pixels: Stacks,
    masks: Float[Array, "rows columns 2"],
    direct: Array,
    mirrored: Array,
    is_covered: Array,
    scale: Float[Array, ""],
) -> _Drawn:
    """Match and mix the colours read from both sides, ``[h, w, 3]`` each."""
    layers = unstacked(pixels, plan.layers)
    direct_raw, mirrored_raw = lab_from_rgb(direct), lab_from_rgb(mirrored)
    direct_lab = apply_light(
        plan.direct_transfer, direct_raw, layers.light, hair=layers.hair, spared=layers.spared
    )
    mirrored_lab = apply_light(
        plan.mirrored_transfer,
        mirrored_raw,
        layers.mirrored_light,
        hair=layers.mirrored_hair,
        spared=layers.spared,
    )
    known = layers.direct + layers.mirrored + layers.filled
    shares = jnp.stack([layers.direct, layers.mirrored, layers.filled], axis=-1)
    shares /= jnp.maximum(known, 1e-3)[..., None]
    lab = _mixed(shares, direct_lab, mirrored_lab, layers.fill)
    before = _mixed(shares, *(x[..., :1] for x in (direct_raw, mirrored_raw, layers.fill)))
    changed = masks[..., 0] * (1.0 - masks[..., 1]) * layers.seen
    seen = jnp.maximum(layers.seen, layers.bare * closed_gaps(changed, scale))
    return _Drawn(
        colors=rgb_from_lab(lab),
        before=before[..., 0],
        mask=masks[..., 0] * seen * smooth_step((known - DRAWN_FROM) / (1.0 - DRAWN_FROM)),
        keep=jnp.maximum(masks[..., 1], layers.white),
        is_comparable=layers.rim > _COMPARED_FROM,
        is_covered=is_covered,
    )


def _mixed(shares: Array, *colors: Array) -> Array:
    return sum((shares[..., k : k + 1] * x for k, x in enumerate(colors)), jnp.zeros(()))


@partial(keep_traced, key="soft edges", like=blank(_Drawn))
def _soft_edges(drawn: _Drawn, uv: Array, image: Array) -> _Drawn:
    """Average what is drawn over a pixel's neighbours where the surface jumps beside it.

    What it changes in the photo, not its colours: what is the photo's own stays as sharp. The mask
    only shrinks, and what is kept only grows.
    """
    share = edge_share(uv, drawn.is_covered)
    single = jnp.stack([drawn.mask, drawn.keep], axis=-1)
    changes = jnp.concatenate([drawn.colors - image, single], axis=-1)
    near, covered = tent_average(changes, drawn.is_covered.astype(image.dtype))
    step = share[..., None] * (near - changes)
    return drawn._replace(
        colors=drawn.colors + step[..., :3],
        mask=drawn.mask + share * jnp.minimum(near[..., 3] * covered - drawn.mask, 0.0),
        keep=drawn.keep + jnp.maximum(step[..., 4], 0.0),
    )


@jax.jit
def _compared(drawn: _Drawn, window: Window) -> tuple[Array, Array]:
    """Return where what was drawn counts, and where it covers the photo."""
    is_drawn = drawn.is_covered & ((drawn.mask > 0.0) | drawn.is_comparable)
    is_face = (drawn.mask > 0.5) & drawn.is_covered & (window.allowed > _LEAST_MASK)
    return is_drawn, is_face & window.is_photo


def _blend_drawn(
    drawn: _Drawn,
    window: Window,
    strength: Array,
    held: Array,
    reach: Array | None,
    *,
    config: BlendConfig | None,
) -> Array:
    """Blend what was drawn into the window."""
    mask = _above_least(drawn.mask * window.allowed)
    difference = jnp.abs(window.image - drawn.colors).max(axis=-1)
    is_alike = drawn.is_comparable & (difference < _LARGEST_STEP) & window.is_photo
    # Of other blends the whole ramp mixes both.
    is_joined = config is None or config.is_joined
    is_held = drawn.mask <= jnp.where(is_joined, held, 0.0)
    is_given = is_alike & (is_held | (mask <= 0.0))
    region = (mask > 0.0) & window.is_photo & ~is_given
    return composite(
        window.image,
        jnp.where(drawn.is_covered[..., None], drawn.colors, window.image),
        mask * (1.0 - drawn.keep) * region.astype(mask.dtype),
        region=region,
        valid=region | is_given,
        reach=reach,
        strength=strength,
        config=config,
    )
