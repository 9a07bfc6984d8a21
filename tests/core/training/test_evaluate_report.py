"""The protocols' figures, groups and files, on faces made by hand."""

import csv
import importlib.util
import json

import cv2
import numpy as np
import pytest
from scipy.io import savemat

from uvface.cli import main
from uvface.core.errors import InputError
from uvface.core.reconstruct import Model, load
from uvface.core.synthesis.kinds import KINDS
from uvface.core.training.evaluate import FaceError, landmark_errors, read_truth
from uvface.core.training.exact import ExactErrors, intersection_over_union
from uvface.core.training.groups import group_figures
from uvface.core.training.labelled import Labelled, PhotoSource, PoolSource
from uvface.core.training.photos import evaluate
from uvface.core.training.pool import Pool
from uvface.core.training.report import check_plotting, draw_worst, plot_cumulative, write_rows


def _error(name="a", nme=0.02, yaw=0.0):
    points = np.random.default_rng(3).uniform(60, 200, (68, 3)).astype(np.float32)
    return FaceError(
        name=name,
        nme=nme,
        nme_51=nme,
        nme_3d=2 * nme,
        angles=np.array([yaw, 0.0, 0.0]),
        found_angles=np.array([yaw + 2.0, 0.0, 0.0]),
        landmarks=points,
    )


def _exact(*, ita=60.0, covered=None, hit=None, false=0, has_kinds=True):
    def counts(by_kind):
        return np.array([(by_kind or {}).get(name, 0) for name in (*KINDS, "unnamed")])

    return ExactErrors(
        dense=0.03,
        regions={"eyes": 0.01, "nose": 0.02},
        facing=1000,
        covered=counts(covered),
        hit=counts(hit),
        false=false,
        hidden_both=80,
        hidden_either=100,
        ita=ita,
        has_kinds=has_kinds,
    )


def test_landmark_errors_by_hand():
    """Box of 40 x 90 px: size 60. The jaw is off by 5 px in x, all depths by 7 and one by more."""
    truth = np.zeros((68, 3))
    truth[1], truth[2] = (40.0, 0.0, 0.0), (0.0, 90.0, 0.0)
    found = truth + np.array([0.0, 0.0, 7.0])
    found[:17, 0] += 5.0
    errors = landmark_errors(found, truth)
    assert errors["nme"] == pytest.approx(17 * 5 / 68 / 60)
    assert errors["nme_51"] == 0.0
    assert errors["nme_3d"] == pytest.approx(errors["nme"])
    found[30, 2] += 68.0
    assert landmark_errors(found, truth)["nme_3d"] > errors["nme_3d"] + 1.5 / 60


def test_overlap_of_a_kind_leaves_other_kinds_out():
    first = _exact(covered={"hair": 100, "hand": 50}, hit={"hair": 80, "hand": 10}, false=20)
    second = _exact(covered={"hand": 50}, hit={"hand": 50}, false=1000)
    assert intersection_over_union([first, second], kind="hair") == pytest.approx(80 / 120)
    assert intersection_over_union([first], kind="hand") == pytest.approx(10 / 70)
    assert intersection_over_union([first]) == pytest.approx(90 / 170)
    assert intersection_over_union([second], kind="glasses") is None


def test_groups_hold_the_faces_they_name():
    errors = [_error("a", 0.01), _error("b", 0.03, yaw=-50.0), _error("c", 0.05, yaw=70.0)]
    exact = [
        _exact(ita=60.0),
        _exact(ita=-40.0, covered={"hair": 300, "glasses": 100}, hit={"hair": 300}),
        _exact(ita=-50.0, covered={"hair": 10}),  # too little to count as hair in the face
    ]
    tables = group_figures(errors, exact)
    assert tables["regions"] == {"eyes": 1.0, "nose": 2.0}
    assert tables["yaw"]["30-60"] == {
        "faces": 1, "nme": 3.0, "sem": None, "dense": 3.0, "covered_iou": 0.75
    }  # fmt: skip
    assert tables["tones"]["dark"]["faces"] == 2 and tables["tones"]["dark"]["nme"] == 4.0
    assert tables["tones"]["dark"]["sem"] == pytest.approx(1.0)
    assert tables["tones"]["tan"] == {"faces": 0}
    assert tables["occluders"]["none"]["faces"] == 2  # the first and the third
    assert tables["occluders"]["hair"]["covered_iou"] == 1.0
    assert tables["occluders"]["hair"]["covered_share"] == 30.0
    assert tables["occluders"]["glasses"]["covered_iou"] == 0.0


