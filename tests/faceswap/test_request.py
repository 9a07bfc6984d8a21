"""Options of a swap as callers give them."""

import pytest
import toy_faces

from uvface.core.errors import InputError
from uvface.core.geometry.layout import load_layout
from uvface.faceswap.request import describe_options, swap_options

OTHERS = {
    "color": "light",
    "blend": "poisson",
    "complete": "auto",
    "occlusion": "on",
    "sharpness": "match",
    "strength": 1.0,
    "shape": 1.0,
}


@pytest.mark.parametrize("keep", ["", " , ", [""], ("", " ")])
def test_names_to_keep_that_are_empty_are_refused(keep):
    """They come of a variable that is not set; in a list they counted as nothing to keep."""
    with pytest.raises(InputError, match=r"^keep .* names no region; give names, or none$"):
        swap_options(keep=keep, **OTHERS)


@pytest.mark.parametrize(
    ("shape", "told"), [(1.0, (1.0, 0.0)), (0.5, (0.5, 0.0)), (0.0, (0.0, 0.0))]
)
def test_the_shape_that_is_taken_is_told(shape, told):
    """A layout without shapes, as that of imported PRNet weights, takes none, and said 1."""
    options = swap_options(keep="none", **OTHERS | {"shape": shape})
    layouts = load_layout(), toy_faces.layout()
    assert tuple(describe_options(options, one)["shape"] for one in layouts) == told


@pytest.mark.parametrize("keep", ["none", ["none"], [], ()])
def test_nothing_to_keep_is_said_by_a_word_or_an_empty_list(keep):
    assert swap_options(keep=keep, **OTHERS).config.keep == ()
