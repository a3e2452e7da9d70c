"""From the text of a module to code that is entered; what is refused, and how."""

import ctypes
import math
import subprocess
import sys
import threading

import pytest

from slopewise.compiler.native.machine import toolchain
from slopewise.compiler.native.machine.toolchain import Code, Pipeline, ToolchainError, compile_ir

ADD = """
define i64 @add(i64 %a, i64 %b) {
  %c = add i64 %a, %b
  ret i64 %c
}
"""


def callable_at(address, result, *arguments):
    return ctypes.CFUNCTYPE(result, *arguments)(address)


def test_compiled_code_computes():
    code = compile_ir(ADD)
    assert callable_at(code.address("add"), ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(40, 2) == 42
    assert all(seconds >= 0 for seconds in code.timings)


def test_an_object_is_linked_again_from_its_bytes():
    again = Code(compile_ir(ADD).image)
    assert callable_at(again.address("add"), ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(2, 3) == 5
    assert again.timings is None


def test_two_modules_may_export_the_same_name():
    other = compile_ir(ADD.replace("= add", "= mul"))
    signature = (ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
    assert callable_at(compile_ir(ADD).address("add"), *signature)(3, 4) == 7
    assert callable_at(other.address("add"), *signature)(3, 4) == 12


@pytest.mark.parametrize("name", ["sin", "cos", "exp", "log", "tanh", "erf"])
def test_code_reaches_the_mathematics_library(name):
    code = compile_ir(
        f"declare double @{name}(double)\n"
        f"define double @f(double %x) {{\n  %y = call double @{name}(double %x)\n  ret double %y\n}}"
    )
    value = callable_at(code.address("f"), ctypes.c_double, ctypes.c_double)(0.7)
    assert value == pytest.approx(getattr(math, name)(0.7), rel=1e-15)


def test_an_intrinsic_without_an_instruction_falls_back_on_the_library():
    code = compile_ir(
        "declare float @llvm.sin.f32(float)\n"
        "define float @f(float %x) {\n  %y = call float @llvm.sin.f32(float %x)\n  ret float %y\n}"
    )
    value = callable_at(code.address("f"), ctypes.c_float, ctypes.c_float)(0.7)
    assert value == pytest.approx(math.sin(0.7), rel=1e-6)


def test_constants_are_found_beside_the_code():
    code = compile_ir(
        "@table = internal constant [4 x double] [double 1.0, double 2.0, double 4.0, double 8.0]\n"
        "define double @pick(i64 %i) {\n"
        "  %p = getelementptr [4 x double], ptr @table, i64 0, i64 %i\n"
        "  %v = load double, ptr %p\n  %w = fmul double %v, 0x400921FB54442D18\n  ret double %w\n}"
    )
    pick = callable_at(code.address("pick"), ctypes.c_double, ctypes.c_int64)
    assert [pick(i) for i in range(4)] == [math.pi, 2 * math.pi, 4 * math.pi, 8 * math.pi]


MALFORMED = {
    "no IR": "nonsense",
    "a wrong type": "define float @f() {\n  ret double 1.0\n}",
    "a value used before it is made": (
        "define i64 @f(i1 %c) {\n  br i1 %c, label %a, label %b\n"
        "a:\n  %x = add i64 1, 2\n  br label %b\nb:\n  ret i64 %x\n}"
    ),
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_ir_is_an_error_and_not_the_end_of_the_process(text):
    with pytest.raises(ToolchainError, match="malformed LLVM IR"):
        compile_ir(text)


def test_a_function_that_no_library_has_is_named():
    with pytest.raises(ToolchainError, match="machine does not have: no_such_function"):
        compile_ir(
            "declare void @no_such_function()\n"
            "define void @f() {\n  call void @no_such_function()\n  ret void\n}"
        )


def test_a_name_that_the_code_does_not_export_is_an_error():
    with pytest.raises(ToolchainError, match="subtract"):
        compile_ir(ADD).address("subtract")


@pytest.mark.parametrize("image", [b"", b"garbage", compile_ir(ADD).image[:100]])
def test_bytes_that_are_no_object_are_refused(image):
    with pytest.raises(ToolchainError, match="cannot be linked"):
        Code(image).address("add")


def test_vectors_are_as_wide_as_the_processor_says():
    assert toolchain._vector_unit("x86_64-unknown-linux-gnu", {}) == (16, False)
    assert toolchain._vector_unit("x86_64-unknown-linux-gnu", {"avx": True, "avx2": True}) == (32, False)
    assert toolchain._vector_unit("x86_64-pc-windows-msvc", {"avx": True, "fma": True}) == (32, True)
    assert toolchain._vector_unit("x86_64-apple-darwin", {"avx": True, "avx512f": True})[0] == 64
    assert toolchain._vector_unit("aarch64-unknown-linux-gnu", {"neon": True}) == (16, True)


def test_the_ladder_shows_optimised_ir_and_assembly():
    text = ADD.replace("ret i64 %c", "%d = mul i64 %c, 3\n  ret i64 %c")
    optimised = toolchain.optimised_ir(text)
    assert "%d" not in optimised
    assert toolchain.host().triple in optimised
    assert "add:" in toolchain.assembly(text)


def test_a_pipeline_without_passes_leaves_the_module_as_it_is():
    text = ADD.replace("ret i64 %c", "%d = add i64 %c, 0\n  ret i64 %d")
    assert "%d" in toolchain.optimised_ir(text, Pipeline(level=0))


INLINED = """
define internal double @twice(double %x) alwaysinline {
  %y = fmul double %x, 2.0
  ret double %y
}
define double @f(double %x) {
  %y = call double @twice(double %x)
  ret double %y
}"""


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_every_level_inlines_what_must_be_and_computes_the_same(level):
    pipeline = Pipeline(level=level)
    assert "call double" not in toolchain.optimised_ir(INLINED, pipeline)
    assert "twice:" not in toolchain.assembly(INLINED, pipeline)
    code = compile_ir(INLINED, pipeline)
    assert callable_at(code.address("f"), ctypes.c_double, ctypes.c_double)(1.5) == 3.0


def test_several_threads_compile_at_once():
    results = {}

    def work(number):
        code = compile_ir(ADD.replace("%a, %b", f"%a, {number}"))
        results[number] = callable_at(code.address("add"), ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)(
            1, 0
        )

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: number + 1 for number in range(8)}


def run_python(program):
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


def test_importing_slopewise_leaves_llvm_alone():
    program = (
        "import sys, slopewise as sw\nimport slopewise.compiler.native.machine.toolchain\n"
        "sw.compile(lambda x: x)\n"
        "print('llvmlite' in sys.modules)"
    )
    assert run_python(program).split() == ["False"]


def test_without_llvmlite_the_reason_names_it():
    program = (
        "import sys\nsys.modules['llvmlite'] = None\n"
        "from slopewise.compiler.native.machine import toolchain\n"
        "print(toolchain.is_available(), toolchain.unavailable_reason())"
    )
    said = run_python(program)
    assert said.startswith("False")
    assert "pip install llvmlite" in said
