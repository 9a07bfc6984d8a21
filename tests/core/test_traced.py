"""Traced functions are kept on disk, and only what they were traced from uses them."""

import dataclasses
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core import traced
from uvface.core.traced import (
    _KEPT,
    _code_digest,
    blank,
    forget_programs,
    keep_traced,
    nothing_new,
)
from uvface.core.types import Similarity


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("UVFACE_CACHE", str(tmp_path))
    return tmp_path / "traced"


def _counting(calls, factor=2.0):
    def move(move, points):
        calls.append(points.shape)
        return {"moved": factor * move.apply(points)}

    return move


def _kept(calls, *, key="a", factor=2.0):
    return keep_traced(_counting(calls, factor), key=key, like={"moved": 0})


MOVE = Similarity(scale=jnp.float32(3.0), rotation=jnp.eye(2), translation=jnp.ones(2))
POINTS = jnp.arange(6.0).reshape(3, 2)
ROOT = Path(__file__).resolve().parents[2]
USERS = {  # folders with functions that are kept
    path.parent.relative_to(ROOT).as_posix()
    for package in ("core", "editing", "faceswap")
    for path in (ROOT / package).rglob("*.py")
    if "keep_traced" in path.read_text() and path.name != "traced.py"
}
EXPECTED = 2.0 * (3.0 * np.arange(6.0).reshape(3, 2) + 1.0)


def test_a_second_process_does_not_trace(folder):
    calls = []
    np.testing.assert_allclose(_kept(calls)(MOVE, POINTS)["moved"], EXPECTED)
    assert len(calls) == 1 and len(list(folder.iterdir())) == 1
    np.testing.assert_allclose(_kept(calls)(MOVE, POINTS)["moved"], EXPECTED)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("plan PlanConfig(color='light')", "plan"),
        ("masks of a swap ('eyeballs',) 3.0", "masks_of_a_swap"),
        ("prn-lite [('blocks', 4)]", "prn_lite"),
        ("(2, 3)", "call"),
    ],
)
def test_profilers_show_what_is_run(folder, key, name):
    def compiler(function, leaves):
        named.append(jax.jit(function).lower(*leaves).as_text().split()[1])
        return jax.jit(function)

    named = []
    keep_traced(lambda x: {"moved": x}, key=key, like={"moved": 0}, compiler=compiler)(POINTS)
    assert named == [f"@jit_{name}"]


def test_another_key_or_shape_is_traced(folder):
    calls = []
    _kept(calls)(MOVE, POINTS)
    other = _kept(calls, key="b", factor=4.0)(MOVE, POINTS)["moved"]
    np.testing.assert_allclose(other, 2.0 * EXPECTED)
    _kept(calls)(MOVE, POINTS[:2])
    assert [shape[0] for shape in calls] == [3, 3, 2]


def test_changed_code_is_traced(folder, monkeypatch):
    calls = []
    _kept(calls)(MOVE, POINTS)
    monkeypatch.setattr("uvface.core.traced._code_digest", lambda: "changed")
    _kept(calls)(MOVE, POINTS)
    assert len(calls) == 2


@pytest.mark.parametrize("folder", sorted({"core/geometry", "core/blending", *USERS}))
def test_code_of_every_step_counts(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("uvface.core.traced._PACKAGE", tmp_path)
    file = tmp_path / folder / "step.py"
    file.parent.mkdir(parents=True)
    digests = set()
    for text in ("a = 1", "a = 2"):
        file.write_text(text)
        digests.add(_code_digest.__wrapped__())
    assert len(digests) == 2


def test_a_damaged_file_is_traced_and_written_again(folder):
    calls = []
    _kept(calls)(MOVE, POINTS)
    (path,) = folder.iterdir()
    for content in (b"", path.read_bytes()[:1000], b"garbage" * 100):
        path.write_bytes(content)
        np.testing.assert_allclose(_kept(calls)(MOVE, POINTS)["moved"], EXPECTED)
    _kept(calls)(MOVE, POINTS)
    assert len(calls) == 4


def test_a_folder_that_cannot_be_written_costs_a_trace_only(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("UVFACE_CACHE", str(tmp_path / "file"))
    calls = []
    for _ in range(2):
        np.testing.assert_allclose(_kept(calls)(MOVE, POINTS)["moved"], EXPECTED)
    assert len(calls) == 2


def test_threads_trace_once(folder):
    calls = []
    kept = _kept(calls)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: kept(MOVE, POINTS)["moved"], range(8)))
    assert len(calls) == 1
    np.testing.assert_allclose(found[-1], EXPECTED)


