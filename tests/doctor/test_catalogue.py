"""The table of findings lists what the code can find, and nothing else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import emoclf.doctor
from emoclf.doctor.catalogue import FINDINGS, findings_table
from emoclf.doctor.findings import SEVERITIES

PACKAGES = [Path(__file__).parents[2] / name for name in ("emoclf", "tuning")]


def strings(node: ast.expr, function: ast.AST) -> set[str]:
    """Return the strings that an argument can be: a literal, a choice or a variable."""
    if isinstance(node, ast.Constant):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return strings(node.body, function) | strings(node.orelse, function)
    assert isinstance(node, ast.Name), ast.dump(node)
    assigned = [
        strings(statement.value, function)
        for statement in ast.walk(function)
        if isinstance(statement, ast.Assign)
        and any(isinstance(x, ast.Name) and x.id == node.id for x in statement.targets)
    ]
    return set().union(*assigned)


def findings_in_code() -> Iterator[tuple[str, str]]:
    """Yield the name and the severity of each finding that the code can make."""
    for package in PACKAGES:
        for path in package.rglob("*.py"):
            for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(function, ast.FunctionDef):
                    continue
                for call in ast.walk(function):
                    if isinstance(call, ast.Call) and is_finding(call.func):
                        name, severity, *_ = call.args
                        yield from product(
                            strings(name, function), strings(severity, function)
                        )


def is_finding(function: ast.expr) -> bool:
    """Return whether it is ``Finding`` or :meth:`AuditedTexts.finding`."""
    if isinstance(function, ast.Attribute):
        return function.attr == "finding"
    return isinstance(function, ast.Name) and function.id == "Finding"


def test_the_table_is_what_the_code_can_find() -> None:
    in_table = {
        (name, severity)
        for name, kind in FINDINGS.items()
        for severity in kind.severities
    }
    assert set(findings_in_code()) == in_table
    assert {severity for _, severity in in_table} <= set(SEVERITIES)


def test_the_documentation_of_the_package_has_the_table() -> None:
    assert emoclf.doctor.__doc__ is not None
    assert findings_table() in emoclf.doctor.__doc__
    assert len(findings_table().splitlines()) == 2 + len(FINDINGS)
