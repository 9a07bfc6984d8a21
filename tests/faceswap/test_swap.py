"""What must hold for every swap, on toy photos with exactly known faces."""

import dataclasses
from typing import get_args

import cv2
import jax.numpy as jnp
import numpy as np
import pytest
from toy_faces import SIZE, layout, toy_photo

from uvface.core.blending.composite import BlendConfig, BlendMethod
from uvface.core.errors import InputError
from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.render import render_texture
from uvface.core.geometry.sampling import sample_texture
from uvface.faceswap.swap import SwapConfig, swap_face, swap_masks


def _swap(target, reference, **settings):
    return swap_face(*target, *reference, layout(), config=SwapConfig(keep=(), **settings))


def _changed(result, target):
    return np.abs(result - target[0]).max(axis=-1) > 0


def _psnr(a, b):
    return -10.0 * np.log10(np.mean((a - b) ** 2) + 1e-12)


def _assert_is_drawn_anew_as_it_was(result, target):
    """Nearly all pixels of the face are the swap's own, with the target's values: 110 dB."""
    _, coverage = render_texture(
        target[1].texture, target[1].position_map, layout(), height=SIZE, width=SIZE
    )
    inside = np.asarray(coverage) > 0.5
    assert _changed(result, target)[inside].mean() > 0.9
    assert _psnr(result[inside], target[0][inside]) > 80.0


def test_swap_with_itself_changes_next_to_nothing():
    for yaw in (0.0, 40.0):
        target = toy_photo(1, yaw)
        _assert_is_drawn_anew_as_it_was(_swap(target, target), target)


def test_swap_brings_the_reference_and_leaves_the_outside_bit_identical():
    target, reference = toy_photo(1), toy_photo(2)
    result = _swap(target, reference, color="match")
    changed = _changed(result, target)
    assert 0.1 < changed.mean() < 0.6
    rows, columns = np.nonzero(changed)
    inner = np.zeros((SIZE, SIZE), bool)
    inner[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = True
    assert (result[~inner] == target[0][~inner]).all()
    assert result.min() >= 0.0 and result.max() <= 1.0 and result.dtype == np.float32
    # Marks of the reference are there, those of the target are gone.
    patch = np.s_[45:75, 45:75]
    details = [im[patch] - im[patch].mean(axis=(0, 1)) for im in (result, reference[0], target[0])]
    assert np.corrcoef(details[0].ravel(), details[1].ravel())[0, 1] > 0.9
    assert np.corrcoef(details[0].ravel(), details[2].ravel())[0, 1] < 0.6


def test_colors_are_matched_to_the_target():
    target, reference = toy_photo(1), toy_photo(4)
    patch = np.s_[45:75, 45:75]
    own = target[0][patch].mean(axis=(0, 1))
    distance = {
        color: np.abs(_swap(target, reference, color=color)[patch].mean(axis=(0, 1)) - own).max()
        for color in ("match", "light")
    }
    assert np.abs(reference[0][patch].mean(axis=(0, 1)) - own).max() > 0.08
    assert distance["match"] < 0.06 and distance["light"] < 0.06


def test_strength_zero_is_the_identity():
    target, reference = toy_photo(1), toy_photo(2)
    assert (_swap(target, reference, strength=0.0) == target[0]).all()


@pytest.mark.parametrize("method", get_args(BlendMethod))
def test_strength_mixes_evenly(method):
    target, reference = toy_photo(1), toy_photo(2)
    blend = BlendConfig(method=method)
    full = _swap(target, reference, blend=blend)
    assert _changed(full, target).mean() > 0.1
    for share in (0.1, 0.6):
        mixed = _swap(target, reference, blend=blend, strength=share)
        np.testing.assert_allclose(mixed, target[0] + share * (full - target[0]), atol=1e-3)


@pytest.mark.parametrize(("method", "least", "most"), [("poisson", -0.1, 0.1), ("mixed", 0.7, 1.1)])
def test_a_mole_of_the_target_stays_on_plain_skin_by_mixed_gradients(method, least, most):
    (image, face), (_, other) = toy_photo(1), toy_photo(2)
    column, row = (round(float(c)) for c in face.position_map[38, 22, :2])
    rows, columns = np.mgrid[:SIZE, :SIZE]
    mole = 0.2 * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 4.0)[..., None]
    plain = np.full_like(image, 0.5), other
    blend = BlendConfig(method=method)
    clean, spotted = (
        _swap((photo, face), plain, blend=blend)
        for photo in (image, (image - mole).astype(np.float32))
    )
    share = (clean - spotted)[row, column] / mole[row, column]
    assert least < share.min() and share.max() < most


