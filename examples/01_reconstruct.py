"""Read the geometry of a photo's faces: python examples/01_reconstruct.py [PHOTO] [FOLDER]."""

import sys
from pathlib import Path

import uvface

PHOTOS = Path(__file__).parent / "photos"


def main(photo: str, folder: str) -> None:
    """Print the pose of each face and write all result files into a folder."""
    model = uvface.load()
    for face in model.reconstruct(photo):
        x, y, _ = face.landmarks[30]
        print(f"nose tip at ({float(x):.0f}, {float(y):.0f}) px")
        seen, surface = float(face.visibility.sum()), float(model.layout.mask.sum())
        print(f"seen share of the face: {seen / surface:.0%}")
    for item in uvface.reconstruct([photo], folder, model=model, save="all"):
        print(f"{item.photo.name}: {item.count} face(s), files in {folder}")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(*arguments, *[str(PHOTOS / "target.jpg"), "out"][len(arguments) :])
