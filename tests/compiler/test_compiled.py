"""sw.compile: one trace per signature, state by identity, and the results of the plain call."""

import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest

import slopewise as sw
from slopewise.engine import ops
from slopewise.engine.errors import ArgumentError, GradientError, ShapeError, TraceError

X = sw.tensor([1.0, 2.0, 3.0])


def leaf(*values):
    return sw.tensor(list(values), requires_grad=True)


# ---- one trace per signature


def test_values_do_not_matter_to_the_trace_but_shapes_dtypes_and_structure_do():
    @sw.compile
    def double(x):
        leaves = x if isinstance(x, list) else [x]
        return [leaf * 2 for leaf in leaves]

    for x, n_traces in [
        (sw.tensor([1.0]), 1),
        (sw.tensor([5.0]), 1),
        (sw.tensor([1.0, 2.0]), 2),
        (sw.tensor([1]), 3),
        (sw.tensor(np.array([1.0])), 4),
        ([sw.tensor([1.0])], 5),
        ([sw.tensor([1.0]), sw.tensor([2.0])], 6),
        (sw.tensor([9.0]), 6),
    ]:
        double(x)
        assert double.n_traces == n_traces


def test_python_arguments_are_part_of_the_signature_by_type_and_value():
    seen = []

    @sw.compile
    def scaled(x, factor, *, name="a"):
        seen.append((factor, name))
        return x * factor

    for factor in (2, 2, 2.0, True, 1):
        scaled(X, factor)
    scaled(X, 2, name="b")
    scaled(X, 2, name="a")
    assert seen == [(2, "a"), (2.0, "a"), (True, "a"), (1, "a"), (2, "b"), (2, "a")]


def test_the_sign_of_zero_and_nan_are_values_like_others():
    @sw.compile
    def over(x, divisor):
        return x / ops.copysign(x, divisor)

    nan = float("nan")
    assert over(X, 0.0).tolist() == [1.0, 1.0, 1.0]
    assert over(X, -0.0).tolist() == [-1.0, -1.0, -1.0]
    over(X, nan)
    over(X, float("nan"))
    assert over.n_traces == 3


def test_gradient_mode_and_tracked_arguments_are_part_of_the_signature():
    square = sw.compile(lambda x: x * x)
    square(X)
    assert not square(X).requires_grad
    w = leaf(3.0, 4.0, 5.0)
    assert square(w).requires_grad
    with sw.no_grad():
        assert not square(w).requires_grad
    assert square.n_traces == 3


def test_arguments_that_are_neither_tensors_nor_hashable_say_what_to_do():
    with pytest.raises(
        ArgumentError, match=r"tensor or hashable, not ndarray; convert arrays with sw\.tensor"
    ):
        sw.compile(lambda x: x)(np.zeros(2))


def test_structures_come_out_as_the_function_made_them():
    @sw.compile
    def function(x):
        return {"double": x * 2, "list": [x + 1, (x.sum(), "text", None, 3)]}

    for _ in range(2):
        result = function(X)
        assert result["double"].tolist() == [2.0, 4.0, 6.0]
        assert result["list"][1][0].item() == 6.0
        assert result["list"][1][1:] == ("text", None, 3)


def test_an_argument_that_is_returned_and_a_constant_that_is_returned():
    function = sw.compile(lambda x: (x, sw.tensor([7.0])))
    for value in (1.0, 2.0):
        same, constant = function(sw.tensor([value]))
        assert (same.tolist(), constant.tolist()) == ([value], [7.0])


def test_the_same_tensor_as_two_arguments():
    add = sw.compile(lambda a, b: a + b * 2)
    assert add(X, X).tolist() == [3.0, 6.0, 9.0]
    w = leaf(1.0)
    add(w, w).backward()
    assert w.grad.tolist() == [3.0]


def test_the_graph_can_be_read():
    assert sw.compile(lambda x: x * 2.0).graph(X) == (
        "graph(a: float32[3]) {\n  b = 2.\n  c: float32[3] = mul(a, b)\n  return c\n}"
    )


