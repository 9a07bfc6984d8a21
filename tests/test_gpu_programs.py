"""What a machine without a GPU can tell of one: that each kept program can be made for CUDA."""

import jax
import pytest
from jax import export
from toy_faces import toy_photo

from uvface.core import traced
from uvface.editing.photos import edit
from uvface.faceswap.photos import swap

JOBS = {
    "swap": lambda target, reference, model: swap(target, reference, model=model, keep=()),
    "edit": lambda target, _, model: edit(
        target,
        model=model,
        retouch="skin=0.5,spots=1,teeth=0.5",
        makeup="lipstick=0.5,blush",
        reshape="nose_width=0.4",
        light="left=0.5",
    ),
}


@pytest.mark.parametrize("job", JOBS)
def test_programs_that_are_kept_can_be_made_for_cuda(job, model, monkeypatch):
    made = {}
    make = traced._traced

    def note(function, given, leaves, path):
        made[path] = function, given, [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in leaves]
        return make(function, given, leaves, path)

    monkeypatch.setattr(traced, "_stored", lambda path: None)
    monkeypatch.setattr(traced, "_traced", note)
    monkeypatch.setattr(traced, "write_bytes_atomic", lambda path, data: None)
    traced.forget_programs()
    (target, _), (reference, _) = toy_photo(1), toy_photo(2)
    JOBS[job](target, reference, model)
    traced.forget_programs()
    assert len(made) > 10
    for function, given, like in made.values():
        program = export.export(jax.jit(traced._on_leaves(function, given)), platforms=["cuda"])
        assert program(*like).serialize()  # refuses calls that no other version of JAX must know
