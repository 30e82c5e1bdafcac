"""The form of step definitions: traps of the runner that would let a scenario pass.

A coroutine step is never awaited, and a Then that returns False instead of asserting
is taken for a success (style guide, section 3.5). Short bodies keep decisions out.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

STEPS: Final = Path(__file__).resolve().parents[2] / "steps"
KINDS: Final = ("given", "when", "then", "step")
MAX_BODY: Final = 10

Function = ast.FunctionDef | ast.AsyncFunctionDef


def step_definitions(text: str) -> Iterator[tuple[str, Function]]:
    """(kind, function) for each decorator that makes a function a step."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, Function):
            continue
        for decorator in node.decorator_list:
            match decorator:
                case ast.Call(func=ast.Name(id=kind)) if kind in KINDS:
                    yield kind, node


def statements(function: Function) -> int:
    """Statements of the body, nested ones included, without the docstring."""
    body = function.body[bool(ast.get_docstring(function)) :]
    return sum(isinstance(n, ast.stmt) for top in body for n in ast.walk(top))


def returns_value(node: ast.AST) -> bool:
    """Whether this function, not one inside it, returns something."""
    return any(
        (isinstance(child, ast.Return) and child.value is not None)
        or (not isinstance(child, Function | ast.Lambda) and returns_value(child))
        for child in ast.iter_child_nodes(node)
    )


def complaints(name: str, text: str) -> list[str]:
    wrong = []
    for kind, found in step_definitions(text):
        where = f"{name}:{found.lineno}: {found.name}"
        if isinstance(found, ast.AsyncFunctionDef):
            wrong.append(f"{where} is a coroutine: it would never be awaited")
        if kind == "then" and returns_value(found):
            wrong.append(f"{where} returns a value instead of asserting")
        if found.name.startswith("_"):
            wrong.append(f"{where} has no name that tells what it does")
        if statements(found) > MAX_BODY:
            count = statements(found)
            wrong.append(f"{where} has {count} statements, allowed {MAX_BODY}")
    return wrong


def test_steps_avoid_the_traps() -> None:
    found = [
        line
        for path in sorted(STEPS.rglob("*.py"))
        for line in complaints(path.name, path.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("@given('a')\nasync def a(): ...", "coroutine"),
        ("@then('a')\ndef a(bench):\n    return bench.x == 1", "returns a value"),
        ("@then('a')\ndef a():\n    if b:\n        return False", "returns a value"),
        ("@when('a')\ndef _(): ...", "no name"),
        ("@when(parse('a'))\ndef a():\n" + "    x = 1\n" * 11, "11 statements"),
    ],
)
def test_a_trap_is_seen(text: str, says: str) -> None:
    (line,) = complaints("steps.py", text)
    assert says in line


def test_what_is_no_trap_passes() -> None:
    text = (
        "@given('a', target_fixture='b')\ndef a():\n    return 1\n"
        "@then('b')\ndef b():\n    'Why.'\n    def c(): return 1\n"
        + "    assert x\n" * 8
        + "def _c(): ...\n"
    )
    assert complaints("steps.py", text) == []