def test_the_wrapper_keeps_name_and_documentation():
    @sw.compile
    def documented(x):
        """What it does."""
        return x

    assert documented.__name__ == "documented"
    assert documented.__doc__ == "What it does."


# ---- state: captured by identity, written back


def test_a_tensor_from_outside_is_an_input_and_not_a_constant():
    w = sw.tensor([10.0])
    scaled = sw.compile(lambda x: x * w)
    assert scaled(X).tolist() == [10.0, 20.0, 30.0]
    w[0] = 100.0
    assert scaled(X).tolist() == [100.0, 200.0, 300.0]
    assert scaled.n_traces == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda t, x: t.copy_(t + x.sum()),
        lambda t, x: t.__iadd__(x.sum()),
        lambda t, x: t.__setitem__(0, t[0] + x.sum()),
        lambda t, x: t.__setitem__(slice(None), t + x.sum()),
    ],
)
def test_a_tensor_that_gets_a_new_value_has_it_after_the_call(change):
    total = sw.tensor([0.0])

    @sw.compile
    def accumulate(x):
        change(total, x)
        return total * 2

    eager = [6.0, 12.0, 18.0]
    for expected in eager:
        assert accumulate(X).tolist() == [expected * 2]
        assert total.tolist() == [expected]
    assert accumulate.n_traces == 1


def test_a_new_value_is_seen_by_what_follows_and_not_by_what_came_before():
    state = sw.tensor([1.0])

    @sw.compile
    def function(x):
        before = state * 1.0
        state.copy_(x)
        return before, state * 1.0

    before, after = function(sw.tensor([5.0]))
    assert (before.tolist(), after.tolist(), state.tolist()) == ([1.0], [5.0], [5.0])


def test_an_argument_that_is_changed_in_place_is_changed_as_in_eager():
    def bump(x):
        x += 1.0
        return x * 2

    eager, compiled = sw.tensor([1.0]), sw.tensor([1.0])
    assert bump(eager).tolist() == [4.0]
    assert sw.compile(bump)(compiled).tolist() == [4.0]
    assert compiled.tolist() == eager.tolist() == [2.0]


def test_two_compiled_functions_share_their_state():
    counter = sw.tensor(0)
    up = sw.compile(lambda: counter.copy_(counter + 1))
    read = sw.compile(lambda: counter * 10)
    up()
    up()
    assert read().item() == 20


def test_a_learning_rate_in_a_tensor_changes_between_steps_without_a_trace():
    rate, w = sw.tensor(0.5), leaf(8.0)

    @sw.compile
    def step():
        w.grad = None
        (w * w).sum().backward()
        with sw.no_grad():
            w.copy_(w - rate * w.grad)

    step()
    assert w.tolist() == [0.0]
    w.requires_grad_(False)
    w[0] = 8.0
    w.requires_grad_()
    rate.copy_(0.25)
    step()
    assert w.tolist() == [4.0]


def test_a_python_attribute_that_the_trace_read_is_guarded():
    class Switch:
        training = True

    switch = Switch()

    @sw.compile
    def function(x):
        from slopewise.engine.mode import current_mode

        trace = current_mode().trace
        if trace is not None:
            trace.note_read(switch, "training", switch.training)
        return x * (2.0 if switch.training else 3.0)

    values = []
    for training in (True, False, True, False):
        switch.training = training
        values.append(function(sw.tensor(1.0)).item())
    assert values == [2.0, 3.0, 2.0, 3.0]
    assert function.n_traces == 2


# ---- gradients inside


def train_step(w, optimizer_state, x, y):
    """Write a training step as in DESIGN: gradients away, forward, backward, update."""
    w.grad = None
    loss = ((w * x - y) ** 2).mean()
    loss.backward()
    with sw.no_grad():
        optimizer_state.copy_(0.9 * optimizer_state + w.grad)
        w -= 0.1 * optimizer_state
    return loss


