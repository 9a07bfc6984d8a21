"""What is read off one crop."""

import dataclasses
import os
import subprocess
import sys
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import skimage.data

import uvface
from uvface.core.errors import InputError
from uvface.core.geometry.crop import crop_box
from uvface.core.geometry.visibility import visibility
from uvface.core.reconstruct import _SURE, ReconstructConfig, _measure_face, _prepare
from uvface.core.upright import UprightCrop, fit_camera


@pytest.fixture(scope="module")
def measure(layout):
    run = jax.jit(lambda crop, photo_size: _measure_face(crop, photo_size, layout))
    crop_map = 8.0 * layout.canonical + jnp.array([127.5, 127.5, 0.0])
    photo_from_crop = crop_box(jnp.array([200.0, 100.0, 360.0, 260.0]))
    camera = fit_camera(crop_map, layout)
    return lambda head, photo_size=(1000, 1000): run(
        UprightCrop(
            photo_from_crop=photo_from_crop, position_map=crop_map, camera=camera, head=head
        ),
        jnp.array(photo_size),
    )


def test_what_covers_the_head_hides_its_texels(layout, measure):
    bare = measure(jnp.ones((128, 128)))
    geometric = np.asarray(visibility(bare.position_map, layout))
    np.testing.assert_allclose(bare.visibility, geometric, atol=1e-5)
    covered = measure(jnp.ones((128, 128)).at[:, :64].set(0.0))
    x = np.asarray(layout.canonical)[..., 0]
    assert np.asarray(covered.visibility)[x < -0.3].max() == 0.0
    right = x > 0.3
    np.testing.assert_allclose(np.asarray(covered.visibility)[right], geometric[right], atol=1e-5)


def test_what_the_photos_border_cuts_off_is_not_seen(layout, measure):
    """It was what the mask said of repeated pixels: a cut nose was one behind glasses."""
    head, width = jnp.ones((128, 128)), 280
    whole, cut = measure(head), measure(head, (width, 200))
    places = np.asarray(cut.position_map)[..., :2]
    texel = 2.5 * float(whole.camera.scale) * 0.1  # pixels: two texels and some, of a millimetre
    far = (places > np.array([width, 200]) + texel).any(axis=-1)
    near = (places <= np.array([width, 200]) - 0.5).all(axis=-1)
    for name in ("visibility", "self_visibility"):
        seen, before = np.asarray(getattr(cut, name)), np.asarray(getattr(whole, name))
        assert before[far].sum() > 5000 and seen[far].max() == 0.0
        np.testing.assert_array_equal(seen[near], before[near])


def test_a_doubtful_mask_gives_part_of_the_visibility(measure):
    whole = np.asarray(measure(jnp.ones((128, 128))).visibility)
    half = np.asarray(measure(jnp.full((128, 128), 0.5)).visibility)
    np.testing.assert_allclose(half, 0.5 * whole, atol=1e-5)
    assert np.asarray(measure(jnp.full((128, 128), 0.2)).visibility).max() == 0.0


def test_the_mask_is_read_where_the_crop_shows_the_texel(layout, measure):
    """Its pixels are two of the crop's wide; a quarter of one beside passed all tests."""
    low, high = _SURE
    ramp = (jnp.arange(128.0) + 0.5) / 128  # over the crop, from edge to edge
    found = measure(jnp.broadcast_to(low + (high - low) * ramp, (128, 128)))
    seen, whole = np.asarray(found.visibility), np.asarray(found.self_visibility)
    column = 8.0 * np.asarray(layout.canonical)[..., 0] + 127.5  # crop pixels
    is_seen = whole > 0.5
    expected = (column[is_seen] + 0.5) / 256
    np.testing.assert_allclose(seen[is_seen] / whole[is_seen], expected, atol=1e-4)


def test_places_are_photo_pixels_and_depth_has_no_offset(layout, measure):
    found = measure(jnp.ones((128, 128)))
    inside = np.asarray(layout.mask) > 0.5
    assert abs(float(np.asarray(found.position_map)[inside][:, 2].mean())) < 1e-3
    expected = 8.0 * np.asarray(layout.canonical)[inside][:, :2] + [280.0, 180.0]
    np.testing.assert_allclose(np.asarray(found.position_map)[inside][:, :2], expected, atol=0.01)
    np.testing.assert_allclose(found.camera.rotation, np.eye(3), atol=1e-3)
    assert float(found.camera.scale) == pytest.approx(8.0, rel=1e-3)


