"""Rules on the shape of the code: imports point downwards, every package ships."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("assets", "core", "editing", "faceswap")

# Lower may not import higher; packages of one rank do not import each other.
RANKS = {
    "assets": 0,
    "core.types": 1,
    "core.errors": 0,
    "core.files": 1,
    "core.whole_files": 2,
    "core.arguments": 1,
    "core.face_choice": 1,
    "core.levels": 0,
    "core.products": 0,
    "core.compilation": 0,
    "core.once": 0,
    "core.onnx_runtime": 0,
    "core.traced": 3,
    "core.geometry": 2,
    "core.blending": 3,
    "core.detection": 3,
    "core.drawing": 4,
    "core.network": 3,
    "core.io": 5,
    "core.synthesis": 7,
    "core.upright": 6,
    "core.find_photos": 6,
    "core.reconstruct": 7,
    "core.batch": 8,
    "core.doctor": 8,
    "core.synthesize": 8,
    "core.commands": 9,
    "core.training": 8,
    "editing.colour": 10,
    "editing.regions": 10,
    "editing.windows": 10,
    "editing.surroundings": 10,
    "editing.light": 11,
    "editing.recolor": 11,
    "editing.amounts": 12,
    "editing.detail": 11,
    "editing.seen": 12,
    "editing.reshape": 13,
    "editing": 14,
    "editing.makeup": 15,
    "editing.retouch": 15,
    "editing.augment": 16,
    "editing.request": 16,
    "editing.photos": 17,
    "editing.video": 18,
    "editing.many": 18,
    "editing.texture": 18,
    "editing.commands": 19,
    "faceswap": 20,
    "faceswap.evaluation": 21,
    "cli": 22,
}


def _modules() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def _place(dotted: str) -> str | None:
    """Return the place of RANKS that a module belongs to; None for package fronts."""
    parts = dotted.split(".")
    return next((p for p in (".".join(parts[:2]), parts[0]) if p in RANKS), None)


def _imports(path: Path) -> list[str]:
    """Return the modules of uvface that a file imports, dotted from the root."""
    package = list(path.relative_to(ROOT).parent.parts)
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            module = base + (node.module.split(".") if node.module else [])
            found += [".".join([*module, alias.name]) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("uvface."):
            found.append(str(node.module).removeprefix("uvface."))
    return found


@pytest.mark.parametrize("path", _modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_downwards(path: Path) -> None:
    place = _place(".".join(path.relative_to(ROOT).with_suffix("").parts))
    if place is None:
        return
    for imported in _imports(path):
        other = _place(imported)
        assert other is not None, f"{imported} has no rank; add it to RANKS"
        assert other == place or RANKS[other] < RANKS[place], f"{place} imports {imported}"


def test_every_package_is_listed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    on_disk = {
        ".".join(["uvface", *path.relative_to(ROOT).parts])
        for package in PACKAGES
        for path in [ROOT / package, *(ROOT / package).rglob("*")]
        if (path / "__init__.py").is_file()
    }
    assert sorted(listed) == sorted(on_disk | {"uvface"})


def test_no_module_is_longer_than_400_lines() -> None:
    long = {p.name: n for p in _modules() if (n := len(p.read_text().splitlines())) > 400}
    assert not long


def test_root_holds_no_stray_module() -> None:
    assert {path.name for path in ROOT.glob("*.py")} == {"__init__.py", "__main__.py", "cli.py"}
