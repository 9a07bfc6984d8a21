"""A request to end soon: what it may hold, and that a resumed run keeps it."""

import numpy as np
import pytest
from toy_network import STILL

from uvface.core.training.augment import upright_crop
from uvface.core.training.config import TrainConfig
from uvface.core.training.cooldown import take_request
from uvface.core.training.feed import stack_crops
from uvface.core.training.loop import _Run
from uvface.core.training.schedule import learning_rate


@pytest.mark.parametrize(
    ("text", "minutes"), [("10", 10.0), (" 2.5\n", 2.5), ("", 5.0), ("\n", 5.0)]
)
def test_a_request_is_taken_once(tmp_path, text, minutes):
    (tmp_path / "COOLDOWN").write_text(text)
    assert take_request(tmp_path) == minutes
    assert take_request(tmp_path) is None


@pytest.mark.parametrize("content", [b"ten", b"10 min", b"-3", b"0", b"nan", b"inf", b"\xff"])
def test_a_request_without_a_number_is_warned_of_and_ignored(tmp_path, content):
    """It ended the run with a traceback, and again when the run was resumed."""
    (tmp_path / "COOLDOWN").write_bytes(content)
    with pytest.warns(UserWarning, match="no number of minutes; ignored"):
        assert take_request(tmp_path) is None
    assert not (tmp_path / "COOLDOWN").exists()


def test_a_resumed_run_keeps_an_accepted_request(tiny, toy_pool, layout, tmp_path, monkeypatch):
    """It fell back to the whole budget, though the rate had begun to fall."""
    config = TrainConfig(
        pool=toy_pool, output=tmp_path, minutes=80.0, batch=2, validation=2, augment=STILL
    )
    run = _Run(config, layout, resume=False)
    run.seconds = 1800.0
    (tmp_path / "COOLDOWN").write_text("10")
    run._look_for_cooldown()
    monkeypatch.setattr(_Run, "_validation", lambda self: {"val_nme": 0.1})
    monkeypatch.setattr(_Run, "_draw", lambda self, batch: None)
    batch = stack_crops([upright_crop(run.pool.sample(0))], run.order.state)
    run._save(batch, 3, None, 0.0)
    again = _Run(config, layout, resume=True)
    assert (again.minutes, again.config.cooldown) == (40.0, 0.25)
    run.seconds = 2400.0  # the request is fulfilled: more minutes are a new budget
    run._save(batch, 4, None, 0.0)
    assert _Run(config, layout, resume=True).minutes == 80.0


@pytest.mark.parametrize(
    ("minute", "text", "end"), [(60, "10", 70), (78, "10", 80), (20, "90", 80)]
)
def test_a_request_never_raises_the_rate_nor_lengthens_the_run(
    tiny, toy_pool, layout, tmp_path, minute, text, end
):
    """In the cooldown it threw the rate back to its maximum, 36-fold two minutes before the end."""
    config = TrainConfig(
        pool=toy_pool, output=tmp_path, minutes=80.0, batch=2, validation=2, augment=STILL
    )
    run = _Run(config, layout, resume=False)

    def rate():
        return learning_rate(run.config, share=run.share(0), step=1000)

    run.seconds = 60.0 * minute
    rates = [rate()]
    (tmp_path / "COOLDOWN").write_text(text)
    run._look_for_cooldown()
    assert run.minutes == pytest.approx(end)
    for part in np.linspace(0.0, 1.0, 9):
        run.seconds = 60.0 * (minute + part * (end - minute))
        rates.append(rate())
    assert rates[1] == pytest.approx(rates[0], rel=1e-9)
    assert (np.diff(rates[1:]) < 0.0).all() and rates[-1] == pytest.approx(0.0, abs=1e-8)
