"""Make labelled variations of a face: python examples/04_augment.py [PHOTO] [FOLDER]."""

import json
import sys
from pathlib import Path

import uvface

PHOTOS = Path(__file__).parent / "photos"


def main(photo: str, folder: str) -> None:
    """Turn, light and cover the face of a photo, and read the labels."""
    for item in uvface.augment(photo, folder, count=4, seed=7, max_yaw=30):
        print(f"{item.photo.name}: {item.error or f'{item.count} face(s)'}")
    labels = json.loads((Path(folder) / "labels.json").read_text(encoding="utf-8"))
    for picture, label in zip(labels["images"], labels["annotations"], strict=True):
        seen = label["keypoints"][2::3].count(2)
        yaw, kind = label["pose"]["yaw"], label["varied"]["occluder"]["kind"]
        print(f"{picture['file_name']}: yaw {yaw:.0f}, {seen} of 68 landmarks seen, before: {kind}")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(*arguments, *[str(PHOTOS / "target.jpg"), "out"][len(arguments) :])
