"""End to end: drawn pictures agree with their labels. One compilation serves all tests."""

import dataclasses
import json
from pathlib import Path

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import uvface
from uvface.core.errors import InputError
from uvface.core.geometry.layout import load_layout
from uvface.core.geometry.spline import evaluate_control
from uvface.core.synthesis import files, pool
from uvface.core.synthesis.generator import Generator, Sample, render_batch
from uvface.core.synthesis.kinds import KINDS
from uvface.core.synthesis.labels import position_maps, visibility_maps
from uvface.core.synthesis.origin import Origin
from uvface.core.synthesis.surface import bind_texels
from uvface.core.training.pool import Pool

BATCH = 4
ORIGIN = Origin(data="drawn faces", licences={}, sources_sha256="")


@pytest.fixture(scope="module")
def samples(generator: Generator) -> Sample:
    return jax.block_until_ready(render_batch(generator, pool.sample_keys(5, range(BATCH))))


@pytest.mark.shared
def test_pictures_are_neither_flat_nor_alike(samples: Sample):
    images = np.asarray(samples.image).astype(float)
    assert images.shape == (BATCH, 320, 320, 3)
    assert (images.std(axis=(1, 2)).mean(axis=-1) > 10).all()
    assert np.abs(images[0] - images[1]).mean() > 10


@pytest.mark.shared
def test_pictures_drawn_side_by_side_are_the_same(generator: Generator, samples: Sample):
    together = render_batch(generator, pool.sample_keys(5, range(BATCH)), together=2)
    for one, other in zip(*map(jax.tree.leaves, (samples, together)), strict=True):
        gap = np.abs(np.asarray(one, float) - np.asarray(other, float))
        assert one.dtype == other.dtype and gap.max() <= 1.0 and gap.mean() < 1e-3


@pytest.mark.shared
def test_landmark_box_fills_the_crop(samples: Sample):
    landmarks = np.asarray(samples.landmarks)[..., :2]
    low, high = landmarks.min(axis=1), landmarks.max(axis=1)
    np.testing.assert_allclose((high - low).mean(axis=1), 160, rtol=1e-3)
    np.testing.assert_allclose((high + low) / 2, 159.5, atol=0.05)


@pytest.mark.shared
def test_visible_texels_lie_on_the_drawn_head(generator: Generator, samples: Sample):
    layout = load_layout()
    maps = position_maps(samples.surface, bind_texels(generator.surface, layout.size))
    free = np.full_like(np.asarray(samples.head_mask), 255)
    facing = np.asarray(visibility_maps(maps, free, layout)) > 0.9
    checked = 0
    for k in range(BATCH):
        covered = np.asarray(samples.head_mask[k]) > 127
        grown = cv2.dilate(covered.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        place = np.round(np.asarray(maps[k])[facing[k]][:, :2]).astype(int)
        inside = ((place >= 0) & (place < 320)).all(axis=1)
        # Hair, glasses or a hand may cover the face; what is left lies on the head.
        share = grown[place[inside, 1], place[inside, 0]].mean()
        checked += share > 0.97
    assert checked >= 1


@pytest.mark.shared
def test_what_hides_the_head_has_a_name(samples: Sample):
    kind, bare = np.asarray(samples.kind), np.asarray(samples.head_mask) > 127
    assert kind.max() < len(KINDS)
    assert (kind[bare] == 0).mean() > 0.999
    # Heads without hair or hats are rare: some of the four have a kind somewhere.
    assert (kind > 0).any()
    assert ((np.asarray(samples.ita) > -90) & (np.asarray(samples.ita) < 90)).all()


@pytest.mark.shared
def test_control_maps_give_the_position_maps_back(
    generator: Generator, samples: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pool, "_BATCH", BATCH)
    pool.write_pool(generator, tmp_path, BATCH, seed=5, origin=ORIGIN)
    header = json.loads((tmp_path / "pool.json").read_text())
    assert header["count"] == BATCH and header["layout_digest"] == load_layout().digest
    with np.load(tmp_path / "shard_0000.npz") as shard:
        arrays = dict(shard)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    layout = load_layout()
    maps = np.asarray(position_maps(samples.surface, bind_texels(generator.surface, 256)))
    inside = np.asarray(layout.mask) > 0.5
    for k in range(BATCH):
        control = arrays["control"][k].astype(np.float32) / 64 + np.float32([160, 160, 0])
        error = np.linalg.norm(
            np.asarray(evaluate_control(jnp.asarray(control), 256)) - maps[k], axis=-1
        )
        assert np.median(error[inside]) < 0.15
        assert abs(maps[k][inside][:, 2].mean()) < 1e-2
        jpeg = arrays["jpeg"][arrays["offset"][k] : arrays["offset"][k + 1]]
        image = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)[..., ::-1].astype(float)
        assert np.abs(image - np.asarray(samples.image[k])).mean() < 12
        png = arrays["mask"][arrays["mask_offset"][k] : arrays["mask_offset"][k + 1]]
        mask = cv2.resize(cv2.imdecode(png, cv2.IMREAD_GRAYSCALE), (320, 320)).astype(float)
        assert np.abs(mask - np.asarray(samples.head_mask[k])).mean() < 4
    np.testing.assert_array_equal(arrays["landmarks"], samples.landmarks)
    stored = Pool(tmp_path)
    for k in range(BATCH):
        np.testing.assert_array_equal(stored.sample(k).kind, samples.kind[k][::2, ::2])
        assert stored.sample(k).ita == pytest.approx(float(samples.ita[k]))


