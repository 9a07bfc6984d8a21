import numpy as np
import pytest

from uvface.core.geometry.window import SIZE_CLASSES, cut_window, size_class, window_origin


@pytest.mark.parametrize("length", [1, 128, 129, 4000, 16384, 20000])
def test_size_class_holds_the_length(length):
    assert size_class(length) >= length
    assert size_class(length) in SIZE_CLASSES or length > SIZE_CLASSES[-1]


def test_window_holds_the_points_and_their_margin():
    points = np.array([[100.3, 50.2], [330.0, 90.0], [150.0, 240.9]])
    (left, top), side = window_origin(points, margin=8)
    assert (points - 8 >= [left, top]).all()
    assert (points + 8 <= [left + side - 1, top + side - 1]).all()


def test_window_is_a_part_of_the_photo_with_repeated_edges():
    image = np.random.default_rng(0).random((60, 300, 3))
    window, (left, top) = cut_window(image, np.array([[250.0, 30.0], [310.0, 50.0]]))
    assert window.shape == (128, 128, 3)
    for y, x in ((0, 0), (127, 127), (60, 70)):
        expected = image[np.clip(y + top, 0, 59), np.clip(x + left, 0, 299)]
        np.testing.assert_array_equal(window[y, x], expected)