def test_a_training_step_gives_the_same_bits_eager_and_compiled():
    results = []
    for wrap in (lambda f: f, sw.compile):
        w, momentum = leaf(0.5, -1.0, 2.0), sw.tensor([0.0, 0.0, 0.0])
        step = wrap(lambda x, y, w=w, m=momentum: train_step(w, m, x, y))
        losses = [step(X * float(k + 1), X).item() for k in range(6)]
        results.append((losses, w.tolist(), momentum.tolist(), w.grad.tolist()))
    assert results[0] == results[1]


def test_gradients_add_up_over_calls_unless_they_are_reset():
    w = leaf(1.0)

    @sw.compile
    def accumulate(x):
        (w * x).sum().backward()

    for expected in (6.0, 12.0, 18.0):
        accumulate(X)
        assert w.grad.tolist() == [expected]
    assert accumulate.n_traces == 2  # while .grad is None, and once it is not
    w.grad = None
    accumulate(X)
    assert w.grad.tolist() == [6.0]
    assert accumulate.n_traces == 2


def test_a_branch_on_grad_being_none_is_guarded():
    w = leaf(1.0)
    function = sw.compile(lambda x: x if w.grad is None else x * 100.0)
    assert function(X).tolist() == [1.0, 2.0, 3.0]
    w.grad = sw.tensor([1.0])
    assert function(X).tolist() == [100.0, 200.0, 300.0]
    w.grad = None
    assert function(X).tolist() == [1.0, 2.0, 3.0]
    assert function.n_traces == 2


def test_a_gradient_that_is_read_and_changed_inside_is_changed_outside():
    w = leaf(1.0)
    w.grad = sw.tensor([8.0])

    @sw.compile
    def clip():
        w.grad *= 0.5

    clip()
    assert w.grad.tolist() == [4.0]
    clip()
    assert w.grad.tolist() == [2.0]


def test_gradients_are_set_to_none_inside():
    w = leaf(1.0)
    w.grad = sw.tensor([8.0])

    @sw.compile
    def reset(x):
        w.grad = None
        return x

    reset(X)
    assert w.grad is None


def test_a_leaf_made_inside_and_its_gradient():
    @sw.compile
    def slope(x):
        inner = x.detach().requires_grad_()
        (inner**2).sum().backward()
        return inner.grad

    assert slope(X).tolist() == [2.0, 4.0, 6.0]


def test_an_eager_backward_passes_through_a_compiled_forward():
    w = leaf(1.0, 2.0, 3.0)
    forward = sw.compile(lambda x: ops.tanh(w * x).sum())
    forward(X).backward()
    expected = sw.grad(lambda w: ops.tanh(w * X).sum())(w)
    np.testing.assert_allclose(w.grad.numpy(), expected.numpy(), rtol=1e-6)
    w.grad = None
    forward(X).backward(create_graph=True)
    assert w.grad.requires_grad


def test_gradients_see_weights_that_changed_since_the_trace():
    w = leaf(1.0)
    forward = sw.compile(lambda x: (w * w * x).sum())
    for value in (1.0, 5.0):
        with sw.no_grad():
            w.copy_([value])
        w.grad = None
        forward(sw.tensor([1.0])).backward()
        assert w.grad.tolist() == [2 * value]


def test_a_compiled_loss_after_a_compiled_model():
    w = leaf(1.0, 2.0, 3.0)
    model, loss = sw.compile(lambda x: x * w), sw.compile(lambda y: (y * y).sum())
    loss(model(X)).backward()
    assert w.grad.tolist() == [2.0, 16.0, 54.0]


def test_only_results_that_depend_on_something_tracked_are_tracked():
    w = leaf(1.0)

    @sw.compile
    def function(x):
        with sw.no_grad():
            constant = w * x
        return w * x, constant, x + 1, (w * x).detach()

    assert [y.requires_grad for y in function(X)] == [True, False, False, False]


