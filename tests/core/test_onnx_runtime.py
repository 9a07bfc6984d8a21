"""Nothing leaves the machine: onnxruntime would send usage data, and keep it in the home folder."""

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("assets", "core", "editing", "faceswap")
DETECT = """
import numpy as np
from uvface.core.detection.centerface import CenterFace
CenterFace().detect(np.zeros((32, 32, 3), np.uint8))
"""


def _imports(path: Path) -> set[str]:
    """Return the packages that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).split(".")[0])
    return found


def test_detection_leaves_nothing_in_the_home_folder(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    asked = ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")
    environment = {key: value for key, value in os.environ.items() if key not in asked}
    environment |= {"HOME": str(home), "UVFACE_CACHE": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", DETECT], check=True, env=environment)
    assert not list(home.rglob("*"))


def test_onnxruntime_is_imported_in_one_place():
    """And insightface, which imports it, after a call of that place."""
    files = [
        *ROOT.glob("*.py"),
        *(file for name in PACKAGES for file in ROOT.glob(f"{name}/**/*.py")),
    ]
    found = {path.relative_to(ROOT).as_posix() for path in files if "onnxruntime" in _imports(path)}
    assert found == {"core/onnx_runtime.py"}
    found = {path.relative_to(ROOT).as_posix() for path in files if "insightface" in _imports(path)}
    (only,) = found
    source = (ROOT / only).read_text()
    assert source.index("load_onnxruntime()  #") < source.index("from insightface")