def test_where_an_array_is_compiles_nothing_anew(folder):
    compiled = []

    def compiler(function, leaves):
        compiled.append(len(leaves))
        return jax.jit(function)

    twice = keep_traced(lambda points: 2.0 * points, key="twice", like=0, compiler=compiler)
    for points in (POINTS, jax.device_put(POINTS, jax.devices()[0]), np.asarray(POINTS)):
        np.testing.assert_allclose(twice(points), 2.0 * np.asarray(POINTS))
    assert compiled == [1]


@pytest.fixture
def compiled_folder(tmp_path):
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "jax"))
    yield
    jax.config.update("jax_compilation_cache_dir", before)


def test_where_no_compiled_code_is_kept_nothing_is_ready(folder, compiled_folder):
    calls = []
    _kept(calls)(MOVE, POINTS)
    jax.config.update("jax_compilation_cache_dir", None)
    with nothing_new(), pytest.raises(LookupError, match="no program is kept for a"):
        _kept(calls)(MOVE, POINTS)


def test_another_device_is_followed(tmp_path):
    code = """
import os, pathlib, jax, jax.numpy as jnp, numpy as np
from uvface.core.traced import keep_traced
folder = pathlib.Path(os.environ["UVFACE_CACHE"])
twice = keep_traced(lambda x: 2.0 * x, key="twice", like=0)
first, other = jax.devices()
x = jnp.arange(3.0)
for given, device in ((x, first), (jax.device_put(x, other), other), (x, first)):
    found = twice(given)
    assert found.devices() == {device}, (found.devices(), device)
    np.testing.assert_array_equal(found, 2.0 * np.asarray(x))
with jax.default_device(other):
    assert twice(np.arange(3, dtype=np.float32)).devices() == {other}
# Kept programs are of JAX's own platform, which the other device need not be of.
kept = len([*folder.rglob("*.stablehlo")])
with jax.default_device(other):
    assert twice(np.arange(5, dtype=np.float32)).devices() == {other}
assert len([*folder.rglob("*.stablehlo")]) == kept == 1
twice(np.arange(5, dtype=np.float32))
assert len([*folder.rglob("*.stablehlo")]) == 2
"""
    environment = os.environ | {
        "UVFACE_CACHE": str(tmp_path),
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
        "JAX_PLATFORMS": "cpu",
    }
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_nothing_new_uses_what_is_kept_and_traces_nothing(folder, compiled_folder):
    calls = []
    with nothing_new(), pytest.raises(LookupError, match="no program is kept for a"):
        _kept(calls)(MOVE, POINTS)
    assert calls == []
    _kept(calls)(MOVE, POINTS)
    with nothing_new():
        found = _kept(calls)(MOVE, POINTS)["moved"]
    np.testing.assert_allclose(found, EXPECTED)
    assert len(calls) == 1
    _kept(calls)(MOVE, POINTS[:2])
    assert len(calls) == 2


class _Pair(NamedTuple):
    first: jax.Array
    second: Similarity


def test_blank_has_the_structure_of_what_is_filled_in():
    filled = _Pair(POINTS, MOVE)
    assert jax.tree.structure(filled) == jax.tree.structure(blank(_Pair, second=blank(Similarity)))
    moved = dataclasses.replace(MOVE, scale=jnp.zeros(()))
    assert jax.tree.structure(moved) == jax.tree.structure(blank(Similarity))


def test_arguments_may_be_on_the_host(folder):
    twice = keep_traced(lambda points: 2.0 * points, key="twice", like=0)
    host = np.arange(6, dtype=np.float32)
    for _ in range(2):
        np.testing.assert_allclose(twice(host), 2.0 * host)


def test_forgotten_programs_are_loaded_again_and_not_traced(folder):
    calls = []
    kept = _kept(calls)
    kept(MOVE, POINTS)
    assert any(_KEPT.values())
    forget_programs()
    assert not any(_KEPT.values())
    np.testing.assert_allclose(kept(MOVE, POINTS)["moved"], EXPECTED)
    assert len(calls) == 1


def test_programs_are_forgotten_before_memory_maps_run_out(folder, monkeypatch):
    """Photos of ever new sizes used up the 65,530 of a process, which XLA then ended."""
    calls = []
    kept = _kept(calls)
    forget_programs()
    assert 0.0 < traced._share_of_maps() < 1.0
    kept(MOVE, POINTS)
    monkeypatch.setattr(traced, "_share_of_maps", lambda: 0.49)
    kept(MOVE, POINTS[1:])
    assert max(map(len, _KEPT.values())) == 2
    monkeypatch.setattr(traced, "_share_of_maps", lambda: 0.51)
    kept(MOVE, POINTS[2:])
    assert max(map(len, _KEPT.values())) == 1
    np.testing.assert_allclose(kept(MOVE, POINTS)["moved"], EXPECTED)
    assert len(calls) == 3
