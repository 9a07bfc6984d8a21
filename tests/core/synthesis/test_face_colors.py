"""A face's unseen side is the other one, in its own light."""

import jax.numpy as jnp
import numpy as np
import toy_faces
from toys import toy_camera, toy_position_map

from uvface.core.synthesis.face_colors import complete_colors


def test_the_unseen_side_is_the_other_one_in_its_own_light():
    layout = toy_faces.layout()
    positions = np.asarray(toy_position_map(layout, toy_camera(size=320)), np.float32)
    random = np.random.default_rng(0)
    texture = random.uniform(0.4, 0.8, (layout.size, layout.size, 3)).astype(np.float32)
    texture = (texture + np.asarray(layout.mirror(jnp.asarray(texture)))) / 2
    share = np.arange(layout.size) / layout.size
    light = np.clip(0.5 + 2.0 * (share - 0.375), 0.5, 1.0)[None, :, None]
    lit = light * texture
    # The picture is the texture itself, texel by texel.
    column, row = np.meshgrid(*[np.arange(layout.size, dtype=np.float32)] * 2)
    positions = np.stack([column, row, positions[..., 2]], axis=-1)
    for unseen in (share < 0.25, share > 0.75):
        trust = np.where(unseen[None], 0.0, 1.0) * np.ones((layout.size, 1))
        shown = np.where(unseen[None, :, None], 0.0, lit).astype(np.float32)
        found = complete_colors(shown, positions, trust.astype(np.float32), layout)
        inside = (np.asarray(layout.mask) > 0.5) & unseen[None] & (trust[:, ::-1] > 0.5)
        change = found[inside].mean(axis=0) / lit[inside].mean(axis=0)
        assert np.abs(np.log(change)).max() < 0.35, change  # 0.69 is the other side's light
        np.testing.assert_allclose(found[trust > 0.5], lit[trust > 0.5], atol=1e-3)


def test_hard_edges_of_a_photo_give_colours():
    """Cubic curves fall below black there; the logarithm was no number, and the picture black."""
    layout = toy_faces.layout()
    position_map = np.asarray(toy_position_map(layout, toy_camera(size=toy_faces.SIZE)))
    random = np.random.default_rng(0)
    size = toy_faces.SIZE
    image = random.integers(0, 2, (size, size, 3)).astype(np.float32)  # black or white
    found = complete_colors(image, position_map, np.asarray(layout.mask), layout)
    assert np.isfinite(found).all()
    seen = np.asarray(layout.mask) > 0.99
    assert 0.4 < found[seen].mean() < 0.6 and found[seen].std() > 0.2
