"""The graph: its print, and a verifier that catches each way in which a graph can be wrong."""

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine import ops
from slopewise.engine.aval import Aval
from slopewise.engine.graph import Graph, GraphError, GraphNode, Symbol, format_graph, verify
from slopewise.engine.interpreter import last_uses, run_graph
from slopewise.engine.primitives.host import inv
from slopewise.engine.trace import trace_function

X = sw.tensor(np.array([[1.0, 2.0], [3.0, 4.0]]))
OTHER = Aval((7,), np.dtype(np.float64))


def good_graph():
    """Return a graph with two inputs, constants, several nodes, a node of several outputs and two results."""

    def function(x, y):
        state, steps = sw.scan(lambda s, v: (s * 0.5 + v.sum(), s), x.sum(), y)
        return (x @ y) * 2.0 + state, steps

    return trace_function(function, (X, sw.tensor(X))).graph


def verified(graph):
    verify(graph)
    return graph


def test_a_good_graph_passes():
    graph = verified(good_graph())
    assert {node.primitive.name for node in graph.nodes} >= {"matmul", "mul", "add", "scan", "sum"}


def node_of(graph, name):
    return next(node for node in graph.nodes if node.primitive.name == name)


def replaced(values, old, new):
    return tuple(new if value is old else value for value in values)


def foreign():
    return Symbol(OTHER, None)


def use_something_undefined(graph):
    node_of(graph, "mul").operands = (foreign(), *node_of(graph, "mul").operands[1:])


def use_something_before_it_is_made(graph):
    graph.nodes.reverse()


def drop_a_node(graph):
    graph.nodes.remove(node_of(graph, "matmul"))


def define_twice(graph):
    graph.nodes.append(graph.nodes[0])


def overwrite_an_input(graph):
    node = node_of(graph, "matmul")
    node.outputs = (graph.inputs[0],)


def list_an_input_twice(graph):
    graph.inputs.append(graph.inputs[0])


def make_an_input_a_constant_too(graph):
    graph.constants[graph.inputs[0]] = X.numpy()


def drop_an_input(graph):
    del graph.inputs[0]


def drop_a_constant(graph):
    del graph.constants[next(iter(graph.constants))]


def change_the_shape_of_a_constant(graph):
    graph.constants[next(iter(graph.constants))] = np.zeros(7)


def change_the_dtype_of_a_constant(graph):
    symbol = next(iter(graph.constants))
    graph.constants[symbol] = graph.constants[symbol].astype(np.float32)


def misstate_a_shape(graph):
    node_of(graph, "matmul").outputs[0].shape = (3, 3)


def misstate_a_dtype(graph):
    node_of(graph, "matmul").outputs[0].dtype = np.dtype(np.float32)


def misstate_an_input(graph):
    graph.inputs[0].shape = (5, 2)


def change_a_parameter(graph):
    node_of(graph, "sum").params = {"axes": (0,)}


def leave_out_an_output(graph):
    node_of(graph, "scan").outputs = node_of(graph, "scan").outputs[:1]


def add_an_output(graph):
    node = node_of(graph, "matmul")
    node.outputs = (*node.outputs, foreign())


def return_something_undefined(graph):
    graph.outputs.append(foreign())


def spoil_the_graph_inside_of_a_node(graph):
    body = node_of(graph, "scan").params["graph"]
    body.nodes.reverse()


def misstate_the_graph_inside_of_a_node(graph):
    body = node_of(graph, "scan").params["graph"]
    body.nodes[0].outputs[0].shape = (9,)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (use_something_undefined, r"node \d+ \(mul\) uses a value that is not defined before it"),
        (use_something_before_it_is_made, "uses a value that is not defined before it"),
        (drop_a_node, r"\(mul\) uses a value that is not defined before it"),
        (define_twice, r"node \d+ \(sum\) defines a value again"),
        (overwrite_an_input, r"\(matmul\) defines a value again"),
        (list_an_input_twice, "defined twice among inputs and constants"),
        (make_an_input_a_constant_too, "defined twice among inputs and constants"),
        (drop_an_input, "uses a value that is not defined before it"),
        (drop_a_constant, "uses a value that is not defined before it"),
        (change_the_shape_of_a_constant, r"constant float64\[7\] is declared as float64\[\]"),
        (change_the_dtype_of_a_constant, r"constant float32\[\] is declared as float64\[\]"),
        (misstate_a_shape, r"\(matmul\) should make float64\[2,2\], not float64\[3,3\]"),
        (misstate_a_dtype, r"\(matmul\) should make float64\[2,2\], not float32\[2,2\]"),
        (misstate_an_input, r"should make"),
        (change_a_parameter, r"\(sum\) should make float64\[2\], not float64\[\]"),
        (leave_out_an_output, r"\(scan\) should make float64\[\], float64\[2\], not float64\[\]"),
        (add_an_output, r"\(matmul\) should make float64\[2,2\], not float64\[2,2\], float64\[7\]"),
        (return_something_undefined, "returns a value that it does not define"),
        (spoil_the_graph_inside_of_a_node, "uses a value that is not defined before it"),
        (misstate_the_graph_inside_of_a_node, "should make"),
    ],
)
def test_a_spoilt_graph_is_refused(spoil, message):
    graph = good_graph()
    spoil(graph)
    with pytest.raises(GraphError, match=message):
        verify(graph)


