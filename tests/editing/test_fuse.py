"""One texture of several photos of a person."""

import dataclasses
import hashlib
import json

import cv2
import jax.numpy as jnp
import numpy as np
import pytest
from toy_faces import layout, texture, toy_photo

from uvface.cli import main
from uvface.core.errors import InputError, NoFaceError
from uvface.core.geometry.render import render_texture
from uvface.core.geometry.visibility import normals
from uvface.core.io.face_files import read_face_file
from uvface.core.io.images import read_photo, write_image
from uvface.core.levels import quantise
from uvface.editing.fuse import _match, _Views, fuse_photos, native_size
from uvface.editing.photos import edit
from uvface.editing.texture import texture as make_texture
from uvface.faceswap.photos import swap
from uvface.faceswap.swap import SwapConfig, swap_reference


def small(face):
    """Return a fused texture at the layout's size."""
    return cv2.resize(face.texture, (64, 64), interpolation=cv2.INTER_AREA)


def inner(face, least=0.8):
    """Return the texels, away from the rim of the toy face, that the texture has seen."""
    u, v = np.meshgrid(*[(np.arange(64) + 0.5) / 64 - 0.5] * 2)
    return (face.visibility > least) & (np.hypot(u, v) < 0.38)


def psnr(a, b):
    return -10.0 * np.log10(np.mean((a - b) ** 2) + 1e-12)


def swapped(target, reference, **settings):
    config = SwapConfig(keep=(), **settings)
    return swap_reference(*target, reference, layout(), config=config)


def recolored(view, factor):
    """Return a photo and its face in another light."""
    image, face = view
    light = jnp.asarray(factor, jnp.float32)
    return (image * np.asarray(light)).astype(np.float32), dataclasses.replace(
        face, texture=face.texture * light
    )


def lit(view, shade):
    """Return a photo and its face with the skin's colours times ``[64, 64]`` factors."""
    image, face = view
    shade = jnp.where(layout().mask > 0.5, shade, 1.0)[..., None]
    size = {"height": image.shape[0], "width": image.shape[1]}
    drawn, _ = render_texture(shade, face.position_map, layout(), **size)
    factor = np.where(np.asarray(drawn) > 0.0, np.asarray(drawn), 1.0)
    return (image * factor).astype(np.float32), dataclasses.replace(
        face, texture=face.texture * shade
    )


@pytest.mark.parametrize("yaw", [0.0, 30.0])
def test_texture_of_one_photo_swaps_like_the_photo(yaw):
    target, view = toy_photo(1), toy_photo(2, yaw)
    face = fuse_photos([view], layout())
    np.testing.assert_allclose(face.visibility, view[1].visibility * layout().mask, atol=1e-6)
    photo, fused = swapped(target, view), swapped(target, face)
    changed = np.abs(photo - target[0]).max(axis=-1) > 0
    assert changed.mean() > 0.1
    assert psnr(photo[changed], fused[changed]) > 35.0


def test_two_sides_make_a_whole_face():
    views = [toy_photo(2, -50.0), toy_photo(2, 50.0)]
    face = fuse_photos(views, layout())
    alone = [float(view[1].visibility[inner(face)].mean()) for view in views]
    assert face.visibility.mean() > max(float(v[1].visibility.mean()) for v in views) + 0.05
    assert max(alone) < 0.9
    seen = inner(face)
    assert psnr(small(face)[seen], np.asarray(texture(2))[seen]) > 30.0


def test_views_are_matched_to_the_best_one():
    views = [toy_photo(2), recolored(toy_photo(2, 40.0), [0.8, 0.75, 0.7])]
    face = fuse_photos(views, layout())
    seen = inner(face)
    assert psnr(small(face)[seen], np.asarray(texture(2))[seen]) > 28.0


