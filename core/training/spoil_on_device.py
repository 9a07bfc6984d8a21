"""The twin of `spoil` that runs inside a jitted step: the same damage, by formulas on the device.

Convention:
    Inside, pictures are planar, ``[3, 256, 256]``; pixel centres are at integers. Pixel m of the
    mask covers the crop's pixels 2m and 2m + 1.

References:
    ITU-T T.81, "Digital compression and coding of continuous-tone still images", 1992: tables K.1
    and K.2, equation A.3.3 (DCT). The quality rule and chroma interpolation are libjpeg's.
    OpenCV, `resize`: the cubic kernel has a = -3/4, the edge pixel is repeated.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float, Int

from ..synthesis.numbers import Numbers
from .config import AugmentConfig

__all__ = ["jpeg", "spoil_on_device"]

SIZE = 256
_CORNERS = 24  # of an occluder at most
_CELLS = 40  # of a noise pattern at most
_SMALL = 160  # pixels of a low resolution at most
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_YCC = np.array([_LUMA, [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)
_RGB = np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]], np.float32)
_LUMA_TABLE = np.array(
    "16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 "
    "62 18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 "
    "98 112 100 103 99".split(),
    dtype=np.int32,
).reshape(8, 8)
_CHROMA_TABLE = np.full((8, 8), 99, np.int32)
_CHROMA_TABLE[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]


def spoil_on_device(
    key: Array,
    image: Float[Array, "256 256 3"],
    mask: Float[Array, "128 128"],
    config: AugmentConfig,
) -> tuple[Float[Array, "256 256 3"], Float[Array, "128 128"]]:
    """Return the crop as a worse camera would have taken it; `vmap` it for a batch.

    Args:
        key: random key.
        image: display values in [0, 1], RGB.
        mask: where the crop shows the head itself, in [0, 1]; what comes before the head, and
            where the picture ends, is taken out of it.
        config: how often things happen; not traced. What never happens is not computed.

    Returns:
        The crop, in steps of 1/255, and its mask.
    """
    steps: tuple[tuple[float, Callable[[Array, Array, Array], tuple[Array, Array]]], ...] = (
        (config.p_occluder, _occlude),
        (config.p_shade, _keep_mask(_shade)),
        (config.p_colour, _keep_mask(_recolour)),
        (config.p_gray, _keep_mask(_gray)),
        (config.p_low_resolution, _keep_mask(_low_resolution)),
        (config.p_blur, _keep_mask(_blur)),
        (config.p_noise, _keep_mask(_noise)),
        (
            config.p_jpeg,
            _keep_mask(lambda key, planes: jpeg(planes, _range(Numbers(key, 1), 12, 80))),
        ),
        (config.p_frame, _frame),
    )
    planes, keys = image.transpose(2, 0, 1), jax.random.split(key, len(steps) + 1)
    happens = jax.random.uniform(keys[-1], (len(steps),))
    for i, (probability, step) in enumerate(steps):
        if probability > 0.0:
            changed, covered = step(keys[i], planes, mask)
            is_hit = happens[i] < probability
            planes = jnp.where(is_hit, jnp.clip(changed, 0.0, 1.0), planes)
            mask = jnp.where(is_hit, covered, mask)
    return jnp.round(planes * 255.0).transpose(1, 2, 0) / 255.0, mask


def _keep_mask(
    change: Callable[[Array, Array], Array],
) -> Callable[[Array, Array, Array], tuple[Array, Array]]:
    return lambda key, planes, mask: (change(key, planes), mask)


def _range(draw: Numbers, low: int, stop: int) -> Array:
    return low + draw.integer(stop - low)


def _log_uniform(draw: Numbers, low: float, high: float) -> Array:
    return jnp.exp(draw.uniform(low=math.log(low), high=math.log(high)))


def _line(low: float = 0.0, high: float = SIZE - 1.0) -> Array:
    return jnp.linspace(low, high, SIZE, dtype=jnp.float32)


def _mix(matrix: Array, planes: Array) -> Array:
    """Multiply each pixel's colour by a 3 x 3 matrix, in full precision."""
    return jnp.einsum("dc,cij->dij", matrix, planes, precision="highest")


def _both_ways(matrix: Array, planes: Array, *, precision: str = "default") -> Array:
    """Apply one matrix to the columns and to the rows."""
    rows = jnp.einsum("ri,cij->crj", matrix, planes, precision=precision)
    return jnp.einsum("crj,sj->crs", rows, matrix, precision=precision)


def _read(planes: Array, row: Array, column: Array) -> Array:
    """Gather whole rows and columns."""
    return planes.reshape(3, -1)[:, row[:, None] * SIZE + column[None, :]]


