"""Which folders a run may begin in: none whose log or weights it would write over or hide."""

import pytest

import uvface
from uvface.core.errors import InputError
from uvface.core.training.checkpoint import check_new, weights_besides
from uvface.core.training.config import TrainConfig
from uvface.core.training.loop import train_on_pool

ROWS = b"step,lite loss\r\n120,2.0\r\n"


def _on_pool(folder, initial):
    """Begin a run on a pool that is not there: of that it would be told next."""
    config = TrainConfig(pool=folder / "none", output=folder, initial=initial and str(initial))
    train_on_pool(config)


def _drawing(folder, initial):
    """Begin a run on drawn faces, from nowhere."""
    uvface.train("none", folder, draw="none", initial=initial)


@pytest.mark.parametrize("begin", [_on_pool, _drawing])
@pytest.mark.parametrize(
    ("files", "initial"),
    [
        ({"prn-lite.safetensors": b"precious", "log.csv": ROWS}, None),
        ({"prn-lite.safetensors": b"precious", "log.csv": ROWS}, "prn"),
        ({"prn-lite.safetensors": b"precious", "log.csv": ROWS}, "prn-lite.safetensors"),
        ({"prn-lite.safetensors": b"precious", "a.safetensors": b""}, "a.safetensors"),
        ({"log.csv": ROWS}, None),
    ],
)
def test_a_folder_that_holds_a_run_is_refused(tmp_path, begin, files, initial):
    """Names of other networks were not looked for: their run lost its log."""
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    start = tmp_path / initial if initial in files else initial
    with pytest.raises(
        InputError, match=r"(safetensors|log\.csv) is there, of another run; choose"
    ):
        begin(tmp_path, start)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files


@pytest.mark.parametrize("name", ["best.safetensors", "last.safetensors"])
def test_first_weights_are_not_written_over(tmp_path, name):
    """They were, by the first weights that the run saved of its own."""
    (tmp_path / name).write_bytes(b"precious")
    with pytest.raises(InputError, match=f"{name} is there, of another run"):
        _on_pool(tmp_path, tmp_path / name)


def test_first_weights_of_another_name_and_a_log_without_rows_may_lie_there(tmp_path, monkeypatch):
    (tmp_path / "first.safetensors").write_bytes(b"")
    (tmp_path / "log.csv").write_text("step,images\n")
    monkeypatch.chdir(tmp_path)
    check_new(tmp_path, weights_besides(tmp_path, ["./first.safetensors"]))
    with pytest.raises(InputError, match="cannot read the pool"):
        _on_pool(tmp_path, tmp_path / "first.safetensors")
