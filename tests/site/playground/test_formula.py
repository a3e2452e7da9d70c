"""The formula that the page shows is computed, and does what the engine does with the chosen options."""

import itertools
import math
from functools import partial

import numpy as np
import pytest
from formula_values import NUMPY, TENSORS, run, value

import slopewise as sw
import slopewise.array as xp
from slopewise.site.content.markup import math as mathml
from slopewise.site.playground import plan
from slopewise.site.playground.design import CLASS_LOSSES, NUMBER_LOSSES, OPTIMIZERS, SCHEDULES, read_design
from slopewise.site.playground.formula import Inputs, formula, gradient_lines, rate_of
from slopewise.site.playground.layers import KINDS
from slopewise.site.playground.statements import Definition, Statement
from slopewise.site.playground.training import Training
from slopewise.site.playground.update_rules import rule_of

# what the page offers of each setting of an optimizer, apart from its default
OTHER = {
    "momentum": "0.8",
    "dampening": "0.3",
    "nesterov": "1",
    "weight_decay": "0.07",
    "beta1": "0.7",
    "beta2": "0.9",
    "alpha": "0.8",
    "eps": "0.001",
    "amsgrad": "1",
    "momentum_decay": "0.05",
    "decoupled": "1",
    "centered": "1",
    "lr_decay": "0.1",
    "accumulator": "0.5",
}
NEEDS = {
    "nesterov": {"momentum": "0.8"},
    "dampening": {"momentum": "0.8"},
    "decoupled": {"weight_decay": "0.07"},
}


def optimizer_designs():
    """Yield each optimizer plain, with each of its options, and with all that go together."""
    for kind, (_, names) in OPTIMIZERS.items():
        if kind == "lbfgs":
            continue
        every = [tuple(n for n in names if n != without) for without in ("nesterov", "dampening")]
        for size in (0, 1):
            every += itertools.combinations(names, size)
        for chosen in dict.fromkeys(every):
            if {"nesterov", "dampening"} <= set(chosen):
                continue  # refused, as the test below holds
            query = {name: OTHER[name] for name in chosen}
            for name in chosen:
                query = NEEDS.get(name, {}) | query
            yield {"optimizer": kind, "lr": "0.05"} | query


def test_there_is_a_rule_for_every_optimizer_of_the_library_and_every_option_of_the_page():
    assert set(OPTIMIZERS) == set(sw.optim.BY_NAME)
    offered = {name for _, names in OPTIMIZERS.values() for name in names}
    assert offered - {"history", "iterations", "line_search"} == set(OTHER)


def descend(optimizer, theta, gradients):
    """Return where an optimizer goes with given gradients."""
    path = []
    for gradient in gradients:
        theta.grad = sw.tensor(gradient, dtype="float64")
        optimizer.step()
        path.append(theta.detach().numpy().copy())
    return np.array(path)


def test_each_rule_with_each_of_its_options_makes_the_steps_of_the_library():
    random = np.random.default_rng(3)
    start, gradients = random.normal(size=6), random.normal(size=(7, 6))
    designs = list(optimizer_designs())
    assert len(designs) > 50
    for query in designs:
        design = read_design(query)
        theta = sw.tensor(start, dtype="float64", requires_grad=True)
        optimizer = plan.optimizer_call(design).make({"model.parameters()": [theta]})
        rule = rule_of(str(design.values["optimizer"]), plan.optimizer_settings(design))
        known = {"theta": start, "eta": 0.05, **rule.starts, **rule.symbols}
        mine = []
        for k, gradient in enumerate(gradients):
            known = run(rule.lines, {**known, "g": gradient, "t": k + 1})
            mine.append(known["theta"])
        assert np.array(mine) == pytest.approx(descend(optimizer, theta, gradients), rel=1e-9), query
        assert set(rule.symbols) <= set().union(*(line.names for line in rule.lines)), query


SCHEDULE_DESIGNS = [
    {"schedule": kind, "horizon": horizon, "factor": "0.3", "power": "1.7", "warm_up": warm_up}
    for kind in SCHEDULES
    for horizon in ("7", "12")
    for warm_up in ("0", "5")
    if kind != "plateau" and not (kind == "linear" and warm_up != "0")
]


