"""Training on faces that are drawn meanwhile, and networks that grow, with toys."""

import csv
import dataclasses
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from toy_drawing import toy_draw, toy_face
from toy_network import STILL, TinyConfig

import uvface
from uvface.cli import main
from uvface.core.errors import InputError
from uvface.core.network import registry
from uvface.core.network.prn import PRN, PRNConfig
from uvface.core.network.prn_lite import LARGE, PRNLite
from uvface.core.network.weights import load_weights, save_weights
from uvface.core.network.weights_file import WeightsHeader
from uvface.core.training import drawing, on_device
from uvface.core.training.config import TrainConfig
from uvface.core.training.grow import grow_network
from uvface.core.training.on_device import StoreConfig, drawn_from_pool, train_on_device
from uvface.core.training.pool import Pool
from uvface.core.training.stream import draw_faces

GROWN = TinyConfig(first=1, more=(0, 1, 1), more_inner=(16, 16, 16), anchors=(4, 4, 6), decoder=2)


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(registry._NETWORKS, "prn-lite", (PRNLite, TinyConfig))
    return PRNLite(TinyConfig(), rngs=nnx.Rngs(0))


def test_grown_networks_give_the_same_maps(tiny):
    crops = jax.random.uniform(jax.random.key(0), (2, 256, 256, 3))
    grown = grow_network(tiny, GROWN)
    small, large = (jax.jit(lambda c, n=n: n.control(c))(crops) for n in (tiny, grown))
    assert len(grown.corrections) == 3 and len(grown.stages[2].blocks) == 2
    np.testing.assert_allclose(small, large, atol=1e-3)


def test_networks_do_not_shrink_nor_widen(tiny):
    with pytest.raises(InputError, match="without its"):
        grow_network(tiny, dataclasses.replace(GROWN, decoder=0))
    with pytest.raises(InputError, match="keep the widths"):
        grow_network(tiny, dataclasses.replace(GROWN, hidden=80))


def test_two_networks_learn_from_the_same_faces(tiny, toy_pool, layout, tmp_path):
    """The last three steps end after the budget; it told a share above 1."""
    config = TrainConfig(
        pool=Path(), output=tmp_path, batch=4, steps=11, minutes=None, warmup_steps=1,
        learning_rate=3e-3, augment=STILL, ema_decay=0.5,
    )  # fmt: skip
    rows = []
    paths = train_on_device(
        {"lite": tiny, "large": grow_network(tiny, GROWN)},
        toy_face(layout),
        drawn_from_pool(Pool(toy_pool), layout),
        jnp.zeros((1, 400, 400, 3), jnp.uint8),
        config,
        layout=layout,
        made_of={"data": "toys", "licences": {"toys": "CC0-1.0"}},
        store=StoreConfig(faces=8, first=4, drawn=2, photo_share=0.25),
        rates={"large": 0.0},
        draw=toy_draw(layout),
        report=rows.append,
    )
    assert set(paths) == {"lite", "large"} and rows[-1]["step"] == 12 and rows[-1]["share"] == 1.0
    assert rows[-1]["drawn"] == 4 + 4 * 2
    with (tmp_path / "log.csv").open() as lines:
        (row,) = csv.DictReader(lines)
    assert float(row["lite loss"]) == pytest.approx(rows[-1]["lite loss"])
    assert np.isfinite([float(value) for value in row.values()]).all()
    learnt, header = load_weights(paths["lite"], layout=layout)
    assert header.training["images"] == 48
    assert header.training["data"] == "toys" and header.training["licences"] == {"toys": "CC0-1.0"}
    before, after = (np.asarray(n.basis[...]) for n in (tiny, learnt))
    assert np.abs(before - after).max() > 1e-3
    still = load_weights(paths["large"], layout=layout)[0]  # had a rate of 0 of its own
    np.testing.assert_array_equal(still.basis[...], before.astype(np.float16))


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("lite.safetensors", r"lite\.safetensors is there, of another run"),
        ("last.checkpoint", "holds a run"),
    ],
)
def test_files_of_another_run_are_not_written_over(tiny, toy_pool, layout, tmp_path, file, message):
    """Those that a run starts from may lie in its folder; the log of a run on pools may not."""
    (tmp_path / file).write_bytes(b"precious")
    config = TrainConfig(pool=Path(), output=tmp_path, steps=1)
    with pytest.raises(InputError, match=message):
        train_on_device(
            {"lite": tiny},
            toy_face(layout),
            drawn_from_pool(Pool(toy_pool), layout),
            jnp.zeros((1, 400, 400, 3), jnp.uint8),
            config,
            layout=layout,
            made_of={},
        )
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"precious"]