def test_a_frozen_weight_is_no_longer_trained():
    w = leaf(1.0)

    @sw.compile
    def step():
        loss = (w * w).sum()
        if w.requires_grad:
            w.grad = None
            loss.backward()
            with sw.no_grad():
                w.copy_(w * 0.5)
        return loss

    step()
    assert w.tolist() == [0.5]
    w.requires_grad_(False)
    step()
    assert w.tolist() == [0.5]
    w.requires_grad_()
    step()
    assert w.tolist() == [0.25]
    assert w.grad.tolist() == [1.0]


def test_a_tracked_value_from_outside_that_is_changed_inside_stays_tracked():
    w = leaf(1.0, 2.0, 3.0)
    hidden = w * 2.0
    sw.compile(lambda: hidden.__setitem__(0, 7.0))()
    hidden.sum().backward()
    assert hidden.tolist() == [7.0, 4.0, 6.0]
    assert w.grad.tolist() == [0.0, 2.0, 2.0]


def test_statistics_updated_inside_of_no_grad_do_not_become_tracked():
    w, running = leaf(1.0), sw.tensor([0.0])

    @sw.compile
    def forward(x):
        y = w * x
        with sw.no_grad():
            running.copy_(0.9 * running + 0.1 * y.mean())
        return y.sum()

    for _ in range(3):
        assert forward(X).requires_grad
        assert not running.requires_grad


def test_what_was_computed_before_the_call_cannot_be_differentiated_inside():
    w = leaf(1.0)
    before = w * 2.0

    @sw.compile
    def late():
        before.sum().backward()

    with pytest.raises(TraceError, match="cannot differentiate what was computed before it was called"):
        late()
    assert w.grad is None
    before.sum().backward()
    assert w.grad.tolist() == [2.0]


def test_backward_inside_cannot_reach_an_argument_that_requires_a_gradient():
    w = leaf(1.0)

    @sw.compile
    def step(q):
        (q * q).sum().backward()

    with pytest.raises(TraceError, match=r"backward\(\) .* an argument that requires a gradient.*sw\.grad"):
        step(w)
    with pytest.raises(TraceError, match=r"an argument that requires a gradient"):
        step(w * 2.0)
    step_by_grad = sw.compile(lambda q: sw.grad(lambda q: (q * q).sum())(q))
    assert step_by_grad(w).tolist() == [2.0]


def test_requiring_a_gradient_of_a_tensor_from_outside_is_an_error_inside():
    w = sw.tensor([1.0])

    @sw.compile
    def thaw():
        w.requires_grad_()

    with pytest.raises(
        TraceError, match="requires_grad of a tensor from outside cannot be changed in a compiled"
    ):
        thaw()
    assert not w.requires_grad


def test_backward_in_a_cached_trace_is_an_error_inside_of_grad_too():
    w = leaf(1.0)

    @sw.compile
    def step(x):
        w.grad = None
        loss = (w * x).sum()
        loss.backward()
        return w.grad.sum()

    step(X)
    with pytest.raises(GradientError, match=r"backward\(\) cannot be called inside of sw\.grad"):
        sw.grad(lambda z: step(X) * z)(sw.tensor(1.0))


# ---- what cannot be traced


@pytest.mark.parametrize(
    ("look", "purpose"),
    [
        (lambda x: float(x.sum()), r"float\(\)"),
        (lambda x: int(x.sum()), r"int\(\)"),
        (lambda x: x if x.sum() > 0 else -x, r"bool\(\)"),
        (lambda x: x.numpy(), r"\.numpy\(\)"),
        (lambda x: x.tolist(), r"\.tolist\(\)"),
        (lambda x: x.sum().item(), r"\.item\(\)"),
        (lambda x: np.asarray(x), "conversion to NumPy"),
        (lambda x: f"{x.sum():.3f}", r"\.item\(\)"),
        (lambda x: [1, 2, 3][x.astype("int64")[0]], r"index\(\)"),
        (lambda x: pickle.dumps(x), "a copy"),
    ],
)
def test_looking_at_a_value_names_what_was_done_the_shape_and_the_line(look, purpose):
    with pytest.raises(TraceError, match=purpose) as caught:
        sw.compile(look)(X)
    assert "test_compiled.py:" in str(caught.value)
    assert "in a traced function only its shape and dtype are known" in str(caught.value)
    way_out = "choose by sw.where" if "bool" in purpose else "return the tensor and look at it outside"
    assert f": {way_out}, at " in str(caught.value)


