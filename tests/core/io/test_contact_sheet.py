"""Contact sheets: a tile for every face and every failure of a batch."""

import os

import cv2
import numpy as np
import pytest
from batches import BOX, run_batch

from uvface.core.io import contact_sheet
from uvface.core.io.contact_sheet import TILE, draw_contact_sheet

pytestmark = pytest.mark.weights


def test_contact_sheet_has_a_tile_for_every_face_and_every_failure(tmp_path, astronaut, model):
    grey, broken = tmp_path / "grey.png", tmp_path / "broken.png"
    cv2.imwrite(str(grey), np.full((80, 120, 3), 200, np.uint8))
    broken.write_bytes(b"no picture")
    boxes = {"astronaut": [BOX, [180.0, 75, 268, 185]], "grey": []}
    items = run_batch([astronaut, grey, broken], tmp_path / "out", model, boxes=boxes)
    sheet = draw_contact_sheet([item.record for item in items])
    assert sheet.shape == (2 * TILE, 2 * TILE, 3)
    tiles = [sheet[y : y + TILE, x : x + TILE] for y in (0, TILE) for x in (0, TILE)]
    green = [((t[..., 1] > 229) & (t[..., 0] < 179)).sum() for t in tiles]  # drawn landmarks
    assert min(green[:2]) > 200 and max(green[2:]) == 0
    assert np.median(tiles[2][:100, :200]) == pytest.approx(200, abs=2)
    assert draw_contact_sheet([]).shape == (TILE, TILE, 3)
    nameless = {"image": os.fsdecode(b"a\xff.png"), "error": "not UTF-8"}
    assert draw_contact_sheet([nameless]).max() > 229


def test_a_large_contact_sheet_is_shrunk_to_what_files_and_memory_hold(tmp_path, monkeypatch):
    """A WebP holds 16,383 pixels: it failed after a batch of 4,100 faces was done."""
    monkeypatch.setattr(contact_sheet, "_LARGEST", 700)
    records = [{"image": f"{k}.jpg", "error": "failed"} for k in range(7)]
    gone = {"image": str(tmp_path / "gone.jpg"), "faces": [{}, {}]}
    sheet = draw_contact_sheet([*records, gone])
    assert sheet.shape == (699, 699, 3) and sheet.dtype == np.uint8
    written = [sheet[y : y + 233, x : x + 233].max() for y in (0, 233, 466) for x in (0, 233, 466)]
    assert min(written) > 150  # a caption on every tile
    contact_sheet.write_contact_sheet(tmp_path / "sheet.png", records)
    found = cv2.imread(str(tmp_path / "sheet.png"))
    np.testing.assert_array_equal(found[..., ::-1], draw_contact_sheet(records))
