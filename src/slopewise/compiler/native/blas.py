"""Matrix products by OpenBLAS, from the wheel scipy-openblas64: where its functions lie in memory.

It runs on the calling thread alone: the threads are ours (`threads.py`), and each multiplies its own part.
The library is this package's own; NumPy bundles another copy, whose threads are not touched.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_NAMES = {"float32": "scipy_cblas_sgemm64_", "float64": "scipy_cblas_dgemm64_"}


def address(dtype: str) -> int | None:
    """Return the address of cblas_sgemm or cblas_dgemm with 64-bit integers, or None without OpenBLAS.

    The signature is C's `cblas_?gemm(order, transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta,
    c, ldc)`: the first three are 32-bit enumerations, sizes and strides 64-bit integers.

    Parameters
    ----------
    dtype : "float32" or "float64"

    Examples
    --------
    >>> address("float32") is not None
    True
    """
    return symbols().get(_NAMES[str(dtype)])


@cache
def symbols() -> dict[str, int]:
    """Return the addresses of the products by their names in the library; empty without OpenBLAS."""
    library = _library()
    if library is None:
        return {}
    return {name: ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0 for name in _NAMES.values()}


@cache
def _library() -> ctypes.CDLL | None:
    """Load OpenBLAS and keep it to one thread.

    The package is located, not imported: its import would make the library's names global in the process.
    """
    path = _library_path()
    if path is None:
        return None
    try:
        library = _load_with_one_thread(path)
    except OSError:
        return None  # made for another system; generated kernels serve
    library.scipy_openblas_set_num_threads64_(1)
    return library


def _load_with_one_thread(path: Path) -> ctypes.CDLL:
    """Load OpenBLAS so that it starts no threads of its own: they would spin for a tenth of a second.

    It reads the variable while it is loaded, and never again.
    """
    variable = "OPENBLAS_NUM_THREADS"
    former = os.environ.get(variable)
    os.environ[variable] = "1"
    try:
        return ctypes.CDLL(str(path))
    finally:
        if former is None:
            del os.environ[variable]
        else:
            os.environ[variable] = former


def _library_path() -> Path | None:
    package = find_spec("scipy_openblas64")
    if package is None or not package.submodule_search_locations:
        return None
    folder = Path(package.submodule_search_locations[0]) / "lib"
    suffix = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
    return next(iter(sorted(folder.glob(f"*scipy_openblas*{suffix}"))), None)