@pytest.mark.parametrize("query", SCHEDULE_DESIGNS, ids=lambda query: "-".join(query.values()))
def test_each_schedule_gives_the_learning_rates_of_the_library(query):
    design = read_design({**query, "lr": "0.4"})
    made, rule = plan.rate(design), rate_of(design)
    schedule = made.make() if hasattr(made, "make") else sw.optim.schedules.Constant(made)
    rates = [run(rule.lines, {**rule.symbols, "k": k})["eta"] for k in range(40)]
    assert rates == pytest.approx([float(schedule(k).item()) for k in range(40)], rel=1e-9, abs=1e-12)


def test_the_plateau_lets_as_many_epochs_pass_as_the_library_does():
    design = read_design({"schedule": "plateau", "patience": "2", "factor": "0.3", "lr": "0.4"})
    rule = rate_of(design)
    optimizer = plan.optimizer_call(design).make({"model.parameters()": [sw.tensor(1.0, requires_grad=True)]})
    plateau = sw.optim.ReduceOnPlateau(optimizer, **plan.callback_call(design).keywords)
    known, best, n = {**rule.symbols, **rule.starts}, math.inf, 0
    for loss in [1.0, 0.9, 0.9, 0.89995, 0.91, 0.8, 0.81, 0.82, 0.83, 0.84, 0.85, 0.86, 0.7, 0.8]:
        best, n = (loss, 0) if loss < best * (1 - 1e-4) else (best, n + 1)
        known = run(rule.lines, {**known, "n": n})
        n = 0 if n > rule.symbols["P"] else n
        plateau.step(loss)
        assert known["eta"] == pytest.approx(optimizer.lr, rel=1e-12)
    assert known["eta"] < 0.05


def test_clipping_does_what_the_library_does():
    design = read_design({"clip": "1.5", "clip_value": "0.8"})
    gradient = np.array([1.2, -0.4, 3.0, -2.0])
    weight = sw.tensor(np.zeros(4), requires_grad=True)
    weight.grad = sw.tensor(gradient)
    keywords = plan.trainer_keywords(design)
    sw.optim.clip_grad_value([weight], keywords["clip_value"])
    sw.optim.clip_grad_norm([weight], keywords["clip_norm"])
    lines, symbols = gradient_lines(design)
    assert run(lines[1:], {"g": gradient, **symbols})["g"] == pytest.approx(weight.grad.numpy(), rel=1e-12)


def test_lbfgs_goes_where_its_formula_says():
    design = read_design({"optimizer": "lbfgs", "history": "3", "iterations": "1", "lr": "1"})
    rule = rule_of("lbfgs", plan.optimizer_settings(design))
    names = [line.name for line in rule.lines]
    theta = sw.tensor([-1.2, 1.0, 0.7], dtype="float64", requires_grad=True)
    call = plan.optimizer_call(design)
    assert call.keywords["max_iter"] == 1
    optimizer = sw.optim.LBFGS([theta], **{**call.keywords, "max_eval": 25, "lr": 1.0})

    def closure():
        optimizer.zero_grad()
        loss = (1 - theta[0]) ** 2 + 3 * (theta[1] - theta[0] ** 2) ** 2 + 2 * (theta[2] + theta[0]) ** 4
        loss.backward()
        return loss

    pairs, before = [], None
    for number in range(9):
        here, loss, g = (
            theta.detach().numpy()[:, None].copy(),
            closure().item(),
            theta.grad.numpy()[:, None].copy(),
        )
        if before is not None and (g - before[1]).T @ (here - before[0]) > 1e-10:
            pairs = [*pairs, (here - before[0], g - before[1])][-3:]
        before = here, g
        known = {"g": g, "I": np.eye(3), "H": np.eye(3)}
        for place, (s, y) in enumerate([pairs[-1], *pairs] if pairs else []):
            only = rule.lines[1:2] if not place else [rule.lines[0], rule.lines[2]]
            known = run(only, {**known, "s": s, "y": y})
        d = run([rule.lines[names.index("d")]], known)["d"]
        optimizer.step(closure)
        went = theta.detach().numpy()[:, None] - here
        q = float(np.sum(went * d) / np.sum(d * d))
        assert q > 0
        assert run([rule.lines[-1]], {"theta": here, "q": q, "d": d})["theta"] == pytest.approx(
            here + went, rel=1e-8
        )
        slope = float(np.sum(g * d))
        after = closure().item()
        assert after <= loss + 1e-4 * q * slope
        assert abs(np.sum(theta.grad.numpy()[:, None] * d)) <= 0.9 * abs(slope) + 1e-12, number
    fixed = rule_of("lbfgs", {**plan.optimizer_settings(design), "line_search_fn": None})
    assert "q is η" in fixed.note


