"""A report of a swap as one HTML file: pictures of each stage, numbers, warnings.

The file holds everything; it loads nothing from anywhere.
"""

from __future__ import annotations

import base64
import dataclasses
import html
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from ..core.drawing.overlay import draw_overlay
from ..core.drawing.view import view_around
from ..core.geometry.coarse import coarse_layout
from ..core.geometry.layout import UVLayout
from ..core.geometry.scales import pool
from ..core.io.face_files import FaceTexture, is_face_file
from ..core.io.provenance import software_name
from ..core.levels import quantise
from ..core.types import Face
from ..core.whole_files import write_bytes_atomic
from ..editing.colour import ColorTransfer, apply_light, rgb_from_lab
from ..editing.counted import free_texels
from ..editing.finder import FoundReference
from ..editing.plan import Layers
from .diagnosis import FaceNumbers
from .photos import FaceSwap, SwapResult
from .shares import SkinShares, Stages

__all__ = ["report_page", "write_report"]

Picture = Float[np.ndarray, "_ _ 3"]

_SIDE = 320  # pixels of a picture in the page
_WHOLE = 900  # of the whole photos
_VIEW = 1.5  # side of a crop over that of the face's box
_DIM = 0.35  # of the target's own texels beside those that are changed
_GREY = np.array([0.7, 0.0, 0.0], np.float32)  # Oklab: light is shown on grey

_PRESET = (
    "The preset prnet pasted the whole face as it is, seen or not: there are no shares, masks and "
    "light to show."
)

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 1100px; padding: 0 1em;
  color: #1b1e23; background: #fff }}
