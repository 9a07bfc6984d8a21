"""Rules on the public names."""

import importlib
from pathlib import Path

import pytest

import uvface

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
