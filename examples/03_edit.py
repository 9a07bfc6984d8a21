"""Edit parts of a face: python examples/03_edit.py [PHOTO] [REFERENCE] [OUT]."""

import sys
from pathlib import Path

import uvface

PHOTOS = Path(__file__).parent / "photos"


def main(photo: str, reference: str, output: str) -> None:
    """Take the eyes from another photo, paint the lips, and smile."""
    edited = uvface.edit(
        photo,
        regions="eyes",
        reference=reference,
        makeup={"lipstick": (0.6, "#a01830")},
        reshape={"smile": 0.5},
    )
    edited.save(output)
    print(f"{output}: eyes of {Path(reference).name}, red lips, a smile")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    defaults = [str(PHOTOS / "target.jpg"), str(PHOTOS / "reference.jpg"), "edited.png"]
    main(*arguments, *defaults[len(arguments) :])
