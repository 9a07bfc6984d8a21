"""A run is resumed with the settings it began with, or refused."""

import dataclasses
import os
from pathlib import Path

import pytest
from toy_network import STILL

from uvface.core.errors import InputError
from uvface.core.training.augment import upright_crop
from uvface.core.training.checkpoint import read_record
from uvface.core.training.config import TrainConfig
from uvface.core.training.feed import stack_crops
from uvface.core.training.loop import _Run, train_on_pool
from uvface.core.training.settings import check_settings, settings_of, with_length

BEGAN = TrainConfig(
    pool=Path("a"),
    more_pools=(Path("b"),),
    output=Path("run"),
    negatives=Path("walls"),
    learning_rate=6e-4,
    initial="prn-lite",
)
RECORD = {"settings": settings_of(BEGAN)}
HERE = Path.cwd()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"learning_rate": 1.5e-3}, "with --rate 0.0006"),
        ({"more_pools": ()}, f"with --pool {HERE / 'a'} --pool {HERE / 'b'}"),
        ({"pool": Path("c")}, f"with --pool {HERE / 'a'} --pool {HERE / 'b'}"),
        ({"negatives": None}, f"with --negatives {HERE / 'walls'}"),
        ({"precision": "bfloat16"}, "with --precision float32"),
        ({"initial": "prn"}, "with --initial prn-lite"),
        ({"seed": 1}, "with seed=0"),
        ({"batch": 8}, "with batch=32"),
        ({"augment": STILL}, "with augment.roll_sigma=9.0"),
    ],
)
def test_other_settings_are_refused(changes, words):
    """They were taken in silence: another rate, no negatives, another pool."""
    with pytest.raises(InputError) as error:
        check_settings(dataclasses.replace(BEGAN, **changes), RECORD)
    assert str(error.value) == f"the run in run began {words}; go on so, or choose another folder"


def test_what_was_not_given_is_said_so():
    bare = {"settings": settings_of(TrainConfig(pool=Path("a"), output=Path("run")))}
    with pytest.raises(InputError, match="began without --negatives; go on so"):
        check_settings(TrainConfig(pool=Path("a"), output=Path("run"), negatives=HERE), bare)


@pytest.mark.parametrize(
    "changes",
    [
        {"minutes": 80.0},
        {"minutes": None, "steps": 30},
        {"initial": None},
        {"devices": 2, "workers": 1, "report_minutes": 1.0},
        {"pool": HERE / "a", "more_pools": (HERE / "x" / ".." / "b",), "output": Path("moved")},
    ],
)
def test_length_and_places_may_change(changes):
    assert check_settings(dataclasses.replace(BEGAN, **changes), RECORD) == RECORD["settings"]


def test_the_first_weights_may_be_named_by_another_path(tmp_path, monkeypatch):
    (tmp_path / "first.safetensors").touch()
    monkeypatch.chdir(tmp_path)
    began = dataclasses.replace(BEGAN, initial="first.safetensors")
    record = {"settings": settings_of(began)}
    for path in ("./first.safetensors", str(tmp_path / "first.safetensors")):
        assert check_settings(dataclasses.replace(began, initial=path), record)


def test_older_checkpoints_do_not_tell():
    assert check_settings(BEGAN, {}) == RECORD["settings"]


def test_a_run_keeps_the_settings_it_began_with(tiny, toy_pool, layout, tmp_path, monkeypatch):
    """Its files are not touched where it is refused, and a relative folder is the same one."""
    config = TrainConfig(
        pool=toy_pool, output=tmp_path / "run", minutes=None, steps=1, batch=2, validation=2,
        augment=STILL, workers=1, prefetch=1, learning_rate=6e-4,
    )  # fmt: skip
    train_on_pool(config, layout=layout)
    before = {path.name: path.read_bytes() for path in config.output.iterdir()}
    other = dataclasses.replace(config, steps=2, learning_rate=1.5e-3)
    with pytest.raises(InputError, match=r"began with --rate 0\.0006"):
        train_on_pool(other, layout=layout, resume=True)
    assert {path.name: path.read_bytes() for path in config.output.iterdir()} == before
    monkeypatch.chdir(tmp_path)
    again = dataclasses.replace(config, steps=2, pool=Path(os.path.relpath(toy_pool)))
    train_on_pool(again, layout=layout, resume=True)
    kept = read_record(config.output / "last.checkpoint")["settings"]
    assert kept == settings_of(config)


@pytest.mark.parametrize(
    ("changes", "record", "minutes"),
    [
        ({"minutes": None}, {"minutes": 90.0}, 90.0),
        ({"minutes": 80.0}, {"minutes": 90.0}, 80.0),
        ({"minutes": None}, {}, 60.0),  # an older checkpoint
        ({"minutes": None}, {"minutes": None}, 60.0),  # it was of steps
        ({"minutes": None, "steps": 30}, {"minutes": 90.0}, None),
    ],
)
def test_the_minutes_are_those_given_or_those_of_the_record(changes, record, minutes):
    assert with_length(dataclasses.replace(BEGAN, **changes), record).minutes == minutes


def test_a_resumed_run_keeps_its_minutes(tiny, toy_pool, layout, tmp_path, monkeypatch):
    """They were not recorded: one of 90 fell back to 60 in silence."""
    config = TrainConfig(
        pool=toy_pool, output=tmp_path, minutes=90.0, batch=2, validation=2, augment=STILL
    )
    monkeypatch.setattr(_Run, "_validation", lambda self: {"val_nme": 0.1})
    monkeypatch.setattr(_Run, "_draw", lambda self, batch: None)
    run = _Run(config, layout, resume=False)
    run._save(stack_crops([upright_crop(run.pool.sample(0))], run.order.state), 3, None, 0.0)
    again = _Run(dataclasses.replace(config, minutes=None), layout, resume=True)
    assert again.minutes == again.config.minutes == 90.0
    again = _Run(dataclasses.replace(config, minutes=70.0), layout, resume=True)
    assert again.minutes == 70.0