def test_kept_regions_stay_the_target_s_own():
    target, reference = toy_photo(1), toy_photo(2)
    config = SwapConfig(keep=("nose",))
    result = swap_face(*target, *reference, layout(), config=config)
    change = np.abs(result - target[0]).max(axis=-1)
    row, column = (round(float(c)) for c in target[1].position_map[32, 32, 1::-1])
    full = np.abs(_swap(target, reference) - target[0])[row, column].max()
    assert change[row, column] < 0.2 * full


def test_the_whole_mouth_is_kept_but_eyes_up_to_their_lids_only():
    uv = load_layout()
    mouth, eyes = (
        np.asarray(swap_masks(uv, SwapConfig(keep=(name,))).keep)
        for name in ("mouth_interior", "eyeballs")
    )
    inside = {name: np.asarray(uv.region(name)) for name in ("mouth_interior", "eyeballs")}
    assert mouth[inside["mouth_interior"] > 0.99].min() > 0.99
    assert eyes[inside["eyeballs"] < 0.2].max() < 0.1
    assert (eyes > 0.99).sum() > 0.2 * (inside["eyeballs"] > 0.5).sum()


@pytest.mark.parametrize("shift", [(-45.0, 0.0), (45.0, 10.0), (0.0, -50.0), (20.0, 50.0)])
def test_face_that_leaves_the_photo_is_swapped_up_to_the_border(shift):
    target, reference = toy_photo(1, 0.0, shift), toy_photo(2)
    result = _swap(target, reference)
    changed = _changed(result, target)
    assert np.isfinite(result).all() and changed.any()
    _assert_is_drawn_anew_as_it_was(_swap(target, target), target)


def test_face_outside_the_photo_changes_nothing():
    target, reference = toy_photo(1, 0.0, (500.0, 0.0)), toy_photo(2)
    assert (_swap(target, reference) == target[0]).all()


def test_mirrored_pair_gives_the_mirrored_result():
    target, reference = toy_photo(1, 20.0), toy_photo(2, -25.0)
    plain = _swap(target, reference)
    mirrored = _swap(toy_photo(1, 20.0, is_mirrored=True), toy_photo(2, -25.0, is_mirrored=True))
    assert np.abs(mirrored[:, ::-1] - plain).mean() < 2e-3
    assert np.quantile(np.abs(mirrored[:, ::-1] - plain), 0.99) < 0.03


def test_hidden_side_of_the_reference_comes_from_its_other_side():
    target, reference = toy_photo(1), toy_photo(2, 50.0)
    result = _swap(target, reference)
    assert _changed(result, target)[50:70, 30:90].mean() > 0.95


def test_unknown_regions_and_strengths_are_input_errors():
    target = toy_photo(1)
    with pytest.raises(InputError, match="beak"):
        swap_face(*target, *target, layout(), config=SwapConfig(keep=("beak",)))
    with pytest.raises(InputError, match="strength"):
        swap_face(*target, *target, layout(), config=SwapConfig(keep=(), strength=2.0))


def test_larger_reference_photos_are_averaged_down():
    target, (image, face) = toy_photo(1), toy_photo(2)
    big = np.repeat(np.repeat(image, 3, axis=0), 3, axis=1)
    camera = dataclasses.replace(face.camera, scale=3.0 * face.camera.scale)
    large = dataclasses.replace(face, position_map=3.0 * face.position_map + 1.0, camera=camera)
    result = swap_face(*target, big, large, layout(), config=SwapConfig(keep=()))
    difference = np.abs(result - _swap(target, (image, face)))
    assert difference.mean() < 0.015 and np.quantile(difference, 0.95) < 0.06