def test_operands_that_a_primitive_refuses_are_a_graph_error_that_names_the_node():
    graph = trace_function(lambda x, y: x @ y, (X, X)).graph
    wrong = Symbol(Aval((5, 5), np.dtype(np.float64)), None)
    graph.inputs.append(wrong)
    node = graph.nodes[0]
    node.operands = (node.operands[0], wrong)
    with pytest.raises(GraphError, match=r"node 0 \(matmul\): matmul cannot multiply \(2, 2\) by \(5, 5\)"):
        verify(graph)


def test_the_loop_of_a_scan_must_fit_its_operands():
    graph = good_graph()
    node = node_of(graph, "scan")
    node.operands = (*node.operands[:-1], graph.inputs[0])
    node.params["extent"] = node.params["extent"]._replace(length=5)
    with pytest.raises(GraphError, match=r"\(scan\)"):
        verify(graph)


def test_a_call_must_fit_the_graph_that_it_calls():
    graph = trace_function(lambda x: sw.checkpoint(ops.exp)(x), (X,)).graph
    (node,) = graph.nodes
    small = Symbol(OTHER, None)
    graph.inputs.append(small)
    node.operands = (small,)
    with pytest.raises(GraphError, match=r"node 0 \(call\)"):
        verify(graph)


# ---- print


def test_a_graph_reads_as_a_program():
    graph = trace_function(lambda x: ops.exp(x).sum(axis=0), (X,)).graph
    assert str(graph) == (
        "graph(a: float64[2,2]) {\n"
        "  b: float64[2,2] = exp(a)\n"
        "  c: float64[2] = sum(b, axes=(0,))\n"
        "  return c\n"
        "}"
    )


def test_what_ran_without_gradients_is_marked():
    def function(x):
        with sw.no_grad():
            y = ops.exp(x)
        return y * x

    text = str(trace_function(function, (X,)).graph)
    assert "exp(a)  # no gradient" in text
    assert text.count("# no gradient") == 1


def test_inner_graphs_are_printed_inside():
    text = str(good_graph())
    assert "scan(" in text
    assert "graph=graph(" in text
    assert "linear" not in text


def test_names_go_on_after_z_and_large_constants_are_not_written_out():
    def function(x):
        for _ in range(30):
            x = ops.sin(x)
        return x + sw.tensor(np.arange(100.0))

    text = str(trace_function(function, (sw.tensor(np.zeros(100)),)).graph)
    assert "aa: float64[100] = sin(z)" in text
    assert "constant float64[100]" in text


def test_a_broken_graph_can_still_be_printed():
    graph = good_graph()
    use_something_undefined(graph)
    assert "mul(?, " in format_graph(graph)


# ---- the interpreter


def test_the_interpreter_returns_inputs_constants_and_results():
    graph = trace_function(lambda x: (x, sw.tensor(7.0), x * 2.0, x), (X,)).graph
    outputs = run_graph(graph, [X.numpy()])
    assert [y.tolist() for y in outputs] == [X.tolist(), 7.0, (X * 2.0).tolist(), X.tolist()]


def test_each_value_is_dropped_after_its_last_use():
    graph = trace_function(lambda x: ops.exp(ops.sin(x)) + ops.sin(x), (X,)).graph
    released = [symbol for finished in last_uses(graph) for symbol in finished]
    made = {symbol for node in graph.nodes for symbol in node.outputs} | set(graph.inputs)
    assert len(released) == len(set(released))
    assert set(released) == made - set(graph.outputs)


def test_a_result_that_nobody_uses_is_dropped_at_once():
    graph = trace_function(lambda x: (ops.exp(x), x)[1], (X,)).graph
    assert last_uses(graph) == [[graph.nodes[0].outputs[0]]]


def test_the_memory_of_a_long_graph_does_not_grow_with_its_length():
    import tracemalloc

    def chain(x):
        for _ in range(50):
            x = ops.exp(x * 0.5)
        return x

    x = np.zeros(20_000)
    graph = trace_function(chain, (sw.tensor(x),)).graph
    run_graph(graph, [x])
    tracemalloc.start()
    try:
        run_graph(graph, [x])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5 * x.nbytes


def test_host_nodes_are_those_that_only_the_interpreter_runs():
    graph = trace_function(lambda x: sw.array.linalg.inv(x) @ x, (X,)).graph
    assert [node.primitive.name for node in graph.host_nodes()] == ["inv"]
    assert graph.host_nodes()[0].primitive is inv


def test_the_wrong_number_of_inputs_is_an_error():
    graph = trace_function(lambda x: x * 2.0, (X,)).graph
    with pytest.raises(ValueError, match="inputs"):
        run_graph(graph, [])
    with pytest.raises(ValueError, match="inputs"):
        run_graph(graph, [X.numpy(), X.numpy()])


def test_nodes_and_symbols_are_told_apart_by_identity():
    one, other = foreign(), foreign()
    assert one != other
    node = GraphNode(inv, (one,), {}, (other,), True)
    assert Graph([one], {}, [node], [other]).output_avals == (OTHER,)
