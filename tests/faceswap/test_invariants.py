"""What must hold for every swap, over 500 random pairs of small toy faces each.

A toy face is drawn exactly: random pose, place, size and skin. All cases share one size of
photo, window and source, so that nothing is compiled again.
"""

import dataclasses
from functools import cache, partial
from types import SimpleNamespace

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from toys import mirror_landmarks, toy_camera, toy_layout, toy_position_map

from uvface.core.face_choice import choose_faces
from uvface.core.geometry.landmarks import read_landmarks
from uvface.core.geometry.render import render_texture
from uvface.core.geometry.sampling import sample_texture
from uvface.core.geometry.visibility import visibility
from uvface.core.reconstruct import Model
from uvface.core.types import Camera, Face
from uvface.faceswap.evaluation.face_areas import draw_layers
from uvface.faceswap.photos import swap
from uvface.faceswap.swap import SwapConfig, swap_face, swap_masks

CASES = 500
SIZE = 72  # pixels of a photo
TEXELS = 32
POOL = 60  # photos of a kind; cases pair them at random
PLAIN = SwapConfig(keep=())


@cache
def layout():
    return toy_layout(TEXELS)


@jax.jit
def _photograph(texture, position_map, backdrop, layout):
    height, width = backdrop.shape[:2]
    drawn, coverage = render_texture(texture, position_map, layout, height=height, width=width)
    image = jnp.where(coverage[..., None] > 0, drawn, backdrop)
    landmarks = read_landmarks(position_map, layout.landmark_uv)
    seen = visibility(position_map, layout)
    return image, sample_texture(image, position_map), seen, landmarks


@partial(jax.jit, static_argnames="width")
def _stand(angles, scale, move, layout, *, width):
    camera = toy_camera(yaw=angles[0], pitch=angles[1], roll=angles[2], size=SIZE)
    place = jnp.array([(width - 1) / 2, (SIZE - 1) / 2, 0.0]).at[:2].add(move)
    camera = dataclasses.replace(camera, scale=camera.scale * scale, translation=place)
    return camera, toy_position_map(layout, camera)


def _skin(random):
    """Return a texture of random tone with smooth random marks."""
    tone = random.uniform(0.2, 0.7) * np.array([1.0, 0.8, 0.7])
    coarse = random.normal(size=(6, 6, 3)) * random.uniform(0.02, 0.1)
    fine = random.normal(size=(16, 16, 3)) * 0.04
    size = (TEXELS, TEXELS, 3)
    marks = sum(jax.image.resize(jnp.asarray(grid), size, "cubic") for grid in (coarse, fine))
    return jnp.clip(jnp.asarray(tone) + marks, 0.02, 0.98).astype(jnp.float32)


def _face(random, *, move=0.0, width=SIZE, place=None):
    """Return a photo and its exactly known face."""
    angles = jnp.asarray(random.normal(size=3) * [15.0, 8.0, 10.0], jnp.float32)
    shift = random.uniform(-move, move, 2) if place is None else np.asarray(place)
    scale = jnp.asarray(random.uniform(0.8, 1.0), jnp.float32)
    camera, position_map = _stand(
        angles, scale, jnp.asarray(shift, jnp.float32), layout(), width=width
    )
    rows = np.linspace(0, 1, SIZE)[:, None, None] * random.random(3)
    backdrop = jnp.asarray(np.broadcast_to(rows, (SIZE, width, 3)), jnp.float32)
    return _shoot(_skin(random), position_map, camera, backdrop)


def _shoot(texture, position_map, camera, backdrop):
    image, seen, visible, landmarks = _photograph(texture, position_map, backdrop, layout())
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    face = Face(
        position_map=position_map,
        texture=seen,
        visibility=visible,
        self_visibility=visible,
        camera=camera,
        landmarks=landmarks,
        box=jnp.concatenate([low, high]),
        score=jnp.ones(()),
    )
    return np.asarray(image), face


