import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toys import toy_camera, toy_layout, toy_position_map

from uvface.core.geometry.rasterize import SUBPIXELS, interpolate, rasterize
from uvface.core.geometry.window import SIZE_CLASSES


def reference(vertices, triangles, height, width):
    """Slow loop in exact integers and float64: triangle number and depth per pixel."""
    xy = np.round(np.asarray(vertices[:, :2], np.float32) * np.float32(SUBPIXELS)).astype(int)
    depth, number = np.full((height, width), -np.inf), np.full((height, width), -1)
    py, px = np.mgrid[:height, :width] * SUBPIXELS
    for n, triangle in enumerate(np.asarray(triangles)):
        p, edges, inside = xy[triangle], [], True
        for a, b in ((1, 2), (2, 0), (0, 1)):
            dx, dy = p[b] - p[a]
            edges.append(dy * (px - p[a, 0]) - dx * (py - p[a, 1]))
            inside &= (edges[-1] > 0) | ((edges[-1] == 0) & (dy > 0 or (dy == 0 and dx < 0)))
        weights = np.stack(edges, -1) / max(sum(edges)[0, 0], 1)
        z = weights @ np.asarray(vertices, np.float64)[triangle, 2]
        nearer = inside & (sum(edges) > 0) & (z > depth)
        depth[nearer], number[nearer] = z[nearer], n
    return number, depth


LAYOUT = toy_layout(24)
COUNT = len(LAYOUT.triangles)


LAYOUT = toy_layout(24)
COUNT = len(LAYOUT.triangles)
SIZE = 150  # larger than the largest window, so that every class is drawn


@jax.jit
def draw_soup(vertices, triangles, origin):
    return rasterize(vertices, triangles, height=SIZE, width=SIZE, origin=origin)


def draw(vertices, triangles, origin=(0, 0)):
    """Draw any mesh as COUNT separate triangles, so that one compilation serves all tests."""
    corners = np.asarray(vertices, np.float32)[np.asarray(triangles)].reshape(-1, 3)
    soup = np.zeros((3 * COUNT, 3), np.float32)
    soup[: len(corners)] = corners
    numbers = jnp.arange(3 * COUNT, dtype=jnp.int32).reshape(-1, 3)
    return draw_soup(jnp.asarray(soup), numbers, jnp.array(origin))


def random_soup(seed, spread, *, size=SIZE, count=COUNT, used=COUNT):
    """Random triangles of many sizes, some beyond the picture, half of them facing away."""
    generator = np.random.default_rng(seed)
    centre = generator.uniform(-0.2 * size, 1.2 * size, (count, 1, 2))
    extent = spread * generator.exponential(1.0, (count, 1, 1))
    corners = centre + generator.normal(0, 1, (count, 3, 2)) * extent
    corners[used:] = 0.0
    vertices = np.concatenate([corners, generator.uniform(-50, 50, (count, 3, 1))], -1)
    triangles = np.arange(3 * count).reshape(count, 3)
    return jnp.asarray(vertices.reshape(-1, 3), jnp.float32), jnp.asarray(triangles, jnp.int32)


@pytest.mark.parametrize(("spread", "used"), [(1.0, COUNT), (8.0, 400), (90.0, 200)])
def test_agrees_with_slow_loop_for_any_triangle_size(spread, used):
    vertices, triangles = random_soup(3, spread, used=used)
    found = draw(vertices, triangles)
    number, depth = reference(vertices, triangles, SIZE, SIZE)
    assert (np.asarray(found.triangle) == number).mean() >= 0.999
    np.testing.assert_array_equal(found.is_covered, number >= 0)
    same = (np.asarray(found.triangle) == number) & (number >= 0)
    np.testing.assert_allclose(np.asarray(found.depth)[same], depth[same], atol=2e-3)


