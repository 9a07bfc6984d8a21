"""What surrounds the face in a photo, as a mesh that turns with it, and the wall behind.

The person (hair, neck, shoulders) is cut out of the photo and gets a depth: at the outline of the
face it is the face's own, and from there it falls to the plane of the ears at the person's
outline, where a head is seen edge-on. A shell closes the person behind that outline (see
`person_back`). What lies behind the person does not turn; the person's place in it is filled
smoothly.

Convention:
    All is in stage pixels (see `profiling`), integer coordinates are pixel centres; z as in
    position maps. The mesh is a regular grid that reaches beyond the stage on every side.

References:
    X. Zhu et al., "Face Alignment Across Large Poses: A 3D Solution", 2016, section 4 (face
    profiling: anchors around the face with their own depth, rotated together with it).
    C. Rother et al., "GrabCut: Interactive Foreground Extraction", 2004.
"""

from __future__ import annotations

import dataclasses
from functools import cache

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from .person_back import back_shell, without_ears
from .skin_texture import filled

__all__ = ["Surroundings", "find_surroundings", "grid_places", "grid_triangles"]

_SMALL = 160  # pixels of the stage on which the person is found
_STEP = 6  # stage pixels between vertices of the grid
_BEYOND = 0.25  # of the stage's side, by which the grid reaches beyond it
_BEHIND = 0.5  # cm by which the person's outline lies behind the ears
_THROAT = 4.0  # cm by which the throat lies behind the outline of chin and jaw
_CHIN = 1.5  # cm below that outline over which it does
_THROAT_LEAST = 4.5  # cm, the throat before the person's outline
_NEAR = 0.09  # of the stage: so near to the face everything is probably the person
_UNDER = 1.0  # cm, how far the grid lies behind the face where the face covers it
_ROUNDS = 4  # of GrabCut
_EARS = 5  # small pixels around the mesh's ears where the photo's own ears may be
_LIKE_WALL = 0.15  # of the colours' range: what differs less from the wall is mixed with it
_LOOSE = 8  # small pixels: so far inside its outline the face's mesh may lie beside the face
_RIM = 3.0  # small pixels inside the outline where colours may be mixed with the wall's
_SURE = 4  # small pixels from which on inside the face's mesh everything is the person
_SOFT = 1.5  # small pixels of the blur of the person's own colours
# Below the neck: down, half width; where shoulders certainly are, and where they may be.
_SHOULDERS = ((0.02, 0.1), (0.12, 0.16), (0.2, 0.3), (0.32, 0.46))
_WIDE_SHOULDERS = ((0.0, 0.26), (0.12, 0.34), (0.22, 0.62))
_UNLIKE_WALL = 0.1  # of the colours' range, from the nearest of the wall's: what is a shirt there
_SAMPLES = 300  # of the wall's colours


@dataclasses.dataclass(frozen=True, kw_only=True)
class Surroundings:
    """The person around the face, and what is behind."""

    person: np.ndarray  # [n, n] float32 in [0, 1], 1 on the person
    sure: np.ndarray  # [n, n] the same without what looks like the wall behind
    solid: np.ndarray  # [n, n] the same without ears, which the face's mesh has, and smooth
    around: np.ndarray  # [n, n, 3] float32, the person's own colours, also beyond the outline
    rim: np.ndarray  # [n, n] float32 in [0, 1], 1 where a turned person has these
    wall: np.ndarray  # [n, n, 3] float32, the stage without the person
    depth: np.ndarray  # [g, g] float32, z of the grid's vertices; NaN where nothing is drawn
    back: np.ndarray  # [v, 3] float32, the vertices of the shell behind the person
    back_places: np.ndarray  # [v, 2] float32, where in ``around`` each has its colour


