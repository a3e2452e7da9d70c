"""The clock that machine code looks at between two steps.

On POSIX systems that is CLOCK_MONOTONIC in nanoseconds, on Windows the performance counter in its own ticks.
"""

from __future__ import annotations

import sys
import time

from llvmlite import ir

from slopewise.compiler.native.emission import frames
from slopewise.compiler.native.emission.loops import I64, POINTER

I32 = ir.IntType(32)


def emit_now(module: ir.Module) -> ir.Function:
    """Add a function (deadline) -> the time now; 0, without a look at the clock, for no deadline."""
    now = ir.Function(module, ir.FunctionType(I64, [I64]), "now")
    now.linkage = "internal"
    builder = ir.IRBuilder(now.append_basic_block())
    with builder.if_then(builder.icmp_signed("==", now.args[0], I64(0))):
        builder.ret(I64(0))
    if sys.platform == "win32":
        ticks = builder.alloca(I64)
        counter_type = ir.FunctionType(I32, [POINTER])
        builder.call(ir.Function(module, counter_type, "QueryPerformanceCounter"), [ticks])
        builder.ret(builder.load(ticks))
        return now
    clock_type = ir.FunctionType(I32, [I32, POINTER])
    clock_gettime = ir.Function(module, clock_type, "clock_gettime")
    moment = builder.alloca(ir.ArrayType(I64, 2))
    builder.call(clock_gettime, [I32(time.CLOCK_MONOTONIC), moment])
    seconds = builder.load(moment, typ=I64)
    nanoseconds = builder.load(frames.at(builder, moment, 8), typ=I64)
    builder.ret(builder.add(builder.mul(seconds, I64(10**9)), nanoseconds))
    return now