def _spoil(state):
    """Return the state of a network whose moving average is no number."""
    average = jax.tree.map(lambda leaf: jnp.full_like(leaf, jnp.nan), state.average)
    return dataclasses.replace(state, average=average)


def _run_of_two(network, layout, output, *, astray, monkeypatch):
    """Return a run of networks a and b that saves itself every three steps, and never learns."""
    config = TrainConfig(pool=Path(), output=output, steps=9, report_minutes=0.0)
    run = on_device._Run({"a": network, "b": network}, config, layout, StoreConfig(), {}, {})
    run.photos = SimpleNamespace(image=[])

    def advance(self):
        self.count += 3
        if self.count == 6:
            self.state |= {name: _spoil(self.state[name]) for name in astray}
        return {"loss": jnp.zeros(())}

    monkeypatch.setattr(on_device._Run, "_advance", advance)
    return run


def _steps(output):
    return {p.stem: load_weights(p)[1].training["steps"] for p in output.glob("*.safetensors")}


def test_weights_that_are_no_numbers_replace_no_sound_ones(tiny, layout, tmp_path, monkeypatch):
    """A network gone astray was written over what had been saved of it before.

    The sound one was stopped there, without its cooldown.
    """
    run = _run_of_two(tiny, layout, tmp_path, astray=["a"], monkeypatch=monkeypatch)
    words = "the training of a went astray by step {}: its errors are no numbers any more"
    with (
        pytest.warns(UserWarning, match=words.format(6)) as warned,
        pytest.raises(InputError, match=words.format(9)),
    ):
        run.go(None)
    assert len(warned) == 1
    assert _steps(tmp_path) == {"a": 3, "b": 9}


def test_a_run_of_which_all_networks_go_astray_ends(tiny, layout, tmp_path, monkeypatch):
    run = _run_of_two(tiny, layout, tmp_path, astray=["a", "b"], monkeypatch=monkeypatch)
    with pytest.raises(InputError, match="of a, b went astray by step 6"):
        run.go(None)
    assert _steps(tmp_path) == {"a": 3, "b": 3}


def test_a_run_from_other_weights_draws_other_faces(tiny, layout, tmp_path):
    """Every run saw the same faces, and one that went on from another saw them again."""

    def keys(network):
        config = TrainConfig(pool=Path(), output=tmp_path, steps=1)
        run = on_device._Run({"a": network}, config, layout, StoreConfig(), {}, {})
        return np.stack([jax.random.key_data(key) for key in (run.draw_key, run.key)])

    first = keys(tiny)
    np.testing.assert_array_equal(keys(tiny), first)
    assert (keys(PRNLite(TinyConfig(), rngs=nnx.Rngs(1))) != first).any(axis=1).all()


def test_photos_held_back_are_not_trained_on(toy_pool, layout):
    pool = Pool(toy_pool)
    drawn = drawn_from_pool(pool, layout)
    kept = [pool.sample(k).landmarks for k in (*range(6), *range(8, 16))]
    np.testing.assert_array_equal(drawn.landmarks, kept)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "holds no shard yet to train on"),
        ({"layout_digest": "0"}, "was made for another UV layout than uvface"),
        ({"size": 256}, "are 256 pixels wide, those that are drawn 320"),
    ],
)
def test_pools_that_cannot_be_drawn_from_are_one_line(layout, tmp_path, changes, words):
    header = {"size": 320, "layout_digest": layout.digest} | changes
    (tmp_path / "pool.json").write_text(json.dumps(header))
    with pytest.raises(InputError, match=words):
        drawn_from_pool(Pool(tmp_path), layout)


