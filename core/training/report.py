"""What an evaluation leaves behind: a row per face, the cumulative error, the worst faces."""

from __future__ import annotations

import csv
import importlib.util
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, UInt8

from ..errors import InputError
from ..geometry.crop import box_from_landmarks, crop_box, extract_crop
from ..whole_files import write_bytes_atomic
from .evaluate import FaceError
from .exact import ExactErrors
from .labelled import Labelled

__all__ = ["WORST", "check_plotting", "draw_worst", "plot_cumulative", "write_rows"]

WORST = 24  # faces on the sheet
_COLUMNS = 6
_TILE = 256  # pixels
_FACTOR = 2.1  # side of a tile over the mean side of the landmark box
_TRUE, _FOUND = (60, 230, 80), (255, 50, 50)  # RGB
_MOST = 10.0  # percent, where the plot of cumulative errors ends


def check_plotting() -> None:
    """Raise an InputError when the plot could not be drawn; before the long work."""
    if importlib.util.find_spec("matplotlib") is None:
        raise InputError(
            "the error plot needs matplotlib, which is not installed; "
            "run pip install 'uvface[train]', or leave out --output"
        )


def write_rows(path: Path, errors: Sequence[FaceError], exact: Sequence[ExactErrors]) -> None:
    """Write one row per face: errors in percent of the face size, angles in degrees."""
    text = io.StringIO()
    names = ["yaw", "pitch", "roll"]
    header = ["name", "nme", "nme_51", "nme_3d", *names, *(f"{n}_error" for n in names)]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*header, *(["dense", "ita", "covered_by"] if exact else [])])
    for number, error in enumerate(errors):
        shares = [100.0 * share for share in (error.nme, error.nme_51, error.nme_3d)]
        row = [error.name, *(f"{v:.3f}" for v in (*shares, *error.angles, *error.turn))]
        if exact:
            one = exact[number]
            kinds = " ".join(one.kinds()) if one.has_kinds else ""
            row += [f"{100 * one.dense:.3f}", "" if one.ita is None else f"{one.ita:.1f}", kinds]
        writer.writerow(row)
    write_bytes_atomic(path, text.getvalue().encode())


def plot_cumulative(path: Path, errors: Sequence[FaceError], *, missed: int = 0) -> None:
    """Plot the share of faces below each error; missed faces keep the curves below 100 %."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    total = len(errors) + missed
    share = 100.0 * np.arange(total + 1) / total
    for name, label in (("nme", "68 points, 2D"), ("nme_51", "51 points, 2D"), ("nme_3d", "3D")):
        values = np.sort([100.0 * getattr(error, name) for error in errors])
        below = np.append(share[: len(values) + 1], share[len(values)])
        axes.step([0.0, *values, max(_MOST, values[-1])], below, where="post", label=label)
    axes.set(xlim=(0, _MOST), ylim=(0, 100))
    axes.set(xlabel="error, percent of the face size", ylabel=f"percent of {total} faces")
    axes.grid(True, alpha=0.3)
    axes.legend(loc="lower right")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=100)
    write_bytes_atomic(path, content.getvalue())


def draw_worst(
    path: Path, errors: Sequence[FaceError], read: Sequence[Callable[[], Labelled]]
) -> None:
    """Draw the worst faces, worst first: true landmarks green, found ones red.

    Args:
        path: picture to write.
        errors: the faces.
        read: reads the picture of each.
    """
    order = np.argsort([-error.nme for error in errors], kind="stable")[:WORST]
    tiles = [_tile(errors[k], read[k]()) for k in order]
    columns = min(_COLUMNS, len(tiles))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.concatenate(tiles[k : k + columns], axis=1) for k in range(0, len(tiles), columns)]
    sheet = np.ascontiguousarray(np.concatenate(rows)[..., ::-1])
    write_bytes_atomic(path, cv2.imencode(".png", sheet)[1].tobytes())


def _tile(error: FaceError, labelled: Labelled) -> UInt8[np.ndarray, "tile tile 3"]:
    truth = jnp.asarray(labelled.truth, jnp.float32)
    photo_from_tile = crop_box(box_from_landmarks(truth), size=_TILE, factor=_FACTOR)
    view = extract_crop(labelled.image, photo_from_tile, _TILE)
    tile = np.ascontiguousarray(np.rint(np.clip(view, 0, 1) * 255).astype(np.uint8))
    tile_from_photo = photo_from_tile.inverse()
    assert error.landmarks is not None, "the sheet is drawn of evaluated faces"
    for points, color in ((truth, _TRUE), (jnp.asarray(error.landmarks), _FOUND)):
        _dots(tile, np.asarray(tile_from_photo.apply(points)), color)
    text = f"{error.name[-18:]}  {100 * error.nme:.1f}%  yaw {error.angles[0]:+.0f}"
    for color, width in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        where = (5, _TILE - 7)
        cv2.putText(tile, text, where, cv2.FONT_HERSHEY_SIMPLEX, 0.42, color, width, cv2.LINE_AA)
    return tile


def _dots(
    tile: UInt8[np.ndarray, "t t 3"], points: Float[np.ndarray, "68 3"], color: tuple[int, ...]
) -> None:
    for x, y in np.clip(points[:, :2], -1000.0, 1000.0):
        where = (round(float(x) * 16), round(float(y) * 16))
        cv2.circle(tile, where, 24, color, -1, cv2.LINE_AA, 4)
