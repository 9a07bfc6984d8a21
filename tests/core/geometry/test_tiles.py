"""Tiles of a window: together they are the window, each pixel once."""

import numpy as np
import pytest

from uvface.core.geometry.tiles import tiles


@pytest.mark.parametrize(
    ("side", "low", "high"),
    [(1280, (0, 0), (1280, 1280)), (3072, (-40, 30), (2500, 2111)), (6144, (700, 0), (701, 6144))],
)
def test_tiles_cover_a_part_once(side, low, high):
    size = np.asarray(high) - low
    count = np.zeros((size[1], size[0]), np.int32)
    for tile in tiles(side, np.asarray(low), np.asarray(high)):
        whole = np.ones((tile.side, tile.side), np.int32)
        before = count.copy()
        tile.put(count, (-low[0], -low[1]), whole)
        assert not before[count != before].any()
    assert (count == 1).all()


def test_a_tile_that_is_put_back_changes_nothing():
    photo = np.random.default_rng(0).random((1700, 2300, 2)).astype(np.float32)
    origin, result = (-310, 45), np.zeros_like(photo)
    for tile in tiles(3072, np.array([310, -45]), np.array([2610, 1655])):
        tile.put(result, origin, tile.cut(photo, origin))
        wide = tile.cut(photo, origin, around=20)
        np.testing.assert_array_equal(wide[20:-20, 20:-20], tile.cut(photo, origin))
    np.testing.assert_array_equal(result, photo)


@pytest.mark.parametrize("side", [512, 4096])
def test_nothing_of_a_window_needs_no_tile(side):
    assert tiles(side, np.zeros(2, int), np.zeros(2, int)) == []


def test_a_large_window_is_several_tiles():
    assert tiles(4096, np.array([10, 10]), np.array([10, 400])) == []
    assert len(tiles(4096, np.array([0, 0]), np.array([4096, 4096]))) == 16
