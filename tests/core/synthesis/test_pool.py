import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core.errors import InputError
from uvface.core.synthesis.generator import Sample
from uvface.core.synthesis.origin import Origin
from uvface.core.synthesis.pool import write_pool
from uvface.core.training.pool import Pool

TOY = Origin(data="toys", licences={"toys": "CC0-1.0"}, sources_sha256="1")


class _Plain:
    """Pictures of one colour, whose labels are their number."""

    def draw(self, seed, numbers):
        level = jnp.asarray(list(numbers), jnp.float32)
        sample = Sample(
            image=jnp.broadcast_to(level[:, None, None, None], (len(level), 320, 320, 3)).astype(
                jnp.uint8
            ),
            surface=jnp.zeros((len(level), 1, 3)),
            landmarks=jnp.broadcast_to(level[:, None, None], (len(level), 68, 3)),
            angles=jnp.broadcast_to(level[:, None], (len(level), 3)),
            head_mask=jnp.full((len(level), 320, 320), 255, jnp.uint8),
        )
        return sample, jnp.broadcast_to(level[:, None, None, None], (len(level), 64, 64, 3))


def test_any_source_of_pictures_fills_a_pool(tmp_path):
    """Pictures without kinds and tones are read as such."""
    write_pool(_Plain(), tmp_path, 45, origin=TOY, seed=3)
    pool = Pool(tmp_path)
    assert len(pool) == 45
    for number in (0, 21, 44):
        sample = pool.sample(number)
        assert abs(int(sample.image[10, 10, 0]) - number) < 4
        np.testing.assert_allclose(sample.control, number, atol=0.01)
        assert sample.landmarks[5, 0] == number and sample.mask.min() == 255
        assert sample.kind is None and sample.ita is None


def test_pictures_of_other_sources_are_not_mixed_in(tmp_path):
    """The header did not say what a pool was made of: earlier shards were kept silently."""
    write_pool(_Plain(), tmp_path, 2, origin=TOY)
    header = Pool(tmp_path).header
    assert header["data"] == "toys" and header["licences"] == {"toys": "CC0-1.0"}
    write_pool(_Plain(), tmp_path, 2, origin=TOY)  # goes on where it stopped
    for other in ({"sources_sha256": "2"}, {"data": "others"}):
        with pytest.raises(InputError, match="belongs to another pool"):
            write_pool(_Plain(), tmp_path, 2, origin=dataclasses.replace(TOY, **other))


def test_shards_whose_header_was_removed_are_not_kept_under_another(tmp_path):
    """They were, since the message about another pool said to remove its pool.json."""
    write_pool(_Plain(), tmp_path, 2, origin=TOY)
    (tmp_path / "pool.json").unlink()
    with pytest.raises(InputError, match="remove the folder with its shards"):
        write_pool(_Plain(), tmp_path, 2, origin=dataclasses.replace(TOY, data="others"))
    assert [path.name for path in tmp_path.iterdir()] == ["shard_0000.npz"]