def _enlarge_matrix(count: Array, at_most: int, is_cubic: Array) -> Float[Array, "256 at_most"]:
    """Return what enlarges a line of ``count`` pixels to 256, as OpenCV does it."""
    centre = (_line() + 0.5) * (count.astype(jnp.float32) / SIZE) - 0.5
    first, t = jnp.floor(centre), centre - jnp.floor(centre)
    near = [1.25 * d**3 - 2.25 * d**2 + 1.0 for d in (t, 1.0 - t)]
    far = [-0.75 * (d**3 - 5.0 * d**2 + 8.0 * d - 4.0) for d in (1.0 + t, 2.0 - t)]
    cubic, linear = (far[0], *near, far[1]), (0.0 * t, 1.0 - t, t, 0.0 * t)
    matrix, places = jnp.zeros((SIZE, at_most), jnp.float32), jnp.arange(at_most)
    for tap in range(4):
        place = jnp.clip(first.astype(jnp.int32) + (tap - 1), 0, count - 1)
        weight = jnp.where(is_cubic, cubic[tap], linear[tap])
        matrix += jnp.where(place[:, None] == places, weight[:, None], 0.0)
    return matrix


def _area_matrix(count: Array, at_most: int) -> Float[Array, "at_most 256"]:
    """Return what averages a line of 256 pixels down to ``count``."""
    width = SIZE / count.astype(jnp.float32)
    start = jnp.arange(at_most, dtype=jnp.float32)[:, None] * width
    overlap = jnp.minimum(start + width, _line() + 1.0) - jnp.maximum(start, _line())
    return jnp.maximum(overlap, 0.0) / width


def _inside(draw: Numbers) -> Float[Array, "256 256"]:
    """Return 1 inside a random bar, blob or rectangle: a polygon with its corners on an ellipse."""
    middle = draw.uniform((2,), low=0.1, high=0.9) * SIZE
    used = jnp.minimum(jnp.arange(_CORNERS), _range(draw, 4, 12) - 1)
    uneven = jnp.sort(draw.uniform((_CORNERS,), high=2.0 * math.pi)[used])
    corners = jnp.where(draw.chance(0.5), 4, _CORNERS)
    even = jnp.minimum(jnp.arange(_CORNERS), corners - 1).astype(jnp.float32)
    even = even * (2.0 * math.pi) / corners.astype(jnp.float32)
    angle = jnp.where(draw.chance(0.5), uneven, even)
    axes = draw.uniform((2,), low=0.03, high=0.22) * SIZE
    bar = draw.uniform(low=0.2, high=0.6) * SIZE
    long = jnp.where(draw.chance(0.3), bar, axes[0])
    turn = draw.uniform(high=math.pi)
    x, y = _line()[None, :] - middle[0], _line()[:, None] - middle[1]
    u = (x * jnp.cos(turn) + y * jnp.sin(turn)) / long
    v = (y * jnp.cos(turn) - x * jnp.sin(turn)) / axes[1]
    # In (u, v) the corners lie on the unit circle: inside is what no edge's chord cuts off.
    half_gap = 0.5 * jnp.diff(angle, append=angle[:1] + 2.0 * math.pi)
    edge = angle + half_gap
    across, down, reach = (
        n[:, None, None] for n in (jnp.cos(edge), jnp.sin(edge), jnp.cos(half_gap))
    )
    return jnp.all(across * u + down * v <= reach, axis=0).astype(jnp.float32)


def _cover(draw: Numbers, key: Array, planes: Array) -> Float[Array, "3 256 256"]:
    """Return what a shape is filled with: a colour, noise, or the picture rolled."""
    kind, plain = draw.uniform(), draw.uniform((3, 1, 1))
    noise = jax.random.uniform(key, (3, _CELLS, _CELLS))
    enlarge = _enlarge_matrix(_range(draw, 2, _CELLS), _CELLS, jnp.asarray(False))
    row, column = ((jnp.arange(SIZE) + draw.integer(SIZE)) % SIZE for _ in range(2))
    rolled = _read(planes, row, column)
    patterned = jnp.where(kind < 0.75, _both_ways(enlarge, noise), rolled)
    return jnp.where(kind < 0.5, plain, patterned)


