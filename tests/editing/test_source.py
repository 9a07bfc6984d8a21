"""Where the colours of an edit come from."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage
from toy_faces import layout, toy_photo

from uvface.core.geometry.sampling import sample_bilinear
from uvface.editing.source import source_for


@pytest.mark.parametrize("size", np.linspace(2.0, 5.0, 13))
def test_colours_beside_the_mask_are_the_photo_s(size):
    # They are compared to the target's at the mask's edge. The photo's part is cut out in few
    # sizes; where one of them just holds the mask, what lies beside it must be there, too.
    _, face = toy_photo(1)
    image = np.random.default_rng(3).random((700, 700, 3)).astype(np.float32)
    mask = np.asarray(layout().region("nose"))
    large = dataclasses.replace(face, position_map=size * face.position_map)
    source = source_for((image, large), face, mask, layout(), side=1)
    beside = ndimage.binary_dilation(mask > 0.0, np.ones((3, 3)))
    found = sample_bilinear(source.image, source.position_map[..., :2])
    expected = sample_bilinear(jnp.asarray(image), large.position_map[..., :2])
    np.testing.assert_allclose(np.asarray(found)[beside], np.asarray(expected)[beside], atol=1e-4)
