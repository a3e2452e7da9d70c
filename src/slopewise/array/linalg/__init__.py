"""The extension `linalg` of the standard: linear algebra on stacks of matrices in the last two axes."""

from slopewise.array.linalg.decompositions import (
    EigenDecomposition,
    QRDecomposition,
    SingularValueDecomposition,
    cholesky,
    eigh,
    eigvalsh,
    qr,
    svd,
    svdvals,
)
from slopewise.array.linalg.norms import matrix_norm, vector_norm
from slopewise.array.linalg.products import cross, diagonal, matrix_power, outer, trace
from slopewise.array.linalg.solving import SignedLogDeterminant, det, inv, matrix_rank, pinv, slogdet, solve
from slopewise.array.linear_algebra import matmul, matrix_transpose, tensordot, vecdot

__all__ = [
    "EigenDecomposition",
    "QRDecomposition",
    "SignedLogDeterminant",
    "SingularValueDecomposition",
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]
