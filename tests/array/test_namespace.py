"""Every public function: values against NumPy, gradients against finite differences, traced against eager."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from array_samples import FFT, LINALG, SAMPLES, Sample

import slopewise as sw
import slopewise.array as xp
from slopewise.engine.errors import GradientError, TraceError

CONSTANTS_AND_DTYPES = {
    *("e", "inf", "nan", "newaxis", "pi", "fft", "linalg", "__array_api_version__"),
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float32", "float64", "complex64", "complex128"),
}
# tested in files of their own: they answer about dtypes, not about values
ABOUT_DTYPES = {"astype", "can_cast", "finfo", "iinfo", "isdtype", "result_type", "__array_namespace_info__"}
NARROW = {xp.float64: xp.float32, xp.complex128: xp.complex64}
# NumPy looks at the lower triangle only, the gradient is that of a function of symmetric matrices
READS_HALF_A_MATRIX = {xp.linalg.cholesky}


def _cases(table: dict[str, list[Sample]], namespace: Any, label: str = "") -> list[Any]:
    return [
        pytest.param(getattr(namespace, name), sample, id=f"{label}{name}-{number}")
        for name, samples in sorted(table.items())
        for number, sample in enumerate(samples)
    ]


def _tensors(value: Any) -> Any:
    """Return the same arguments with tensors in place of arrays."""
    if isinstance(value, list | tuple):
        return type(value)(map(_tensors, value))
    return sw.tensor(value) if isinstance(value, np.ndarray) else value


def _flat(result: Any) -> list[Any]:
    return [part for item in result for part in _flat(item)] if isinstance(result, list | tuple) else [result]


def _call(function: Any, sample: Sample) -> list[Any]:
    kwargs = {key: _tensors(value) for key, value in sample.kwargs.items()}
    return _flat(function(*_tensors(sample.args), **kwargs))


def _reference(function: Any, sample: Sample) -> list[np.ndarray]:
    name = function.__name__
    module = function.__module__
    home = np.linalg if ".linalg." in module else np.fft if module.endswith(".fft") else np
    reference = sample.reference or getattr(home, name)
    with np.errstate(all="ignore"):
        return [np.asarray(part) for part in _flat(reference(*sample.args, **sample.kwargs))]


def _operands(sample: Sample) -> list[np.ndarray]:
    return [part for part in _flat(list(sample.args)) if isinstance(part, np.ndarray)]


def _is_real_floating(sample: Sample) -> bool:
    return any(array.dtype.kind == "f" for array in _operands(sample)) and not any(
        array.dtype.kind == "c" for array in _operands(sample)
    )


CASES = _cases(SAMPLES, xp) + _cases(LINALG, xp.linalg, "linalg.") + _cases(FFT, xp.fft, "fft.")
FLOATING_CASES = [case for case in CASES if _is_real_floating(case.values[1])]


def test_every_public_function_has_a_sample() -> None:
    public = {name for name in xp.__all__ if not isinstance(getattr(xp, name), type)}
    assert public - CONSTANTS_AND_DTYPES - ABOUT_DTYPES == set(SAMPLES)
    in_linalg = {name for name in xp.linalg.__all__ if not isinstance(getattr(xp.linalg, name), type)}
    assert in_linalg == set(LINALG)
    assert set(xp.fft.__all__) == set(FFT)


@pytest.mark.parametrize(("function", "sample"), CASES)
def test_values_shapes_and_dtypes_are_numpys(function: Any, sample: Sample) -> None:
    results = _call(function, sample)
    expected = _reference(function, sample)
    assert len(results) == len(expected)
    for result, wanted in zip(results, expected, strict=True):
        assert isinstance(result, sw.Tensor)
        assert result.shape == wanted.shape
        np.testing.assert_allclose(result.numpy(), wanted, rtol=1e-12, atol=1e-12)
        if sample.numpy_dtype:
            assert result.dtype == wanted.dtype


@pytest.mark.parametrize(("function", "sample"), FLOATING_CASES)
def test_gradients_agree_with_finite_differences_to_second_order(function: Any, sample: Sample) -> None:

    def of_operands(*operands: sw.Tensor) -> Any:
        if function in READS_HALF_A_MATRIX:
            operands = tuple((x + x.mT) / 2 for x in operands)
        return function(*_with_operands(sample.args, iter(operands)), **sample.kwargs)

    marked = [sw.tensor(x, requires_grad=x.dtype.kind == "f") for x in _operands(sample)]
    results = _flat(of_operands(*marked))
    if sample.gradient and any(result.dtype.kind == "f" for result in results):
        sw.check_gradients(of_operands, *_operands(sample))
    for result in results:
        if result.dtype.kind in "biu":
            assert not result.requires_grad
        elif not sample.gradient:
            with pytest.raises(GradientError, match="has no gradient"):
                result.sum().backward(retain_graph=True)


def _with_operands(value: Any, queue: Any) -> Any:
    """Return the arguments with the next operands in place of arrays."""
    if isinstance(value, list | tuple):
        return type(value)(_with_operands(part, queue) for part in value)
    return next(queue) if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize(("function", "sample"), CASES)
def test_a_traced_call_gives_the_bits_of_the_eager_one(function: Any, sample: Sample) -> None:
    operands = [sw.tensor(array) for array in _operands(sample)]
    kwargs = {key: _tensors(value) for key, value in sample.kwargs.items()}

    def call(*operands: sw.Tensor) -> Any:
        return _flat(function(*_with_operands(sample.args, iter(operands)), **kwargs))

    compiled = sw.compile(call, target="interpreter")
    if not sample.traced:
        with pytest.raises(TraceError, match=r"test_namespace\.py:\d+"):
            compiled(*operands)
        return
    for traced, eager in zip(compiled(*operands), _call(function, sample), strict=True):
        np.testing.assert_array_equal(traced.numpy(), eager.numpy())
        assert traced.dtype == eager.dtype


@pytest.mark.filterwarnings("ignore::slopewise.CompilationWarning")  # of what NumPy alone computes
@pytest.mark.parametrize(("function", "sample"), [case for case in CASES if case.values[1].traced])
def test_machine_code_gives_the_numbers_of_the_eager_call(function: Any, sample: Sample) -> None:
    operands = [sw.tensor(array) for array in _operands(sample)]
    kwargs = {key: _tensors(value) for key, value in sample.kwargs.items()}

    def call(*operands: sw.Tensor) -> Any:
        return _flat(function(*_with_operands(sample.args, iter(operands)), **kwargs))

    for found, eager in zip(
        sw.compile(call, target="native")(*operands), _call(function, sample), strict=True
    ):
        assert found.dtype == eager.dtype
        bound = 1e-12 if eager.dtype.itemsize >= 8 else 1e-5
        np.testing.assert_allclose(found.numpy(), eager.numpy(), rtol=bound, atol=bound)


@pytest.mark.parametrize(("function", "sample"), FLOATING_CASES)
def test_a_batched_call_does_what_a_loop_over_the_batch_does(function: Any, sample: Sample) -> None:
    operands = _operands(sample)
    floating = [x.dtype.kind == "f" for x in operands]
    batches = [
        np.stack([x, x * 0.95, x * 1.05]) if moves else x for x, moves in zip(operands, floating, strict=True)
    ]

    def of_one(*examples: sw.Tensor) -> Any:
        return _flat(function(*_with_operands(sample.args, iter(examples)), **sample.kwargs))

    batched = sw.vmap(of_one, in_axes=tuple(0 if moves else None for moves in floating))
    if not sample.traced and all(floating):
        with pytest.raises(TraceError, match="under vmap"):
            batched(*map(sw.tensor, batches))
        return
    results = batched(*map(sw.tensor, batches))
    for i in range(3):
        examples = [
            sw.tensor(np.asarray(x[i] if moves else x)) for x, moves in zip(batches, floating, strict=True)
        ]
        for result, expected in zip(results, of_one(*examples), strict=True):
            np.testing.assert_allclose(result.numpy()[i], expected.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("function", "sample"), FLOATING_CASES)
def test_float32_operands_give_float32_results(function: Any, sample: Sample) -> None:
    narrow = Sample(_narrow(sample.args), {key: _narrow(value) for key, value in sample.kwargs.items()})
    results = _call(function, narrow)
    for result, wide in zip(results, _call(function, sample), strict=True):
        assert result.dtype == NARROW.get(wide.dtype, wide.dtype)
        if wide.dtype.kind == "f" and function is not xp.nextafter:
            np.testing.assert_allclose(result.numpy(), wide.numpy(), rtol=2e-3, atol=2e-4)


def _narrow(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(_narrow, value))
    return value.astype(np.float32) if isinstance(value, np.ndarray) and value.dtype == np.float64 else value


def test_common_functions_are_exported_at_the_top() -> None:
    for name in (
        "add",
        "exp",
        "sum",
        "mean",
        "matmul",
        "where",
        "stack",
        "zeros",
        "arange",
        "maximum",
        "round",
        "einsum",
    ):
        assert getattr(sw, name) is getattr(xp, name)
    assert sw.linalg is xp.linalg


@pytest.mark.parametrize("name", sorted(sw.__all__))
def test_every_name_at_the_top_leads_somewhere(name: str) -> None:
    assert getattr(sw, name) is not None


def test_lists_and_numbers_are_taken_for_tensors() -> None:
    assert xp.zeros_like([1.5, 2.5]).tolist() == [0.0, 0.0]
    assert xp.astype([1.5], xp.int64).tolist() == [1]
    assert xp.sum([[1, 2], [3, 4]], axis=0).tolist() == [4, 6]


def test_constants_are_the_ones_of_the_math_module() -> None:
    assert (xp.pi, xp.e, xp.inf, xp.newaxis) == (math.pi, math.e, math.inf, None)
    assert math.isnan(xp.nan)
