"""`uvface.train` against the command: both ask for the same run, or refuse it."""

import dataclasses
import re
from pathlib import Path

import pytest
from toy_network import STILL

import uvface
from uvface.cli import main
from uvface.core.errors import InputError
from uvface.core.network.weights import load_weights
from uvface.core.training import train
from uvface.core.training.config import TrainConfig
from uvface.core.training.loop import train_on_pool
from uvface.core.training.request import DrawnRun, PoolRun


@pytest.fixture
def asked(monkeypatch):
    """Return the runs that are asked for; none is begun."""
    seen = []

    def on_pool(config, *, resume, report):
        seen.append(PoolRun(config=config, resume=resume))
        return Path("best")

    def drawing(run, *, report):
        seen.append(run)
        return {name: Path(name) for name in run.initial}

    monkeypatch.setattr(train, "train_on_pool", on_pool)
    monkeypatch.setattr(train, "train_drawing", drawing)
    return seen


def _config(**changes):
    return TrainConfig(**({"pool": Path("a"), "output": Path("out")} | changes))


PRN = {"initial": "prn", "rate": 1e-3, "negatives": "n", "network": "prn", "devices": 2}
BOTH = {"initial": ["prn", "b.safetensors"], "rate": [1e-3, 6e-4], "photo_skins": "s"}


@pytest.mark.parametrize(
    ("words", "options", "run"),
    [
        ("", {}, PoolRun(config=_config())),
        ("", {"initial": [], "rate": []}, PoolRun(config=_config())),
        (
            "--pool b --initial prn --rate 1e-3 --negatives n --network prn --devices 2 "
            "--precision bfloat16 --minutes 5 --resume",
            {"pool": ["a", "b"], **PRN, "precision": "bfloat16", "minutes": 5, "resume": True},
            PoolRun(
                config=_config(
                    more_pools=(Path("b"),),
                    initial="prn",
                    learning_rate=1e-3,
                    negatives=Path("n"),
                    network="prn",
                    devices=2,
                    precision="bfloat16",
                    minutes=5.0,
                ),
                resume=True,
            ),
        ),
        ("--resume", {"resume": True}, PoolRun(config=_config(minutes=None), resume=True)),
        (
            "--draw d",
            {"draw": "d"},
            DrawnRun(config=_config(), assets=Path("d"), initial={"prn-lite": "prn-lite"}),
        ),
        (
            "--draw d --initial prn --rate 1e-3 --initial b.safetensors --rate 6e-4 "
            "--photo-skins s --precision bfloat16",
            {"draw": "d", **BOTH, "precision": "bfloat16"},
            DrawnRun(
                config=_config(initial="prn", precision="bfloat16"),
                assets=Path("d"),
                photo_skins=Path("s"),
                initial={"prn": "prn", "b": "b.safetensors"},
                rates={"prn": 1e-3, "b": 6e-4},
            ),
        ),
        (  # the file was named by the whole path, and lay outside the run
            "--draw d --initial x/b.weights --initial ../c",
            {"draw": "d", "initial": [Path("x/b.weights"), "../c"]},
            DrawnRun(
                config=_config(initial="x/b.weights"),
                assets=Path("d"),
                initial={"b.weights": "x/b.weights", "c": "../c"},
            ),
        ),
        (
            "--draw d --large --rate 1e-3",
            {"draw": Path("d"), "large": True, "rate": 1e-3},
            DrawnRun(
                config=_config(),
                assets=Path("d"),
                initial={"prn-lite": "prn-lite"},
                rates={"prn-lite": 1e-3},
                is_large=True,
            ),
        ),
    ],
)
def test_the_command_and_the_function_ask_for_the_same(asked, words, options, run, capsys):
    """Faces that are drawn meanwhile were the command's alone."""
    assert main(["train", "--pool", "a", "-o", "out", *words.split()]) == 0
    found = uvface.train(**({"pool": "a", "output": "out"} | options))
    assert asked == [run, run]
    assert found == ([Path("best")] if isinstance(run, PoolRun) else [*map(Path, run.initial)])
    assert capsys.readouterr().out.splitlines() == [*map(str, found)]


@pytest.mark.parametrize(
    ("words", "options", "said"),
    [
        ("--large", {"large": True}, "--large, --photo-skins and a second --initial need --draw"),
        ("--photo-skins s", {"photo_skins": "s"}, "need --draw"),
        ("--initial a --initial b", {"initial": ["a", "b"]}, "need --draw"),
        ("--draw d --resume", {"draw": "d", "resume": True}, "--draw takes one --pool, and none"),
        ("--draw d --pool b", {"draw": "d", "pool": ["a", "b"]}, "--draw takes one --pool"),
        ("--draw d --devices 2", {"draw": "d", "devices": 2}, "--draw takes one --pool"),
        ("--draw d --network prn", {"draw": "d", "network": "prn"}, "--draw takes one --pool"),
        ("--draw d --negatives n", {"draw": "d", "negatives": "n"}, "--draw takes one --pool"),
        (
            "--draw d --initial a --initial b --large",
            {"draw": "d", "initial": ["a", "b"], "large": True},
            "--large grows one network; got 2 --initial",
        ),
        (
            "--draw d --initial a --initial x/a.safetensors",
            {"draw": "d", "initial": ["a", Path("x/a.safetensors")]},
            "two --initial have the same name; rename one of the files",
        ),
        (
            "--draw d --initial y/a --initial x/a.safetensors",
            {"draw": "d", "initial": ["y/a", "x/a.safetensors"]},
            "two --initial have the same name; rename one of the files",
        ),
        ("--rate 1 --rate 0.5", {"rate": [1, 0.5]}, "got 2 --rate for 0 --initial; give each one"),
        ("--devices 3", {"devices": 3}, "3 devices cannot share batches of 32; give a divisor"),
        ("--minutes 0", {"minutes": 0}, "a training run of 0 minutes; give more than 0, and an"),
        ("--minutes nan", {"minutes": float("nan")}, "minutes nan; need a number"),
    ],
)
def test_the_command_and_the_function_refuse_the_same(asked, words, options, said, capsys):
    assert main(["train", "--pool", "a", "-o", "out", *words.split()]) == 2
    assert said in capsys.readouterr().err
    with pytest.raises(InputError, match=re.escape(said)):
        uvface.train(**({"pool": "a", "output": "out"} | options))
    assert not asked


def test_a_run_of_seconds_gives_weights_that_can_be_loaded(tiny, toy_pool, tmp_path, monkeypatch):
    """Its last step ends after its budget; it told that 107.3 % were used."""

    def run_small(config, **options):
        small = dataclasses.replace(config, batch=2, validation=2, workers=1, augment=STILL)
        return train_on_pool(small, **options)

    monkeypatch.setattr(train, "train_on_pool", run_small)
    seen = []
    run = tmp_path / "run"
    (weights,) = uvface.train(toy_pool, run, minutes=1e-4, rate=1e-3, report=seen.append)
    assert weights == run / "best.safetensors" and seen[-1].share == 1.0
    header = load_weights(weights)[1]
    assert header.network == "prn-lite" and header.training["steps"] == seen[-1].step > 0
    with pytest.raises(InputError, match="holds a run; go on with it"):
        uvface.train(str(toy_pool), str(run), minutes=1e-4)