def test_a_traced_tensor_can_be_shown_without_its_value():
    shown = []
    sw.compile(lambda x: shown.append(repr(x)) or x)(X)
    assert shown == ["<traced tensor float32[3]>"]


@pytest.mark.parametrize("pick", [lambda x: x[x > 1.5], lambda x: x[x > 1.5] * 2.0])
def test_a_shape_that_depends_on_data_is_an_error_that_tells_the_way_out(pick):
    with pytest.raises(
        TraceError, match=r"shape that depends on the data.*where\(mask, x, 0\).*test_compiled\.py"
    ):
        sw.compile(pick)(X)


def test_assigning_a_number_to_a_mask_becomes_where():
    def clear(x):
        y = x * 1.0
        y[y > 1.5] = 0.0
        return y

    compiled = sw.compile(clear)
    assert compiled(X).tolist() == clear(X).tolist() == [1.0, 0.0, 0.0]
    assert "select" in compiled.graph(X)
    assert sw.grad(lambda x: compiled(x).sum())(X).tolist() == [1.0, 0.0, 0.0]


def test_assigning_a_vector_to_a_mask_is_an_error_and_leaves_state_as_it_was():
    state = sw.tensor([1.0, 2.0, 3.0])

    @sw.compile
    def function(x):
        state.copy_(x * 100.0)
        state[x > 1.5] = sw.tensor([8.0, 9.0])

    with pytest.raises(TraceError, match="depends on the data"):
        function(X)
    assert state.tolist() == [1.0, 2.0, 3.0]


def test_a_mask_made_of_constants_is_no_problem():
    mask = np.array([True, False, True])
    assert sw.compile(lambda x: x[mask])(X).tolist() == [1.0, 3.0]


def test_a_failed_trace_leaves_all_state_as_it_was_and_can_be_tried_again():
    w, state = leaf(1.0), sw.tensor([5.0])
    w.grad = sw.tensor([3.0])
    fail = [True]

    @sw.compile
    def step(x):
        state.copy_(state * 2.0)
        w.grad = None
        (w * x).sum().backward()
        with sw.no_grad():
            w.copy_(w - w.grad)
        if fail[0]:
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        step(X)
    assert (w.tolist(), state.tolist(), w.grad.tolist()) == ([1.0], [5.0], [3.0])
    assert w.is_leaf
    assert sw.is_grad_enabled()
    assert step.n_traces == 0
    fail[0] = False
    step(X)
    assert (w.tolist(), state.tolist(), w.grad.tolist()) == ([-5.0], [10.0], [6.0])


def test_a_failed_run_leaves_all_state_as_it_was():
    table, state = sw.tensor([1.0, 2.0]), sw.tensor([5.0])

    @sw.compile
    def look_up(index):
        state.copy_(state * 2.0)
        return table[index]

    with pytest.raises(ArgumentError, match="index 7 is out of range for axis 0 of size 2"):
        look_up(sw.tensor([7]))
    assert state.tolist() == [5.0]