@cache
def _photos(seed, move):
    """Return photos whose faces lie within ``move`` pixels of the middle."""
    random = np.random.default_rng(seed)
    return [_face(random, move=move) for _ in range(POOL)]


def _cases(seed, move):
    """Yield pairs of photos, each another one; the targets lie anywhere within ``move``."""
    random = np.random.default_rng(seed)
    numbers = random.permutation(POOL * POOL)[:CASES]
    for number in numbers:
        yield random, _photos(seed, move)[number // POOL], _photos(0, 0.0)[number % POOL]


def _swap(target, reference, config=PLAIN):
    return swap_face(*target, *reference, layout(), config=config)


@cache
def _mask():
    return swap_masks(layout(), PLAIN).mask[..., None]


def _allowed(image, face):
    return draw_layers(image.shape[:2], face, _mask(), layout())[..., 0] > 0.0


def _turned(photo, turns):
    """Return a photo and its face turned by quarters, counter-clockwise."""
    image, face = photo
    for _ in range(turns):
        spin = jnp.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
        move = jnp.array([0.0, image.shape[1] - 1.0, 0.0])
        image, camera = np.rot90(image), face.camera
        camera = Camera(
            scale=camera.scale,
            rotation=spin @ camera.rotation,
            translation=spin @ camera.translation + move,
        )
        landmarks = face.landmarks @ spin.T + move
        face = dataclasses.replace(
            face,
            position_map=face.position_map @ spin.T + move,
            camera=camera,
            landmarks=landmarks,
            box=jnp.concatenate([landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)]),
        )
    return np.ascontiguousarray(image), face


def _mirrored(photo):
    """Return the mirror image of a photo and its face."""
    image, face = photo
    flip, move = jnp.diag(jnp.array([-1.0, 1.0, 1.0])), jnp.array([image.shape[1] - 1.0, 0.0, 0.0])
    landmarks = mirror_landmarks(face.landmarks, image.shape[1])
    camera = face.camera
    face = dataclasses.replace(
        face,
        position_map=layout().mirror(face.position_map) @ flip + move,
        texture=layout().mirror(face.texture),
        visibility=layout().mirror(face.visibility[..., None])[..., 0],
        self_visibility=layout().mirror(face.self_visibility[..., None])[..., 0],
        camera=Camera(
            scale=camera.scale,
            rotation=flip @ camera.rotation @ flip,
            translation=flip @ camera.translation + move,
        ),
        landmarks=landmarks,
        box=jnp.concatenate([landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)]),
    )
    return np.ascontiguousarray(image[:, ::-1]), face


@cache
def _results():
    """Return all cases of faces that lie anywhere, with their results."""
    return [(*pair, _swap(*pair)) for _, *pair in _cases(1, 40.0)]


def test_pixels_outside_the_mask_stay_bit_identical_also_at_borders():
    touched = changed = 0
    for target, _, result in _results():
        allowed = _allowed(*target)
        assert (result[~allowed] == target[0][~allowed]).all()
        assert np.isfinite(result).all() and result.min() >= 0.0 and result.max() <= 1.0
        rim = [allowed[0], allowed[-1], allowed[:, 0], allowed[:, -1]]
        touched += any(side.any() for side in rim)
        changed += bool((result != target[0]).any())
    assert touched > CASES // 3 and changed > 0.9 * CASES


def test_strength_zero_is_the_identity():
    for random, target, reference in _cases(3, 30.0):
        color = str(random.choice(["light", "match", "none"]))
        config = SwapConfig(keep=(), strength=0.0, color=color)
        assert (_swap(target, reference, config) == target[0]).all()