def test_the_light_of_both_sides_is_that_of_the_best_photo():
    """What both show of the skin does not tell the light of what only one of them shows."""
    left, right = (toy_photo(2, yaw) for yaw in (-45.0, 45.0))
    from_right, from_left = (
        1.0 + sign * 0.35 * normals(face.position_map, layout())[..., 0]
        for sign, (_, face) in ((1.0, left), (-1.0, right))
    )
    views = [lit(left, from_right), lit(right, from_left)]
    face = fuse_photos(views, layout())
    seen = inner(face)
    best = np.asarray(texture(2) * from_right[..., None])
    assert psnr(small(face)[seen], best[seen]) > 26.0


def spoiled(view):
    """Return a photo with something green before the face, its face, and the texels it is at."""
    image, face = view
    columns, rows = np.moveaxis(np.asarray(face.position_map)[..., :2], -1, 0)
    x, y = round(float(columns[40, 32])), round(float(rows[40, 32]))
    image = image.copy()
    image[y - 8 : y + 8, x - 8 : x + 8] = [0.1, 0.9, 0.1]
    hit = (abs(rows - y) < 8) & (abs(columns - x) < 8)
    colors = np.where(hit[..., None], [0.1, 0.9, 0.1], face.texture).astype(np.float32)
    return image, dataclasses.replace(face, texture=jnp.asarray(colors)), hit


def test_what_one_photo_of_three_shows_differently_is_left_out():
    *view, hit = spoiled(toy_photo(2, 20.0))
    face = fuse_photos([tuple(view), toy_photo(2), toy_photo(2, -20.0)], layout())
    seen = hit & (np.asarray(layout().mask) > 0.5)
    assert psnr(small(face)[seen], np.asarray(texture(2))[seen]) > 25.0


def test_what_photos_are_divided_about_is_seen_all_the_same():
    """The median of two against two is none of theirs: all were distrusted, and eyes were lost."""
    *first, hit = spoiled(toy_photo(2, 10.0))
    *second, also_hit = spoiled(toy_photo(2, -10.0))
    plain = [toy_photo(2), toy_photo(2, 5.0)]
    face = fuse_photos([tuple(first), tuple(second), *plain], layout())
    divided = hit & also_hit & (np.asarray(layout().mask) > 0.5)
    assert divided.sum() > 20 and np.median(face.visibility[divided]) > 0.9


def test_the_sharper_photo_gives_the_detail():
    image, face = toy_photo(2)
    noise = np.random.default_rng(5).normal(0, 0.06, image.shape)
    sharp = np.clip(image + noise, 0, 1).astype(np.float32)
    blurred = cv2.GaussianBlur(sharp, (0, 0), 4.0)

    def view(picture):
        maps = np.asarray(face.position_map)[..., :2]
        read = cv2.remap(picture, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR)
        return picture, dataclasses.replace(face, texture=jnp.asarray(read))

    both = fuse_photos([view(blurred), view(sharp)], layout())
    alone = fuse_photos([view(sharp)], layout())
    seen = inner(both)
    assert psnr(small(both)[seen], small(alone)[seen]) > 30.0


def test_size_follows_the_resolution_of_the_photos():
    assert native_size(jnp.full((1, 64, 64), 1.0), jnp.ones((1, 64, 64))) == 256
    spans = jnp.stack([jnp.full((64, 64), 5.0), jnp.full((64, 64), 20.0)])
    assert native_size(spans, jnp.ones((2, 64, 64))) == 2048
    assert native_size(spans * 100, jnp.ones((2, 64, 64))) == 4096
    assert native_size(spans, jnp.stack([jnp.ones((64, 64)), jnp.zeros((64, 64))])) == 512
    with pytest.raises(InputError, match="no photo"):
        fuse_photos([], layout())


