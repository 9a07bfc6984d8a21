import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.geometry.sampling import sample_bilinear
from uvface.core.geometry.window import (
    SIZE_CLASSES,
    cut_narrow_window,
    cut_shown_window,
    cut_window,
    place_window,
    size_class,
    window_origin,
)


@pytest.mark.parametrize("length", [1, 128, 129, 4000, 16384, 20000])
def test_size_class_holds_the_length(length):
    assert size_class(length) >= length
    assert size_class(length) in SIZE_CLASSES or length > SIZE_CLASSES[-1]


def test_a_window_of_most_faces_wastes_at_most_60_percent():
    for low, high, most in ((257, 1280, 1.6), (128, 8192, 2.3), (8193, 16384, 4.0)):
        lengths = range(low, high + 1)
        assert max((size_class(length) / length) ** 2 for length in lengths) <= most


def test_window_holds_the_points_and_their_margin():
    points = np.array([[100.3, 50.2], [330.0, 90.0], [150.0, 240.9]])
    (left, top), side = window_origin(points, margin=8)
    assert (points - 8 >= [left, top]).all()
    assert (points + 8 <= [left + side - 1, top + side - 1]).all()


@pytest.mark.parametrize("length", range(185, 200))  # around a size class
@pytest.mark.parametrize("start", [40, 41])
def test_the_margin_is_kept_at_the_sizes_of_classes_too(start, length):
    """Where the points just filled a class, the window lay a pixel too far left and up."""
    points = np.array([[start, start], [start + length - 9, start + length - 9]], float)
    (left, top), side = window_origin(points, margin=4)
    assert left == top <= start - 4 and left + side - 1 >= points[1, 0] + 4


def test_window_is_a_part_of_the_photo_with_repeated_edges():
    image = np.random.default_rng(0).random((60, 300, 3))
    window, (left, top) = cut_window(image, np.array([[250.0, 30.0], [310.0, 50.0]]))
    assert window.shape == (128, 128, 3)
    for y, x in ((0, 0), (127, 127), (60, 70)):
        expected = image[np.clip(y + top, 0, 59), np.clip(x + left, 0, 299)]
        np.testing.assert_array_equal(window[y, x], expected)


@pytest.mark.parametrize("shift", [(0, 0), (-9000, 0), (40, 9000)])
def test_a_window_of_what_is_shown_is_read_as_the_photo(shift):
    """Of an allowed box of 16,300 px on a photo of 2,100 a window took 6.4 GB."""
    image = np.random.default_rng(2).random((60, 100, 3), dtype=np.float32)
    axis = np.linspace(-8000, 8000, 4001, dtype=np.float32)  # 4 px apart
    x, y = axis[None, :] + np.float32(0.4), axis[:, None] + np.float32(0.7)
    points = np.stack(np.broadcast_arrays(x + shift[0], y + shift[1]), axis=-1)
    window, (left, top) = cut_shown_window(image, points)
    assert window.shape == (128, 128, 3)
    near = points[(np.abs(points - [50, 30]) < 300).all(axis=-1)]
    expected = sample_bilinear(jnp.asarray(image), jnp.asarray(near))
    found = sample_bilinear(jnp.asarray(window), jnp.asarray(near - np.float32([left, top])))
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(
    "spread,shape",
    [
        ((230, 310), (320, 240)),
        ((310, 230), (240, 320)),
        ((250, 310), (320, 320)),
        ((700, 200), (576, 768)),
        ((5, 5), (96, 96)),
    ],
)
def test_narrow_windows_hold_the_points_and_are_of_few_shapes(spread, shape):
    image = np.random.default_rng(1).random((900, 900)).astype(np.float32)
    points = np.array([100.5, 80.2]) + np.array([[0, 0], [1, 1]]) * (np.array(spread) - 1.0)
    window, (left, top) = cut_narrow_window(image, points, margin=4)
    assert window.shape == shape
    low, high = points.min(axis=0) - 4, points.max(axis=0) + 4
    assert left <= low[0] and top <= low[1]
    assert high[0] <= left + shape[1] - 1 and high[1] <= top + shape[0] - 1
    rows, columns = np.arange(shape[0]) + top, np.arange(shape[1]) + left
    expected = image[np.ix_(np.clip(rows, 0, 899), np.clip(columns, 0, 899))]
    np.testing.assert_array_equal(window, expected)


@pytest.mark.parametrize("origin", [(3, 2), (-3, -2), (8, -1), (-2, 5), (40, 0), (0, -40)])
def test_a_placed_window_lies_where_it_was_cut(origin):
    window = np.arange(1, 25).reshape(4, 6)
    picture = place_window(window, origin, (7, 10))
    assert picture.shape == (7, 10) and picture.dtype == window.dtype
    for y, x in np.ndindex(7, 10):
        row, column = y - origin[1], x - origin[0]
        is_inside = 0 <= row < 4 and 0 <= column < 6
        assert picture[y, x] == (window[row, column] if is_inside else 0)
