"""Calls from Python with values of a wrong kind: an error of ours that says what to give.

They run in a process without the type checker of the tests, which would refuse them first.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

PHOTOS = Path(__file__).resolve().parents[1] / "examples" / "photos"

REFUSED = (
    "uvface.edit(T, model=m, regions=5, recolor=RED)",
    "uvface.edit(T, model=m, regions=['lips'], recolor=(255, 0, 0))",
    "uvface.edit(T, model=m, regions=['lips'], recolor=RED, faces=(0,))",
    "uvface.edit(T, model=m, regions=['lips'], recolor=RED, faces=0.5)",
    "uvface.edit(T, model=m, regions=['lips'], recolor=RED, feather='3')",
    "uvface.edit(T, model=m, regions=['lips'], recolor=RED, boxes=[[1, 2, 3, 4]])",
    "uvface.edit(T, model='prn-lite', regions=['lips'], recolor=RED)",
    "uvface.edit([T], model=m, regions=['lips'], recolor=RED)",
    "uvface.edit(T, model=m)",
    "uvface.edit_video('a.mp4', 'b.mp4', model=m)",
    "uvface.edit_video(pil, 'b.mp4', model=m, light={'left': 1.0})",
    "uvface.swap_video('a.mp4', T, None, model=m)",
    "uvface.edit_video('a.mp4', 'b.mp4', model=m, light={'left': 1.0}, quality=52)",
    "uvface.edit_video('a.mp4', 'b.mp4', model=m, light={'left': 1.0}, faces=0.5)",
    "uvface.edit(T, model=m, recolor=RED)",
    "uvface.edit(T, model=m, reshape=5)",
    "uvface.edit(T, model=m, retouch=5)",
    "uvface.edit(T, model=m, makeup=5)",
    "uvface.edit(T, model=m, makeup={'blush': None})",
    "uvface.edit(T, model=m, makeup={'blush': (0.5, 7)})",
    "uvface.edit(T, model=m, light='left')",
    "uvface.edit(T, model=m, retouch={'skin': 2.0})",
    "uvface.edit(T, model=m, reshape={'smile': 'much'})",
    "uvface.edit(T, model=m, reshape={'smile': 0.5}, regions=['lips'])",
    "uvface.swap(T, 5, model=m)",
    "uvface.swap(T, T, model=m, keep=None)",
    "uvface.swap(T, T, model=m, like=5)",
    "uvface.swap(T, T, model=m, shape=None)",
    "uvface.swap(T, T, model=m, occlusion='no')",
    "uvface.swap(T, model=m, mapping=[T])",
    "uvface.exchange(5, model=m)",
    "uvface.exchange(T, 5, model=m)",
    "uvface.exchange(T, T, model=m)",
    "uvface.exchange(T, model=m, faces=0.5)",
    "uvface.exchange(T, model=m, faces=None)",
    "uvface.exchange(T, model=m, faces=[0, 'tallest'])",
    "uvface.exchange(T, model=m, faces='left')",
    "uvface.exchange(T, model=m, faces=['left', 0])",
    "uvface.exchange(T, pil, model=m, keep=None)",
    "uvface.exchange(T, pil, model=m, boxes={'anna': [[1, 2, 3, 4]]})",
    "uvface.reconstruct(pil, 'out', model=m)",
    "uvface.reconstruct([np.zeros((9, 9, 3))], 'out', model=m)",
    "uvface.reconstruct(T, 'out', model=m, save=5)",
    "uvface.reconstruct(T, 'out', model=m, boxes='boxes.json')",
    "uvface.swap(T, T, model=m, boxes={'anna': [[1, 2, 3, 4]]})",
    "uvface.edit(T, model=m, regions=['lips'], recolor=RED, boxes={'anna': [[1, 2, 3, 4]]})",
    "uvface.reconstruct(T, 'out', model=m, boxes={0: [[1, 2, 30, 40]]})",
    "uvface.swap(T, T, model=m, boxes={b'target.png': [[1, 2, 30, 40]]})",
    "uvface.reconstruct(T, 'out', model=m, faces='tallest')",
    "uvface.reconstruct(T, 'out', model=m, faces=[0])",
    "uvface.reconstruct(T, 'out', model=m, texture_size='big')",
    "uvface.load(5)",
    "m.reconstruct(np.zeros((64, 64, 3), np.float32), faces='tallest')",
    "m.reconstruct(T, boxes=[1, 2, 3, 4])",
    "m.reconstruct(T, boxes={'target': [[1, 2, 3, 4]]})",
    "uvface.texture(5, model=m)",
    "uvface.texture(T, model=m, size='64')",
    "uvface.augment(pil, 'out', model=m)",
    "uvface.augment(T, 'out', model=m, donors=pil)",
    "uvface.augment(T, 'out', model=m, donors=np.zeros((9, 9, 3)))",
    "uvface.augment(T, 'out', model=m, count='1')",
    "uvface.augment(T, 'out', model=m, seed='x')",
    "uvface.augment(T, 'out', model=m, faces='tallest')",
    "uvface.augment(T, 'out', model=m, boxes={'anna': [[1, 2, 3, 4]]})",
    "uvface.augment(T, 'out', model=m, count=10**400)",
    "uvface.swap(T, T, model=m, mask=np.zeros((320, 320), int))",
    "uvface.swap(T, T, model=m, recognition='r.onnx')",
    "uvface.edit(T, model=m, retouch='skin', recognition='r.onnx')",
    "uvface.texture(T, model=m, recognition='r.onnx')",
    "uvface.edit_video('v.mp4', 'out.mp4', model=m, retouch='skin', recognition='r.onnx')",
    "uvface.swap_video('v.mp4', T, 'out.mp4', model=m, recognition='r.onnx')",
    "uvface.evaluate(5, model=m)",
    "uvface.inspect(pil)",
    "uvface.import_prnet(5, 'PRNet', 'out.safetensors')",
    "uvface.import_prnet('weights', pil, 'out.safetensors')",
    "uvface.import_prnet('weights', 'PRNet', 5)",
    "uvface.benchmark(T, 5, model=m)",
    "uvface.benchmark(T, T, model='prn-lite')",
    "uvface.benchmark(T, T, model=m, repeats=2)",
    "uvface.benchmark(T, T, model=m, against=5)",
    "uvface.benchmark(T, T, model=m, against='tensorflow')",
    "uvface.synthesize(1, 'out')",
    "uvface.synthesize('1', 'out', assets='.')",
    "uvface.synthesize(1, 5, assets='.')",
    "uvface.synthesize(1, 'out', assets=pil)",
    "uvface.synthesize(1, 'out', assets='.', seed=0.5)",
    "uvface.synthesize(1, 'out', assets='.', photo_skins=5)",
    "uvface.synthesize(1, 'out', assets='.', model=m)",
    "uvface.synthesize(1, 'out', photos=pil)",
    "uvface.synthesize(1, 'out', photos=T.parent, model='prn')",
    "uvface.train(5, 'out')",
    "list(uvface.reconstruct(T, 'out', model=m, cropped='no'))",
    "list(uvface.reconstruct(T, 'out', model=m, mask_hidden='no'))",
    "list(uvface.reconstruct(T, 'out', model=m, skip_existing='no'))",
    "uvface.edit(T, model=m, retouch='skin', boxes={'photo': 5})",
    "uvface.edit(T, model=m, retouch='skin', boxes={'photo': [['1', '2', '30', '40']]})",
    "uvface.train([], 'out')",
    "uvface.train('pool', pil)",
    "uvface.train('pool', 'out', minutes='5')",
    "uvface.train('pool', 'out', network='prnet')",
    "uvface.train('pool', 'out', initial=5)",
    "uvface.train('pool', 'out', rate='high')",
    "uvface.train('pool', 'out', rate=-1.0)",
    "uvface.train('pool', 'out', rate='')",
    "uvface.train('pool', 'out', rate=float('inf'))",
    "uvface.train('pool', 'out', resume='no')",
    "uvface.train('pool', 'out', large='no')",
    "uvface.train('pool', 'out', devices=3)",
    "uvface.synthesize(1, 'out', assets='.', pool='no')",
    "uvface.train('pool', 'out', devices=0)",
    "uvface.train('pool', 'out', negatives=5)",
    "uvface.train('pool', 'out', precision='half')",
    "uvface.train('pool', 'out', draw=5)",
    "uvface.train('pool', 'out', draw='.', photo_skins=5)",
)
BOXES = (  # of a batch they cost their own photo
    "any('boxes of \\'target\\' are 5' in item.error for item in"
    " uvface.reconstruct([T], OUT, model=m, save='pose', boxes={'target': 5})) or 1 / 0"
)
NUMBER = (
    "uvface.edit(T, model=m, regions=['lips'], recolor=RED, strength=np.float32(0.5)).save(OUT)"
)

SCRIPT = """
import json, sys
from pathlib import Path
import numpy as np
from PIL import Image
import uvface
T, OUT = Path(sys.argv[1]) / "target.jpg", sys.argv[3]
m, pil, RED = uvface.load(), Image.open(T), "#a01830"
said = {}
for call in json.loads(sys.argv[2]):
    try:
        eval(call)
        said[call] = "fine"
    except Exception as error:
        said[call] = f"{type(error).__name__}: {error}"
print(json.dumps(said))
"""


def _call(calls, folder, out=""):
    run = [sys.executable, "-c", SCRIPT, str(PHOTOS), json.dumps(calls), str(out)]
    done = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.weights
def test_values_of_a_wrong_kind_are_refused_in_one_line(tmp_path):
    said = _call(REFUSED, tmp_path)
    wrong = {c: line for c, line in said.items() if not re.fullmatch("InputError: .*", line)}
    assert not wrong
    assert not [line for line in said.values() if not re.search("need|give|write|choose", line)]
    assert not list(tmp_path.iterdir())


@pytest.mark.weights
def test_wrong_boxes_of_a_mapping_cost_their_own_photo_only(tmp_path):
    """They ended the batch with a TypeError."""
    assert _call([BOXES], tmp_path, tmp_path / "out") == {BOXES: "fine"}


@pytest.mark.weights
def test_a_number_of_numpy_is_one_and_is_told_in_the_record(tmp_path):
    out = tmp_path / "out.png"
    assert _call([NUMBER], tmp_path, out) == {NUMBER: "fine"}
    assert json.loads(Path(f"{out}.json").read_text())["settings"]["strength"] == 0.5
