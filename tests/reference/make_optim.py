"""Makes optim.json: trajectories of PyTorch's optimizers and values of its schedules.

Run in an environment of its own (`pip install torch==2.13.0 numpy`): python tests/reference/make_optim.py.
The tests read optim.json only. Lion, which PyTorch lacks, is written here in NumPy after algorithm 2 of its
paper (X. Chen et al., 2023).
"""

import json
import random
from pathlib import Path

import numpy as np
import torch
from torch.optim import lr_scheduler

STEPS = 50
KEPT = [1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 50]
SKIPPED = range(10, 20)  # steps, from 0, in which the last parameter has no gradient in the cases that say so

# (class of PyTorch, name and settings here, settings there where they differ, whether steps are skipped)
CASES = [
    ("SGD", "sgd", {"lr": 0.1}),
    ("SGD", "sgd", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", "sgd", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
    ("SGD", "sgd", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("Adagrad", "adagrad", {}),
    (
        "Adagrad",
        "adagrad",
        {"lr": 0.1, "lr_decay": 0.05, "weight_decay": 0.02, "initial_accumulator_value": 0.1},
    ),
    ("RMSprop", "rmsprop", {}),
    ("RMSprop", "rmsprop", {"lr": 0.02, "alpha": 0.9, "weight_decay": 0.01, "momentum": 0.5}),
    ("RMSprop", "rmsprop", {"lr": 0.005, "centered": True, "momentum": 0.9, "eps": 1e-4}),
    ("Adam", "adam", {}),
    ("Adam", "adam", {"lr": 0.05, "betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.1}),
    ("Adam", "amsgrad", {"lr": 0.05, "betas": [0.9, 0.9]}),
    ("Adam", "adam", {"lr": 0.05, "amsgrad": True, "weight_decay": 0.01}),
    ("AdamW", "adamw", {}),
    ("AdamW", "adamw", {"lr": 0.05, "weight_decay": 0.3, "amsgrad": True}),
    ("NAdam", "nadam", {}),
    ("NAdam", "nadam", {"lr": 0.02, "weight_decay": 0.05, "momentum_decay": 0.02}),
    ("NAdam", "nadam", {"lr": 0.02, "weight_decay": 0.05, "decoupled_weight_decay": True}),
    ("RAdam", "radam", {}),
    ("RAdam", "radam", {"lr": 0.05, "betas": [0.9, 0.99], "weight_decay": 0.05}),
    ("RAdam", "radam", {"lr": 0.05, "weight_decay": 0.05, "decoupled_weight_decay": True}),
    ("RAdam", "radam", {"lr": 0.05, "betas": [0.5, 0.5]}),
    ("Lion", "lion", {"lr": 0.01}),
    ("Lion", "lion", {"lr": 0.01, "betas": [0.95, 0.98], "weight_decay": 0.5}),
]
WITH_SKIPS = ["sgd", "adagrad", "rmsprop", "adam", "nadam", "radam", "lion"]


class Lion:
    """Algorithm 2 of the paper, line by line, with decoupled weight decay."""

    def __init__(self, params, lr, betas=(0.9, 0.99), weight_decay=0.0):
        self.params, self.lr, self.betas, self.decay = params, lr, betas, weight_decay
        self.m = [np.zeros(p.shape) for p in params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    def step(self):
        beta1, beta2 = self.betas
        for i, p in enumerate(self.params):
            if p.grad is None:
                continue
            g, theta = p.grad.numpy(), p.detach().numpy()
            c = beta1 * self.m[i] + (1 - beta1) * g
            theta_next = theta - self.lr * (np.sign(c) + self.decay * theta)
            self.m[i] = beta2 * self.m[i] + (1 - beta2) * g
            with torch.no_grad():
                p.copy_(torch.from_numpy(theta_next))


def problem(generator):
    """A small network, tanh in the middle, on a batch that is another one at each step."""

    def numbers(*shape):
        return np.round([generator.gauss(0, 1) for _ in range(int(np.prod(shape)))], 3).reshape(shape)

    return {"w": numbers(3, 2), "b": numbers(2), "v": numbers(2, 1), "x": numbers(8, 3), "y": numbers(8, 1)}


def loss_of(params, x, y):
    w, b, v = params
    return (((x @ w + b).tanh() @ v - y) ** 2).mean()


def trajectory(data, made_by, settings, skips):
    params = [torch.tensor(data[name], requires_grad=True) for name in "wbv"]
    x, y = torch.tensor(data["x"]), torch.tensor(data["y"])
    optimizer = (
        Lion(params, **settings) if made_by == "Lion" else getattr(torch.optim, made_by)(params, **settings)
    )
    kept = []
    for step in range(STEPS):
        optimizer.zero_grad()
        rows = slice(0, 4) if step % 2 else slice(4, 8)
        loss_of(params, x[rows], y[rows]).backward()
        if skips and step in SKIPPED:
            params[-1].grad = None
        optimizer.step()
        if step + 1 in KEPT:
            kept.append([value for p in params for value in p.detach().reshape(-1).tolist()])
    return kept


def optimizer_cases(data):
    cases = []
    for made_by, name, settings in CASES:
        there = settings | ({"amsgrad": True} if name == "amsgrad" else {})
        for skips in (False, True) if name in WITH_SKIPS else (False,):
            values = trajectory(data, made_by, there, skips)
            cases.append({"name": name, "settings": settings, "skips": skips, "values": values})
    return cases


def rosenbrock(x):
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def lbfgs_cases(data):
    cases = []
    for settings in (
        {"line_search_fn": "strong_wolfe"},
        {"line_search_fn": "strong_wolfe", "max_iter": 4, "history_size": 3},
        {"lr": 0.01, "max_iter": 3},
    ):
        x = torch.tensor([-1.2, 1.0], requires_grad=True)
        params = [torch.tensor(data[name], requires_grad=True) for name in "wbv"]
        cases.append(
            {
                "settings": settings,
                "rosenbrock": run_lbfgs([x], lambda x=x: rosenbrock(x), settings),
                "network": run_lbfgs(
                    params,
                    lambda params=params: loss_of(params, torch.tensor(data["x"]), torch.tensor(data["y"])),
                    settings,
                ),
            }
        )
    return cases


def run_lbfgs(params, loss, settings, steps=8):
    optimizer = torch.optim.LBFGS(params, **settings)
    record = []

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    for _ in range(steps):
        value = optimizer.step(closure)
        flat = [number for p in params for number in p.detach().reshape(-1).tolist()]
        record.append({"loss": value.item(), "values": flat})
    return record


def learning_rates(make, lr=0.1, steps=40):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=lr)
    schedule = make(optimizer)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


def schedule_values():
    s = lr_scheduler
    return {
        "StepDecay(0.1, 7, 0.5)": learning_rates(lambda o: s.StepLR(o, 7, 0.5)),
        "MultiStepDecay(0.1, (3, 10, 11), 0.2)": learning_rates(lambda o: s.MultiStepLR(o, [3, 10, 11], 0.2)),
        "ExponentialDecay(0.1, 0.9)": learning_rates(lambda o: s.ExponentialLR(o, 0.9)),
        "PolynomialDecay(0.1, 25, 2.0)": learning_rates(lambda o: s.PolynomialLR(o, 25, 2.0)),
        "PolynomialDecay(0.1, 25)": learning_rates(lambda o: s.PolynomialLR(o, 25)),
        "CosineDecay(0.1, 39, 0.01)": learning_rates(lambda o: s.CosineAnnealingLR(o, 39, 0.01)),
        "CosineRestarts(0.1, 12, end=0.02)": learning_rates(
            lambda o: s.CosineAnnealingWarmRestarts(o, 12, eta_min=0.02)
        ),
        "CosineRestarts(0.1, 5, growth=2)": learning_rates(
            lambda o: s.CosineAnnealingWarmRestarts(o, 5, T_mult=2)
        ),
        "LinearRamp(0.025, 0.1, 9)": learning_rates(lambda o: s.LinearLR(o, 0.25, 1.0, 9)),
        "OneCycle(0.5, 40)": learning_rates(lambda o: s.OneCycleLR(o, 0.5, total_steps=40)),
        "OneCycle(0.5, 40, peak=0.45, start_divisor=10.0, end_divisor=100.0, shape='linear')": learning_rates(
            lambda o: s.OneCycleLR(
                o,
                0.5,
                total_steps=40,
                pct_start=0.45,
                div_factor=10.0,
                final_div_factor=100.0,
                anneal_strategy="linear",
            )
        ),
        "WarmUp(CosineDecay(0.1, 32), 8, start=0.1)": learning_rates(
            lambda o: s.SequentialLR(
                o, [s.LinearLR(o, 0.1, 1.0, 8), s.CosineAnnealingLR(o, 32, 0.0)], milestones=[8]
            )
        ),
        "ExponentialDecay(0.1, 0.95) * StepDecay(1.0, 10, 0.5)": learning_rates(
            lambda o: s.ChainedScheduler([s.ExponentialLR(o, 0.95), s.StepLR(o, 10, 0.5)])
        ),
    }


PLATEAUS = {
    "rel": {"factor": 0.5, "patience": 2},
    "abs, cooldown": {
        "factor": 0.1,
        "patience": 1,
        "cooldown": 2,
        "threshold": 0.05,
        "threshold_mode": "abs",
        "min_lr": 0.002,
    },
    "max": {"mode": "max", "factor": 0.5, "patience": 1},
}


def plateau_values(generator):
    scores = [round(1 / (1 + 0.4 * epoch) + 0.1 * generator.random(), 4) for epoch in range(40)]
    rates = {}
    for name, settings in PLATEAUS.items():
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
        schedule = lr_scheduler.ReduceLROnPlateau(optimizer, **settings)
        rates[name] = []
        for score in scores:
            schedule.step(score)
            rates[name].append(optimizer.param_groups[0]["lr"])
    return {"scores": scores, "settings": PLATEAUS, "rates": rates}


def clipping_values(generator):
    cases = []
    for norm_type, max_norm in ((2.0, 1.0), (2.0, 100.0), (1.0, 2.0), (3.0, 0.5), (float("inf"), 0.7)):
        gradients = [[round(generator.gauss(0, 1), 3) for _ in range(n)] for n in (3, 4)]
        params = [torch.zeros(len(g), requires_grad=True) for g in gradients]
        for p, g in zip(params, gradients, strict=True):
            p.grad = torch.tensor(g)
        norm = torch.nn.utils.clip_grad_norm_(params, max_norm, norm_type).item()
        case = {"norm_type": str(norm_type), "max_norm": max_norm, "gradients": gradients}
        cases.append(case | {"norm": norm, "clipped": [p.grad.tolist() for p in params]})
    return cases


def main():
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    generator = random.Random(11)
    data = problem(generator)
    record = {
        "torch": torch.__version__,
        "problem": {name: value.tolist() for name, value in data.items()},
        "kept": KEPT,
        "skipped": list(SKIPPED),
        "optimizers": optimizer_cases(data),
        "lbfgs": lbfgs_cases(data),
        "schedules": schedule_values(),
        "plateau": plateau_values(generator),
        "clipping": clipping_values(generator),
    }
    Path(__file__).with_name("optim.json").write_text(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