def test_what_a_mask_leaves_out_is_not_taken_for_skin():
    """A hand on one half of the face does not colour the other half."""
    (image, face), reference = toy_photo(1), toy_photo(2)
    half = np.s_[:, : SIZE // 2]
    allowed = np.ones((SIZE, SIZE), np.float32)
    allowed[half] = 0.0
    covered = image.copy()
    covered[half] = [0.05, 0.1, 0.9]
    results = []
    for photo in (image, covered):
        texture = sample_texture(jnp.asarray(photo), face.position_map)
        target = photo, dataclasses.replace(face, texture=texture)
        config = SwapConfig(keep=(), sharpness="none")
        results.append(swap_face(*target, *reference, layout(), config=config, allowed=allowed))
    bare, beside = (result[45:75, SIZE // 2 + 8 : 80] for result in results)
    assert np.abs(bare - image[45:75, SIZE // 2 + 8 : 80]).max() > 0.02
    assert np.abs(bare - beside).mean() < 0.002


def test_a_mask_of_little_skin_keeps_the_colours_of_all_of_it():
    target, reference = toy_photo(1), toy_photo(4)
    allowed = np.zeros((SIZE, SIZE), np.float32)
    spot = np.s_[58:62, 58:62]
    allowed[spot] = 1.0
    config = SwapConfig(keep=(), blend=BlendConfig(method="feather"))
    part, full = (
        swap_face(*target, *reference, layout(), config=config, allowed=mask)
        for mask in (allowed, np.ones_like(allowed))
    )
    assert np.abs(part - full)[spot].max() < 0.03


def test_a_black_and_white_photo_stays_black_and_white():
    image, face = toy_photo(1)
    grey = np.repeat(image.mean(axis=-1, keepdims=True), 3, axis=-1)
    texture = np.asarray(face.texture).mean(axis=-1, keepdims=True)
    target = grey, dataclasses.replace(face, texture=jnp.asarray(np.repeat(texture, 3, axis=-1)))
    result = _swap(target, toy_photo(2))
    assert _changed(result, target).mean() > 0.1
    assert np.ptp(result, axis=-1).max() < 0.01


def _marked(photo, seed):
    """Return the photo with sharp marks on it."""
    image, face = photo
    random = np.random.default_rng(seed)
    marks = np.zeros((4 * SIZE, 4 * SIZE), np.float32)
    for _ in range(120):
        centre = tuple(int(v) for v in random.integers(0, 4 * SIZE, 2))
        cv2.circle(marks, centre, int(random.integers(6, 20)), random.uniform(-0.1, 0.1), -1)
    small = cv2.resize(marks, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return image + small[..., None], face


def _soft(photo, variance):
    image, face = photo
    return cv2.GaussianBlur(image, (0, 0), variance**0.5), face


def test_the_face_is_as_soft_as_the_photo_that_it_is_put_into():
    target, reference = _marked(toy_photo(1), 3), _marked(toy_photo(2), 4)
    soft = _soft(target, 4.0)
    expected = _swap(soft, _soft(reference, 4.0), sharpness="none")
    sharp = _swap(soft, reference, sharpness="none")
    result = _swap(soft, reference)
    inner = np.s_[45:75, 45:75]
    assert np.abs(result - expected)[inner].mean() < 0.3 * np.abs(sharp - expected)[inner].mean()
    assert (result == soft[0])[~_changed(sharp, soft)].all()
    assert (_swap(target, target) == _swap(target, target, sharpness="none")).all()


def test_a_smooth_face_gets_the_grain_of_the_photo():
    image, face = toy_photo(1)
    noise = 0.02 * np.random.default_rng(3).standard_normal(image.shape).astype(np.float32)
    inner = np.s_[45:75, 45:75]
    alike = [
        np.corrcoef(
            cv2.Laplacian(_swap((image + noise, face), toy_photo(2), sharpness=how), -1)[
                inner
            ].ravel(),
            cv2.Laplacian(noise, -1)[inner].ravel(),
        )[0, 1]
        for how in ("match", "none")
    ]
    assert alike[0] > 0.8 and abs(alike[1]) < 0.2


def test_noise_of_a_dim_photo_does_not_come_with_its_face():
    target, (image, face) = toy_photo(1), toy_photo(2)
    noise = 0.012 * np.random.default_rng(5).standard_normal(image.shape).astype(np.float32)
    dim = dataclasses.replace(face, texture=0.25 * face.texture)
    clean = _swap(target, (0.25 * image, dim), sharpness="none")
    inner = np.s_[45:75, 45:75]
    noisy = np.clip(0.25 * image + noise, 0.0, 1.0)
    left = {
        how: np.abs(_swap(target, (noisy, dim), sharpness=how) - clean)[inner].mean()
        for how in ("match", "none")
    }
    assert left["match"] < 0.5 * left["none"]
