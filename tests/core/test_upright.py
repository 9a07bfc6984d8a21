"""`predict_upright` with a toy network that reads the direction of a ramp as the head's roll."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.geometry.crop import crop_box, cut_region
from uvface.core.geometry.pose import inplane_rotation
from uvface.core.upright import predict_upright, read_mirrored

BOX = jnp.array([150.0, 120.0, 270.0, 240.0])


def ramp(roll):
    """A photo that brightens along the x axis of a head of that roll."""
    y, x = np.mgrid[:360, :400].astype(np.float32)
    angle = np.radians(roll)
    bright = 0.5 + 0.0008 * (np.cos(angle) * (x - 210) + np.sin(angle) * (y - 180))
    return np.repeat(bright[..., None], 3, axis=-1).astype(np.float32)


def toy_network(layout, share=1.0):
    """Answer with an upright face turned by ``share`` of the ramp's angle in the crop."""

    def read(crops):
        slope_y, slope_x = jnp.gradient(crops[0, 64:-64, 64:-64, 0])
        angle = share * jnp.degrees(jnp.arctan2(slope_y.mean(), slope_x.mean()))
        plane = 6.0 * layout.canonical[..., :2] @ inplane_rotation(angle).T + 127.5
        maps = jnp.concatenate([plane, 6.0 * layout.canonical[..., 2:]], axis=-1)[None]
        return maps, jnp.full((1, 128, 128), 0.5 + angle / 1000.0), jnp.array([0.7])

    return read


def run(layout, roll, share=1.0, passes=3, tolerance=12.0):
    first = crop_box(BOX)
    region = cut_region(ramp(roll), first)
    read = jax.jit(
        lambda region, first: predict_upright(
            toy_network(layout, share), region, first, layout, passes=passes, tolerance=tolerance
        )
    )
    found = read(region, first)
    assert abs(float(found.head[0, 0]) - 0.5) * 1000.0 <= max(tolerance, abs(share * roll)) + 0.5
    assert float(found.confidence) == pytest.approx(0.7)
    crop = found.photo_from_crop
    return np.asarray(crop.apply(found.position_map)), crop


def angle_of(crop):
    cos, sin = np.asarray(crop.rotation)[:, 0]
    return np.degrees(np.arctan2(sin, cos))


@pytest.mark.parametrize("roll", [-170.0, -90.0, -30.0, 15.0, 100.0])
def test_crop_is_turned_about_its_middle_and_the_map_stays_in_the_photo(layout, roll):
    photo_map, crop = run(layout, roll)
    assert angle_of(crop) == pytest.approx(roll, abs=0.5)
    middle = jnp.array([127.5, 127.5])
    np.testing.assert_allclose(crop.apply(middle), crop_box(BOX).apply(middle), atol=1e-3)
    plane = np.asarray(layout.canonical)[..., :2] @ np.asarray(inplane_rotation(roll)).T
    expected = 6.0 * float(crop.scale) * plane + [210.0, 180.0]
    np.testing.assert_allclose(photo_map[..., :2], expected, atol=0.6)


def test_a_little_tilt_costs_no_second_pass(layout):
    assert angle_of(run(layout, 8.0)[1]) == 0.0
    assert angle_of(run(layout, 80.0, passes=1)[1]) == 0.0


def test_passes_go_on_while_the_head_is_tilted(layout):
    """The toy sees half of the tilt: 80 degrees, then 40, then 20, seen as 10."""
    assert angle_of(run(layout, 80.0, share=0.5, passes=2)[1]) == pytest.approx(40.0, abs=0.5)
    assert angle_of(run(layout, 80.0, share=0.5, passes=3)[1]) == pytest.approx(60.0, abs=0.5)
    assert angle_of(run(layout, 80.0, share=0.5, passes=9)[1]) == pytest.approx(60.0, abs=0.5)


def test_mirrored_reading_averages_in_the_crop_that_was_given(layout):
    """A toy that errs towards the picture's right: the error cancels, the mean is the truth."""
    truth = 6.0 * layout.canonical + jnp.array([120.0, 127.5, 0.0])
    crops = jnp.zeros((1, 256, 256, 3)).at[:, :, :100].set(1.0)

    def read(seen):
        is_given = seen[:, 0, 0, 0] > 0.5
        mirrored = layout.mirror(truth) * jnp.array([-1.0, 1.0, 1.0]) + jnp.array([255.0, 0, 0])
        maps = jnp.where(is_given[:, None, None, None], truth, mirrored)
        sure = jnp.where(is_given, 0.9, 0.5)
        return maps + jnp.array([3.0, 1.0, 0.0]), seen[:, ::2, ::2, 0], sure

    maps, heads, confidence = jax.jit(read_mirrored(read, layout))(crops)
    inside = np.asarray(layout.mask) > 0.5
    expected = np.asarray(truth + jnp.array([0.0, 1.0, 0.0]))
    np.testing.assert_allclose(np.asarray(maps[0])[inside], expected[inside], atol=1e-3)
    np.testing.assert_allclose(heads[0], crops[0, ::2, ::2, 0], atol=0.5)
    assert float(jnp.abs(heads[0] - crops[0, ::2, ::2, 0]).mean()) < 0.02
    np.testing.assert_allclose(confidence, [0.7], atol=1e-6)