@pytest.mark.parametrize("target", ["interpreter", "native"])
def test_state_that_a_failing_operation_depends_on_stays_as_it_was(target):
    table, place, total = sw.tensor([1.0, 2.0]), sw.tensor([0]), sw.tensor([0.0])

    def look_up():
        place.copy_(place + 1)
        value = table[place]
        total.copy_(total + value)
        return value

    look_up = sw.compile(look_up, target=target)
    assert look_up().tolist() == [2.0]
    for _ in range(2):
        with pytest.raises(ArgumentError, match="index 2 is out of range for axis 0 of size 2"):
            look_up()
        assert (place.tolist(), total.tolist()) == ([1], [2.0])


def test_an_error_while_running_names_the_operation():
    power = sw.compile(lambda a, b: a**b, target="interpreter")
    with pytest.raises(sw.SlopewiseError, match=r"^pow: Integers to negative integer powers"):
        power(sw.tensor([2]), sw.tensor([-1]))


def test_machine_code_refuses_integers_to_negative_powers_too():
    power = sw.compile(lambda a, b: a**b, target="native")
    assert power(sw.tensor([2]), sw.tensor([3])).tolist() == [8]
    with pytest.raises(sw.SlopewiseError, match=r"^pow: Integers to negative integer powers"):
        power(sw.tensor([2]), sw.tensor([-1]))
    square = sw.compile(lambda a: a**2, target="native")  # an exponent that is known is no obstacle
    assert square(sw.tensor([3, -4])).tolist() == [9, 16]


def test_a_shape_error_while_tracing_is_the_eager_one():
    with pytest.raises(ShapeError, match=r"'add' cannot combine shapes \(3,\) and \(2,\)"):
        sw.compile(lambda x: x + sw.tensor([1.0, 2.0]))(X)


def test_a_traced_tensor_that_escaped_says_so_when_it_is_used():
    kept = []
    sw.compile(lambda x: kept.append(x * 2) or x)(X)
    for use in (
        lambda t: t + 1.0,
        lambda t: t.numpy(),
        lambda t: sw.compile(lambda x: x + t)(X),
        lambda t: sw.compile(lambda x: x + 1.0)(t),
    ):
        with pytest.raises(
            TraceError, match=r"traced value \(float32\[3\]\) whose trace has ended.*test_compiled\.py"
        ):
            use(kept[0])


def test_compiling_a_method_tells_to_compile_the_bound_one():
    class Model:
        @sw.compile
        def forward(self, x):
            return x

    with pytest.raises(TraceError, match=r"self\.forward = sw\.compile\(self\.forward\)"):
        Model().forward(X)


# ---- inside of each other


def test_a_compiled_function_inside_of_another_is_part_of_its_graph():
    inner = sw.compile(lambda x: x * 2.0)
    outer = sw.compile(lambda x: inner(x) + 1.0)
    assert outer(X).tolist() == [3.0, 5.0, 7.0]
    assert inner.n_traces == 0
    assert "call" not in outer.graph(X)


def test_a_compiled_function_that_calls_itself():
    @sw.compile
    def power(x, n):
        return x if n == 1 else x * power(x, n - 1)

    assert power(X, 3).tolist() == [1.0, 8.0, 27.0]


def test_a_module_can_be_compiled_and_keeps_its_attributes():
    model = sw.nn.Linear(3, 2)
    compiled = sw.compile(model)
    np.testing.assert_allclose(compiled(X).numpy(), model(X).numpy(), rtol=1e-6)
    assert compiled.weight is model.weight
    assert [p.shape for p in compiled.parameters()] == [(2, 3), (2,)]
    model.eval()
    assert compiled.training is False
    with pytest.raises(AttributeError, match="no_such_thing"):
        compiled.no_such_thing  # noqa: B018


# ---- copies


def module_level(x):
    return x * 2.0


compiled_at_module_level = sw.compile(module_level)


def test_a_compiled_function_can_be_copied_and_pickled():
    assert copy.deepcopy(compiled_at_module_level)(X).tolist() == [2.0, 4.0, 6.0]
    assert pickle.loads(pickle.dumps(compiled_at_module_level))(X).tolist() == [2.0, 4.0, 6.0]


