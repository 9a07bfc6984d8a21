"""What surrounds the face in a photo, as a mesh that turns with it, and the wall behind.

The person (hair, ears' backs, neck, shoulders) is cut out of the photo and gets a depth: at the
outline of the face it is the face's own, and from there it falls like an ellipsoid to the
person's outline, where a head is seen edge-on. What lies behind the person does not turn; the
person's place in it is filled smoothly.

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

from .skin_texture import filled

__all__ = ["Surroundings", "find_surroundings", "grid_places", "grid_triangles"]

_SMALL = 160  # pixels of the stage on which the person is found
_STEP = 6  # stage pixels between vertices of the grid
_BEYOND = 0.25  # of the stage's side, by which the grid reaches beyond it
_HEAD_DEPTH = 9.0  # cm from the ears' plane to the back of the head
_NECK_DEPTH = 4.5  # cm, below the ears
_NEAR = 0.09  # of the stage: so near to the face everything is probably the person
_UNDER = 1.0  # cm, how far the grid lies behind the face where the face covers it
_ROUNDS = 4  # of GrabCut
_EARS = 5  # small pixels around the mesh's ears where the photo's own ears may be
_FULLER = 4  # small pixels by which the outline for far turns is further out
_SURE = 4  # small pixels from which on inside the face's mesh everything is the person
_SOFT = 2.5  # small pixels of the blur of colours that will be stretched
_SHOULDERS = ((0.0, 0.26), (0.12, 0.34), (0.22, 0.62))  # below the neck: down, half width


@dataclasses.dataclass(frozen=True, kw_only=True)
class Surroundings:
    """The person around the face, and what is behind."""

    person: np.ndarray  # [n, n] float32 in [0, 1], 1 on the person
    full_person: np.ndarray  # [n, n] the same with a smooth outline further out, for far turns
    around: np.ndarray  # [n, n, 3] float32, the person's colours where a turn stretches them
    wall: np.ndarray  # [n, n, 3] float32, the stage without the person
    depth: np.ndarray  # [g, g] float32, z of the grid's vertices; NaN where nothing is drawn


def find_surroundings(
    image: Float[np.ndarray, "n n 3"],
    inside: Bool[np.ndarray, "n n"],
    face: Bool[np.ndarray, "n n"],
    ears: Bool[np.ndarray, "n n"],
    face_depth: Float[np.ndarray, "n n"],
    *,
    scale: float,
) -> Surroundings:
    """Find the person around a face and give everything a depth.

    Args:
        image: the stage, RGB in [0, 1].
        inside: where the stage lies in the photo; elsewhere it repeats the photo's border.
        face: where the face's own mesh is.
        ears: where that shows its ears.
        face_depth: its z there.
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
    full = _filled_out(person | is_face)
    edge = _nearness_to_edge(is_face, full)
    wide = cv2.dilate((person | full).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    return Surroundings(
        person=_enlarged(person, side),
        full_person=_enlarged(full, side),
        around=_stretchable(image, colors, (is_face, is_ear), person & is_inside, edge),
        wall=_wall(image, colors, wide, is_inside),
        depth=_grid_depth(depth - scale * _drop(is_face, is_ear, full, edge), wide, side),
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
    body = _shoulders(face)
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


def _filled_out(person: Bool[np.ndarray, "s s"]) -> Bool[np.ndarray, "s s"]:
    """Return a person with a smooth outline that leaves some pixels around the face's mesh."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _FULLER + 1,) * 2)
    wide = cv2.dilate(person.astype(np.uint8), kernel).astype(np.float32)
    return cv2.GaussianBlur(wide, (0, 0), _FULLER) > 0.5


def _enlarged(person: Bool[np.ndarray, "s s"], side: int) -> Float[np.ndarray, "n n"]:
    """Return a mask of the stage's size whose outline is about two stage pixels soft."""
    soft = cv2.GaussianBlur(person.astype(np.float32), (0, 0), 0.8)
    alpha = cv2.resize(soft, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.clip(3.0 * alpha - 1.0, 0.0, 1.0)


def _shoulders(face: Bool[np.ndarray, "s s"]) -> Bool[np.ndarray, "s s"]:
    """Return where shoulders are, whatever their colour: white shirts stand before white walls."""
    rows, columns = np.nonzero(face)
    bottom, middle = rows.max(), np.median(columns[rows > rows.max() - 6])
    right = [(middle + w * _SMALL, bottom + d * _SMALL) for d, w in _SHOULDERS]
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


def _drop(
    face: Bool[np.ndarray, "s s"],
    ears: Bool[np.ndarray, "s s"],
    person: Bool[np.ndarray, "s s"],
    edge: Float[np.ndarray, "s s"],
) -> Float[np.ndarray, "s s"]:
    """Return how far each pixel lies behind the outline of the face, cm."""
    lobe = np.flatnonzero((ears if ears.any() else face).any(axis=1)).max()
    low = np.clip((np.arange(len(face)) - lobe) / (0.06 * len(face)), 0.0, 1.0)[:, None]
    fall = (_HEAD_DEPTH + low * (_NECK_DEPTH - _HEAD_DEPTH)) * np.where(person, edge**2, 1.0)
    # The outline of the person is only known to a pixel: without the blur the turned one frays.
    fall = cv2.GaussianBlur(fall.astype(np.float32), (0, 0), 2.5)
    deep = cv2.distanceTransform(face.astype(np.uint8), cv2.DIST_L2, 5)
    under = _UNDER * np.minimum((deep + 1.0) / 3.0, 1.0)
    return np.where(face, under + 0.5 * fall, fall)


def _stretchable(
    image: Float[np.ndarray, "n n 3"],
    colors: Float[np.ndarray, "s s 3"],
    face_and_ears: tuple[Bool[np.ndarray, "s s"], Bool[np.ndarray, "s s"]],
    person: Bool[np.ndarray, "s s"],
    edge: Float[np.ndarray, "s s"],
) -> Float[np.ndarray, "n n 3"]:
    """Return the stage with soft hair and neck where a turn stretches a few pixels far.

    These are the person's edge and what is left of the ears beside the face's own mesh.
    """
    face, is_ear = face_and_ears
    ears = cv2.distanceTransform((~is_ear).astype(np.uint8), cv2.DIST_L2, 5) < _EARS
    inner = cv2.erode((person | face).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    sure = cv2.erode(inner.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    known = inner & person & ~ears & ~face
    soft = _extended(colors, known if known.any() else person | face)
    share = np.maximum(np.clip((edge - 0.35) / 0.4, 0.0, 1.0), ears | ~(sure | face))
    share = cv2.GaussianBlur(share.astype(np.float32), (0, 0), 1.0)[..., None]
    side = len(image)
    both = cv2.resize(np.concatenate([soft, share], axis=-1), (side, side))
    return (image + both[..., 3:] * (both[..., :3] - image)).astype(np.float32)


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
) -> Float[np.ndarray, "n n 3"]:
    """Return the stage with its surroundings' colours where the person is."""
    known = ~person & inside
    rough = filled(colors.astype(np.float32), known.astype(np.float32) + 1e-6)
    rough = cv2.GaussianBlur(np.ascontiguousarray(rough), (0, 0), 2.0)
    side = len(image)
    weight = cv2.GaussianBlur((~known).astype(np.float32), (0, 0), 1.0)[..., None]
    both = cv2.resize(np.concatenate([rough, weight], axis=-1), (side, side))
    return np.clip(image + both[..., 3:] * (both[..., :3] - image), 0.0, 1.0).astype(np.float32)


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
