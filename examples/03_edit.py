"""Edit parts of a face: python examples/03_edit.py [PHOTO] [REFERENCE] [OUT]."""

import sys
from pathlib import Path

import uvface

PHOTOS = Path(__file__).parent / "photos"


def main(photo: str, reference: str, output: str) -> None:
    """Take the eyes from another photo, recolour the lips, and smile."""
    model = uvface.load()
    eyes = uvface.edit(photo, model=model, regions=("eyes",), reference=reference)
    lips = uvface.edit(eyes.image, model=model, regions=("lips",), recolor="#a01830", strength=0.6)
    smiling = uvface.edit(lips.image, model=model, reshape={"smile": 0.5})
    smiling.save(output)
    print(f"{output}: eyes of {Path(reference).name}, red lips, a smile")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    defaults = [str(PHOTOS / "target.jpg"), str(PHOTOS / "reference.jpg"), "edited.png"]
    main(*arguments, *defaults[len(arguments) :])
