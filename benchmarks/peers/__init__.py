"""One module a library. Each has `prepare(workload) -> run`, where `run()` trains on the workload's rows
once more, in eager or compiled steps as the module's name says, and returns the mean loss of its updates."""