def _shift(result, truth, mask):
    """Return the shift (x, y) in pixels that explains the difference of two pictures best.

    Of their Laplacians: a Poisson blend adds something harmonic. Pixels where the target shows
    through are left out, as those that fit worst.
    """
    result, truth = (cv2.Laplacian(image, cv2.CV_32F) for image in (result, truth))
    down, right = np.gradient(truth, axis=(0, 1))
    terms = np.stack([layer[mask].ravel() for layer in (right, down, truth)], axis=1)
    values, fit = result[mask].ravel(), np.array([0.0, 0.0, 1.0])
    for _ in range(6):
        error = np.abs(values - terms @ fit)
        is_used = error <= 2.0 * np.median(error) + 1e-6
        fit, *_ = np.linalg.lstsq(terms[is_used], values[is_used], rcond=None)
    return -fit[:2] / fit[2]


def test_nothing_is_shifted_in_the_middle_or_at_borders():
    random, shifts = np.random.default_rng(4), []
    for _, (image, face), _ in _cases(1, 40.0):
        texture = _textures()[random.integers(POOL)]
        reference = _shoot(texture, face.position_map, face.camera, jnp.asarray(image))
        # Blurred marks of random skins would be told from moved ones by chance only.
        config = SwapConfig(keep=(), color="none", sharpness="none")
        result = _swap((image, face), reference, config)
        layers = _mask() * face.visibility[..., None]
        drawn = draw_layers(image.shape[:2], face, layers, layout())[..., 0] > 0.99
        inner = cv2.erode(drawn.astype(np.uint8), np.ones((5, 5))) > 0
        if inner.sum() > 100:
            shifts.append(_shift(result, reference[0], inner))
    assert len(shifts) > 0.6 * CASES
    assert np.abs(np.median(shifts, axis=0)).max() < 0.002
    assert np.abs(shifts).max() < 0.05


@cache
def _textures():
    random = np.random.default_rng(7)
    return [_skin(random) for _ in range(POOL)]


def test_a_turned_or_mirrored_pair_gives_the_turned_or_mirrored_result():
    random = np.random.default_rng(5)
    for target, reference, plain in _results():
        turns, is_mirrored = (int(n) for n in divmod(random.integers(1, 8), 2))
        pair = [_turned(photo, turns) for photo in (target, reference)]
        result = _swap(*(_mirrored(photo) if is_mirrored else photo for photo in pair))
        back = np.rot90(result[:, ::-1] if is_mirrored else result, -turns)
        difference = np.abs(back - plain)
        is_close = difference.mean() < 2e-3 and np.quantile(difference, 0.99) < 0.03
        assert is_close, (target[1].box, turns, is_mirrored)


class _Knowing(Model):
    """A model that knows two faces of the target, and one of the reference."""

    detector_name = "toy detector"

    def __init__(self, faces, reference):
        object.__setattr__(self, "layout", layout())
        object.__setattr__(self, "header", SimpleNamespace(network="toy"))
        object.__setattr__(self, "known", {2 * SIZE: faces, SIZE: [reference]})

    def reconstruct_numbered(self, photo, *, boxes=None, faces="all"):
        found = self.known[photo.shape[1]]
        given = np.stack([np.asarray(face.box) for face in found])
        return {i: found[i] for i in choose_faces(given, faces, photo.shape[:2])}


def test_faces_that_are_not_chosen_stay_bit_identical():
    random = np.random.default_rng(6)
    sides = [
        [_face(random, width=2 * SIZE, place=(x, random.uniform(-9, 9))) for _ in range(POOL)]
        for x in (-SIZE / 2, SIZE / 2)
    ]
    for _ in range(CASES):
        left, right = (photos[random.integers(POOL)] for photos in sides)
        image = np.concatenate([left[0][:, :SIZE], right[0][:, SIZE:]], axis=1)
        reference = _photos(0, 0.0)[random.integers(POOL)]
        chosen = int(random.integers(2))
        model = _Knowing([left[1], right[1]], reference[1])
        result = swap(image, reference[0], model=model, faces=chosen, keep=())
        other = np.s_[:, :SIZE] if chosen else np.s_[:, SIZE:]
        assert (result.image[other] == image[other]).all()
        assert (result.image != image).any()