def test_a_copied_object_with_a_compiled_method_uses_its_own_state():
    class Counter:
        def __init__(self):
            self.count = sw.tensor(0)
            self.up = sw.compile(self._up)

        def _up(self):
            self.count.copy_(self.count + 1)

    first = Counter()
    first.up()
    second = copy.deepcopy(first)
    second.up()
    second.up()
    assert (first.count.item(), second.count.item()) == (1, 3)


# ---- threads


def in_threads(*functions):
    """Run functions at the same time, and raise what they raised."""
    barrier = threading.Barrier(len(functions))
    errors = []

    def run(function):
        barrier.wait()
        try:
            function()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_two_threads_trace_at_the_same_time():
    results = {}

    def work(name, factor):
        w = leaf(factor)

        @sw.compile
        def step(x):
            w.grad = None
            y = x * w
            for _ in range(50):
                y = y + x * w
            y.sum().backward()
            return y.sum()

        results[name] = [step(sw.tensor([1.0])).item() for _ in range(3)] + w.grad.tolist()

    in_threads(*[lambda k=k: work(k, float(k)) for k in range(4)])
    assert results == {k: [51.0 * k] * 3 + [51.0] for k in range(4)}


def test_two_threads_call_one_compiled_function():
    count = sw.tensor(0)

    @sw.compile
    def step(x):
        count.copy_(count + 1)
        return (x * 2.0).sum()

    def work():
        for _ in range(100):
            assert step(X).item() == 12.0

    in_threads(*[work] * 4)
    assert count.item() == 400
    assert step.n_traces == 1


def test_no_grad_in_one_thread_does_not_reach_another():
    w = leaf(1.0)
    entered, done = threading.Event(), threading.Event()

    def quiet():
        with sw.no_grad():
            entered.set()
            done.wait(10)

    def loud():
        entered.wait(10)
        try:
            (w * 2.0).sum().backward()
        finally:
            done.set()

    in_threads(quiet, loud)
    assert w.grad.tolist() == [2.0]


# ---- memory


def test_what_a_compiled_function_reached_is_freed_with_it():
    w = sw.tensor(np.zeros(10))
    gone = weakref.ref(w)
    function = sw.compile(lambda x, w=w: x * w.sum())
    function(X)
    del w, function
    gc.collect()
    assert gone() is None


def linearized_again(linear):
    return [key for key in linear.backward.derived if "linearize" in key]


def test_a_first_backward_pass_is_not_prepared_for_a_second_derivative():
    """It would keep all intermediate values of the backward pass, at each step."""
    w = leaf(1.0, 2.0, 3.0)
    forward = sw.compile(lambda x: ops.tanh(w * x).sum())
    loss = forward(X)
    linear = loss._ref.node.params["linear"]
    loss.backward()
    assert not linearized_again(linear)
    forward(X).backward(create_graph=True)
    assert linearized_again(linear)


def test_nor_is_that_of_a_loop():
    w = leaf(0.5)
    state, _ = sw.scan(lambda s, x: (ops.tanh(s * w.sum() + x), None), sw.tensor(0.0), X)
    linear = state._ref.node.params["linear"]
    state.backward()
    (body,) = [graph for key, graph in linear.backward.derived.items() if "backward body" in key]
    assert not [key for key in body.derived if "linearize" in key]
    assert w.grad is not None


def test_traces_do_not_pile_up_over_steps():
    w, state = leaf(1.0), sw.tensor([0.0])

    @sw.compile
    def step(x):
        w.grad = None
        loss = (w * x).sum()
        loss.backward()
        with sw.no_grad():
            w.copy_(w - 0.01 * w.grad)
            state.copy_(state + 1.0)
        return loss

    for k in range(20):
        step(X * float(k))
    assert step.n_traces == 1
    assert state.item() == 20.0


def test_only_functions_can_be_compiled():
    with pytest.raises(ArgumentError, match=r"sw\.compile takes a function or a module, not int"):
        sw.compile(3)
