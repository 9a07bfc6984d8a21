"""A toy pool: a dotted ellipsoid in the `uvface` layout's own texels, exactly labelled."""

import json
from pathlib import Path

import cv2
import jax.numpy as jnp
import numpy as np
import pytest
from toy_network import TinyConfig

from uvface.core.geometry.landmarks import read_landmarks
from uvface.core.geometry.spline import evaluate_control, fit_control
from uvface.core.network import registry
from uvface.core.network.prn_lite import PRNLite


def _turned(rng: np.random.Generator, control: np.ndarray) -> np.ndarray:
    yaw, roll = rng.uniform(-0.6, 0.6, 2)
    about_y = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
    about_z = [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    matrix = 9.0 * np.array(about_z) @ np.array(about_y)
    return (control @ matrix.T).astype(np.float32)


def _picture(landmarks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    image = np.full((320, 320, 3), rng.integers(40, 200, 3), np.uint8)
    for k, (x, y) in enumerate(landmarks[:, :2]):
        colour = (255, 255, 255) if k % 2 else (0, 0, 0)
        cv2.circle(image, (round(float(x) * 16), round(float(y) * 16)), 3 * 16, colour, -1, 16, 4)
    return image


def _mask(landmarks: np.ndarray) -> np.ndarray:
    """Return where the "head" is: the convex hull of the landmarks, at half the resolution."""
    mask = np.zeros((160, 160), np.uint8)
    hull = cv2.convexHull(np.round((landmarks[:, :2] + 0.5) / 2 - 0.5).astype(np.int32))
    return cv2.fillConvexPoly(mask, hull, 255)


def write_shard(path: Path, layout, *, count: int, seed: int) -> None:
    """Write one shard of toy faces."""
    rng = np.random.default_rng(seed)
    canonical = np.asarray(layout.canonical)
    centred = canonical - canonical[np.asarray(layout.mask) > 0].mean(axis=0)
    face = np.asarray(fit_control(jnp.asarray(centred, jnp.float32)))
    coded, masks, controls, points = [], [], [], []
    for _ in range(count):
        control = _turned(rng, face) + np.array([159.5, 159.5, 0.0], np.float32)
        landmarks = np.asarray(
            read_landmarks(evaluate_control(jnp.asarray(control), 256), layout.landmark_uv)
        )
        picture = _picture(landmarks, rng)
        coded.append(cv2.imencode(".jpg", picture[..., ::-1])[1].ravel())
        masks.append(cv2.imencode(".png", _mask(landmarks))[1].ravel())
        controls.append(np.round((control - [160.0, 160.0, 0.0]) * 64).astype(np.int16))
        points.append(landmarks.astype(np.float32))
    np.savez(
        path,
        jpeg=np.concatenate(coded),
        offset=np.cumsum([0, *map(len, coded)], dtype=np.int64),
        mask=np.concatenate(masks),
        mask_offset=np.cumsum([0, *map(len, masks)], dtype=np.int64),
        control=np.stack(controls),
        landmarks=np.stack(points),
        angles=np.zeros((count, 3), np.float32),
    )


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `prn-lite` be a network that compiles fast."""
    monkeypatch.setitem(registry._NETWORKS, "prn-lite", (PRNLite, TinyConfig))


@pytest.fixture(scope="session")
def toy_pool(tmp_path_factory, layout) -> Path:
    """Return a pool folder of two shards with 8 faces each."""
    folder = tmp_path_factory.mktemp("pool")
    header = {"size": 320, "crop_side": 256, "layout_digest": layout.digest, "count": 16, "seed": 0}
    (folder / "pool.json").write_text(json.dumps(header))
    write_shard(folder / "shard_0000.npz", layout, count=8, seed=0)
    write_shard(folder / "shard_0001.npz", layout, count=8, seed=1)
    return folder
