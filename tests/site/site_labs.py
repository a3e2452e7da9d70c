"""Settings of labs drawn by lot, and what every frame of a lab holds."""

import random
import re
from importlib import import_module

from slopewise.engine.errors import ArgumentError
from slopewise.site.content.lesson import LESSONS
from slopewise.site.labs import Choice, Number, Points, Toggle, Whole

FOLDERS = [folder.name for folder in sorted(LESSONS.glob("n[0-9][0-9]_*"))]


def lab_of(folder):
    return import_module(f"slopewise.site.content.lessons.{folder}.lab").LAB


def draw_address(lab, seed):
    """Return an address's settings drawn by lot; a text, whose language is the lab's own, stays."""
    lot = random.Random(seed)
    return {setting.name: text for setting in lab.settings if (text := _draw(setting, lot)) is not None}


def _draw(setting, lot):
    if isinstance(setting, Number):
        steps = int((setting.high - setting.low) / setting.step + 1e-9)
        return f"{setting.low + lot.randint(0, steps) * setting.step:.6g}"
    if isinstance(setting, Whole):
        return str(lot.randrange(setting.low, setting.high + 1, setting.step))
    if isinstance(setting, Choice):
        return lot.choice([value for value, _ in setting.options])
    if isinstance(setting, Toggle):
        return lot.choice("01")
    if isinstance(setting, Points):
        rows = [[f"{lot.uniform(*ends):.2f}" for ends in (setting.x, setting.y)] for _ in range(setting.most)]
        return "; ".join(
            " ".join([*row, *([lot.choice(setting.kinds)] if setting.kinds else [])]) for row in rows
        )
    return None


def draw_run(lab, seed):
    """Return settings drawn by lot that the lab does not refuse, and its frames."""
    for attempt in range(20):
        address = draw_address(lab, f"{seed} {attempt}")
        try:
            return address, lab.frames(lab.read(address))
        except ArgumentError:
            continue
    raise AssertionError(f"{lab.title} runs none of 20 settings drawn by lot")


def faults_of(frame):
    """Return what a frame lacks that a reader who sees no picture needs, a line each."""
    found = []
    if len(frame.words.split()) < 6:
        found.append(f"says only {frame.words!r}")
    if frame.table is None or not frame.table.caption:
        found.append("has no table with a caption")
    elif not frame.table.rows or {len(row) for row in frame.table.rows} != {len(frame.table.columns)}:
        found.append("has a table whose rows do not fit its columns")
    for figure in frame.figures:
        if not figure.caption or not re.match(r'<svg[^>]*aria-label="[^"]+"', figure.svg):
            found.append(f"has a picture without a name: {figure.caption!r}")
        if re.search(r"\b(nan|inf)\b|>None<", figure.svg):
            found.append(f"draws what is no number: {figure.caption!r}")
    told = [
        frame.title,
        frame.words,
        *([cell for row in frame.table.rows for cell in row] if frame.table else []),
    ]
    found += [
        f"tells what is no number: {text[:80]!r}" for text in told if re.search(r"\bnan\b|^None$", text)
    ]
    return found