def test_the_camera_is_the_one_that_the_photo_s_map_would_give(layout, measure):
    found = measure(jnp.ones((128, 128)))
    fitted = fit_camera(found.position_map, layout)
    np.testing.assert_allclose(found.camera.rotation, fitted.rotation, atol=1e-4)
    np.testing.assert_allclose(found.camera.translation, fitted.translation, atol=1e-2)
    assert float(found.camera.scale) == pytest.approx(float(fitted.scale), rel=1e-4)


@pytest.mark.weights
def test_a_face_read_without_its_mirror_image_is_nearly_the_same():
    image = skimage.data.astronaut().astype(np.float32) / 255
    landmarks = []
    for mirror in (True, False):
        model = uvface.load(config=ReconstructConfig(mirror=mirror))
        (face,) = model.reconstruct(image, boxes=[[177.0, 71.0, 271.0, 188.0]])
        landmarks.append(np.asarray(face.landmarks)[:, :2])
    far = np.linalg.norm(landmarks[0] - landmarks[1], axis=1)
    assert 0.01 < far.mean() < 2.0  # pixels, of a face of 100


def _imported(code, folder):
    """Return which slow libraries a process has imported after some code."""
    code = (
        f"import sys, numpy as np, uvface; {code}; "
        "print([name for name in ('flax', 'optax', 'trimesh', 'onnx') if name in sys.modules])"
    )
    environment = os.environ | {"UVFACE_CACHE": str(folder)}
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return found.stdout.strip()


def test_a_second_process_imports_nothing_slow(tmp_path):
    """Each of these takes longer to import than a face takes to find; Flax is for tracing."""
    assert _imported("uvface.load()", tmp_path) == "[]"
    photo = "np.full((64, 64, 3), 0.5, np.float32), boxes=[[8, 8, 56, 56]]"
    read = f"assert len(uvface.load().reconstruct({photo})) == 1"
    assert "'flax'" in _imported(read, tmp_path)
    assert _imported(read, tmp_path) == "[]"


def test_code_is_prepared_for_what_a_photo_asks_of_it():
    model = uvface.load()
    signatures = []

    def read(*arguments):
        signatures.append([(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(arguments)])
        return model.read(*arguments)

    _prepare(read)
    dataclasses.replace(model, read=read).reconstruct(skimage.data.astronaut())
    assert len(signatures) == 2 and signatures[0] == signatures[1]


def test_code_is_prepared_beside_detection_alone(capfd):
    prepared = threading.Event()

    def prepare():
        prepared.set()
        _prepare(lambda *arguments: 1 / 0)  # no word of it: a face would meet it, too

    model = dataclasses.replace(uvface.load(), prepare=prepare)
    model.reconstruct(skimage.data.astronaut(), boxes=[(180, 80, 260, 170)])
    assert not prepared.is_set()
    model.reconstruct(skimage.data.astronaut())
    assert prepared.wait(10.0)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("dtype", [">f4", "<f8", "float16"])
def test_floats_of_every_kind_are_read_as_the_same_photo(dtype):
    """Others than float32 failed on the way, or compiled all code anew."""
    image = skimage.data.astronaut()[::2, ::2].astype(dtype) / np.asarray(255, dtype)
    signatures = set()

    def read(*arguments):
        leaves = jax.tree.leaves(arguments)
        signatures.add(tuple((leaf.shape, leaf.dtype.str) for leaf in leaves))
        return model.read(*arguments)

    model = uvface.load()
    watched = dataclasses.replace(model, read=read)
    (face,), (expected,) = (
        watched.reconstruct(photo, boxes=[(90, 35, 135, 94)])
        for photo in (image, image.astype(np.float32))
    )
    assert len(signatures) == 1
    np.testing.assert_array_equal(face.landmarks, expected.landmarks)
    np.testing.assert_array_equal(face.texture, expected.texture)


def test_a_photo_of_floats_up_to_255_is_no_photo_without_a_face():
    with pytest.raises(InputError, match="floats from 0 to 255 is no photo; divide it"):
        uvface.load().reconstruct(np.full((64, 64, 3), 255.0, np.float32))
