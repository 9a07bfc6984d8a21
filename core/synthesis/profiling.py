"""Turn the face of a photo together with what surrounds it, with exact labels.

The face is the mesh of its position map, the rest a mesh of its own (see `background_mesh`);
both are turned rigidly and drawn with the photo's colours. What the photo does not show of the
face is completed smoothly, from the other side of the face where that is seen.

Convention:
    A photo is first brought to a *stage*: a square of `STAGE_SIZE` pixels, upright as the photo,
    around the landmarks' box, whose mean side is 1 / 2.5 of the stage. Pictures have the form of
    the generator's (`view`): 320 pixels, the landmarks' box centred, its mean side 160 pixels. The
    camera is orthographic, so that the labels are exactly the turned position map.

References:
    X. Zhu et al., "Face Alignment Across Large Poses: A 3D Solution", 2016, section 4.
"""

from __future__ import annotations

import dataclasses
from functools import partial

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Bool, Float

from ..geometry.crop import box_from_landmarks
from ..geometry.landmarks import read_landmarks
from ..geometry.layout import UVLayout
from ..geometry.pose import angles_from_rotation
from ..geometry.ramps import ramp
from ..geometry.rasterize import interpolate, rasterize
from ..geometry.render import rasterize_layout
from ..geometry.sampling import sample_bilinear
from ..geometry.visibility import normals, visibility
from ..geometry.window import cut_rectangle
from .background_mesh import find_surroundings, grid_places, grid_triangles
from .face_colors import complete_colors
from .person_back import shell_triangles
from .view import BOX_SCALE, CROP_SIZE, PICTURE_SIZE

__all__ = [
    "STAGE_SIZE",
    "PhotoFace",
    "Turned",
    "prepare_face",
    "turn_face",
    "with_colors",
    "with_shape",
]

STAGE_SIZE = 640
_STAGE_SCALE = 2.5  # side of the stage over the mean side of the landmarks' box
_FACING = (0.08, 0.28)  # normal's z: from where to where the photo's colours are trusted
_FINE = 2  # drawn pixels per picture pixel along each side
_TURNED = (2.0, 8.0)  # degrees: from where to where the outline is a turned one
_BEYOND_BLUR = 60.0  # stage pixels along the rows, where the stage repeats the photo's border
_BEFORE = 3.0  # cm by which what surrounds the face must lie before it to hide it
_AHEAD = np.array([0.0, 0.0, 1.0], np.float32)


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class PhotoFace:
    """A face on its stage, ready to be turned."""

    image: Array  # [n, n, 3] the stage
    photo: Array  # [n, n] bool, where the stage lies in the photo; elsewhere it is invented
    around: Array  # [n, n, 3] the person's own colours, also at the outline and beyond
    wall: Array  # [n, n, 3] the stage without the person
    # [n, n, 3]: 1 on the person; on the person that is turned; where that has its own colours
    person: Array
    back: Array  # [v, 3] vertices of the person's back
    back_places: Array  # [v, 2] where they have their colours
    grid_depth: Array  # [g, g], NaN where nothing is drawn
    position_map: Array  # [S, S, 3] stage pixels, z of zero mean
    trust: Array  # [S, S], 1 where the photo shows the texel
    completed: Array  # [S, S, 3] colours, also where the photo does not show the texel
    bare: Array  # [S, S], 0 where hair, glasses or a hand cover the texel in the photo
    inside: Array  # [S, S], 0 where the texel lies beyond the photo's border
    rotation: Array  # [3, 3] of the head in the photo
    scale: Array  # [], stage pixels per cm


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, kw_only=True)
class Turned:
    """A picture of the turned face with its labels, picture pixels."""

    image: Array  # [320, 320, 3] in [0, 1]
    position_map: Array  # [S, S, 3], z of zero mean
    landmarks: Array  # [68, 3]
    angles: Array  # [3] yaw, pitch, roll, degrees
    head_mask: Array  # [320, 320], 1 where the face itself is seen
    person: Array  # [320, 320], 1 on the person
    scale: Array  # [], picture pixels per cm