@pytest.mark.shared
def test_written_shards_are_left_alone_and_pools_are_not_mixed(
    generator: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pool, "_BATCH", BATCH)
    monkeypatch.setattr(pool, "SHARD_SIZE", BATCH)
    pool.write_pool(generator, tmp_path, 2 * BATCH, seed=1, origin=ORIGIN, shards=range(1, 2))
    assert [path.name for path in sorted(tmp_path.glob("*.npz"))] == ["shard_0001.npz"]
    before = (tmp_path / "shard_0001.npz").stat().st_mtime_ns
    reported: list[int] = []
    pool.write_pool(generator, tmp_path, 2 * BATCH, seed=1, origin=ORIGIN, report=reported.append)
    assert reported == [0]
    assert (tmp_path / "shard_0001.npz").stat().st_mtime_ns == before
    with pytest.raises(InputError, match="another pool"):
        pool.write_pool(generator, tmp_path, 2 * BATCH, seed=2, origin=ORIGIN)


@pytest.mark.shared
def test_synthesize_writes_all_files(
    generator: Generator,
    samples: Sample,
    shared_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(files, "load_generator", lambda *_, **__: generator)
    sheet = uvface.synthesize(3, tmp_path, seed=5, assets=shared_data)
    assert cv2.imread(str(sheet)).shape == (192, 576, 3)
    image = cv2.imread(str(tmp_path / "face_00001.png"))[..., ::-1]
    np.testing.assert_array_equal(image, samples.image[1])
    record = json.loads((tmp_path / "face_00001.json").read_text())
    np.testing.assert_allclose(record["landmarks"], samples.landmarks[1], atol=1e-3)
    with np.load(tmp_path / "face_00001_posmap.npz") as stored:
        assert stored["position_map"].shape == (256, 256, 3)
    seen = cv2.imread(str(tmp_path / "face_00001_visibility.png"), cv2.IMREAD_UNCHANGED)
    assert seen.shape == (256, 256)
    assert len(list(tmp_path.iterdir())) == 3 * 4 + 1


def test_missing_assets_are_named(tmp_path: Path):
    with pytest.raises(InputError, match="no folder"):
        uvface.synthesize(1, tmp_path / "out", assets=tmp_path / "nothing")
    with pytest.raises(InputError, match="one at least"):
        uvface.synthesize(0, tmp_path / "out", assets=tmp_path)
    assert not (tmp_path / "out").exists()


@pytest.mark.shared
def test_generator_has_only_finite_arrays(generator: Generator):
    for field in dataclasses.fields(generator):
        for leaf in jax.tree.leaves(getattr(generator, field.name)):
            if hasattr(leaf, "dtype") and leaf.dtype == np.float32:
                assert np.isfinite(np.asarray(leaf)).all(), field.name
