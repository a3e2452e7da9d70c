"""One module a library and way of use.

Each has `prepare(workload, **options) -> run`. `run(order)` makes one pass: it takes the workload's rows in
the order given (int64, shape (rows,)), trains on them batch by batch, and returns the mean loss of its
updates. The model goes on from pass to pass. What is done once (building, moving the data into the library's
own arrays) belongs to `prepare`; compilation happens in the first pass, which is not counted.
"""