def test_pools_without_labels_have_no_groups_of_them():
    tables = group_figures([_error()], [_exact(ita=None, has_kinds=False)])
    assert "tones" not in tables and "occluders" not in tables and tables["yaw"]["0-30"]["faces"]


def test_report_files(tmp_path):
    errors = [_error(f"face{k}", 0.01 * (k + 1)) for k in range(26)]
    picture = np.zeros((256, 256, 3), np.float32)

    def read(k):
        truth = errors[k].landmarks + 3.0
        return lambda: Labelled(
            name=errors[k].name, image=picture, truth=truth, angles=errors[k].angles
        )

    write_rows(tmp_path / "errors.csv", errors, [_exact(covered={"hand": 99})] * 26)
    plot_cumulative(tmp_path / "cumulative.png", errors, missed=2)
    draw_worst(tmp_path / "worst.png", errors, [read(k) for k in range(26)])
    rows = list(csv.DictReader((tmp_path / "errors.csv").read_text().splitlines()))
    assert len(rows) == 26 and rows[0]["nme"] == "1.000" and rows[0]["yaw_error"] == "2.000"
    assert rows[0]["covered_by"] == "hand" and rows[0]["ita"] == "60.0"
    sheet = cv2.imread(str(tmp_path / "worst.png"))
    assert sheet.shape == (4 * 256, 6 * 256, 3)
    green, red = sheet[..., 1] > 200, sheet[..., 2] > 200
    assert (green & ~red).sum() > 500 and (red & ~green).sum() > 500
    assert cv2.imread(str(tmp_path / "cumulative.png")).std() > 10


def test_plots_without_matplotlib_say_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"uvface\[train\]"):
        check_plotting()


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.9])
def test_truncated_labels_are_one_clear_line(tmp_path, share):
    path = tmp_path / "a.mat"
    savemat(path, {"pt3d_68": np.ones((3, 68)), "Pose_Para": np.zeros((1, 7))})
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(InputError, match=r"cannot read the labels .*a\.mat"):
        read_truth(path)


@pytest.mark.parametrize(
    "labels, message",
    [
        ({"Pose_Para": np.zeros(7)}, "pt3d_68"),
        ({"pt3d_68": np.ones((2, 68)), "Pose_Para": np.zeros(7)}, "3 x 68"),
        ({"pt3d_68": np.full((3, 68), np.nan), "Pose_Para": np.zeros(7)}, "finite"),
    ],
)
def test_labels_of_another_kind_are_refused(tmp_path, labels, message):
    savemat(tmp_path / "a.mat", labels)
    with pytest.raises(InputError, match=message):
        read_truth(tmp_path / "a.mat")


def test_sources_name_what_is_missing(tmp_path, toy_pool):
    with pytest.raises(InputError, match="no folder"):
        PhotoSource([tmp_path / "nothing"])
    with pytest.raises(InputError, match=r"no pool\.json"):
        PoolSource(tmp_path)
    assert len(PoolSource(toy_pool)) == 2 and len(PoolSource(toy_pool, whole=True)) == 16
    with pytest.raises(InputError, match="unknown protocol"):
        evaluate([toy_pool], model=object.__new__(Model), protocol="cats")
    with pytest.raises(InputError, match=r"no NAME\.jpg with NAME\.mat in .*;"):
        evaluate(str(tmp_path), model=object.__new__(Model))  # one folder, not its letters


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_truncated_shards_are_one_clear_line(tmp_path, toy_pool, share):
    shard = (toy_pool / "shard_0000.npz").read_bytes()
    (tmp_path / "pool.json").write_text((toy_pool / "pool.json").read_text())
    (tmp_path / "shard_0000.npz").write_bytes(shard[: int(share * len(shard))])
    with pytest.raises(InputError, match="cannot read the shard"):
        Pool(tmp_path)


def test_pools_without_shards_are_refused(tmp_path, toy_pool):
    (tmp_path / "pool.json").write_text((toy_pool / "pool.json").read_text())
    with pytest.raises(InputError, match="no shard"):
        PoolSource(tmp_path)


def test_command_needs_a_folder(capsys, tmp_path):
    assert main(["evaluate", "aflw2000"]) == 2
    assert main(["evaluate", "aflw2000", str(tmp_path / "nothing"), "--device", "cpu"]) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: no folder")


