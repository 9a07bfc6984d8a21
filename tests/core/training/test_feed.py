import json
import shutil

import cv2
import numpy as np
import pytest

from uvface.core.errors import InputError
from uvface.core.training.components import principal_components
from uvface.core.training.config import AugmentConfig
from uvface.core.training.feed import Feed, Order
from uvface.core.training.pool import Pool


def test_pool_returns_what_was_written(toy_pool):
    pool = Pool(toy_pool)
    assert len(pool) == 16 and pool.validation(100) == range(6, 8)
    sample = pool.sample(9)
    assert sample.image.shape == (320, 320, 3)
    assert sample.control.shape == (64, 64, 3)
    assert 100 < sample.control[..., :2].mean() < 220


def test_several_pools_are_one(toy_pool, tmp_path):
    header = json.loads((toy_pool / "pool.json").read_text())
    (tmp_path / "pool.json").write_text(json.dumps(header))
    shutil.copy(toy_pool / "shard_0001.npz", tmp_path / "shard_0000.npz")
    both = Pool(toy_pool, more=[tmp_path])
    assert len(both) == 24 and both.validation(100) == range(6, 8)
    np.testing.assert_array_equal(both.sample(17).image, Pool(tmp_path).sample(1).image)
    again = Pool(toy_pool, more=[tmp_path], names=both.names[::-1])
    assert again.names == both.names[::-1] and len(again) == 24
    (tmp_path / "pool.json").write_text(json.dumps(header | {"layout_digest": "other"}))
    with pytest.raises(InputError, match="layout_digest"):
        Pool(toy_pool, more=[tmp_path])


def test_every_folder_keeps_the_last_quarter_of_its_first_shard_back(toy_pool, tmp_path):
    """Of several pools only the first did, and all are evaluated on theirs."""
    shutil.copy(toy_pool / "pool.json", tmp_path)
    both = Pool(toy_pool, more=[tmp_path])
    order = Order(0, both.held_back)
    order.grow(len(both))
    shutil.copy(toy_pool / "shard_0001.npz", tmp_path / "shard_0000.npz")  # while it runs
    order.grow(both.refresh())
    assert both.held_back == {6, 7, 22, 23} and both.validation() == range(6, 8)
    assert sorted(order.take(20)[0]) == sorted(set(range(24)) - both.held_back)
    empty_first = Pool(tmp_path, more=[toy_pool])
    (tmp_path / "shard_0000.npz").unlink()
    assert empty_first.validation() == range(6, 8)
    with pytest.raises(InputError, match=r"holds no shard_0000\.npz yet"):
        Pool(tmp_path, more=[toy_pool]).validation()


def test_components_are_not_those_of_faces_held_back(toy_pool, monkeypatch):
    seen = []
    pool = Pool(toy_pool)
    monkeypatch.setattr(Pool, "control", lambda self, k: seen.append(k) or np.ones((4, 4, 3)) * k)
    principal_components(pool, np.ones((4, 4), np.float32), 2, seed=0, config=AugmentConfig())
    assert set(seen) == set(range(16)) - {6, 7}


def test_missing_pool_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="cannot read the pool"):
        Pool(tmp_path)


def test_licences_that_are_not_those_of_sources_are_an_input_error(tmp_path):
    """They ended in a traceback once they were merged."""
    header = {"size": 320, "layout_digest": "x", "licences": ["MIT"]}
    (tmp_path / "pool.json").write_text(json.dumps(header))
    with pytest.raises(InputError, match=r"cannot read the pool .*its licences are no object"):
        Pool(tmp_path)
    (tmp_path / "pool.json").write_text(json.dumps(header | {"licences": None}))
    assert len(Pool(tmp_path)) == 0


def test_damaged_shard_is_an_input_error(tmp_path):
    (tmp_path / "pool.json").write_text(json.dumps({"size": 320, "layout_digest": "x"}))
    (tmp_path / "shard_0000.npz").write_bytes(b"PK but no archive")
    with pytest.raises(InputError, match="cannot read the shard"):
        Pool(tmp_path)


def test_order_takes_every_sample_once_a_round_and_none_held_back():
    order = Order(5, range(2, 4))
    order.grow(12)
    seen = np.concatenate([order.take(5)[0], order.take(5)[0]])
    assert sorted(seen) == [0, 1, *range(4, 12)]
    second = np.concatenate([order.take(5)[0], order.take(5)[0]])
    assert sorted(second) == sorted(seen) and list(second) != list(seen)


def test_new_samples_join_the_round_that_runs():
    order = Order(0, range(0, 0))
    order.grow(6)
    first, _ = order.take(4)
    order.grow(10)
    rest, _ = order.take(6)
    assert sorted([*first, *rest]) == list(range(10))


def test_restored_order_goes_on_with_the_same_samples():
    order = Order(1, range(0, 2))
    order.grow(9)
    order.take(3)
    order.grow(14)
    order.take(3)
    again = Order.restore(json.loads(json.dumps(order.state)), range(0, 2))
    for _ in range(6):
        expected, key = order.take(4)
        found, found_key = again.take(4)
        np.testing.assert_array_equal(found, expected)
        assert found_key == key


def test_pool_without_training_samples_is_refused():
    order = Order(0, range(0, 4))
    order.grow(4)
    with pytest.raises(InputError, match="no training sample"):
        order.take(1)


def test_feed_is_the_same_with_any_number_of_threads(toy_pool):
    batches = []
    for workers in (1, 3):
        pool = Pool(toy_pool)
        order = Order(7, range(0, 2))
        order.grow(len(pool))
        with Feed(pool, order, AugmentConfig(), batch=4, workers=workers, ahead=3) as feed:
            stream = iter(feed)
            batches.append([next(stream) for _ in range(3)])
    for one, other in zip(*batches, strict=True):
        np.testing.assert_array_equal(one.images, other.images)
        np.testing.assert_array_equal(one.control, other.control)


def test_feed_gives_the_threads_of_opencv_back(toy_pool):
    """The caller's other pictures were read by one thread from then on."""
    pool, before = Pool(toy_pool), cv2.getNumThreads()
    order = Order(0, range(0, 16))  # nothing to take: the feed ends by an error
    order.grow(len(pool))
    cv2.setNumThreads(3)
    try:
        feed = Feed(pool, order, AugmentConfig(), batch=4, workers=1, ahead=1)
        with pytest.raises(InputError, match="no training sample"), feed:
            assert cv2.getNumThreads() == 1
            next(iter(feed))
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)
