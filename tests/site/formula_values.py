"""Computes the statements that the page sets as formulas, over NumPy arrays or over tensors."""

import ast
import math

import numpy as np

import slopewise.array as xp

NUMPY = {
    "sqrt": np.sqrt,
    "abs": np.abs,
    "norm": np.linalg.norm,
    "floor": np.floor,
    "exp": np.exp,
    "log": np.log,
    "log2": np.log2,
    "cos": np.cos,
    "sign": np.sign,
    "max": np.maximum,
    "min": np.minimum,
    "where": np.where,
    "transposed": np.transpose,
    "matmul": lambda a, b: a @ b,
}
TENSORS = {
    "sqrt": xp.sqrt,
    "abs": xp.abs,
    "exp": xp.exp,
    "log": xp.log,
    "tanh": xp.tanh,
    "erf": xp.erf,
    "max": xp.maximum,
    "where": xp.where,
    "mean_i": xp.mean,
    "sum_j": lambda x: xp.sum(x, axis=-1, keepdims=True),
    "matmul": lambda weight, rows: (
        rows @ weight.mT
    ),  # a formula is of one row, `h` holds one in each of its rows
}


def value(node, known, functions):
    """Return the value of an expression; `known` holds the values of names, and definitions."""
    if isinstance(node, ast.Constant):
        return float(node.value)
    if isinstance(node, ast.Name):
        return math.pi if node.id == "pi" else known[node.id]
    if isinstance(node, ast.UnaryOp):
        return -value(node.operand, known, functions)
    if isinstance(node, ast.IfExp):
        chosen = value(node.test, known, functions)
        if isinstance(chosen, bool | np.bool_):
            return value(node.body if chosen else node.orelse, known, functions)
        return functions["where"](
            chosen, value(node.body, known, functions), value(node.orelse, known, functions)
        )
    if isinstance(node, ast.Compare):
        left, right = value(node.left, known, functions), value(node.comparators[0], known, functions)
        return {
            ast.Gt: lambda: left > right,
            ast.LtE: lambda: left <= right,
            ast.Eq: lambda: left == right,
        }[type(node.ops[0])]()
    if isinstance(node, ast.BinOp):
        left, right = value(node.left, known, functions), value(node.right, known, functions)
        return {
            ast.Add: lambda: left + right,
            ast.Sub: lambda: left - right,
            ast.Mult: lambda: left * right,
            ast.Div: lambda: left / right,
            ast.Pow: lambda: left**right,
            ast.MatMult: lambda: functions["matmul"](left, right),
        }[type(node.op)]()
    arguments = [value(argument, known, functions) for argument in node.args]
    definition = known.get(node.func.id + "()")
    if definition is not None:
        return value(definition.expression, {**known, definition.letter: arguments[0]}, functions)
    return functions[node.func.id](*arguments)


def run(lines, known, functions=NUMPY):
    """Go through statements in order, and return all names with their values."""
    known = dict(known)
    for line in lines:
        known[line.name] = value(line.expression, known, functions)
    return known
