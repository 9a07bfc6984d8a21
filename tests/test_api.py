"""Rules on the public names."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from mean_faces import mean_face

import uvface
from uvface import cli
from uvface.core.io.images import Photo
from uvface.core.network.weights_file import read_layout
from uvface.editing.result import EditResult
from uvface.faceswap.photos import SwapResult

ROOT = Path(__file__).resolve().parents[1]
MODULES = [
    "uvface." + ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in ("core", "editing", "faceswap")
    for path in sorted((ROOT / package).rglob("*.py"))
    if path.name not in ("__init__.py", "__main__.py")
]


def test_public_names_are_sorted_and_importable() -> None:
    assert uvface.__all__ == sorted(uvface.__all__)
    for name in uvface.__all__:
        assert getattr(uvface, name) is not None


def _said(code: str, cache: Path) -> str:
    """Return what a process of its own prints."""
    environment = os.environ | {"UVFACE_CACHE": str(cache)}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_names_are_listed_before_they_are_imported(tmp_path: Path) -> None:
    code = "import sys, uvface; print({*uvface.__all__} <= {*dir(uvface)}, 'jax' in sys.modules)"
    assert _said(code, tmp_path) == "True False"


def test_loading_keeps_compiled_code_where_nobody_chose_a_folder(tmp_path: Path) -> None:
    code = "import jax, uvface; {} uvface.load(); print(jax.config.jax_compilation_cache_dir)"
    assert _said(code.format(""), tmp_path) == str(tmp_path / "jax")
    chosen = f"jax.config.update('jax_compilation_cache_dir', {str(tmp_path / 'mine')!r});"
    assert _said(code.format(chosen), tmp_path) == str(tmp_path / "mine")
    name = "jax_persistent_cache_min_compile_time_secs"
    code = f"import jax, uvface; {{}} uvface.load(); print(jax.config.{name})"
    assert _said(code.format(chosen), tmp_path) == "0.0"  # most programs take less than JAX's 1
    assert _said(code.format(f"jax.config.update({name!r}, 5.0);"), tmp_path) == "5.0"


def test_results_and_faces_are_told_in_a_line() -> None:
    face = mean_face(read_layout("prn-lite"), centre=(100.0, 100.0), scale=9.0)
    photo = Photo(image=np.zeros((40, 60, 3), np.float32))
    result = EditResult(image=photo.image, faces=[face], photo=photo, operation="edit", settings={})
    assert repr(result) == "EditResult(60x40 px, operation='edit', faces=1, warnings=[])"
    assert SwapResult.__repr__ is EditResult.__repr__
    assert repr(face).startswith("Face(box=[") and len(repr(face)) < 200


def _command_names(group: Any) -> Iterator[str]:
    for name, command in group.commands.items():
        yield from _command_names(command) if hasattr(command, "commands") else [name]


def test_every_command_has_a_function_of_its_name() -> None:
    """So the README says."""
    names = {name.replace("-", "_") for name in _command_names(typer.main.get_command(cli.app))}
    assert {"import_prnet", "inspect", "swap_video"} <= names <= {*uvface.__all__}


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'swop'"):
        _ = uvface.swop


@pytest.mark.parametrize("name", MODULES)
def test_all_is_complete(name: str) -> None:
    module = importlib.import_module(name)
    own = {
        key
        for key, value in vars(module).items()
        if not key.startswith("_") and getattr(value, "__module__", None) == name
    }
    assert own <= set(module.__all__) | {key for key in own if key.isupper()}, own - set(
        module.__all__
    )
    assert all(hasattr(module, key) for key in module.__all__)