def _occlude(key: Array, planes: Array, mask: Array) -> tuple[Array, Array]:
    """Put one to three plain, noisy or copied shapes over the picture, now and then see-through."""
    count_key, *keys = jax.random.split(key, 4)
    count = jnp.array([1, 1, 1, 2, 3])[Numbers(count_key, 1).integer(5)]

    def put(carry: tuple[Array, Array], given: tuple[Array, Array]) -> tuple[tuple, None]:
        (planes, mask), (index, key) = carry, given
        draw = Numbers(key, 60)
        shape = _inside(draw) * (index < count).astype(jnp.float32)
        cover = _cover(draw, jax.random.fold_in(key, 1), planes)
        share = jnp.where(draw.chance(0.25), draw.uniform(low=0.4, high=0.9), 1.0)
        planes = planes + shape * share * (cover - planes)
        return (planes, mask * (1.0 - share * _halve(shape))), None

    return jax.lax.scan(put, (planes, mask), (jnp.arange(3), jnp.stack(keys)))[0]


def _halve(plane: Array) -> Array:
    """Average 2 x 2 pixels."""
    return plane.reshape(*plane.shape[:-2], SIZE // 2, 2, SIZE // 2, 2).mean(axis=(-3, -1))


def _shade(key: Array, planes: Array) -> Array:
    """Make one side darker or brighter, or put a vignette or a hard shadow on the picture."""
    draw = Numbers(key, 8)
    angle, kind = draw.uniform(high=2.0 * math.pi), draw.uniform()
    x, y = _line(-1.0, 1.0)[None, :], _line(-1.0, 1.0)[:, None]
    along = x * jnp.cos(angle) + y * jnp.sin(angle)
    side = 1.0 + draw.uniform(low=-0.6, high=0.6) * along
    steep, place = draw.uniform(low=3.0, high=30.0), draw.uniform(low=-0.5, high=0.5)
    edge = 1.0 - draw.uniform(low=0.2, high=0.65) * jax.nn.sigmoid(steep * (along - place))
    vignette = 1.0 - draw.uniform(low=0.2, high=0.6) * (x * x + y * y) / 2.0
    return planes * jnp.where(kind < 0.6, side, jnp.where(kind < 0.8, edge, vignette))


def _recolour(key: Array, planes: Array) -> Array:
    """Gain and gamma of each channel, contrast; then saturation and hue by a colour matrix."""
    draw, each = Numbers(key, 24), (3, 1, 1)
    gamma = jnp.exp(0.22 * draw.normal() + 0.06 * draw.normal(each))
    gain = jnp.exp(0.14 * draw.normal() + 0.06 * draw.normal(each))
    contrast, lift = jnp.exp(0.15 * draw.normal()), 0.04 * draw.normal()
    curved = jnp.clip((planes**gamma * gain - 0.5) * contrast + 0.5 + lift, 0.0, 1.0)
    saturation = jnp.clip(jnp.exp(0.35 * draw.normal()), 0.3, 2.0)
    eye = jnp.eye(3, dtype=jnp.float32)
    matrix = saturation * eye + (1.0 - saturation) * jnp.asarray(_LUMA)[None]
    matrix = jnp.matmul(matrix, eye + 0.04 * draw.normal((3, 3)), precision="highest")
    return jnp.where(draw.chance(0.5), _mix(matrix, curved), curved)


def _gray(key: Array, planes: Array) -> Array:
    draw = Numbers(key, 2)
    gray = jnp.broadcast_to((planes * _LUMA[:, None, None]).sum(axis=0), planes.shape)
    tint = jnp.array([1.0, 0.93, 0.8], jnp.float32) ** draw.uniform(low=-0.5, high=1.0)
    return jnp.where(draw.chance(0.3), gray * tint[:, None, None], gray)  # sepia and the like


def _low_resolution(key: Array, planes: Array) -> Array:
    """Average down to 28 to 154 pixels, and enlarge again, linearly or cubically."""
    draw = Numbers(key, 2)
    small = jnp.round(SIZE * _log_uniform(draw, 0.11, 0.6)).astype(jnp.int32)
    enlarge = _enlarge_matrix(small, _SMALL, draw.chance(0.5))
    return _both_ways(jnp.matmul(enlarge, _area_matrix(small, _SMALL)), planes)


def _blur(key: Array, planes: Array) -> Array:
    draw = Numbers(key, 4)
    gaussian = _both_ways(_gaussian_matrix(draw.uniform(low=0.5, high=2.5)), planes)
    reach, angle = _range(draw, 2, 7), draw.uniform(high=math.pi)
    return jnp.where(draw.chance(0.7), gaussian, _motion_blur(planes, reach, angle))


def _gaussian_matrix(sigma: Array) -> Float[Array, "256 256"]:
    """Return what blurs a line that is mirrored about its first and last pixel."""
    i, r = _line()[None, :], _line()[:, None]
    before = jnp.where(i > 0, -i - r, jnp.inf)
    after = jnp.where(i < SIZE - 1, 2.0 * (SIZE - 1) - i - r, jnp.inf)
    weight = jnp.exp(-0.5 * (jnp.stack([i - r, before, after]) / sigma) ** 2).sum(axis=0)
    return weight / weight.sum(axis=1, keepdims=True)


def _motion_blur(planes: Array, reach: Int[Array, ""], angle: Float[Array, ""]) -> Array:
    """Average along a drawn line of ``2 reach + 1`` pixels' length, mirrored at the edges."""
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    major = jnp.maximum(jnp.abs(cos), jnp.abs(sin))
    last = jnp.round(reach.astype(jnp.float32) * major)
    total, count = jnp.zeros_like(planes), 2.0 * last + 1.0
    for k in range(-6, 7):
        row, column = (
            jnp.arange(SIZE) + jnp.round(k * part / major).astype(jnp.int32) for part in (sin, cos)
        )
        row, column = ((SIZE - 1) - jnp.abs((SIZE - 1) - jnp.abs(p)) for p in (row, column))
        total += jnp.where(abs(k) <= last, _read(planes, row, column), 0.0)
    return total / count


def _noise(key: Array, planes: Array) -> Array:
    """Add Gaussian noise, of the channels together or each."""
    draw = Numbers(key, 2)
    field = jax.random.normal(jax.random.fold_in(key, 1), planes.shape)
    field = jnp.where(draw.chance(0.4), field[:1], field)
    return planes + _log_uniform(draw, 2.0 / 255.0, 22.0 / 255.0) * field


def _frame(key: Array, planes: Array, mask: Array) -> tuple[Array, Array]:
    """Replace one side by black or the repeated edge of a photo that ends there."""
    draw = Numbers(key, 3)
    share, side = draw.uniform(low=0.05, high=0.3), jnp.arange(4) == draw.integer(4)

    def inner(size: int, cut: Array) -> tuple[Array, Array, Array]:
        top, bottom, left, right = jnp.where(side, cut.astype(jnp.int32), 0)
        place = jnp.arange(size)
        row = jnp.clip(place, top, size - 1 - bottom)
        column = jnp.clip(place, left, size - 1 - right)
        return row, column, (row == place)[:, None] & (column == place)[None, :]

    row, column, is_photo = inner(SIZE, jnp.floor(share * SIZE))
    _, _, is_kept = inner(SIZE // 2, jnp.round(share * (SIZE // 2)))
    outside = jnp.where(draw.chance(0.5), _read(planes, row, column), 0.0)
    return jnp.where(is_photo, planes, outside), jnp.where(is_kept, mask, 0.0)


def jpeg(planes: Float[Array, "3 256 256"], quality: Int[Array, ""]) -> Float[Array, "3 256 256"]:
    """Return what libjpeg makes of a picture: all of its losses, chroma of half the resolution.

    Args:
        planes: display values in [0, 1], RGB.
        quality: libjpeg's, 1 to 100.

    Returns:
        Display values in [0, 1].
    """
    level = jnp.array([128.0, 0.0, 0.0], jnp.float32)[:, None, None]
    coded = jnp.round(_mix(jnp.asarray(_YCC), jnp.round(planes * 255.0)) - level)
    luma = _quantise(coded[:1], _LUMA_TABLE, quality)
    chroma = _quantise(jnp.round(_halve(coded[1:])), _CHROMA_TABLE, quality)
    enlarge = _enlarge_matrix(jnp.int32(SIZE // 2), SIZE // 2, jnp.asarray(False))
    chroma = jnp.round(_both_ways(enlarge, chroma, precision="highest"))
    decoded = _mix(jnp.asarray(_RGB), jnp.concatenate([luma, chroma]) + level)
    return jnp.clip(decoded / 255.0, 0.0, 1.0)


def _quantise(planes: Array, table: np.ndarray, quality: Array) -> Array:
    """Round the DCT coefficients of 8 x 8 blocks to the steps of a table; signed levels."""
    blocks = planes.shape[-1] // 8
    k = np.arange(8)
    dct = np.cos((2 * k[None] + 1) * k[:, None] * np.pi / 16) / np.where(k[:, None] > 0, 2, 8**0.5)
    dense = jnp.asarray(np.kron(np.eye(blocks), dct), jnp.float32)
    scale = jnp.where(quality < 50, 5000 // jnp.maximum(quality, 1), 200 - 2 * quality)
    steps = jnp.clip((jnp.asarray(table) * scale + 50) // 100, 1, 255).astype(jnp.float32)
    steps = jnp.tile(steps, (blocks, blocks))
    coefficients = jnp.round(_both_ways(dense, planes, precision="highest") / steps) * steps
    decoded = _both_ways(dense.T, coefficients, precision="highest")
    return jnp.clip(jnp.round(decoded), -128.0, 127.0)