h1 {{ font-size: 1.5em }} h2 {{ font-size: 1.2em; margin-top: 2em }}
figure {{ display: inline-block; margin: 0 .7em 1em 0; vertical-align: top }}
figure img {{ display: block; max-width: 100%; border-radius: 3px }}
figcaption {{ font-size: .85em; color: #555; max-width: 18em }}
table {{ border-collapse: collapse; margin: .5em 0 1em }}
td, th {{ padding: .15em 1.2em .15em 0; text-align: left; font-variant-numeric: tabular-nums }}
.warning {{ background: #fff2d9; border-left: 4px solid #d98a00; padding: .4em .8em;
  margin: .4em 0 }}
pre {{ background: #f4f5f7; padding: .8em; overflow-x: auto; font-size: .85em }}
</style>
<h1>{title}</h1>
{body}
<p><small>{software}. The picture is a synthetic composite.</small></p>
</html>
"""


def write_report(path: str | Path, result: SwapResult, *, output: str | Path) -> None:
    """Write the report of a swap, as a whole or not at all.

    Args:
        path: HTML file to write.
        result: the swap.
        output: the picture that it was written to.
    """
    write_bytes_atomic(Path(path), report_page(result, output=output).encode(errors="replace"))


def report_page(result: SwapResult, *, output: str | Path) -> str:
    """Return the report of a swap as HTML.

    Args:
        result: the swap.
        output: the picture that it was written to.
    """
    parts = [_warnings(result.all_warnings)]
    whole = {"target": result.photo.image, "result": result.image}
    parts.append(_figures({name: _fit(image, _WHOLE // 2) for name, image in whole.items()}))
    if result.settings["preset"] == "prnet":
        parts.append(f"<p>{_PRESET}</p>")
    rows = zip(result.swaps, result.stages, result.numbers, strict=True)
    for one, stages, numbers in rows:
        parts.append(f"<h2>Face {one.number}</h2>" if len(result.swaps) > 1 else "<h2>Face</h2>")
        table = _table(numbers, one.found, result.config.keep)
        parts += [table, _figures(_pictures(result, one, stages))]
    settings = html.escape(json.dumps(result.settings, indent=2))
    parts.append(f"<h2>Options</h2><pre>{settings}</pre>")
    title = html.escape(f"Swap: {Path(output).name}")
    return _PAGE.format(title=title, body="\n".join(parts), software=html.escape(software_name()))


def _warnings(lines: Sequence[str]) -> str:
    if not lines:
        return "<p>Nothing to warn of.</p>"
    return "\n".join(f'<div class="warning">{html.escape(line)}</div>' for line in lines)


def _table(numbers: FaceNumbers, found: FoundReference, keep: Sequence[str]) -> str:
    rows = {
        "target's face": _measures(numbers.size, numbers.yaw),
        "reference's face": _described(numbers, found),
        **({} if numbers.shares is None else _share_rows(numbers.shares, keep)),
        **_feature_rows(numbers.features_left),
        "colour step along the mask's edge": f"{numbers.seam_step:.2f} Lab "
        f"(before: {numbers.own_step:.2f})",
    }
    lines = [
        f"<tr><td>{html.escape(k)}</td><td>{html.escape(v)}</td></tr>" for k, v in rows.items()
    ]
    return f"<table>{''.join(lines)}</table>"


def _measures(size: float, yaw: float) -> str:
    side = "left" if yaw > 0 else "right"
    turned = f" to the {side} of the picture" if round(yaw) else ""
    return f"{size:.0f} px, turned {abs(yaw):.0f}°{turned}"


def _described(numbers: FaceNumbers, found: FoundReference) -> str:
    """Return what the reference is, with the names of its files, if it is of files."""
    size, yaw = numbers.reference_size, numbers.reference_yaw
    what = _kind(found) if size is None or yaw is None else _measures(size, yaw)
    names = ", ".join(Path(name).name for name in found.files)
    return f"{names}: {what}" if names else what


def _kind(found: FoundReference) -> str:
    """Return what a texture was: a face file, or several photos."""
    is_file = any(map(is_face_file, found.files))
    return "a face file" if is_file else "several photos, fused"


def _share_rows(shares: SkinShares, keep: Sequence[str]) -> dict[str, str]:
    percent = {name: f"{100 * share:.0f} %" for name, share in dataclasses.asdict(shares).items()}
    return {
        "of the target's skin: covered or turned away": percent["covered"],
        "of the target's skin: kept as asked": f"{percent['kept']} (--keep "
        f"{','.join(keep) or 'none'})",
        "of the rest: seen in the reference": percent["seen"],
        "of the rest: mirrored from its other side": percent["mirrored"],
        "of the rest: filled from around": percent["filled"],
        "of the rest: left to the target": percent["left"],
    }


def _feature_rows(left: Mapping[str, float]) -> dict[str, str]:
    return {f"of the {name}: left to the target": f"{100 * v:.0f} %" for name, v in left.items()}


def _pictures(result: SwapResult, one: FaceSwap, stages: Stages | None) -> dict[str, Picture]:
    """Return the stages of one face, by caption."""
    before, after = (_crop(image, one.face) for image in (result.photo.image, result.image))
    pictures = {"target": before, "result": after}
    reference = one.found.reference
    if isinstance(reference, FaceTexture):
        pictures[_kind(one.found)] = _fit(reference.texture, _SIDE)
    else:
        pictures["reference"] = _crop(reference[0], reference[1])
        pictures["reference: what was found"] = _overlay(reference[0], reference[1], result)
    pictures["target: what was found"] = _overlay(result.photo.image, one.face, result)
    pictures["what was changed"] = _changed(before, after)
    return pictures if stages is None else pictures | _decided(result, one, stages)


def _decided(result: SwapResult, one: FaceSwap, stages: Stages) -> dict[str, Picture]:
    """Return what was decided in UV space, by caption."""
    layers = stages.plan.layers
    mask = np.asarray(layers.mask) * (1.0 - np.maximum(layers.keep, layers.white))
    if result.allowed is not None:
        places = pool(one.face.position_map[..., :2], mask.shape[0]) + layers.moved
        mask = mask * free_texels(result.allowed, np.asarray(places))
    grey = jnp.broadcast_to(jnp.asarray(_GREY), layers.light.shape)
    light = rgb_from_lab(apply_light(ColorTransfer.identity(), grey, layers.light))
    face = np.asarray(_face_texels(result.layout, mask.shape[0]))[..., None]
    return {
        "target's texture": _uv(np.asarray(one.face.texture)),
        "reference's texture": _uv(np.asarray(stages.source.texture)),
        "target: visible": _uv(_grey(np.asarray(one.face.visibility))),
        "reference: visible": _uv(_grey(np.asarray(stages.source.visibility))),
        "green seen, blue mirrored, red filled, grey the target's own": _uv(
            _origins(layers, mask, np.asarray(one.face.texture))
        ),
        "white: what may change": _uv(_grey(mask)),
        "light and colour, on grey": _uv(np.asarray(light) * face),
    }


def _origins(
    layers: Layers,
    mask: Float[np.ndarray, "size size"],
    texture: Float[np.ndarray, "texels texels 3"],
) -> Float[np.ndarray, "size size 3"]:
    """Return where each texel comes from, in colours; the target's own, in grey, is seen beside."""
    shares = np.stack([layers.filled, layers.direct, layers.mirrored], axis=-1) * mask[..., None]
    own = cv2.resize(texture.mean(axis=-1), mask.shape[::-1], interpolation=cv2.INTER_AREA)
    stays = np.clip(1.0 - shares.sum(axis=-1), 0.0, 1.0)
    return shares + _DIM * _grey(own * stays)


@partial(jax.jit, static_argnames="texels")
def _face_texels(layout: UVLayout, texels: int) -> Array:
    return coarse_layout(layout, texels).mask


def _overlay(image: Picture, face: Face, result: SwapResult) -> Picture:
    drawn = draw_overlay(image, face, result.layout).astype(np.float32) / 255
    return _fit(drawn, 2 * _SIDE)


def _uv(image: Float[np.ndarray, "size size 3"]) -> Picture:
    return cv2.resize(
        np.asarray(image, np.float32), (_SIDE * 2 // 3,) * 2, interpolation=cv2.INTER_LINEAR
    )


def _grey(mask: Float[np.ndarray, "size size"]) -> Float[np.ndarray, "size size 3"]:
    return np.repeat(mask[..., None], 3, axis=-1)


def _changed(before: Picture, after: Picture) -> Picture:
    """Return the target in grey, coloured where it was changed."""
    is_changed = (np.abs(before - after).max(axis=-1, keepdims=True) > 1e-3).astype(np.float32)
    grey = _grey(before.mean(axis=-1))
    return grey * (1.0 - 0.45 * is_changed) + 0.45 * is_changed * np.array([0.1, 0.8, 0.5])


def _crop(image: Picture, face: Face) -> Picture:
    """Cut the square around a face; dark beyond the photo."""
    corners = np.asarray(face.box, np.float32).reshape(2, 2)
    view = view_around(corners, size=_SIDE, factor=_VIEW)
    return view.cut(np.asarray(image, np.float32))


def _fit(image: Picture, side: int) -> Picture:
    scale = min(side / max(image.shape[:2]), 1.0)
    size = max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1)
    return cv2.resize(np.asarray(image, np.float32), size, interpolation=cv2.INTER_AREA)


def _figures(pictures: Mapping[str, Picture]) -> str:
    return "\n".join(
        f'<figure><img alt="{html.escape(caption)}" src="{_embedded(image)}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        for caption, image in pictures.items()
    )


def _embedded(image: Picture) -> str:
    pixels = quantise(image)[..., ::-1]
    _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 88])
    return "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode()
