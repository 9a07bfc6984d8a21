"""Folders of varied toy faces."""

from toy_models import ToyModel

from uvface.editing.augment.files import augment

__all__ = ["AugmentModel", "augment_toys", "content"]


class AugmentModel(ToyModel):
    weights_sha256 = "toy"


def augment_toys(photos, output, **options):
    model = AugmentModel(groups=[(1, 3)])
    return list(augment(photos, output, model=model, **{"count": 2} | options))


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
