"""Commands that build files of the layout from the head model write them whole, by their names."""

import sys
from pathlib import Path

import numpy as np
import pytest

from uvface.core.geometry.layout import load_layout
from uvface.core.synthesis import build_expressions, build_shapes, head_files


@pytest.mark.parametrize(
    ("module", "name"), [(build_expressions, "expressions"), (build_shapes, "shapes")]
)
def test_the_command_writes_what_is_built_of_the_model(
    module, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []
    arrays = {"names": np.array(["smile"]), "controls": np.ones((1, 4, 4, 3), np.float16)}
    monkeypatch.setattr(head_files, "load_head", lambda path: f"the head of {path}")
    monkeypatch.setattr(module, f"build_{name}", lambda *args: given.append(args) or arrays)
    monkeypatch.setattr(sys, "argv", ["build", "--model", "faces", "-o", str(tmp_path / "new")])
    module.main()
    ((head, layout),) = given
    assert head == "the head of faces" and layout.digest == load_layout("uvface").digest
    assert [path.name for path in (tmp_path / "new").iterdir()] == [f"uvface_{name}.npz"]
    with np.load(tmp_path / "new" / f"uvface_{name}.npz", allow_pickle=False) as stored:
        assert sorted(stored) == sorted(arrays)
        assert all((stored[key] == arrays[key]).all() for key in arrays)


@pytest.mark.parametrize("module", [build_expressions, build_shapes])
def test_the_help_says_what_is_built(
    module, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["build", "--help"])
    with pytest.raises(SystemExit):
        module.main()
    assert " ".join(module.__doc__.splitlines()[0].split()) in " ".join(
        capsys.readouterr().out.split()
    )