def prepare_face(
    photo: Float[np.ndarray, "height width 3"],
    position_map: Float[np.ndarray, "s s 3"],
    bare: Float[np.ndarray, "s s"],
    layout: UVLayout,
    *,
    rotation: Float[np.ndarray, "3 3"],
    scale: float,
) -> PhotoFace:
    """Put a face of a photo on its stage and complete what the photo does not show.

    Args:
        photo: RGB in [0, 1].
        position_map: of the face, photo pixels.
        bare: 0 where something covers a texel in the photo, else 1; hidden texels count as bare.
        layout: UV layout of the map.
        rotation: of the head in the photo.
        scale: photo pixels per cm of the face.
    """
    corner, zoom = _stage_of(position_map, layout)
    affine = np.array([[zoom, 0.0, -zoom * corner[0]], [0.0, zoom, -zoom * corner[1]]])
    affine[:, 2] += 0.5 * zoom - 0.5  # corners of pixels fall on corners
    image = _resampled(photo, affine, zoom)
    stage_map = np.array(position_map, np.float32)
    stage_map[..., :2] = stage_map[..., :2] @ affine[:, :2].T.astype(np.float32) + affine[:, 2]
    stage_map[..., 2] *= zoom
    stage_map[..., 2] -= np.average(stage_map[..., 2], weights=np.asarray(layout.mask))
    whole = np.broadcast_to(np.float32(1.0), photo.shape[:2])
    in_photo = _resampled(whole, affine, 1.0, cv2.BORDER_CONSTANT) > 0.5
    rows = cv2.GaussianBlur(image, (0, 0), sigmaX=_BEYOND_BLUR, sigmaY=1.0)
    return _cut_out(
        np.where(in_photo[..., None], image, rows),
        in_photo,
        stage_map,
        layout,
        bare=bare,
        inside=_in_photo(position_map, photo.shape[:2]),
        rotation=rotation,
        scale=scale * zoom,
    )


def with_shape(
    face: PhotoFace,
    image: Float[np.ndarray, "n n 3"],
    position_map: Float[np.ndarray, "s s 3"],
    layout: UVLayout,
) -> PhotoFace:
    """Return a face in another shape, cut out anew of the same stage.

    Args:
        face: from `prepare_face`.
        image: its stage with the face in its new shape, RGB in [0, 1].
        position_map: of the face there, stage pixels, z of zero mean.
        layout: UV layout of the face.
    """
    return _cut_out(
        image,
        np.asarray(face.photo),
        position_map,
        layout,
        bare=np.asarray(face.bare),
        inside=np.asarray(face.inside),
        rotation=np.asarray(face.rotation),
        scale=float(face.scale),
    )


def with_colors(face: PhotoFace, image: Float[np.ndarray, "n n 3"], layout: UVLayout) -> PhotoFace:
    """Return a face in other colours, as after an edit inside its outline.

    What surrounds it stays, and all that it was cut out by.

    Args:
        face: from `prepare_face`.
        image: its stage with the new colours, RGB in [0, 1].
        layout: UV layout of the face.
    """
    completed = complete_colors(
        image, np.asarray(face.position_map), np.asarray(face.trust), layout
    )
    return dataclasses.replace(face, image=jnp.asarray(image), completed=jnp.asarray(completed))


def _cut_out(
    image: np.ndarray,
    in_photo: np.ndarray,
    position_map: np.ndarray,
    layout: UVLayout,
    *,
    bare: np.ndarray,
    inside: np.ndarray,
    rotation: np.ndarray,
    scale: float,
) -> PhotoFace:
    """Cut a face with what surrounds it out of its stage."""
    covered, ears, depth, facing = (
        np.asarray(a) for a in _measure(jnp.asarray(position_map), layout, STAGE_SIZE)
    )
    axis = _between_ears(position_map, layout)
    around = find_surroundings(image, in_photo, covered, ears, depth, axis=axis, scale=scale)
    trust = facing * _on_person(around.sure, position_map)
    return PhotoFace(
        image=jnp.asarray(image),
        photo=jnp.asarray(in_photo),
        around=jnp.asarray(around.around),
        wall=jnp.asarray(around.wall),
        person=jnp.asarray(np.stack([around.person, around.solid, around.rim], axis=-1)),
        back=jnp.asarray(around.back),
        back_places=jnp.asarray(around.back_places),
        grid_depth=jnp.asarray(around.depth),
        position_map=jnp.asarray(position_map),
        trust=jnp.asarray(trust),
        completed=jnp.asarray(complete_colors(image, position_map, trust, layout)),
        bare=jnp.asarray(bare, jnp.float32),
        inside=jnp.asarray(inside, jnp.float32),
        rotation=jnp.asarray(rotation, jnp.float32),
        scale=jnp.asarray(scale, jnp.float32),
    )


def _stage_of(position_map: np.ndarray, layout: UVLayout) -> tuple[np.ndarray, float]:
    """Return the photo position of the stage's first corner and stage pixels per photo pixel."""
    landmarks = read_landmarks(jnp.asarray(position_map, jnp.float32), layout.landmark_uv)
    box = np.asarray(box_from_landmarks(landmarks))
    side = float(_STAGE_SCALE * (box[2:] - box[:2]).mean())
    return (box[:2] + box[2:]) / 2 + 0.5 - side / 2, STAGE_SIZE / side


