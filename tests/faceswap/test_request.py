"""Options of a swap as callers give them."""

import pytest

from uvface.core.errors import InputError
from uvface.faceswap.request import swap_options

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


@pytest.mark.parametrize("keep", ["none", ["none"], [], ()])
def test_nothing_to_keep_is_said_by_a_word_or_an_empty_list(keep):
    assert swap_options(keep=keep, **OTHERS).config.keep == ()
