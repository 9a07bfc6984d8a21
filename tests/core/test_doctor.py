"""What `uvface doctor` says of a sound installation and of broken ones."""

import errno
import json
import os
import re
import subprocess
import sys
from importlib import metadata

import pytest

import uvface
from uvface.cli import main
from uvface.core import doctor


@pytest.mark.weights
def test_a_sound_installation_is_well(capsys):
    assert main(["doctor", "--json"]) == 0
    found = {c["name"]: c for c in map(json.loads, capsys.readouterr().out.splitlines())}
    assert list(found) == [check.name for check in uvface.doctor()]
    assert all(check["is_well"] for check in found.values() if check["is_needed"])
    assert "uvface" in found["weights"]["found"] and "cpu" in found["JAX"]["found"]


def test_a_missing_library_is_a_finding_with_advice(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "cv2", None)  # importing it now fails
    monkeypatch.setattr(doctor, "_detector", lambda: "not tried")
    monkeypatch.setattr(doctor, "_weights", lambda: "not tried")
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    bad = next(i for i, line in enumerate(lines) if line.startswith("BAD OpenCV"))
    assert "libgl1" in lines[bad + 1]
    assert any(line.startswith("ok  Python") for line in lines)
    version = metadata.version("uvface")
    assert any(re.match(rf"ok  version +uvface {version} in ", line) for line in lines)


def test_the_command_prints_the_checks_of_the_function(monkeypatch, capsys):
    checks = [
        doctor.Check(name="Python", found="3.12"),
        doctor.Check(name="cache", found="no", is_well=False, is_needed=False, advice="look"),
    ]
    monkeypatch.setattr(doctor, "doctor", lambda: checks)
    assert uvface.doctor() == checks
    assert main(["doctor", "--json"]) == 0
    printed = map(json.loads, capsys.readouterr().out.splitlines())
    assert [doctor.Check(**one) for one in printed] == checks


@pytest.mark.parametrize(
    ("module", "name", "advice"),
    [
        ("jax", "JAX", "pip install --upgrade jax"),
        ("jaxlib", "JAX", "pip install --upgrade jax"),
        ("flax", "weights", "reinstall uvface"),
        ("cv2", "OpenCV", "opencv-python"),
        ("trimesh", "files", "pip install --force-reinstall trimesh"),
        ("tifffile", "files", "trimesh tifffile scipy"),
    ],
)
def test_doctor_runs_without_what_it_looks_for(module, name, advice):
    code = f"import sys; sys.modules[{module!r}] = None; import uvface.cli as c; sys.exit(c.main())"
    run = subprocess.run([sys.executable, "-c", code, "doctor"], capture_output=True, text=True)
    assert run.returncode == 1 and run.stderr == ""
    lines = run.stdout.splitlines()
    bad = next(i for i, line in enumerate(lines) if line.startswith(f"BAD {name}"))
    assert module in lines[bad] and advice in lines[bad + 1]


def test_a_platform_of_the_environment_that_is_not_there_is_named():
    code = "import sys, uvface.cli as c; sys.exit(c.main(['doctor', '--json']))"
    environment = os.environ | {"JAX_PLATFORMS": "abacus"}
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert run.returncode == 1
    found = {c["name"]: c for c in map(json.loads, run.stdout.splitlines())}
    assert "JAX_PLATFORMS=abacus" in found["JAX"]["found"]
    assert "unset JAX_PLATFORMS" in found["JAX"]["advice"]
    assert found["weights"]["advice"] == found["GPU"]["advice"] == "see JAX above"
    assert found["OpenCV"]["is_well"] and found["detector"]["is_well"]


def test_an_unwritable_cache_is_no_reason_to_fail(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("UVFACE_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(doctor, "_detector", lambda: "not tried")
    monkeypatch.setattr(doctor, "_weights", lambda: "not tried")
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "(-) cache" in shown and "UVFACE_CACHE" in shown


def test_an_unused_gpu_and_a_folder_that_cannot_be_written_are_said(monkeypatch, tmp_path, capsys):
    def refuse(**_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(doctor, "_detector", lambda: "not tried")
    monkeypatch.setattr(doctor, "_weights", lambda: "not tried")
    monkeypatch.setattr(doctor, "_NVIDIA", tmp_path)  # something that exists
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    monkeypatch.setattr(doctor.tempfile, "NamedTemporaryFile", refuse)
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name, advice in (("GPU", "cuda"), ("cache", "UVFACE_CACHE"), ("write access", "-o")):
        bad = next(i for i, line in enumerate(lines) if line.startswith(f"(-) {name}"))
        assert advice in lines[bad + 1]


def test_every_line_has_a_name_and_advice_where_it_is_not_well(monkeypatch):
    def broken() -> str:
        raise RuntimeError("broken\nsecond line")

    names = ("_uvface", "_python", "_jax", "_gpu", "_opencv", "_weights", "_detector", "_files")
    for name in (*names, "_pack", "_cache", "_write_access"):
        monkeypatch.setattr(doctor, name, broken)
    checks = doctor.doctor()
    assert len(checks) == len(names) + 3
    assert all(not c.is_well and c.found == "broken" and c.advice for c in checks)
