"""A hand before the face: fingers of two bent parts, thumb, back of the hand, arm and sleeve.

All is a height above the face, the highest of rounded bars; their slopes are the normals. Lengths
are radii of a finger, along the hand's own axes (see `solids`).
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from jax import Array, lax
from jaxtyping import Float

from ..compilation import computed_once
from .numbers import Numbers
from .solids import Axes, Finish, Solid, mixed, smooth

__all__ = ["hand_solid", "hand_tone"]

_LENGTHS = (7.4, 8.6, 8.0, 6.0)  # of stretched fingers, from the index
_KNUCKLES = (0.3, -0.3, 0.1, 0.9)  # how far each knuckle lies up the hand
_PALM = 8.5  # from the knuckles to the wrist
_ARM = 60.0
_BLEND = 0.35  # height over which bars run into each other
_FOLD = 0.55  # length of the wrinkles over a joint
_WRINKLE = 0.36  # from one to the next
# Hands of others: square roots of linear colours of the lightest and the darkest skin.
_SKINS = ((0.86, 0.68, 0.6), (0.33, 0.22, 0.18))


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class _Bar:
    """A rounded bar: a row of discs from one place to another."""

    ends: Array  # [2, 2] (u, v)
    radii: Array  # [2]
    heights: Array  # [2] of its middle line
    flat: Array  # [], height over half its width

    def at(self, axes: Axes) -> tuple[Array, Array, Array, Array]:
        """Return height, distance from the outline, place along the bar and place across it."""
        span = self.ends[1] - self.ends[0]
        length = jnp.sqrt(jnp.maximum(span @ span, 1e-4))
        ahead, right = span / length, jnp.stack([-span[1], span[0]]) / length
        u, v = axes.u - self.ends[0, 0], axes.v - self.ends[0, 1]
        along, across = u * ahead[0] + v * ahead[1], u * right[0] + v * right[1]
        share = jnp.clip(along / length, 0.0, 1.0)
        radius = self.radii[0] + share * (self.radii[1] - self.radii[0])
        apart = jnp.sqrt((along - share * length) ** 2 + across**2)
        part = apart / radius
        round_top = jnp.sqrt(jnp.maximum(1.0 - part**2, 0.01)) - 3.0 * jnp.maximum(part - 0.99, 0)
        middle = self.heights[0] + share * (self.heights[1] - self.heights[0])
        height = middle + self.flat * radius * round_top
        return height, apart - radius, along - length, across / radius


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class _Drawn:
    """What has been drawn of a hand, ``[H, W]`` each, and where on its finger each pixel lies."""

    height: Array
    distance: Array
    beyond: Array  # along the finger, from its tip's middle on; far below 0 on other parts
    across: Array  # of half its width
    length: Array  # of the finger's last part

    def join(
        self, height: Array, distance: Array, beyond: Array, across: Array, length: Array
    ) -> _Drawn:
        """Return it with one more part."""
        apart = jnp.maximum(_BLEND - jnp.abs(self.height - height), 0.0)
        is_top = height > self.height
        return _Drawn(
            height=jnp.maximum(self.height, height) + apart**2 / (4.0 * _BLEND),
            distance=jnp.minimum(self.distance, distance),
            beyond=jnp.where(is_top, beyond, self.beyond),
            across=jnp.where(is_top, across, self.across),
            length=jnp.where(is_top, length, self.length),
        )


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class _Marks:
    """What is seen on a hand, ``[H, W]`` each."""

    fold: Array  # wrinkles
    blood: Array  # where skin is redder
    nail: Array
    rim: Array  # of nails


def hand_tone(draw: Numbers, skin: Float[Array, " 3"]) -> Float[Array, " 3"]:
    """Return the colour of a hand: mostly near the face's own, else somebody else's.

    Takes 4 numbers.
    """
    # Redder or more yellow, lighter or darker, as hands differ from faces.
    shade = 0.1 * draw.normal() + 0.025 * draw.normal() * jnp.array([1.0, 0.0, -1.0])
    near = skin * jnp.exp(shade)
    light, dark = jnp.array(_SKINS)
    other = light + draw.uniform() * (dark - light)
    return jnp.where(draw.chance(0.75), near, other)


def _digits(draw: Numbers) -> tuple[_Bar, _Bar]:
    """Return the first and the last parts of four fingers and the thumb, stacked."""
    count = len(_LENGTHS)
    spread, fan = draw.uniform(low=1.95, high=2.25), draw.uniform(low=-0.02, high=0.13)
    curl = draw.uniform(low=0.5, high=1.0)
    bend = jnp.clip(curl + 0.1 * draw.normal((count,)), 0.35, 1.0)
    lean = fan * (jnp.arange(float(count)) - 1.5) + 0.04 * draw.normal((count,))
    length = jnp.array(_LENGTHS) * bend
    base = jnp.stack([jnp.array(_KNUCKLES), spread * (jnp.arange(float(count)) - 1.5)], axis=-1)
    ahead = jnp.stack([-jnp.cos(lean), jnp.sin(lean)], axis=-1)
    joint = base + 0.5 * length[:, None] * ahead
    tip = (
        joint
        + 0.5 * length[:, None] * ahead
        + 0.2 * draw.normal((count, 1)) * jnp.array([0.0, 1.0])
    )
    # The thumb starts at the wrist, before the index.
    open_, near = draw.uniform(low=0.25, high=1.1), draw.uniform(low=-0.5, high=0.1)
    root = jnp.array([_PALM - 2.6, -2.6])
    knuckle = root + 4.6 * jnp.stack([-jnp.cos(open_), -jnp.sin(open_)])
    end = knuckle + 3.4 * jnp.stack([-jnp.cos(open_ + near), -jnp.sin(open_ + near)])
    starts = jnp.concatenate([base, root[None]])
    middles = jnp.concatenate([joint, knuckle[None]])
    ends = jnp.concatenate([tip, end[None]])
    sink = jnp.append(1.6 * (1.0 - bend), 0.2)  # bent fingers lead away from the camera
    ones = jnp.ones(count + 1)
    wide = ones.at[3].set(0.86).at[4].set(1.12)
    thick = ones.at[4].set(1.35)
    first = _Bar(
        ends=jnp.stack([starts, middles], axis=1),
        radii=jnp.stack([1.04 * thick * wide, 0.98 * wide], axis=1),
        heights=jnp.stack(
            [0.25 * ones - 0.6 * (wide > 1.0).astype(jnp.float32), 0.25 - 0.1 * sink], axis=1
        ),
        flat=0.95 * ones,
    )
    last = _Bar(
        ends=jnp.stack([middles, ends], axis=1),
        radii=jnp.stack([0.97 * wide, 0.78 * wide], axis=1),
        heights=jnp.stack([0.25 - 0.1 * sink, -sink], axis=1),
        flat=0.95 * ones,
    )
    return first, last


def _hand_back() -> _Bar:
    """Return four bars of the back of the hand and the arm, stacked."""
    step = jnp.arange(4.0) - 1.5
    knuckles = jnp.stack([jnp.array(_KNUCKLES) + 0.3, 2.05 * step], axis=-1)
    wrist = jnp.stack([jnp.full(4, _PALM), 1.1 * step], axis=-1)
    arm = jnp.array([[[_PALM - 0.5, 0.0], [_PALM + _ARM, 0.0]]])
    return _Bar(
        ends=jnp.concatenate([jnp.stack([knuckles, wrist], axis=1), arm]),
        radii=jnp.array([[1.3, 1.7]] * 4 + [[2.75, 5.5]]),
        heights=jnp.array([[0.05, -0.3]] * 4 + [[-0.9, -0.9]]),
        flat=jnp.array([0.9] * 4 + [0.8]),
    )


def _draw_digit(axes: Axes, first: _Bar, last: _Bar, drawn: _Drawn) -> _Drawn:
    """Draw a finger."""
    height, distance, _, across = first.at(axes)
    tip_height, tip_distance, beyond, tip_across = last.at(axes)
    return drawn.join(
        jnp.maximum(height, tip_height),
        jnp.minimum(distance, tip_distance),
        beyond,
        jnp.where(tip_height > height, tip_across, across),
        jnp.sqrt(((last.ends[1] - last.ends[0]) ** 2).sum()),
    )


def _draw_hand(draw: Numbers, axes: Axes) -> _Drawn:
    """Draw fingers and arm; takes 17 numbers."""
    none = jnp.zeros_like(axes.u)
    far = none - _ARM
    start = _Drawn(height=far, distance=none + _ARM, beyond=far, across=none, length=none)
    digits, back = _digits(draw), _hand_back()

    def add_bar(drawn: _Drawn, bar: _Bar) -> tuple[_Drawn, None]:
        height, distance, *_ = bar.at(axes)
        return drawn.join(height, distance, far, none, none), None

    def add_digit(drawn: _Drawn, bars: tuple[_Bar, _Bar]) -> tuple[_Drawn, None]:
        return _draw_digit(axes, *bars, drawn), None

    drawn, _ = lax.scan(add_bar, start, back)
    drawn, _ = lax.scan(add_digit, drawn, digits)
    return drawn


def _marks(drawn: _Drawn, shows_back: Array) -> _Marks:
    """Return wrinkles, blood and nails; ``shows_back`` is 0 where the palm is seen."""
    beyond, across = drawn.beyond, drawn.across
    folds = jnp.zeros_like(beyond)
    for place in (1.0, 0.45):  # of the last part: the joints
        from_joint = beyond + place * drawn.length + 0.12 * across**2
        line = 0.5 + 0.5 * jnp.cos(2.0 * jnp.pi * from_joint / _WRINKLE)
        folds = folds + (0.3 + 0.7 * line) * jnp.exp(-((from_joint / _FOLD) ** 2))
    lengthwise, crosswise = (beyond + 0.1) / 0.6, across / 0.62
    oval = (lengthwise**2) ** 2 + (crosswise**2) ** 2
    return _Marks(
        fold=folds * smooth(jnp.abs(across), 1.0, 0.4) * (0.3 + 0.4 * shows_back),
        blood=0.8 * smooth(beyond, -1.6, 0.6) + 0.5 * jnp.exp(-((beyond + drawn.length) ** 2)),
        nail=shows_back * smooth(oval, 1.15, 0.75),
        rim=shows_back * jnp.exp(-(((oval - 1.1) / 0.35) ** 2)),
    )


def _sleeve(draw: Numbers, axes: Axes) -> tuple[Array, Array]:
    """Return height and distance of a sleeve, far away if there is none; takes 3 numbers."""
    cuff = _PALM + draw.uniform(low=0.5, high=9.0) + jnp.where(draw.chance(0.6), 0.0, 99.0)
    wide = 3.3 + 0.07 * (axes.u - _PALM)
    part = jnp.clip(jnp.abs(axes.v) / wide, 0.0, 1.0)
    edge = smooth(axes.u - cuff, 0.0, 0.8)
    crease = 0.16 * jnp.sin(1.6 * axes.u + 1.2 * axes.v + 9.0 * draw.uniform()) * (1.0 - part**2)
    height = 0.9 * wide * jnp.sqrt(1.0 - part**2) + crease - 0.8 * (1.0 - edge)
    return height, jnp.maximum(jnp.abs(axes.v) - wide, cuff - axes.u)


def hand_solid(
    draw: Numbers, point: Array, way: Array, skin: Float[Array, " 3"], finish: Finish
) -> Solid:
    """Return a hand whose fingers end near a point of the picture; takes 28 numbers.

    Args:
        draw: random numbers.
        point: (x, y) that the fingers reach for.
        way: (x, y) unit, from there to the arm.
        skin: colour of lit skin, square root.
        finish: of the sleeve.
    """
    radius = draw.uniform(low=7.5, high=12.0)
    side = jnp.where(draw.chance(0.5), 1.0, -1.0)  # a left or a right one
    reach = draw.uniform(low=3.0, high=7.5)
    pixels = Axes.at(point, way)
    axes = dataclasses.replace(pixels, u=pixels.u / radius - reach, v=side * pixels.v / radius)
    tone = hand_tone(draw, skin)
    drawn = _draw_hand(draw, axes)
    marks = jax.tree.map(computed_once, _marks(drawn, draw.chance(0.75).astype(jnp.float32)))
    cloth_height, cloth_distance = _sleeve(draw, axes)
    is_cloth = cloth_distance < 0.0
    height = jnp.where(is_cloth, cloth_height, drawn.height)
    height = height - 0.06 * marks.fold + 0.05 * marks.nail - 0.08 * marks.rim
    height = height + 0.012 * finish.noise[1] + 0.02 * finish.noise[0]
    down, right = jnp.gradient(computed_once(radius * height))
    slope = 1.0 / jnp.sqrt(1.0 + down**2 + right**2)
    bare = _skin(tone, marks, finish.noise)
    flesh = jnp.where(is_cloth, 0.0, 1.0)
    return Solid(
        distance=radius * jnp.minimum(drawn.distance, cloth_distance),
        normal=jnp.stack([-right, -down, jnp.ones_like(down)], axis=-1) * slope[..., None],
        color=bare,
        printed=1.0 - flesh,
        place=jnp.stack([pixels.u, pixels.v], axis=-1),
        gloss=flesh * (0.05 + 0.07 * marks.nail + 0.02 * finish.noise[1]),
        sharpness=jnp.asarray(14.0),
        flesh=flesh,
        height=0.9 * radius,
    )


def _skin(tone: Array, marks: _Marks, noise: Array) -> Float[Array, "h w 3"]:
    """Return the colours of a hand's skin and nails."""
    spots = 0.035 * noise[0] + 0.02 * noise[1]
    red = marks.blood[..., None] * jnp.array([0.02, -0.055, -0.045])
    mottled = spots[..., None] * jnp.array([0.6, 1.0, 1.1])
    folds = marks.fold[..., None] * jnp.array([-0.1, -0.16, -0.18])
    bare = tone * (1.0 + red + mottled + folds)
    nail = jnp.clip(tone * jnp.array([1.04, 0.98, 1.0]) + jnp.array([0.03, 0.0, 0.01]), 0.0, 0.95)
    bare = mixed(bare, nail, 0.8 * marks.nail)
    return bare * (1.0 - 0.18 * marks.rim[..., None])
