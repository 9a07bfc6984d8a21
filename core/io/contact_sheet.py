"""One picture of a whole batch: every face with its landmarks, and what failed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from ..drawing.overlay import draw_landmarks
from ..errors import UvfaceError
from .images import read_photo, write_image
from .provenance import COMPOSITE, Provenance, packet_in, parse_packet

__all__ = ["TILE", "draw_contact_sheet", "is_contact_sheet", "write_contact_sheet"]

TILE = 256  # pixels along each side
_LARGEST = 8192  # pixels along each side of a sheet: 200 MB; with more tiles they are smaller
_GREY = 48
_CAPTION = 22  # rows
_LETTERS = 30  # per line of a caption
_OPERATION = "contact sheet"

Tile = UInt8[np.ndarray, "tile tile 3"]


def write_contact_sheet(path: str | Path, records: Sequence[Mapping[str, Any]]) -> None:
    """Write the sheet of a batch (`draw_contact_sheet`), marked as what it is.

    So it may lie among the photos: the next batch knows it by `is_contact_sheet`.

    Raises:
        InputError: the path has no known image suffix, or cannot be written.
    """
    made = Provenance(operation=_OPERATION, source_type=COMPOSITE)
    write_image(path, draw_contact_sheet(records), provenance=made)


def is_contact_sheet(picture: Path) -> bool:
    """Return whether `write_contact_sheet` made a picture; its pixels are not decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's on sizes and odd metadata
            with Image.open(picture) as opened:
                packet = packet_in(opened)
        found = None if packet is None else parse_packet(packet)
    except Exception:  # a damaged file fails in any way; whoever reads it as a photo says how
        return False
    return found is not None and found.operation == _OPERATION


def draw_contact_sheet(
    records: Sequence[Mapping[str, Any]],
) -> UInt8[np.ndarray, "height width 3"]:
    """Return a sheet with a tile for each face, in the order of the records.

    The photos are read again, so that a batch does not keep them all, and results of an earlier
    run can be shown, too.

    Args:
        records: content of ``STEM.json`` of each photo, or ``{"image", "error"}``.

    Returns:
        RGB, of whole rows of tiles. The tiles of more than a thousand faces are smaller.
    """
    count = sum(max(1, len(record.get("faces", ()))) for record in records)
    columns = max(1, math.ceil(math.sqrt(count)))
    rows = max(1, math.ceil(count / columns))
    side = min(TILE, _LARGEST // columns)
    sheet = np.full((rows * side, columns * side, 3), _GREY, np.uint8)
    tiles = (tile for record in records for tile in _tiles(record))
    for k, tile in enumerate(tiles):
        top, left = k // columns * side, k % columns * side
        if side < TILE:
            tile = cv2.resize(tile, (side, side), interpolation=cv2.INTER_AREA)
        sheet[top : top + side, left : left + side] = tile
    return sheet


def _tiles(record: Mapping[str, Any]) -> Iterator[Tile]:
    """Give a tile for each face of a photo, or one where it has none."""
    name = Path(record["image"]).name
    if "error" in record:
        yield _captioned(np.full((TILE, TILE, 3), _GREY, np.uint8), f"{name}: failed")
        return
    try:
        image = read_photo(Path(record["image"])).image
    except UvfaceError:
        for _ in record["faces"] or [None]:
            yield _captioned(np.full((TILE, TILE, 3), _GREY, np.uint8), f"{name}: gone")
        return
    if not record["faces"]:
        yield _captioned(_thumbnail(image), f"{name}: no face")
    for index, face in enumerate(record["faces"]):
        panel = draw_landmarks(image, np.asarray(face["landmarks"], np.float32))
        tile = cv2.resize(panel, (TILE, TILE), interpolation=cv2.INTER_AREA)
        yield _captioned(tile, name if len(record["faces"]) == 1 else f"{name} {index}")


def _thumbnail(image: Float[np.ndarray, "h w 3"]) -> Tile:
    height, width = image.shape[:2]
    scale = TILE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.clip(cv2.resize(image, size, interpolation=cv2.INTER_AREA), 0, 1)
    tile = np.full((TILE, TILE, 3), _GREY, np.uint8)
    tile[: size[1], : size[0]] = np.rint(small * 255)
    return tile


def _captioned(tile: Tile, text: str) -> Tile:
    tile = np.ascontiguousarray(tile)
    tile[-_CAPTION:] = tile[-_CAPTION:] // 3
    line = text if len(text) <= _LETTERS else text[: _LETTERS - 2] + ".."
    line = line.encode(errors="replace").decode()  # a name that is not UTF-8 would crash OpenCV
    place = (6, TILE - 7)
    cv2.putText(tile, line, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
    return tile
