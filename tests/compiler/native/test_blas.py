"""The addresses of OpenBLAS's products, called as machine code calls them, against NumPy."""

import ctypes
import os
import subprocess
import sys

import numpy as np
import pytest

from slopewise.compiler.native import blas

ROW_MAJOR, NO_TRANSPOSE, TRANSPOSE = 101, 111, 112


def product(a, b, transpose_b=False):
    """Return a @ b through the function at the address."""
    scalar = {"float32": ctypes.c_float, "float64": ctypes.c_double}[a.dtype.name]
    integer, enumeration, pointer = ctypes.c_int64, ctypes.c_int32, ctypes.c_void_p
    gemm = ctypes.CFUNCTYPE(
        None, enumeration, enumeration, enumeration, integer, integer, integer, scalar,
        pointer, integer, pointer, integer, scalar, pointer, integer,
    )(blas.address(a.dtype.name))  # fmt: skip
    m, k = a.shape
    n = b.shape[0] if transpose_b else b.shape[1]
    result = np.full((m, n), np.nan, a.dtype)
    gemm(
        ROW_MAJOR, NO_TRANSPOSE, TRANSPOSE if transpose_b else NO_TRANSPOSE, m, n, k, 1.0,
        a.ctypes.data, a.shape[1], b.ctypes.data, b.shape[1], 0.0, result.ctypes.data, n,
    )  # fmt: skip
    return result


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 5, 3), (64, 256, 784), (130, 33, 65)])
@pytest.mark.parametrize("transpose_b", [False, True])
def test_products_agree_with_numpy(dtype, shape, transpose_b):
    m, n, k = shape
    generator = np.random.Generator(np.random.Philox(key=1))
    a = generator.standard_normal((m, k)).astype(dtype)
    b = generator.standard_normal((n, k) if transpose_b else (k, n)).astype(dtype)
    expected = a @ (b.T if transpose_b else b)
    bound = 2 * np.finfo(dtype).eps * (k + 8) * (np.abs(a) @ np.abs(b.T if transpose_b else b))
    assert (np.abs(product(a, b, transpose_b) - expected) <= bound).all()


def test_it_runs_on_the_calling_thread_alone():
    library = blas._library()
    assert library.scipy_openblas_get_num_threads64_() == 1


def test_its_loading_leaves_the_environment_and_starts_no_threads():
    program = (
        "import os, numpy, threading\nfrom slopewise.compiler.native import blas\n"
        "tasks = lambda: len(os.listdir('/proc/self/task')) if os.path.exists('/proc/self/task') else 0\n"
        "before = tasks(), dict(os.environ)\nassert blas.address('float64')\n"
        "print((tasks(), dict(os.environ)) == before)"
    )
    for setting in ({}, {"OPENBLAS_NUM_THREADS": "2"}):
        environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"} | setting
        ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
        assert ran.stdout.strip() == "True", ran.stderr


def test_without_the_library_there_is_no_address(monkeypatch):
    monkeypatch.setattr(blas, "find_spec", lambda name: None)
    blas._library.cache_clear()
    blas.symbols.cache_clear()
    try:
        assert blas.address("float32") is None
        assert blas.symbols() == {}
    finally:
        blas._library.cache_clear()
        blas.symbols.cache_clear()
