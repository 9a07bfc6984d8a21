"""Swap two faces: python examples/02_swap.py [TARGET] [REFERENCE] [OUT]."""

import sys
from pathlib import Path

import uvface

PHOTOS = Path(__file__).parent / "photos"


def main(target: str, reference: str, output: str) -> None:
    """Put the reference's face into the target and save the picture with its provenance."""
    result = uvface.swap(target, reference, model=uvface.load())
    result.save(output)
    print(f"{output}: {len(result.faces)} face(s) swapped")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    defaults = [str(PHOTOS / "target.jpg"), str(PHOTOS / "reference.jpg"), "swapped.png"]
    main(*arguments, *defaults[len(arguments) :])
