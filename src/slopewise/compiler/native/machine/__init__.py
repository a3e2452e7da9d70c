"""The machine: LLVM as a tool, the disk cache, threads, errors that code reports."""
