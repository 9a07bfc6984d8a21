import csv
import dataclasses
import json
import os
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toy_network import STILL

from uvface.cli import main
from uvface.core.commands.train import _show_progress
from uvface.core.errors import AssetError, InputError
from uvface.core.geometry.landmarks import read_landmarks
from uvface.core.geometry.spline import evaluate_control
from uvface.core.network.weights import load_weights
from uvface.core.training import loop
from uvface.core.training.checkpoint import load_checkpoint, save_checkpoint
from uvface.core.training.config import AugmentConfig, TrainConfig
from uvface.core.training.labelled import PoolSource
from uvface.core.training.loop import Progress, train_on_pool
from uvface.core.training.loss import (
    control_landmarks,
    control_loss,
    face_size,
    make_reading,
    map_landmarks,
    map_loss,
    opening_loss,
)
from uvface.core.training.schedule import learning_rate, make_optimizer


def _config(pool, output, **changes):
    settings = {
        "minutes": None, "steps": 30, "batch": 4, "learning_rate": 3e-3, "warmup_steps": 5,
        "validation": 2, "ema_decay": 0.9, "augment": STILL, "workers": 1, "prefetch": 2,
    }  # fmt: skip
    return TrainConfig(pool=pool, output=output, **(settings | changes))


def test_thirty_steps_lower_the_loss_and_leave_pictures(tiny, toy_pool, layout, tmp_path):
    seen = []
    config = _config(toy_pool, tmp_path / "run", cooldown=0.3, learning_rate=6e-3)
    weights = train_on_pool(config, layout=layout, report=seen.append)
    before = train_on_pool(_config(toy_pool, tmp_path / "short", steps=1), layout=layout)
    errors = [load_weights(path)[1].evaluation["val_nme"] for path in (before, weights)]
    assert errors[1] < 0.8 * errors[0]
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names >= {"log.csv", "curve.png", "sheet.png", "last.checkpoint", "best.safetensors"}
    with (tmp_path / "run" / "log.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)][-1] == "30"
    assert seen[-1].step == 30 and seen[-1].validation["val_nme"] > 0


def test_resumed_run_ends_exactly_where_the_whole_run_ends(tiny, toy_pool, layout, tmp_path):
    augmented = AugmentConfig()
    whole = _config(toy_pool, tmp_path / "whole", steps=6, cooldown=0.0, augment=augmented)
    train_on_pool(whole, layout=layout)
    half = dataclasses.replace(whole, output=tmp_path / "half", steps=3)
    train_on_pool(half, layout=layout)
    train_on_pool(dataclasses.replace(half, steps=6), layout=layout, resume=True)
    one = (tmp_path / "whole" / "last.safetensors").read_bytes()
    other = (tmp_path / "half" / "last.safetensors").read_bytes()
    assert len(one) == len(other)
    first = load_weights(tmp_path / "whole" / "last.safetensors")[0]
    second = load_weights(tmp_path / "half" / "last.safetensors")[0]
    crop = jnp.full((1, 256, 256, 3), 0.4)
    np.testing.assert_array_equal(first(crop), second(crop))


def test_a_resumed_run_logs_no_step_twice(tiny, toy_pool, layout, tmp_path):
    """Rows after the last checkpoint stayed and were written again: the curve ran backwards."""
    config = _config(toy_pool, tmp_path / "run", steps=2)
    train_on_pool(config, layout=layout)
    log = tmp_path / "run" / "log.csv"
    before = log.read_bytes()
    log.write_bytes(before + before.splitlines(keepends=True)[-1].replace(b"2,", b"3,", 1))
    train_on_pool(dataclasses.replace(config, steps=4), layout=layout, resume=True)
    assert log.read_bytes().startswith(before)
    with log.open(newline="") as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["2", "4"]


def test_a_run_whose_budget_is_used_is_not_resumed_in_silence(tiny, toy_pool, layout, tmp_path):
    """It did nothing, told nothing and named weights; --minutes 80 is easily forgotten."""
    config = _config(toy_pool, tmp_path / "run", steps=None, minutes=1e-4)
    train_on_pool(config, layout=layout)
    before = {path.name: path.read_bytes() for path in config.output.iterdir()}
    with pytest.raises(
        InputError, match=r"has trained for 0\.\d minutes of .*; give more in all with"
    ):
        train_on_pool(dataclasses.replace(config, minutes=1e-5), layout=layout, resume=True)
    with pytest.raises(InputError, match=r"has made \d+ steps of 1; give more steps"):
        train_on_pool(dataclasses.replace(config, steps=1), layout=layout, resume=True)
    assert {path.name: path.read_bytes() for path in config.output.iterdir()} == before


@pytest.mark.parametrize("missing", [True, False])
def test_weights_of_a_run_that_was_killed_while_it_saved_are_written(
    tiny, toy_pool, layout, tmp_path, missing
):
    """The checkpoint was there, its weights were not or older, and resuming wrote none."""
    config = _config(toy_pool, tmp_path / "run", steps=1)
    weights = train_on_pool(config, layout=layout)
    files = [weights, weights.with_name("last.safetensors")]
    wanted = [load_weights(path)[1].evaluation for path in files]
    for path in files:
        if missing:
            path.unlink()
        else:
            path.write_bytes(b"older")
            os.utime(path, (1.0, 1.0))
    assert train_on_pool(config, layout=layout, resume=True) == weights
    assert [load_weights(path)[1].evaluation for path in files] == wanted
    with pytest.raises(InputError, match="has made 1 steps of 1"):
        train_on_pool(config, layout=layout, resume=True)


def test_pool_of_another_layout_is_refused(toy_pool, layout, tmp_path):
    other = dataclasses.replace(layout, digest="0" * 64)
    with pytest.raises(InputError, match="another UV layout"):
        train_on_pool(_config(toy_pool, tmp_path), layout=other)


def test_a_run_is_not_written_over_unless_it_is_resumed(tiny, toy_pool, layout, tmp_path):
    config = _config(toy_pool, tmp_path / "run", steps=1)
    train_on_pool(config, layout=layout)
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    with pytest.raises(InputError, match="holds a run; go on with it"):
        train_on_pool(config, layout=layout)
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


def test_weights_that_no_run_can_go_on_with_are_not_written_over(tiny, toy_pool, layout, tmp_path):
    """Of a run on drawn faces, too, whose log would be lost."""
    (tmp_path / "prn-lite.safetensors").write_bytes(b"precious")
    with pytest.raises(InputError, match=r"prn-lite\.safetensors is there, of another run"):
        train_on_pool(_config(toy_pool, tmp_path, steps=1), layout=layout)


def test_a_run_that_goes_astray_fails_and_names_no_weights(tiny, toy_pool, layout, tmp_path):
    config = _config(toy_pool, tmp_path, steps=3, learning_rate=1e30, warmup_steps=1)
    with pytest.raises(InputError, match="no numbers any more; start anew with a lower"):
        train_on_pool(config, layout=layout)
    assert {path.name for path in tmp_path.iterdir()} <= {"config.json", "log.csv"}


def test_training_needs_no_plots(tiny, toy_pool, layout, tmp_path, monkeypatch):
    """matplotlib comes with the extra `train` only."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr(loop, "find_spec", lambda name: None)
    train_on_pool(_config(toy_pool, tmp_path, steps=1), layout=layout)
    assert not (tmp_path / "curve.png").exists() and (tmp_path / "sheet.png").exists()


@pytest.mark.parametrize("minutes", ["0", "-1", "inf", "nan"])
def test_a_budget_that_never_begins_or_ends_is_wrong_usage(toy_pool, tmp_path, minutes):
    arguments = ["train", "--pool", str(toy_pool), "-o", str(tmp_path / "run")]
    assert main([*arguments, "--minutes", minutes]) == 2
    assert not (tmp_path / "run").exists()
    with pytest.raises(InputError, match="give more than 0, and an end"):
        train_on_pool(_config(toy_pool, tmp_path / "run", steps=None, minutes=float(minutes)))


def test_a_folder_that_cannot_be_made_is_one_line(toy_pool, layout, tmp_path, tiny):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot make the folder"):
        train_on_pool(_config(toy_pool, tmp_path / "file"), layout=layout)


@pytest.mark.parametrize(("header", "words"), [("[]", "cannot read the pool"), (None, "need 4 or")])
def test_pools_that_cannot_be_used_leave_no_folder(toy_pool, layout, tmp_path, header, words):
    known = {"size": 320, "layout_digest": layout.digest}
    (tmp_path / "pool.json").write_text(header or json.dumps(known))
    with np.load(toy_pool / "shard_0000.npz") as whole:  # its first three pictures
        three = {n: whole[n][:4] if n.endswith("offset") else whole[n] for n in whole.files}
    np.savez(tmp_path / "shard_0000.npz", **three)
    with pytest.raises(InputError, match=words):
        train_on_pool(_config(tmp_path, tmp_path / "run"), layout=layout)
    assert not (tmp_path / "run").exists()
    with pytest.raises(InputError, match=words):
        PoolSource(tmp_path)
    if header is None:
        assert len(PoolSource(tmp_path, whole=True)) == 3


def test_progress_shows_what_is_known(capsys):
    progress = Progress(
        step=8, share=0.5, seconds=1.0, images_per_second=0.0, learning_rate=0.0, samples=12,
        loss=float("nan"), validation={"val_nme": 0.02},
    )  # fmt: skip
    _show_progress(progress)
    _show_progress(dataclasses.replace(progress, loss=0.1, images_per_second=9.0, validation={}))
    first, second = capsys.readouterr().out.splitlines()
    assert first == " 50.0 %  step 8, val_nme 2.00 %"
    assert second == " 50.0 %  step 8  loss 0.1000  9 images/s"


def test_checkpoint_round_trip_is_exact(tmp_path):
    tree = {"a": jnp.arange(3.0), "b": (jnp.int32(4), jnp.ones((2, 2), jnp.float32) / 3)}
    save_checkpoint(tmp_path / "c.checkpoint", tree, {"step": 3})
    found, record = load_checkpoint(tmp_path / "c.checkpoint", tree)
    assert record == {"step": 3}
    jax.tree.map(np.testing.assert_array_equal, found, tree)


def test_checkpoint_of_another_network_is_refused(tmp_path):
    save_checkpoint(tmp_path / "c.checkpoint", {"a": jnp.ones(3)}, {})
    with pytest.raises(AssetError, match="another network"):
        load_checkpoint(tmp_path / "c.checkpoint", {"a": jnp.ones(4)})
    (tmp_path / "c.checkpoint").write_bytes(b"short")
    with pytest.raises(AssetError, match="cannot read"):
        load_checkpoint(tmp_path / "c.checkpoint", {"a": jnp.ones(3)})


def _labels(layout):
    control = np.random.default_rng(0).normal(100, 40, (1, 64, 64, 3)).astype(np.float32)
    control = jnp.asarray(control)
    maps = evaluate_control(control[0], 256)[None]
    return control, maps, read_landmarks(maps[0], layout.landmark_uv)[None]


def test_loss_of_the_truth_is_zero(layout):
    control, maps, landmarks = _labels(layout)
    reading = make_reading(layout)
    np.testing.assert_allclose(control_loss(control, control, landmarks, reading), 0, atol=1e-5)
    wide = make_reading(layout, size=256)
    np.testing.assert_allclose(map_loss(maps, control, landmarks, wide), 0, atol=1e-5)


def test_loss_of_a_shift_is_its_share_of_the_face_size(layout):
    """Far from 0 the loss is the distance itself, minus the soft radius."""
    control, _, landmarks = _labels(layout)
    moved = control + jnp.array([30.0, 40.0, 0.0])
    expected = 50.0 / float(face_size(landmarks)[0])
    for loss in control_loss(moved, control, landmarks, make_reading(layout)):
        assert float(loss) == pytest.approx(expected, abs=0.0021)


def test_opening_loss_sees_a_closed_mouth_and_no_shift(layout):
    """A map that shuts the lips by 10 pixels is wrong by that much at six of ten pairs."""
    control, _, landmarks = _labels(layout)
    reading, share = make_reading(layout), jnp.ones(1)
    moved = control_landmarks(control + jnp.array([30.0, 40.0, 5.0]), reading)
    assert float(opening_loss(moved, landmarks, share=share)) < 1e-6
    rows = jnp.arange(48, 68)
    wanted = jnp.zeros(68).at[jnp.concatenate([rows[7:12], rows[17:20]])].set(-10.0)
    solved = jnp.linalg.lstsq(reading.landmark_matrix, wanted)[0].reshape(1, 64, 64)
    shut = control_landmarks(control.at[..., 1].add(solved), reading)
    expected = 0.6 * 10.0 / float(face_size(landmarks)[0])
    found = float(opening_loss(shut, landmarks, share=share))
    assert found == pytest.approx(expected, abs=0.6 * 0.0021)


def test_landmarks_are_read_off_control_maps_as_off_position_maps(layout):
    control, maps, landmarks = _labels(layout)
    wide = make_reading(layout, size=256)
    np.testing.assert_allclose(map_landmarks(maps, wide), landmarks, atol=1e-3)
    found = control_landmarks(control, make_reading(layout))
    np.testing.assert_allclose(found, landmarks, atol=0.01)


def test_schedule_warms_up_stays_and_cools_down():
    config = _config(Path("pool"), Path("run"), learning_rate=1.0, warmup_steps=10, cooldown=0.5)
    assert learning_rate(config, share=0.0, step=0) == pytest.approx(0.1)
    assert learning_rate(config, share=0.5, step=500) == 1.0
    assert 0.2 < learning_rate(config, share=0.75, step=750) < 0.5
    assert learning_rate(config, share=1.0, step=1000) == 0.0


def test_optimizer_goes_downhill():
    optimizer = make_optimizer(_config(Path("pool"), Path("run"), weight_decay=0.0))
    params = {"dense": jnp.ones((4, 3)), "basis": jnp.ones((2, 5)), "bias": jnp.ones(3)}

    def loss(p):
        return sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(p))

    state = optimizer.init(params)
    first = loss(params)

    @jax.jit
    def step(params, state):
        updates, state = optimizer.update(jax.grad(loss)(params), state, params)
        return jax.tree.map(lambda p, u: p - 0.01 * u, params, updates), state

    for _ in range(20):
        params, state = step(params, state)
    assert loss(params) < 0.8 * first