@pytest.mark.parametrize("angles", [(0.0, 0.0, 0.0), (40.0, 15.0, -20.0), (88.0, 0.0, 120.0)])
def test_agrees_with_slow_loop_on_a_face(angles):
    yaw, pitch, roll = angles
    camera = toy_camera(yaw=yaw, pitch=pitch, roll=roll, size=SIZE)
    vertices = toy_position_map(LAYOUT, camera).reshape(-1, 3)
    found = draw(vertices, LAYOUT.triangles)
    number, _ = reference(vertices, LAYOUT.triangles, SIZE, SIZE)
    assert (np.asarray(found.triangle) == number).mean() >= 0.999
    np.testing.assert_array_equal(found.is_covered, number >= 0)


def test_more_triangles_than_a_batch_and_than_sixteen_bits():
    size, n = SIZE, 200
    line = np.linspace(0.0, size - 1.0, n)
    x, y = np.meshgrid(line, line)
    vertices = np.stack([x, y, 0.3 * x], -1).reshape(-1, 3)
    k = np.arange(n * n).reshape(n, n)
    quads = [k[:-1, :-1], k[1:, :-1], k[1:, 1:], k[:-1, 1:]]
    triangles = np.concatenate(
        [np.stack([quads[a] for a in side], -1).reshape(-1, 3) for side in ((0, 1, 2), (0, 2, 3))]
    )
    assert len(triangles) > 1 << 16
    vertices, triangles = jnp.asarray(vertices, jnp.float32), jnp.asarray(triangles, jnp.int32)
    found = draw_soup(vertices, triangles, jnp.array([0, 0]))
    assert found.is_covered[1:-1, 1:-1].all()
    plane = interpolate(found, triangles, vertices)[1:-1, 1:-1]
    py, px = np.mgrid[1 : size - 1, 1 : size - 1]
    np.testing.assert_allclose(plane[..., 0], px, atol=2e-3)
    np.testing.assert_allclose(plane[..., 1], py, atol=2e-3)
    np.testing.assert_allclose(found.depth[1:-1, 1:-1], 0.3 * px, atol=2e-3)


def fan(corners, centre):
    """Return a fan of triangles around a centre, counter-clockwise on the screen."""
    count = len(corners)
    vertices = np.array([*corners, centre], np.float32)
    triangles = [(k, (k + 1) % count, count) for k in range(count)]
    vertices = np.pad(vertices, [(0, 1), (0, 1)])
    return (
        jnp.asarray(vertices, jnp.float32),
        jnp.asarray(triangles, jnp.int32),
    )