def find_surroundings(
    image: Float[np.ndarray, "n n 3"],
    inside: Bool[np.ndarray, "n n"],
    face: Bool[np.ndarray, "n n"],
    ears: Bool[np.ndarray, "n n"],
    face_depth: Float[np.ndarray, "n n"],
    *,
    axis: float,
    scale: float,
) -> Surroundings:
    """Find the person around a face and give everything a depth.

    Args:
        image: the stage, RGB in [0, 1].
        inside: where the stage lies in the photo; elsewhere it repeats the photo's border.
        face: where the face's own mesh is.
        ears: where that shows its ears.
        face_depth: its z there.
        axis: z between the ears.
        scale: stage pixels per cm.
    """
    side, small = len(image), (_SMALL, _SMALL)
    share = cv2.resize(face.astype(np.float32), small, interpolation=cv2.INTER_AREA)
    colors = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    is_inside, is_ear = (
        cv2.resize(mask.astype(np.uint8), small, interpolation=cv2.INTER_NEAREST) > 0
        for mask in (inside, ears)
    )
    is_face = share > 0.5
    person = _find_person(np.rint(255 * np.clip(colors, 0, 1)).astype(np.uint8), is_face)
    depth = cv2.resize(np.where(face, face_depth, 0.0), small, interpolation=cv2.INTER_AREA)
    depth = np.repeat((depth / np.maximum(share, 1e-6))[..., None], 3, axis=2).astype(np.float32)
    depth = filled(depth, is_face.astype(np.float32))[..., 0]
    small_scale = scale * _SMALL / side
    solid = without_ears(person, is_face, is_ear, scale=small_scale)
    wide = cv2.dilate((person | solid).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    rows = np.flatnonzero((is_ear if is_ear.any() else is_face).any(axis=1))
    lobe = int(rows.max())
    front = _front(depth / scale, is_face, solid, lobe, axis / scale, small_scale)
    back, back_places = back_shell(
        solid, scale * front, middle=float(rows.mean()), scale=scale, side=side
    )
    under = cv2.distanceTransform(is_face.astype(np.uint8), cv2.DIST_L2, 5)
    rear = cv2.erode(front, np.ones((7, 7), np.uint8))  # ears are deep: it would show through them
    front = np.where(is_ear, rear, front) - _UNDER * np.minimum(under / 3.0, 1.0)
    wall, rough = _wall(image, colors, wide, is_inside)
    sure = is_inside & person & ~_like_wall(colors, rough, is_face)
    around, rim = _own_colors(colors, (is_face, is_ear), sure & solid, lobe, side)
    return Surroundings(
        person=_enlarged(person, side),
        sure=_enlarged(sure, side),
        solid=_enlarged(solid, side),
        around=around,
        rim=rim,
        wall=wall,
        depth=_grid_depth(scale * front, wide, side),
        back=back,
        back_places=back_places,
    )


def _find_person(
    picture: UInt8[np.ndarray, "s s 3"], face: Bool[np.ndarray, "s s"]
) -> Bool[np.ndarray, "s s"]:
    """Return where the person is: around the face, by colour, against the upper sides."""
    near = cv2.distanceTransform((~face).astype(np.uint8), cv2.DIST_L2, 5) < _NEAR * _SMALL
    labels = np.full(face.shape, cv2.GC_PR_BGD, np.uint8)
    labels[near] = cv2.GC_PR_FGD
    band, upper, third = _SMALL // 32, int(0.6 * _SMALL), _SMALL // 3
    labels[:upper, :band] = labels[:upper, -band:] = cv2.GC_BGD
    labels[:band, :third] = labels[:band, -third:] = cv2.GC_BGD
    body = _shoulders(face) | (
        _shoulders(face, _WIDE_SHOULDERS) & _unlike(picture, labels == cv2.GC_BGD)
    )
    deep = cv2.distanceTransform(face.astype(np.uint8), cv2.DIST_L2, 5) > _SURE
    labels[deep | body] = cv2.GC_FGD
    try:
        models = np.zeros((1, 65)), np.zeros((1, 65))
        box = (0, 0, 1, 1)  # not used: the mask says where to start
        cv2.setRNGSeed(0)
        bgr = np.ascontiguousarray(picture[..., ::-1])
        cv2.grabCut(bgr, labels, box, *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
        person = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    except cv2.error:  # one colour all over: nothing tells the person from the wall
        person = near | body
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    closed = cv2.morphologyEx((person | deep | body).astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, kernel)
    # Only what hangs together with the face.
    _, parts = cv2.connectedComponents(((opened > 0) | deep).astype(np.uint8))
    return np.isin(parts, np.unique(parts[deep]))


def _enlarged(person: Bool[np.ndarray, "s s"], side: int) -> Float[np.ndarray, "n n"]:
    """Return a mask of the stage's size whose outline is about two stage pixels soft."""
    soft = cv2.GaussianBlur(person.astype(np.float32), (0, 0), 0.8)
    alpha = cv2.resize(soft, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.clip(3.0 * alpha - 1.0, 0.0, 1.0)


def _unlike(
    picture: UInt8[np.ndarray, "s s 3"], wall: Bool[np.ndarray, "s s"]
) -> Bool[np.ndarray, "s s"]:
    """Return where a picture has none of the colours of a part of it."""
    colors = picture[wall].astype(np.float32)
    colors = colors[:: max(len(colors) // _SAMPLES, 1)]
    rows = picture.reshape(-1, 3).astype(np.float32)
    squares = (rows**2).sum(axis=1)[:, None] + (colors**2).sum(axis=1) - 2.0 * rows @ colors.T
    return (squares.min(axis=1) > (255.0 * _UNLIKE_WALL) ** 2).reshape(wall.shape)


def _shoulders(
    face: Bool[np.ndarray, "s s"], form: tuple[tuple[float, float], ...] = _SHOULDERS
) -> Bool[np.ndarray, "s s"]:
    """Return where shoulders are, whatever their colour: white shirts stand before white walls."""
    rows, columns = np.nonzero(face)
    bottom, middle = rows.max(), np.median(columns[rows > rows.max() - 6])
    right = [(middle + w * _SMALL, bottom + d * _SMALL) for d, w in form]
    right.append((right[-1][0], 2.0 * _SMALL))
    left = [(2.0 * middle - x, y) for x, y in right[::-1]]
    mask = np.zeros(face.shape, np.uint8)
    outline = np.rint(np.array([*right, *left])).astype(np.int32)
    return cv2.fillPoly(mask, [outline], 1) > 0


def _nearness_to_edge(
    face: Bool[np.ndarray, "s s"], person: Bool[np.ndarray, "s s"]
) -> Float[np.ndarray, "s s"]:
    """Return where a pixel lies between the outlines of face (0) and person (1)."""
    outside = cv2.distanceTransform((~face).astype(np.uint8), cv2.DIST_L2, 5)
    to_edge = cv2.distanceTransform((person | face).astype(np.uint8), cv2.DIST_L2, 5)
    return outside / np.maximum(outside + to_edge, 1e-6)


def _front(
    depth: Float[np.ndarray, "s s"],
    face: Bool[np.ndarray, "s s"],
    person: Bool[np.ndarray, "s s"],
    lobe: int,
    axis: float,
    scale: float,
) -> Float[np.ndarray, "s s"]:
    """Return the z of what is seen of the person, cm; ``depth`` is the face's, extended."""
    edge = _nearness_to_edge(face, person)
    outline = np.minimum(depth, axis - _BEHIND)
    outside = cv2.distanceTransform((~face).astype(np.uint8), cv2.DIST_L2, 5)
    low = np.clip((np.arange(len(face)) - lobe) / (2.0 * scale), 0.0, 1.0)[:, None]
    throat = np.maximum(depth - _THROAT, np.minimum(depth, outline + _THROAT_LEAST))
    below = low * np.clip(outside / (_CHIN * scale), 0.0, 1.0)
    front = depth + below * (throat - depth)
    front = front + np.where(person, edge**2, 1.0) * (outline - front)
    blurred = cv2.GaussianBlur(front.astype(np.float32), (0, 0), 2.0)
    return np.where(face, depth, blurred)


def _like_wall(
    colors: Float[np.ndarray, "s s 3"],
    wall: Float[np.ndarray, "s s 3"],
    face: Bool[np.ndarray, "s s"],
) -> Bool[np.ndarray, "s s"]:
    """Return where, but for the shoulders and well inside the face, pixels look like the wall."""
    deep = cv2.distanceTransform(face.astype(np.uint8), cv2.DIST_L2, 5) > _LOOSE
    is_like = np.linalg.norm(colors - wall, axis=-1) < _LIKE_WALL
    body = np.arange(len(face))[:, None] > np.flatnonzero(face.any(axis=1)).max() + _LOOSE
    return is_like & ~deep & ~(body & _shoulders(face, _WIDE_SHOULDERS))


def _own_colors(
    colors: Float[np.ndarray, "s s 3"],
    face_and_ears: tuple[Bool[np.ndarray, "s s"], Bool[np.ndarray, "s s"]],
    person: Bool[np.ndarray, "s s"],
    lobe: int,
    side: int,
) -> tuple[Float[np.ndarray, "n n 3"], Float[np.ndarray, "n n"]]:
    """Return soft hair and neck also at the outline and beyond, and where a turn shows these.

    Pixels at the outline are mixed with the wall, and the photo's ears lie beside the mesh's.
    """
    face, is_ear = face_and_ears
    ears = cv2.distanceTransform((~is_ear).astype(np.uint8), cv2.DIST_L2, 5) < _EARS
    deep = cv2.distanceTransform(person.astype(np.uint8), cv2.DIST_L2, 5)
    below = np.arange(len(face))[:, None] > lobe  # what turns up behind the jaw is skin
    known = (deep > _RIM) & ~ears & (~face | below)
    soft = _extended(colors, known if known.any() else person | face)
    rim = ((deep <= _RIM) | ears) & ~(is_ear & person)
    rim = cv2.GaussianBlur(rim.astype(np.float32), (0, 0), 1.0)
    both = cv2.resize(np.concatenate([soft, rim[..., None]], axis=-1), (side, side))
    return both[..., :3].astype(np.float32), both[..., 3].astype(np.float32)


def _extended(
    colors: Float[np.ndarray, "s s 3"], known: Bool[np.ndarray, "s s"]
) -> Float[np.ndarray, "s s 3"]:
    """Return known colours continued outwards from the nearest, then blurred."""
    unknown = (~known).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(
        unknown, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    palette = np.zeros((nearest.max() + 1, 3), np.float32)
    palette[nearest[known]] = colors[known]
    return cv2.GaussianBlur(palette[nearest], (0, 0), _SOFT)


def _wall(
    image: Float[np.ndarray, "n n 3"],
    colors: Float[np.ndarray, "s s 3"],
    person: Bool[np.ndarray, "s s"],
    inside: Bool[np.ndarray, "s s"],
) -> tuple[Float[np.ndarray, "n n 3"], Float[np.ndarray, "s s 3"]]:
    """Return the stage with its surroundings' colours where the person is, and these colours."""
    known = ~person & inside
    # Loose hairs beside the person would be drawn out over it.
    apart = (cv2.erode(known.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0).astype(np.float32)
    rough = filled(colors.astype(np.float32), apart + 1e-6)
    rough = cv2.GaussianBlur(np.ascontiguousarray(rough), (0, 0), 2.0)
    side = len(image)
    weight = cv2.GaussianBlur((~known).astype(np.float32), (0, 0), 1.0)[..., None]
    both = cv2.resize(np.concatenate([rough, weight], axis=-1), (side, side))
    wall = np.clip(image + both[..., 3:] * (both[..., :3] - image), 0.0, 1.0).astype(np.float32)
    return wall, rough


@cache
def grid_places(side: int) -> Float[np.ndarray, "gg 2"]:
    """Return the stage positions (x, y) of the grid's vertices, row by row."""
    line = np.arange(-_BEYOND * side, (1 + _BEYOND) * side + 1, _STEP, dtype=np.float32)
    return np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)


@cache
def grid_triangles(side: int) -> Int[np.ndarray, "t 3"]:
    """Return the grid's triangles, counter-clockwise as a frontal camera sees them (y down)."""
    count = round(len(grid_places(side)) ** 0.5)
    row, column = np.meshgrid(np.arange(count - 1), np.arange(count - 1), indexing="ij")
    a = (row * count + column).ravel()
    b, c, d = a + 1, a + count, a + count + 1
    triangles = np.concatenate([np.stack([a, c, b], axis=1), np.stack([b, c, d], axis=1)])
    return triangles.astype(np.int32)


def _grid_depth(
    depth: Float[np.ndarray, "s s"], drawn: Bool[np.ndarray, "s s"], side: int
) -> Float[np.ndarray, "g g"]:
    """Sample a depth picture at the grid; beyond the stage its border continues."""
    places = grid_places(side)
    count = round(len(places) ** 0.5)
    x, y = ((places + 0.5) * (len(depth) / side) - 0.5).T.reshape(2, count, count)
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    border = cv2.BORDER_REPLICATE
    at = cv2.remap(depth.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=border)
    kept = cv2.remap(drawn.astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=border)
    return np.where(kept > 0, at, np.nan).astype(np.float32)
