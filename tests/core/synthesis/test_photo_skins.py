"""Skins of photos: masks, filling, the validation rule, and the files written."""

import cv2
import numpy as np
import pytest

from uvface.core.errors import InputError
from uvface.core.synthesis import photo_skins
from uvface.core.synthesis.fitting import pixel_centres
from uvface.core.synthesis.photo_skins import held_out, write_photo_skins
from uvface.core.synthesis.skin_mask import openings, skin_seeds, skin_weight, without_hair
from uvface.core.synthesis.skin_texture import SkinConfig, allowed_region, filled


def test_filling_keeps_what_is_known_and_is_smooth():
    color = np.full((64, 64, 3), 0.1, np.float32)
    color[:, 32:] = (0.8, 0.6, 0.4)
    weight = np.zeros((64, 64), np.float32)
    weight[:, 40:] = 1.0
    result = filled(color, weight)
    np.testing.assert_allclose(result[:, 40:], color[:, 40:], atol=1e-6)
    np.testing.assert_allclose(
        result[:, :40], np.broadcast_to(color[0, -1], (64, 40, 3)), atol=0.02
    )


def test_neck_and_ears_are_left_to_the_base_skin():
    region = allowed_region(SkinConfig(size=64))
    assert region[32, 32] == 1.0
    assert region[60, 32] == 0.0 and region[32, 3] == 0.0 and region[32, 60] == 0.0


def test_dark_stripes_on_the_forehead_are_hair_and_moles_are_not():
    rng = np.random.default_rng(0)
    color = np.full((256, 256, 3), (0.5, 0.3, 0.2), np.float32)
    color *= rng.normal(1.0, 0.02, (256, 256, 1)).astype(np.float32)
    color[:20] = 0.02
    color[160:164, 100:104] = 0.05
    seeds = np.zeros((256, 256), bool)
    seeds[90:150, 60:200] = True
    weight = without_hair(color, np.ones((256, 256), np.float32), seeds)
    assert weight[10, 128] < 0.05
    assert weight[35:, 128].min() > 0.95 and weight[162, 102] == 1.0


def test_held_out_people_have_all_their_photos_held_out():
    subject = np.array([f"{k:03d}" for k in range(30)] * 2)
    chosen = held_out(subject)
    assert chosen.sum() == 20 and (chosen[:30] == chosen[30:]).all()
    order = np.random.default_rng(0).permutation(60)
    assert (held_out(subject[order]) == chosen[order]).all()


def test_a_folder_without_photos_is_refused(tmp_path):
    with pytest.raises(InputError, match="photos_cc_by"):
        write_photo_skins(tmp_path, tmp_path / "out")


def test_an_archive_is_written_where_a_link_leads_or_not_at_all(tmp_path, monkeypatch):
    """The link was replaced, and half a file stayed."""
    link, target = tmp_path / "skins.npz", tmp_path / "kept" / "skins.npz"
    link.symlink_to(target)
    photo_skins._save(link, names=np.arange(3))
    whole = target.read_bytes()

    def fail(stream, **_):
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="No space left"):
        photo_skins._save(link, names=np.arange(4))
    assert link.is_symlink() and target.read_bytes() == whole
    assert {path.name for path in tmp_path.rglob("*")} == {"kept", "skins.npz"}


@pytest.mark.shared
def test_skin_weight_keeps_cheeks_and_leaves_the_backdrop(shared_data):
    photos = shared_data / "photos_cc_by"
    with np.load(photos / "landmarks.npz") as stored:
        landmarks = pixel_centres(stored["mediapipe478"][0])
        name = stored["names"][0]
    photo = cv2.imread(str(photos / "images" / f"{name}.jpg"))[..., ::-1].copy()
    silhouette = np.zeros(photo.shape[:2], np.uint8)
    hull = cv2.convexHull(np.round(landmarks[:, :2]).astype(np.int32))
    cv2.fillConvexPoly(silhouette, hull, 1)
    weight = skin_weight(photo, landmarks, silhouette)
    assert weight[skin_seeds(landmarks, photo.shape[:2]) > 0].mean() > 0.95
    assert weight[:40].max() == 0.0
    iris = np.round(landmarks[468, :2]).astype(int)
    assert openings(landmarks, photo.shape[:2])[iris[1], iris[0]] == 1


@pytest.mark.shared
def test_a_small_pack_gives_skins_fits_and_attribution(shared_data, tmp_path):
    source, pack = shared_data / "photos_cc_by", tmp_path / "pack"
    (pack / "photos_cc_by").mkdir(parents=True)
    (pack / "photos_cc_by" / "images").symlink_to(source / "images")
    (pack / "face_model").symlink_to(shared_data / "face_model")
    with np.load(source / "landmarks.npz") as stored:
        rows = np.flatnonzero(np.isin(stored["subject"], stored["subject"][:2]))
        part = {key: stored[key][rows] for key in ("names", "subject", "mediapipe478")}
    np.savez(pack / "photos_cc_by" / "landmarks.npz", **part)
    out = tmp_path / "out"
    assert write_photo_skins(pack, out, config=SkinConfig(size=64)) < 0.01
    with np.load(out / "skins.npz") as skins, np.load(out / "fits.npz") as fits:
        assert skins["face"].shape == (2, 64, 64, 3) and skins["mask"].shape == (2, 64, 64)
        assert skins["face"].dtype == np.uint8 and 0.15 < (skins["mask"] > 127).mean() < 0.6
        assert (skins["names"] == fits["names"]).all()
        kept = set(skins["names"].tolist())
    with np.load(out / "heldout.npz") as rest:
        assert not kept & set(rest["names"].tolist())
        assert rest["images"].shape == (2, 640, 640, 3) and rest["landmarks68"].shape == (2, 68, 3)
    assert "CC BY 4.0" in (out / "ATTRIBUTION.txt").read_text()