@pytest.mark.parametrize("size", [SIZE, 4000])
def test_one_pixel_one_triangle_at_shared_edges_and_no_holes(size):
    end = size - 1.0  # edges and the centre lie exactly on pixel centres
    middle = (size // 2, size // 2 - 1)
    vertices, triangles = fan([(0, 0), (0, end), (end, end), (end, 0)], middle)
    for origin in ((0, 0), (size // 2 - 70, size // 2 - 90), (size - SIZE, size - SIZE)):
        whole = draw(vertices, triangles, origin)
        count = np.zeros((SIZE, SIZE), int)
        for k in range(4):
            alone = jnp.where(jnp.arange(4)[:, None] == k, triangles, 0)
            count += np.asarray(draw(vertices, alone, origin).is_covered)
        np.testing.assert_array_equal(whole.is_covered, count == 1)
        y, x = np.mgrid[:SIZE, :SIZE] + np.array(origin)[::-1, None, None]
        # The top-left rule gives away the last row and column.
        inside = (x >= 0) & (y >= 0) & (x < size - 1) & (y < size - 1)
        np.testing.assert_array_equal(count, inside)


def test_full_screen_quad_covers_everything():
    vertices = [[-9.0, -9, 1], [-9, 2000, 1], [2000, 2000, 1], [2000, -9, 1]]
    found = draw(vertices, [[0, 1, 2], [0, 2, 3]])
    assert found.is_covered.all()
    np.testing.assert_allclose(found.depth, 1.0, atol=1e-5)


def test_nearer_triangle_wins_in_any_order():
    vertices = [[0.0, 0, 1], [0, 20, 1], [20, 0, 1], [0, 0, 5.0], [0, 20, 5], [20, 0, 5]]
    for triangles in ([[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]):
        found = draw(vertices, triangles)
        np.testing.assert_allclose(found.depth[:8, :8], 5.0, atol=1e-5)


def test_back_faces_and_broken_vertices_are_skipped():
    vertices = [[0.0, 0, 0], [0, 9, 0], [9, 9, 0], [np.nan, 4, 0], [4, np.inf, 1]]
    assert not draw(vertices, [[0, 2, 1], [0, 1, 3], [1, 2, 4], [0, 0, 1]]).is_covered.any()
    assert set(np.unique(draw(vertices, [[0, 1, 2], [0, 1, 3]]).triangle)) == {-1, 0}


def test_barycentrics_sum_to_one_and_lie_inside():
    vertices, triangles = random_soup(5, 6.0)
    found = draw(vertices, triangles)
    assert (found.barycentric >= 0).all()
    np.testing.assert_allclose(
        found.barycentric.sum(-1), found.is_covered.astype(np.float32), atol=1e-6
    )
    assert np.isneginf(found.depth[~found.is_covered]).all()


def test_interpolation_is_exact_for_linear_functions():
    vertices, triangles = random_soup(6, 10.0)
    found = draw(vertices, triangles)
    place = interpolate(found, triangles, vertices)
    py, px = np.mgrid[:SIZE, :SIZE]
    covered = np.asarray(found.is_covered)
    np.testing.assert_allclose(place[..., 0][covered], px[covered], atol=3e-3)
    np.testing.assert_allclose(place[..., 1][covered], py[covered], atol=3e-3)
    np.testing.assert_allclose(place[..., 2][covered], found.depth[covered], atol=1e-3)


def test_window_is_the_same_part_of_the_whole():
    vertices, triangles = random_soup(7, 8.0)
    whole = draw(vertices, triangles)
    for left, top in ((11, 23), (60, 50)):
        part = draw(vertices, triangles, (left, top))
        rest = (slice(0, SIZE - top), slice(0, SIZE - left))
        np.testing.assert_array_equal(part.triangle[rest], whole.triangle[top:, left:])
        shifted = whole.barycentric[top:, left:]
        np.testing.assert_allclose(part.barycentric[rest], shifted, atol=1e-6)


@pytest.mark.parametrize("corner", [(20_000, 0), (15_950, 40_000), (-30_000, 60_000)])
def test_a_window_far_from_the_photo_s_corner_shows_the_same(corner):
    vertices, triangles = random_soup(8, 8.0)
    vertices = jnp.round(64.0 * vertices) / 64.0  # what float32 resolves at 60,000, too
    near = draw(vertices, triangles)
    far = draw(vertices + jnp.array([*corner, 0.0]), triangles, corner)
    assert near.is_covered.mean() > 0.4
    for name in ("triangle", "barycentric", "depth"):
        np.testing.assert_array_equal(getattr(far, name), getattr(near, name))


def test_the_widest_window_is_drawn_to_its_end():
    width = SIZE_CLASSES[-1]
    vertices = jnp.array([[0.0, -9, 1], [0, 9, 1], [width, 9, 1], [width, -9, 1]])
    triangles = jnp.array([[0, 1, 2], [0, 2, 3]])
    found = jax.jit(rasterize, static_argnames=("height", "width"))(
        vertices, triangles, height=1, width=width
    )
    assert found.is_covered.all()


def test_vmap_equals_single_calls():
    angles = (0.0, 50.0)
    maps = [toy_position_map(LAYOUT, toy_camera(yaw=yaw, size=SIZE)) for yaw in angles]

    def one(vertices):
        return rasterize(vertices, LAYOUT.triangles, height=SIZE, width=SIZE)

    batch = jax.jit(jax.vmap(one))(jnp.stack(maps).reshape(2, -1, 3))
    for k in range(2):
        single = draw(maps[k].reshape(-1, 3), LAYOUT.triangles)
        np.testing.assert_array_equal(batch.triangle[k], single.triangle)
        np.testing.assert_allclose(batch.barycentric[k], single.barycentric, atol=1e-5)