def _learnt_from_others(name, **options):
    """Return weights that do not know already what the command has to say."""
    network, header = load_weights(name, **options)
    learnt = {"data": "others", "licences": {"others": "not stated"}}
    return network, dataclasses.replace(header, training=learnt)


@pytest.mark.shared
def test_the_command_and_the_function_bring_everything_together(
    toy_pool, shared_data, tmp_path, monkeypatch
):
    """All but the training itself, which is for GPUs."""
    seen = {}

    def stand_in(networks, sources, photos, backdrops, config, *, rates, **rest):
        seen.update(networks=networks, photos=photos, backdrops=backdrops, config=config)
        seen.update(rates=rates, made_of=rest["made_of"])
        shapes = jax.eval_shape(
            lambda s, k: draw_faces(s, k).control, sources, jax.random.split(jax.random.key(0), 2)
        )
        seen["control"] = shapes.shape
        return {name: config.output / f"{name}.safetensors" for name in networks}

    monkeypatch.setattr(drawing, "train_on_device", stand_in)
    monkeypatch.setattr(drawing, "load_weights", _learnt_from_others)
    shutil.copytree(toy_pool, tmp_path / "toys")
    made_of = {"data": "toys", "licences": {"toys": "CC0-1.0"}}
    header = json.loads((toy_pool / "pool.json").read_text()) | made_of
    (tmp_path / "toys" / "pool.json").write_text(json.dumps(header))
    run = ["train", "--draw", str(shared_data), "--pool", str(tmp_path / "toys")]
    run += ["-o", str(tmp_path / "run")]
    assert main([*run, "--large", "--minutes", "2"]) == 0
    assert list(seen["networks"]) == ["prn-lite"] and seen["networks"]["prn-lite"].config == LARGE
    assert seen["control"] == (2, 64, 64, 3)
    found = seen["made_of"]
    assert found["data"].split("; ") == ["others", "drawn faces", "toys"]
    assert sorted(found["licences"].values()) == ["CC0-1.0"] * 3 + ["MIT", "not stated"]
    assert seen["photos"].image.shape[1:] == (*seen["photos"].mask.shape[1:], 3)
    assert seen["backdrops"].ndim == 4 and seen["config"].minutes == 2.0
    both = {"initial": ["prn-lite", "prn"], "rate": [6e-4, 1e-3]}
    found = uvface.train(tmp_path / "toys", tmp_path / "run", draw=shared_data, **both)
    assert found == [tmp_path / "run" / f"{name}.safetensors" for name in both["initial"]]
    assert seen["networks"]["prn"].config == LARGE
    assert seen["rates"] == {"prn-lite": 6e-4, "prn": 1e-3}
    assert (seen["config"].batch, seen["config"].cooldown, seen["config"].minutes) == (128, 0.6, 60)


def test_networks_of_another_kind_are_refused(layout, tmp_path, capsys):
    network = PRN(PRNConfig(size=2), rngs=nnx.Rngs(0))
    header = WeightsHeader(network="prn", layout=layout.name, layout_digest=layout.digest)
    path = tmp_path / "prn.safetensors"
    save_weights(path, network, header)
    run = ["train", "--draw", str(tmp_path), "--pool", "a", "-o", str(tmp_path / "run")]
    assert main([*run, "--initial", str(path)]) == 1
    assert "is a 'prn' network" in " ".join(capsys.readouterr().err.split())
    with pytest.raises(InputError, match="is a 'prn' network; --draw trains the kind of prn-lite"):
        uvface.train("a", tmp_path / "run", draw=tmp_path, initial=path)