# ---- the network and its loss


def weights_of(training):
    """Return the names that the formula gives to the parameters of a model, with their values."""
    named, counts = {}, {"linear": 0, "residual": 0, "norm": 0}
    kinds = [layer.kind for layer in training.design.layers] + ["linear"]
    for kind, module in zip(kinds, training.model):
        letters = {"linear": "Wb", "residual": "UcVd"}.get(kind, "")
        if kind.endswith("_norm"):
            counts["norm"] += 1
            named |= {f"gamma_{counts['norm']}": module.weight, f"tau_{counts['norm']}": module.bias}
        elif letters:
            counts[kind] += 1
            named |= {
                f"{letter}_{counts[kind]}": parameter
                for letter, parameter in zip(letters, module.parameters())
            }
    return named


def forward(design, sections, weights, rows, target):
    """Return the loss by the formula, over tensors."""
    network, loss = sections[0].lines, sections[1].lines
    known = {
        line.name + "()": line for part in (network, loss) for line in part if isinstance(line, Definition)
    }
    known |= weights | {"h_0": rows, "x": rows, "y_i": target}
    for line in (line for line in network if isinstance(line, Statement) and not isinstance(line, Inputs)):
        for over, axis in (("batch", 0), ("row", -1)):
            if f"mu_{over}" in line.names:
                before = known[next(name for name in line.names if name.startswith("h_"))]
                known[f"mu_{over}"] = xp.mean(before, axis=axis, keepdims=True)
                known[f"sigma_{over}"] = xp.std(before, axis=axis, keepdims=True)
        known |= {"q": 1.0 - layer_share(design, line)}
        known[line.name] = value(line.expression, known, TENSORS)
    if "p_hat" in known:
        p = known["p_hat"]
        known["p_hat_i"] = p[:, 0]
        if design.outputs > 1:
            known["p_of_target"] = xp.sum(p * xp.one_hot(target, design.outputs), axis=1)
    else:
        known["y_hat_i"] = known["y_hat"][:, 0]
    return value(loss[0].expression, known, TENSORS)


def layer_share(design, line):
    """Return a dropout's share: in its mean a number is kept as it is."""
    return design.layers[int(line.name[2:]) - 1].number if "q" in line.names else 0.0


def layer_text(kind):
    known = KINDS[kind]
    return f"{kind}:{known.usual:g}" if known.number else kind


WHOLE = [
    *({"layers": f"linear:5,{layer_text(kind)}"} for kind in KINDS),
    *(
        {"layers": f"linear:5,{text},linear:4,{text[:-1]}3"}
        for text in ("leaky_relu:0.2", "elu:2", "softplus:4")
    ),
    {"layers": "linear:4,gelu,linear:4,gelu_tanh,residual:3,layer_norm,residual:2,batch_norm"},
    {"layers": "none", "features": "x1,x2,x1x1,x2x2,x1x2,sin1,sin2", "standardise": "1"},
    {"data": "blobs"},
    *({"data": "ripples", "loss": loss} for loss in NUMBER_LOSSES),
    *({"data": "circles", "loss": loss} for loss in CLASS_LOSSES),
    {
        "l1": "0.03",
        "clip": "0.05",
        "clip_value": "0.02",
        "weight_decay": "0.1",
        "momentum": "0.9",
        "nesterov": "1",
    },
    *({"optimizer": kind, "weight_decay": "0.02", "lr": "0.02"} for kind in OPTIMIZERS if kind != "lbfgs"),
    *(
        {"schedule": kind, "horizon": "6", "warm_up": "2"}
        for kind in SCHEDULES
        if kind not in ("plateau", "linear")
    ),
]


