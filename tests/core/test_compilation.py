"""Programs compile with our options, and without where the compiler does not know them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from uvface.core import compilation
from uvface.core.compilation import compile_for, compile_products, computed_once, jit_products


def _product(a, b):
    return jnp.matmul(a, b)


def _arguments():
    rng = np.random.default_rng(0)
    return rng.random((3, 5, 4), np.float32), rng.random((3, 4, 2), np.float32)


@pytest.fixture(autouse=True)
def _asked_anew():
    """Let each test ask the compiler, and leave nothing of its answer."""
    compilation._options.cache_clear()
    yield
    compilation._options.cache_clear()


def test_computes_what_the_function_does_with_our_options(monkeypatch):
    asked = []
    jit = jax.jit
    monkeypatch.setattr(jax, "jit", lambda f, **options: asked.append(options) or jit(f, **options))
    a, b = _arguments()
    run = jit_products(_product)
    for _ in range(2):
        np.testing.assert_allclose(run(a, b), a @ b, rtol=1e-6)
    if jax.default_backend() == "cpu":
        assert {"compiler_options": compilation._CPU_OPTIONS} in asked


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="options are for CPUs")
@pytest.mark.parametrize(
    "options",
    [{"xla_cpu_of_another_year": True}, {"xla_cpu_experimental_ynn_fusion_type": "OF_ANOTHER"}],
)
def test_goes_without_an_option_that_the_compiler_does_not_know(monkeypatch, options):
    monkeypatch.setattr(compilation, "_CPU_OPTIONS", options)
    a, b = _arguments()
    assert compilation._options() is None
    for run in (jit_products(_product), compile_products(_product, (a, b))):
        for _ in range(2):
            np.testing.assert_allclose(run(a, b), a @ b, rtol=1e-6)


def test_compiled_code_takes_arrays_wherever_they_are():
    a, b = _arguments()
    run = compile_for(_product, (a, b))
    committed = [jax.device_put(x, jax.devices()[0]) for x in (a, b)]
    for given in ((a, b), committed, [jnp.asarray(a), committed[1]]):
        np.testing.assert_allclose(run(*given), a @ b, rtol=1e-6)
    with pytest.raises(TypeError):
        run(a[:2], b[:2])


def test_other_errors_are_not_hidden():
    with pytest.raises(TypeError, match="same shape"):
        jit_products(_product)(np.ones((2, 3)), np.ones((4, 2)))
    with pytest.raises(TypeError, match="same shape"):
        compile_products(_product, (np.ones((2, 3)), np.ones((4, 2))))


def test_a_compiler_that_fails_otherwise_is_heard(monkeypatch):
    def refuse(*_, **options):
        raise jax.errors.JaxRuntimeError("no memory")

    monkeypatch.setattr(jax.stages.Lowered, "compile", refuse)
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    with pytest.raises(jax.errors.JaxRuntimeError, match="no memory"):
        jit_products(_product)


@pytest.mark.parametrize("shape", [(), (7,), (3, 5, 5), (16, 4)])
def test_computed_once_changes_nothing(shape):
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    np.testing.assert_array_equal(jax.jit(computed_once)(x), x)