def test_a_folder_may_have_the_name_of_a_protocol(capsys, tmp_path, monkeypatch):
    """ "./synthetic" and "synthetic/" were taken for the word, and dropped."""
    monkeypatch.chdir(tmp_path)
    for name in ("./synthetic", "synthetic/"):
        assert main(["evaluate", name, "--device", "cpu"]) == 1
        assert "no folder synthetic" in capsys.readouterr().err


@pytest.mark.weights
def test_command_writes_a_report(tmp_path, toy_pool, capsys):
    out = tmp_path / "report"
    arguments = ["evaluate", "synthetic", str(toy_pool), "-o", str(out), "--device", "cpu"]
    assert main(arguments) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["photos"] == 2 and "faces" not in printed
    assert json.loads((out / "summary.json").read_text()) == printed
    names = {path.name for path in out.iterdir()}
    assert names == {"errors.csv", "cumulative.png", "worst.png", "summary.json"}


@pytest.mark.weights
def test_without_a_report_the_faces_are_printed(toy_pool, capsys):
    """With the protocol's name they were dropped, as if there were an errors.csv."""
    for named in (["synthetic"], []):
        assert main(["evaluate", *named, str(toy_pool), "--device", "cpu"]) == 0
        assert len(json.loads(capsys.readouterr().out)["faces"]) == 2


@pytest.mark.weights
def test_a_report_that_cannot_be_written_is_told_before_the_work(tmp_path, toy_pool):
    (tmp_path / "file").touch()
    worked = []
    with pytest.raises(InputError, match="cannot make the folder"):
        evaluate(
            toy_pool, model=load(), output=tmp_path / "file", track=lambda n: worked.append(n) or n
        )
    assert not worked


def test_pictures_of_which_none_can_be_read_leave_no_folder(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"words")
    savemat(tmp_path / "a.mat", {"pt3d_68": np.ones((3, 68)), "Pose_Para": np.zeros((1, 7))})
    with pytest.raises(InputError, match=r"^a: .*a\.jpg"):
        evaluate(tmp_path, model=object.__new__(Model), output=tmp_path / "new" / "report")
    assert not (tmp_path / "new").exists()


@pytest.mark.weights
def test_damaged_pictures_and_labels_are_left_out_and_named(tmp_path, capsys):
    truth = np.random.default_rng(0).uniform(60, 200, (3, 68))
    for name in ("good", "no_labels", "no_picture", "far"):
        cv2.imwrite(str(tmp_path / f"{name}.jpg"), np.full((256, 256, 3), 128, np.uint8))
        far = 999.0 * (name == "far")
        savemat(tmp_path / f"{name}.mat", {"pt3d_68": truth + far, "Pose_Para": np.zeros(7)})
    (tmp_path / "no_labels.mat").write_bytes(b"damaged")
    (tmp_path / "no_picture.jpg").write_bytes(b"damaged")
    arguments = ["evaluate", "aflw2000", str(tmp_path), "--device", "cpu", "--quiet"]
    assert main([*arguments, "-o", str(tmp_path / "report")]) == 1
    captured = capsys.readouterr()
    figures = json.loads(captured.out)
    assert figures["photos"] == 1 and set(figures["failed"]) == {"no_labels", "no_picture", "far"}
    assert json.loads((tmp_path / "report" / "summary.json").read_text()) == figures
    lines = captured.err.splitlines()
    assert [line.split(":")[1].strip() for line in lines] == ["far", "no_labels", "no_picture"]
    assert main([*arguments, "--all"]) == 2
    assert main(["evaluate", str(tmp_path), "--all", "--device", "cpu"]) == 2
    (tmp_path / "good.jpg").unlink()
    capsys.readouterr()
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert all(f"{name}: " in captured.err for name in ("far", "no_labels", "no_picture"))


@pytest.mark.parametrize(("protocol", "folders"), [("aflw2000", 1), (None, 2), ("aflw2000", 2)])
def test_every_picture_is_asked_for_of_one_pool_only(toy_pool, protocol, folders, capsys):
    """It said that the pool was none."""
    pools = [str(toy_pool)] * folders
    words = ["evaluate", *([protocol] if protocol else []), *pools]
    assert main([*words, "--all", "--device", "cpu"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "--all is for one pool; of photos all are measured, leave it out" in said
    with pytest.raises(InputError, match="whole is for one pool; of photos all are measured"):
        evaluate(pools, protocol=protocol, whole=True)