def _between_ears(position_map: np.ndarray, layout: UVLayout) -> float:
    """Return the z between the ears: the mean of the face's rearmost twentieth."""
    mask, rear = np.asarray(layout.mask) > 0.5, np.asarray(layout.canonical)[..., 2]
    return float(position_map[..., 2][mask & (rear <= np.quantile(rear[mask], 0.05))].mean())


def _in_photo(position_map: np.ndarray, size: tuple[int, ...]) -> Bool[np.ndarray, "s s"]:
    """Return per texel whether it lies on a photo of this height and width."""
    last = np.array(size[::-1]) - 0.5
    places = np.asarray(position_map)[..., :2]
    return np.asarray(((places >= -0.5) & (places <= last)).all(axis=-1))


def _resampled(
    photo: np.ndarray, affine: np.ndarray, zoom: float, border: int = cv2.BORDER_REPLICATE
) -> np.ndarray:
    """Return the stage; a photo larger than it is blurred before, as far as the stage shows it."""
    sigma = 0.45 * (1.0 / zoom**2 - 1.0) ** 0.5 if zoom < 0.8 else 0.0
    # As far around the stage as the blur, which OpenCV ends at four sigmas, and the cubic reach.
    margin = int(4.0 * sigma) + 4
    ends = (np.array([0.0, STAGE_SIZE - 1.0]) - affine[:, 2:]) / np.diagonal(affine)[:, None]
    size = np.array(photo.shape[1::-1])
    low = np.clip(np.floor(ends[:, 0]).astype(int) - margin, 0, size - 1)
    high = np.clip(np.ceil(ends[:, 1]).astype(int) + margin + 1, low + 1, size)
    cut: np.ndarray = cut_rectangle(photo, low, high).astype(np.float32)
    if sigma > 0.0:
        cut = cv2.GaussianBlur(cut, (0, 0), sigma)
    moved = affine.copy()
    moved[:, 2] += np.diagonal(affine) * low
    mode = cv2.INTER_CUBIC if zoom != 1.0 else cv2.INTER_LINEAR
    stage = cv2.warpAffine(cut, moved, (STAGE_SIZE, STAGE_SIZE), flags=mode, borderMode=border)
    return np.clip(stage, 0.0, 1.0)


@partial(jax.jit, static_argnames="side")
def _measure(position_map: Array, layout: UVLayout, side: int) -> tuple[Array, ...]:
    """Return where face and ears are, the depth there, and how well the photo shows texels."""
    found = rasterize_layout(position_map, layout, height=side, width=side)
    seen = visibility(position_map, layout) * ramp(normals(position_map, layout)[..., 2], _FACING)
    ear = layout.regions.get("ears", jnp.zeros_like(layout.mask))
    ears = interpolate(found, layout.triangles, ear.reshape(-1, 1))[..., 0]
    depth = jnp.where(found.is_covered, found.depth, 0.0)
    return found.is_covered, ears > 0.5, depth, seen


def _on_person(person: np.ndarray, position_map: np.ndarray) -> np.ndarray:
    """Return per texel whether it lies well inside the person: no backdrop on the cheeks."""
    inner = cv2.erode(person, np.ones((11, 11), np.uint8))
    x, y = np.moveaxis(position_map[..., :2].astype(np.float32), -1, 0)
    return cv2.remap(inner, x, y, cv2.INTER_LINEAR)


@jax.jit
def turn_face(face: PhotoFace, turn: Float[Array, "3 3"], layout: UVLayout) -> Turned:
    """Draw a face turned by a rotation of the camera frame.

    Args:
        face: the face on its stage.
        turn: rotation, such as `rotation_from_angles` gives; the unit matrix changes nothing.
        layout: UV layout of the face.
    """
    centre = read_landmarks(face.position_map, layout.landmark_uv).mean(axis=0)
    turned = (face.position_map - centre) @ turn.T
    landmarks = read_landmarks(turned, layout.landmark_uv)
    box = box_from_landmarks(landmarks)
    zoom = CROP_SIZE / BOX_SCALE / (box[2:] - box[:2]).mean()
    shift = (PICTURE_SIZE - 1) / 2 - zoom * (box[:2] + box[2:]) / 2
    offset = jnp.append(shift, 0.0)
    position_map = zoom * turned + offset
    image, bare, person = _draw(face, centre, turn, zoom, offset, position_map, layout)
    mask = layout.mask
    mean = (position_map[..., 2] * mask).sum() / mask.sum()
    drop = jnp.stack([jnp.zeros(()), jnp.zeros(()), mean])
    return Turned(
        image=image,
        position_map=position_map - drop,
        landmarks=zoom * landmarks + offset - drop,
        angles=jnp.stack(angles_from_rotation(turn @ face.rotation)),
        head_mask=bare,
        person=person,
        scale=zoom * face.scale,
    )