@pytest.mark.parametrize("query", WHOLE, ids=lambda query: "&".join(f"{k}={v}" for k, v in query.items()))
def test_the_whole_formula_trains_the_network_as_the_page_does(query):
    design = read_design({"rows": "40", "batch": "2000", **query})
    training, sections = Training(design), formula(design)
    X, y = training.rows.part("train")
    rows = sw.tensor(X.astype(np.float64))
    target = sw.tensor(y if design.outputs > 1 else y.astype(np.float64))
    lines, symbols = gradient_lines(design)
    rate, rule = rate_of(design), rule_of(str(design.values["optimizer"]), plan.optimizer_settings(design))
    update = {**symbols, **rate.symbols, **rule.symbols, **rate.starts, **rule.starts}
    shown = sections[2]
    assert {**shown.symbols, **shown.starts} == update
    weights = {
        name: parameter.detach().numpy().astype(np.float64)
        for name, parameter in weights_of(training).items()
    }
    if any(layer.kind == "dropout" for layer in design.layers):
        loss = training.point()[2]  # while it is judged
        tensors = {name: sw.tensor(array) for name, array in weights.items()}
        assert forward(design, sections, tensors, rows, target).item() == pytest.approx(loss, rel=1e-5)
        return
    for k in range(2):
        tensors = {name: sw.tensor(array, requires_grad=True) for name, array in weights.items()}
        loss = forward(design, sections, tensors, rows, target)
        functions = {**TENSORS, "sum_w": xp.sum, "gradient": partial(flat_gradient, tensors)}
        weight = xp.concat([tensor.reshape(-1) for tensor in tensors.values() if tensor.ndim == 2])
        known = {**update, "L": loss, "w": weight}
        place = [line.name for line in lines].index("g") + 1
        known = run(lines[:place], known, functions)
        theta = np.concatenate([array.ravel() for array in weights.values()])
        known = run([*lines[place:], *rate.lines], {**known, "theta": theta, "k": k}, NUMPY)
        known = run(rule.lines, {**known, "t": k + 1}, NUMPY)
        update = {name: known[name] for name in update}
        weights = split(known["theta"], weights)
        training.advance_to(k + 1, 60.0)
        assert training.batch_loss == pytest.approx(float(loss.item()), rel=1e-4, abs=1e-6)
        made = np.concatenate(
            [parameter.detach().numpy().ravel() for parameter in weights_of(training).values()]
        )
        assert made == pytest.approx(known["theta"], rel=2e-3, abs=2e-4)
    assert sorted(weights) == sorted(name for name in named_in(sections[0].lines) if name[0] in "WbUcVdgt")


def named_in(lines):
    names = set().union(
        *(line.names for line in lines if isinstance(line, Statement) and not isinstance(line, Inputs))
    )
    return {name for name in names if name.partition("_")[2].isdigit() and name[0] != "h"}


def flat_gradient(tensors, loss):
    loss.backward()
    gradients = [0 * tensor if tensor.grad is None else tensor.grad for tensor in tensors.values()]
    return np.concatenate([gradient.detach().numpy().ravel() for gradient in gradients])


def split(theta, weights):
    ends = np.cumsum([array.size for array in weights.values()])[:-1]
    return {
        name: part.reshape(array.shape) for (name, array), part in zip(weights.items(), np.split(theta, ends))
    }


def test_the_page_sets_every_line_of_it_with_the_numbers_of_the_design():
    design = read_design(
        {"optimizer": "nadam", "beta1": "0.85", "clip": "0.5", "lr": "0.0123", "schedule": "step"}
    )
    rows = [(latex, note) for section in formula(design) for latex, note in section.rows]
    set_lines = [str(mathml(latex, True)) for latex, _ in rows]
    numbers = rows[-2][0]
    for written in (r"\beta_{1} = 0.85", r"c_{\text{norm}} = 0.5", r"\eta_{0} = 0.0123", r"\rho = 0.004"):
        assert written in numbers
    assert all(line.startswith("<math") for line in set_lines)


def test_what_is_shown_changes_with_each_option_of_the_update():
    seen = {}
    for query in optimizer_designs():
        text = repr([query["optimizer"], *(section.rows for section in formula(read_design(query)))])
        assert seen.get(text, query) == query
        seen[text] = query