def test_face_files_stand_for_photos(model, tmp_path):
    for seed in (1, 2):
        write_image(tmp_path / f"{seed}.png", toy_photo(seed)[0])
    face, warnings = make_texture([tmp_path / "2.png"], model=model)
    assert warnings == () and face.sources[0].name == "2.png"
    face.save(tmp_path / "two.uvface")
    by_file = swap(tmp_path / "1.png", tmp_path / "two.uvface", model=model, keep=())
    by_photos = swap(
        tmp_path / "1.png", [tmp_path / "2.png", tmp_path / "2.png"], model=model, keep=()
    )
    by_photo = swap(tmp_path / "1.png", tmp_path / "2.png", model=model, keep=())
    changed = (by_photo.image != read_photo(tmp_path / "1.png").image).any(axis=-1)
    for result in (by_file, by_photos):
        assert psnr(result.image[changed], by_photo.image[changed]) > 34.0
        assert (result.image[~changed] == by_photo.image[~changed]).mean() > 0.99
    edited = edit(
        tmp_path / "1.png", model=model, regions=["nose"], reference=tmp_path / "two.uvface"
    )
    assert 0.0 < (edited.image != edited.photo.image).mean() < 0.2
    with pytest.raises(InputError, match="stands alone"):
        swap(tmp_path / "1.png", [tmp_path / "two.uvface", tmp_path / "2.png"], model=model)


def test_face_files_of_arrays_tell_them_by_size_type_and_hash(model, tmp_path, capsys):
    """Their hash was empty: nothing told what such a face was made of."""
    photo = quantise(toy_photo(2)[0], bit_depth=8)
    face, _ = make_texture([photo], model=model)
    face.save(tmp_path / "two.uvface")
    assert main(["inspect", str(tmp_path / "two.uvface")]) == 0
    (source,) = json.loads(capsys.readouterr().out)["sources"]
    height, width = photo.shape[:2]
    assert source == {
        "name": "",
        "sha256": hashlib.sha256(photo.tobytes()).hexdigest(),
        "array": {"width": width, "height": height, "dtype": "uint8"},
    }
    assert read_face_file(tmp_path / "two.uvface").sources == face.sources


def test_photos_without_a_face_are_left_out(model):
    wall = np.full((120, 120, 3), 0.5, np.float32)
    face, warnings = make_texture([wall, toy_photo(2)[0]], model=model)
    assert "left out: no face" in warnings[0] and len(face.sources) == 1
    with pytest.raises(NoFaceError, match="no face"):
        make_texture([wall], model=model)
    with pytest.raises(InputError, match="texels"):
        make_texture([toy_photo(2)[0]], model=model, size=9)


def test_photos_that_share_no_texel_are_matched_by_their_own_skins():
    """What either hides was compared with the other's skin, and the skin left out for it."""
    rng = np.random.default_rng(8)
    skin = np.array([0.7, 0.05, 0.06]) + rng.normal(0.0, 0.01, (64, 64, 3))
    left = np.broadcast_to((np.arange(64) < 32)[:, None], (64, 64, 1)).swapaxes(0, 1)
    shade = np.where(np.arange(64) % 16 < 4, 0.5, 0.75)[:, None, None]  # a quarter is darker
    hidden = np.array([0.35, 0.025, 0.03])  # looks like that quarter of the other photo's skin
    lab = [np.where(left, skin, hidden), np.where(left, hidden, shade * skin)]
    seen = jnp.asarray(np.stack([left, ~left])[..., 0], jnp.float32)
    normal = jnp.zeros((2, 64, 64, 3)).at[..., 2].set(1.0)
    views = _Views(
        weights=seen,
        footprint=jnp.ones_like(seen),
        lab=jnp.asarray(np.stack(lab), jnp.float32),
        normal=normal,
        seen=seen,
    )
    transfers, _ = _match(views, jnp.asarray(0, jnp.int32), layout())
    np.testing.assert_allclose(transfers.source_mean[1, 0], 0.7 * 0.6875, atol=0.03)  # the mean
    np.testing.assert_allclose(transfers.target_mean[1, 0], 0.7, atol=0.02)