def _draw(
    face: PhotoFace,
    centre: Array,
    turn: Array,
    zoom: Array,
    offset: Array,
    position_map: Array,
    layout: UVLayout,
) -> tuple[Array, Array, Array]:
    """Return the picture, where the face itself is seen in it, and where the person is."""
    places = jnp.asarray(grid_places(STAGE_SIZE))
    grid = jnp.concatenate([places, face.grid_depth.reshape(-1, 1)], axis=1)
    grid = zoom * ((grid - centre) @ turn.T) + offset - zoom * _BEFORE * face.scale * _AHEAD
    texels = layout.size**2
    vertices = jnp.concatenate([position_map.reshape(-1, 3), grid])
    fine = (vertices + jnp.array([0.5, 0.5, 0.0])) * _FINE - jnp.array([0.5, 0.5, 0.0])
    triangles = jnp.concatenate(
        [layout.triangles, jnp.asarray(grid_triangles(STAGE_SIZE)) + texels]
    )
    side = PICTURE_SIZE * _FINE
    found = rasterize(fine, triangles, height=side, width=side)
    values = interpolate(found, triangles, _vertex_values(face, places, layout))
    stage, uv, trust, bare = values[..., :2], values[..., 2:4], values[..., 4:5], values[..., 5]
    is_face = found.is_covered & (found.triangle < len(layout.triangles))
    shown = sample_bilinear(face.image, stage)
    texel = sample_bilinear(face.completed, uv)
    skin = texel + trust * (shown - texel)
    # The photo's outline is mixed with the wall, which a turn would show as a bright seam.
    low, high = _TURNED
    angle = jnp.degrees(jnp.arccos(jnp.clip((jnp.trace(turn) - 1.0) / 2.0, -1.0, 1.0)))
    far = jnp.clip((angle - low) / (high - low), 0.0, 1.0)
    person, solid, rim = jnp.moveaxis(sample_bilinear(face.person, stage), -1, 0)
    own = sample_bilinear(face.around, stage)
    shown = shown + (far * rim)[..., None] * (own - shown)
    alpha = jnp.where(found.is_covered, person + far * (solid - person), 0.0)
    alpha = jnp.where(is_face, 1.0, alpha)[..., None]
    line = (jnp.arange(side, dtype=jnp.float32) + 0.5) / _FINE - 0.5
    pixels = jnp.stack(jnp.meshgrid(line, line), axis=-1)
    behind = sample_bilinear(face.wall, (pixels - offset[:2]) / zoom + centre[:2])
    back, is_back = _draw_back(face, (zoom * (face.back - centre)) @ turn.T + offset, side)
    is_back = (is_back & (far > 0.0))[..., None]
    behind = jnp.where(is_back, back, behind)
    image = behind + alpha * (jnp.where(is_face[..., None], skin, shown) - behind)
    bare = jnp.where(is_face, bare, 0.0)[..., None]
    masks = _halved(jnp.concatenate([bare, jnp.where(is_back, 1.0, alpha)], axis=-1))
    return _halved(image), masks[..., 0], masks[..., 1]


def _draw_back(face: PhotoFace, vertices: Array, side: int) -> tuple[Array, Array]:
    """Return the colours of the person's back, and where it lies."""
    fine = (vertices + jnp.array([0.5, 0.5, 0.0])) * _FINE - jnp.array([0.5, 0.5, 0.0])
    triangles = jnp.asarray(shell_triangles())
    found = rasterize(fine, triangles, height=side, width=side)
    places = interpolate(found, triangles, face.back_places)
    return sample_bilinear(face.around, places), found.is_covered


def _vertex_values(face: PhotoFace, places: Array, layout: UVLayout) -> Array:
    """Return stage position, texel (column, row), trust and bareness of every vertex.

    What the photo does not show is not bare: its colours are made up.
    """
    line = jnp.arange(layout.size, dtype=jnp.float32)
    texels = jnp.stack(jnp.meshgrid(line, line), axis=-1)
    single = jnp.stack([face.trust, face.bare * face.inside], axis=-1)
    parts = [face.position_map[..., :2], texels, single]
    own = jnp.concatenate(parts, axis=-1).reshape(-1, 6)
    return jnp.concatenate([own, jnp.pad(places, ((0, 0), (0, 4)))])


def _halved(image: Array) -> Array:
    side = image.shape[0] // _FINE
    return image.reshape(side, _FINE, side, _FINE, -1).mean(axis=(1, 3))
