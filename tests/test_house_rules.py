"""The rules of the house, checked by reading the source instead of in review.

Architecture, sections 1 and 7. Each rule is a function from one source to a list of
complaints, with a test that runs it over the repository and a test that shows it a bad
snippet, because a rule that cannot fail is decoration.

How things are counted. *Length*: lines from ``def`` to the end, docstring included,
decorators not. *Parameters*: all but self and cls; ``*args`` and ``**kwargs`` are free;
step definitions and test functions take the fixtures they need, and a command takes the
options it has. *Positional*: what a caller may pass without a name; a private function
has its callers in sight and is free in that. *Nesting*: if, for, while, with, try and
match each open one level; elif, else, except and case do not; a function inside another
starts again at 0.
"""

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[1]

#: Room -> the rooms it may import, besides itself. The longest matching room counts.
#: Results are printed by reports, so whoever plays cases may import it; the examined
#: controller is named in a declaration, so steps never import it.
ROOMS: Final = {
    "wire": (),
    "simulator": ("wire",),
    "controller_ref": ("wire",),
    "harness": ("wire", "simulator", "controller_ref", "reports"),
    "harness.judge": ("wire",),
    "steps": ("wire", "simulator", "harness", "reports"),
    "reports": (),
}
OURS: Final = ("wire", "simulator", "controller_ref", "harness", "steps", "reports")
#: Rooms that stand on the standard library alone.
STANDARD_LIBRARY_ONLY: Final = ("wire", "harness.judge")
#: Read by the style rules, but outside the import rule.
OUTSIDE: Final = ("tests", "benchmarks", "examples")

#: Where a core ends: these may touch the world.
SHELLS: Final = re.compile(
    r".*/shells/.*|.*/__main__\.py|simulator/(clock|seed)\.py|harness/cli.*|"
    r"steps/plugin.*|(tests|benchmarks)/.*"
)
MAY_PRINT: Final = re.compile(r"harness/cli.*|.*/__main__\.py|benchmarks/.*")
FREE_PARAMETERS: Final = re.compile(r"(steps|tests|benchmarks)/.*|harness/cli.*")

# fmt: off
BANNED_IN_CORES: Final = frozenset({
    "socket", "socketserver", "ssl", "select", "selectors", "http", "urllib",
    "serial", "pty", "tty", "termios", "fcntl", "ctypes",
    "threading", "_thread", "multiprocessing", "concurrent", "asyncio", "queue",
    "time", "sched", "signal", "uuid", "secrets",
    "os", "subprocess", "shutil", "tempfile", "logging",
})
#: Parts of banned packages that only handle text and numbers.
PURE_PARTS: Final = ("urllib.parse", "http.HTTPStatus", "http.HTTPMethod")
BANNED_NAMES: Final = frozenset({
    "util", "utils", "helper", "helpers", "common", "base", "manager", "managers",
    "misc", "stuff",
})
# fmt: on
BANNED_CALLS: Final = frozenset({"open", "input", "hash", "exec", "eval"})
CLOCK_READS: Final = frozenset({"now", "today", "utcnow"})

MAX_FUNCTION: Final = 70
MAX_MEDIAN: Final = 10
MAX_P90: Final = 40
MAX_MODULE: Final = 400
MAX_PARAMETERS: Final = 5
MAX_POSITIONAL: Final = 3
MAX_NESTING: Final = 3

#: Modules that may be longer, because they are tables: path -> what of.
TABLES: Final[dict[str, str]] = {}

#: Functions that may have more parameters: path and name -> how many.
WIDER: Final[dict[str, int]] = {
    # A request has this many parts, all but the route by name, most left out.
    "wire/cps/codec.py:build": 6,
}

#: Hosts of package registries; in pieces, so that this file does not name them.
REGISTRIES: Final = tuple(
    ".".join(pieces)
    for pieces in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("crates", "io"),
        ("rubygems", "org"),
        ("proxy", "golang", "org"),
        ("repo", "maven", "apache", "org"),
        ("conda", "anaconda", "org"),
    )
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the root, with slashes, and its text."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def room(self) -> str:
        """The longest room this module lies in; empty outside all rooms."""
        inside = [room for room in ROOMS if is_within(self.module, room)]
        return max(inside, key=len, default="")

    @property
    def is_core(self) -> bool:
        return not SHELLS.fullmatch(self.path)


Rule = Callable[[Source], list[str]]


def is_within(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


# --- What may be imported ---------------------------------------------------------


def imports(source: Source) -> Iterator[tuple[int, str]]:
    """Line and full name of everything a module imports, relative ones resolved."""
    is_package = source.path.endswith("__init__.py")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = source.module.split(".")
            kept = len(parts) - node.level + is_package
            above = parts[:kept] if node.level else []
            stem = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{stem}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call):
            yield from ((node.lineno, name) for name in imported_by_name(node))


def imported_by_name(call: ast.Call) -> list[str]:
    """``import_module("a.b")`` imports a.b just as well."""
    match call:
        case ast.Call(
            func=ast.Name(id="import_module" | "__import__")
            | ast.Attribute(attr="import_module"),
            args=[ast.Constant(value=str(name)), *_],
        ):
            return [name]
    return []


def import_direction(source: Source) -> list[str]:
    """wire <- simulator <- harness <- steps; wire <- controller_ref <- harness."""
    if not source.room:
        return []
    allowed = (source.room, *ROOMS[source.room])
    return [
        f"{source.path}:{line}: {source.room} imports {name}, "
        f"allowed {', '.join(allowed)}"
        for line, name in imports(source)
        if name.partition(".")[0] in (*OURS, *OUTSIDE)
        and not any(is_within(name, room) for room in allowed)
    ]


def standard_library_only(source: Source) -> list[str]:
    if source.room not in STANDARD_LIBRARY_ONLY:
        return []
    known = (*sys.stdlib_module_names, *OURS)
    return [
        f"{source.path}:{line}: {name} is not in the standard library"
        for line, name in imports(source)
        if name.partition(".")[0] not in known
    ]


def pure_cores(source: Source) -> list[str]:
    """No core reaches for sockets, threads, clocks, files or logs."""
    if not source.is_core:
        return []
    return [
        f"{source.path}:{line}: a core imports {name}"
        for line, name in imports(source)
        if name.partition(".")[0] in BANNED_IN_CORES
        and not any(is_within(name, part) for part in PURE_PARTS)
    ]


def injected_chance(source: Source) -> list[str]:
    """A core may name random.Random as a type, and draw from one it is given.

    Building one, or drawing from the module, is for simulator/seed.py alone.
    """
    if not source.is_core:
        return []
    wrong = [
        f"{source.path}:{line}: a core imports {name}, allowed random.Random as a type"
        for line, name in imports(source)
        if is_within(name, "random") and name not in ("random", "random.Random")
    ]
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Name(id="Random") | ast.Attribute(attr="Random")):
                wrong.append(f"{source.path}:{node.lineno}: a core builds a Random")
            case ast.Attribute(value=ast.Name(id="random"), attr=drawn) if (
                drawn != "Random"
            ):
                wrong.append(f"{source.path}:{node.lineno}: a core uses random.{drawn}")
    return wrong


def pure_calls(source: Source) -> list[str]:
    """No core opens files, asks the calendar or depends on the hash seed."""
    if not source.is_core:
        return []
    wrong = []
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in BANNED_CALLS:
                wrong.append(f"{source.path}:{node.lineno}: a core calls {name}()")
            case ast.Call(
                func=ast.Attribute(
                    attr=name,
                    value=ast.Name(id="datetime" | "date")
                    | ast.Attribute(attr="datetime" | "date"),
                )
            ) if name in CLOCK_READS:
                wrong.append(f"{source.path}:{node.lineno}: a core asks for {name}()")
    return wrong


def no_print(source: Source) -> list[str]:
    if MAY_PRINT.fullmatch(source.path):
        return []
    return [
        f"{source.path}:{node.lineno}: print outside the command line"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]


# --- Sizes ------------------------------------------------------------------------


def functions(source: Source) -> list[Function]:
    return [node for node in ast.walk(source.tree) if isinstance(node, Function)]


def length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def short_functions(source: Source) -> list[str]:
    return [
        f"{source.path}:{found.lineno}: {found.name} has {length(found)} lines, "
        f"allowed {MAX_FUNCTION}"
        for found in functions(source)
        if length(found) > MAX_FUNCTION
    ]


def typical_functions(lengths: Sequence[int]) -> list[str]:
    """Median and 90th percentile of all functions of the rooms together."""
    if len(lengths) < 2:
        return []
    median = statistics.median(lengths)
    p90 = statistics.quantiles(lengths, n=10, method="inclusive")[-1]
    wrong = []
    if median > MAX_MEDIAN:
        wrong.append(f"the median function has {median} lines, allowed {MAX_MEDIAN}")
    if p90 > MAX_P90:
        wrong.append(f"one in ten functions has {p90} lines, allowed {MAX_P90}")
    return wrong


def short_modules(source: Source) -> list[str]:
    lines = len(source.text.splitlines())
    if lines <= MAX_MODULE or source.path in TABLES or not source.room:
        return []
    return [f"{source.path}: {lines} lines, allowed {MAX_MODULE} unless in TABLES"]


def parameters(function: Function) -> tuple[int, int]:
    """How many parameters there are, and how many of them may be positional."""
    positional = [*function.args.posonlyargs, *function.args.args]
    if positional and positional[0].arg in ("self", "cls"):
        positional = positional[1:]
    return len(positional) + len(function.args.kwonlyargs), len(positional)


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def few_parameters(source: Source) -> list[str]:
    if FREE_PARAMETERS.fullmatch(source.path):
        return []
    wrong = []
    for found in functions(source):
        every, positional = parameters(found)
        where = f"{source.path}:{found.lineno}: {found.name}"
        allowed = WIDER.get(f"{source.path}:{found.name}", MAX_PARAMETERS)
        if every > allowed:
            wrong.append(f"{where} has {every} parameters, allowed {allowed}")
        if positional > MAX_POSITIONAL and not is_private(found.name):
            limit = f"allowed {MAX_POSITIONAL} without a name"
            wrong.append(f"{where} has {positional} positional parameters, {limit}")
    return wrong


_BLOCKS: Final = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.TryStar,
    ast.Match,
)


def depth(node: ast.AST) -> int:
    """The deepest level below a node; see the module docstring for what counts."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*Function.__args__, ast.ClassDef, ast.Lambda)):
            continue
        is_elif = isinstance(node, ast.If) and [child] == node.orelse
        opens = isinstance(child, _BLOCKS) and not (
            is_elif and isinstance(child, ast.If)
        )
        deepest = max(deepest, depth(child) + opens)
    return deepest


def shallow_functions(source: Source) -> list[str]:
    return [
        f"{source.path}:{found.lineno}: {found.name} nests {depth(found)} levels, "
        f"allowed {MAX_NESTING}"
        for found in functions(source)
        if depth(found) > MAX_NESTING
    ]


def telling_names(source: Source) -> list[str]:
    """No module is called utils: a name says what is inside."""
    parts = [part.strip("_") for part in source.module.split(".")]
    return [
        f"{source.path}: no module may be called {part}"
        for part in parts
        if part in BANNED_NAMES
    ]


# --- Text that must not be in the repository --------------------------------------

_DIGITS: Final = re.compile(r"(?<!\d)\d{13,19}(?!\d)")
_GROUPED: Final = re.compile(r"(?<![\d-])\d{4}(?:[ -]\d{4}){2}[ -]\d{1,7}(?![\d-])")


def is_luhn_valid(digits: str) -> bool:
    """The check digit of card numbers; a run of zeros alone is no card number."""
    doubled = [
        (int(digit) * 2 if place % 2 else int(digit))
        for place, digit in enumerate(reversed(digits))
    ]
    total = sum(value - 9 if value > 9 else value for value in doubled)
    return total % 10 == 0 and set(digits) != {"0"}


def no_card_numbers(source: Source) -> list[str]:
    """Never a full card number, not even a generated one (style guide, section 4)."""
    found = [*_DIGITS.finditer(source.text), *_GROUPED.finditer(source.text)]
    return [
        f"{source.path}:{source.text.count(chr(10), 0, hit.start()) + 1}: "
        f"digits that could be a card number"
        for hit in found
        if is_luhn_valid(re.sub(r"\D", "", hit.group()))
    ]


def no_registry_hosts(source: Source) -> list[str]:
    """Where packages come from is for whoever installs to decide."""
    return [
        f"{source.path}: names the package registry {host}"
        for host in REGISTRIES
        if re.search(rf"(?<![\w-]){re.escape(host)}(?!\w)", source.text)
    ]


# --- The repository ---------------------------------------------------------------


def python_sources(*rooms: str) -> list[Source]:
    return [
        Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for room in rooms
        for path in sorted((ROOT / room).rglob("*.py"))
    ]


def text_sources() -> list[Source]:
    """Every text file that git tracks or would add; without git, what lies there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    names = listed.stdout.decode().split("\0") if listed.returncode == 0 else []
    paths = [ROOT / name for name in names if name] or [
        path
        for path in ROOT.rglob("*")
        if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
    ]
    sources = []
    for path in sorted(filter(Path.is_file, paths)):
        data = path.read_bytes()
        if b"\0" not in data:
            name = path.relative_to(ROOT).as_posix()
            sources.append(Source(name, data.decode("utf-8", "replace")))
    return sources


ROOM_RULES: Final[tuple[Rule, ...]] = (
    import_direction,
    standard_library_only,
    pure_cores,
    injected_chance,
    pure_calls,
    no_print,
    short_modules,
    few_parameters,
)
PYTHON_RULES: Final[tuple[Rule, ...]] = (
    short_functions,
    shallow_functions,
    telling_names,
)
TEXT_RULES: Final[tuple[Rule, ...]] = (no_card_numbers, no_registry_hosts)


def complaints(rule: Rule, sources: Sequence[Source]) -> str:
    return "\n".join(line for source in sources for line in rule(source))


@pytest.mark.parametrize("rule", ROOM_RULES, ids=lambda rule: rule.__name__)
def test_the_rooms_keep(rule: Rule) -> None:
    found = complaints(rule, python_sources(*OURS))
    assert not found, found


@pytest.mark.parametrize("rule", PYTHON_RULES, ids=lambda rule: rule.__name__)
def test_all_python_keeps(rule: Rule) -> None:
    found = complaints(rule, python_sources(*OURS, *OUTSIDE))
    assert not found, found


@pytest.mark.parametrize("rule", TEXT_RULES, ids=lambda rule: rule.__name__)
def test_every_text_keeps(rule: Rule) -> None:
    found = complaints(rule, text_sources())
    assert not found, found


def test_functions_are_short_as_a_rule() -> None:
    lengths = [
        length(found) for source in python_sources(*OURS) for found in functions(source)
    ]
    assert typical_functions(lengths) == []


def test_only_long_tables_are_listed_as_tables() -> None:
    for path, what in TABLES.items():
        found = len((ROOT / path).read_text(encoding="utf-8").splitlines())
        assert found > MAX_MODULE, f"{path}: {found} lines need no exception"
        assert len(what.split()) >= 3, f"{path}: say what it is a table of"


def test_a_listed_table_may_be_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TABLES, "wire/rows.py", "one row per message")
    assert short_modules(Source("wire/rows.py", lines(500, "x = 1\n"))) == []


def test_the_rules_read_something() -> None:
    assert len(python_sources(*OURS)) > 10
    names = [source.path for source in text_sources()]
    assert "tests/test_house_rules.py" in names
    assert "pyproject.toml" in names


# --- Each rule can fail -----------------------------------------------------------


def lines(count: int, line: str = "    x = 1\n") -> str:
    return line * count


# fmt: off
BAD: Final = [
    (import_direction, "wire/psp/a.py", "import simulator.terminal"),
    (import_direction, "simulator/a.py", "from controller_ref import core"),
    (import_direction, "controller_ref/core.py", "import simulator"),
    (import_direction, "controller_ref/core.py", "from harness.judge import judge"),
    (import_direction, "harness/judge/a.py", "from harness import bench"),
    (import_direction, "harness/judge/a.py", "from ..bench import Bench"),
    (import_direction, "harness/judge/__init__.py", "from .. import bench"),
    (import_direction, "harness/judge/a.py", "from simulator.events import Note"),
    (import_direction, "steps/driver.py", "from controller_ref.core import build"),
    (import_direction, "reports/a.py", "def f():\n    from wire import records"),
    (import_direction, "harness/a.py", "import tests.a"),
    (import_direction, "reports/a.py", "x = importlib.import_module('wire.psp')"),
    (standard_library_only, "wire/a.py", "import rich"),
    (standard_library_only, "harness/judge/a.py", "from faker import Faker"),
    (pure_cores, "wire/a.py", "import socket"),
    (pure_cores, "simulator/a.py", "from time import monotonic"),
    (pure_cores, "controller_ref/core.py", "import os.path"),
    (pure_cores, "harness/judge/a.py", "import logging"),
    (pure_cores, "steps/driver.py", "import asyncio"),
    (pure_cores, "wire/a.py", "from urllib import request"),
    (pure_cores, "wire/a.py", "import http"),
    (injected_chance, "simulator/a.py", "import random\nx = random.random()"),
    (injected_chance, "simulator/a.py", "import random\nx = random.Random(1)"),
    (injected_chance, "simulator/a.py", "from random import Random\nx = Random(1)"),
    (injected_chance, "simulator/a.py", "from random import choice"),
    (pure_calls, "wire/a.py", "x = open('f')"),
    (pure_calls, "wire/a.py", "x = hash('f')"),
    (pure_calls, "simulator/a.py", "x = datetime.now()"),
    (pure_calls, "simulator/a.py", "x = datetime.datetime.now(UTC)"),
    (no_print, "simulator/a.py", "print('x')"),
    (no_print, "harness/shells/a.py", "print('x')"),
    (short_functions, "wire/a.py", "def f():\n" + lines(70)),
    (short_modules, "wire/a.py", lines(401, "x = 1\n")),
    (few_parameters, "wire/a.py", "def f(a, *, b, c, d, e, g): ..."),
    (few_parameters, "wire/a.py", "class A:\n    def f(self, a, b, c, d): ..."),
    (few_parameters, "wire/a.py", "class A:\n    def __init__(self, a, b, c, d): ..."),
    (few_parameters, "wire/a.py", "def _f(a, b, c, d, e, g): ..."),
    (shallow_functions, "wire/a.py",
     "def f():\n if a:\n  for b in c:\n   while d:\n    with e:\n     pass"),
    (shallow_functions, "wire/a.py",
     "def f():\n try:\n  pass\n except E:\n  if a:\n   match b:\n    case 1:\n"
     "     if c:\n      pass"),
    (shallow_functions, "wire/a.py",
     "def f():\n if a:\n  pass\n else:\n  if b:\n   pass\n  for c in d:\n"
     "   if e:\n    if g:\n     pass"),
    (telling_names, "wire/utils.py", ""),
    (telling_names, "simulator/common/card.py", ""),
    (telling_names, "harness/_helpers.py", ""),
    (no_card_numbers, "docs/a.md", "card " + "4" + "1" * 15),
    (no_card_numbers, "docs/a.md", "card " + "-".join(["4" + "1" * 3] + ["1" * 4] * 3)),
    (no_card_numbers, "a.json", '"' + "37828224631" + "0005" + '"'),
    (no_registry_hosts, "a.lock", f"https://registry.{REGISTRIES[2]}/x"),
    (no_registry_hosts, "a.toml", f"url = '{REGISTRIES[0]}'"),
]
GOOD: Final = [
    (import_direction, "harness/judge/a.py",
     "from harness.judge import b\nimport wire.psp"),
    (import_direction, "harness/judge/__init__.py", "from .ledger import Ledger"),
    (import_direction, "harness/cli.py",
     "from controller_ref import core\nimport reports"),
    (import_direction, "steps/driver.py", "from harness.bench import Bench"),
    (import_direction, "tests/a.py", "import wire, harness, steps"),
    (standard_library_only, "wire/a.py", "import enum\nfrom wire.psp import State"),
    (standard_library_only, "simulator/people.py", "from faker import Faker"),
    (pure_cores, "harness/shells/tcp.py", "import socket"),
    (pure_cores, "simulator/clock.py", "import time"),
    (pure_cores, "wire/a.py", "from urllib.parse import quote\nimport urllib.parse"),
    (injected_chance, "simulator/a.py",
     "import random\ndef f(r: random.Random): r.random()"),
    (injected_chance, "simulator/a.py", "from random import Random\nx: Random"),
    (injected_chance, "simulator/seed.py", "import random\nx = random.Random(1)"),
    (pure_calls, "simulator/a.py", "x = datetime.fromtimestamp(0, UTC)"),
    (no_print, "harness/cli_run.py", "print('x')"),
    (short_functions, "wire/a.py", "def f():\n" + lines(69)),
    (short_modules, "wire/a.py", lines(400, "x = 1\n")),
    (short_modules, "tests/a.py", lines(401, "x = 1\n")),
    (few_parameters, "wire/a.py", "def f(a, b, c, *d, e, g, **h): ..."),
    (few_parameters, "wire/a.py", "class A:\n    def f(self, a, b, c): ..."),
    (few_parameters, "wire/a.py", "def _f(a, b, c, d, e): ..."),
    (few_parameters, "wire/cps/codec.py", "def build(a, *, b, c, d, e, g): ..."),
    (few_parameters, "steps/a.py", "def f(a, b, c, d, e, g, h): ..."),
    (shallow_functions, "wire/a.py",
     "def f():\n if a:\n  for b in c:\n   if d:\n    pass\n   elif e:\n    pass\n"
     "   elif g:\n    pass"),
    (shallow_functions, "wire/a.py",
     "def f():\n for a in b:\n  for c in d:\n   with e:\n    def g():\n"
     "     if h:\n      pass"),
    (telling_names, "wire/psp/frame.py", ""),
    (no_card_numbers, "docs/a.md", "4" + "1" * 14 + "2 and " + "0" * 16),
    (no_card_numbers, "docs/a.md", "session " + "4" + "1" * 11),
    (no_registry_hosts, "docs/a.md", "https://docs.payter.com and crates.iowa"),
]
# fmt: on


@pytest.mark.parametrize(("rule", "path", "text"), BAD)
def test_a_rule_sees_what_it_forbids(rule: Rule, path: str, text: str) -> None:
    found = rule(Source(path, text))
    assert found
    assert all(line.startswith(path) for line in found)


@pytest.mark.parametrize(("rule", "path", "text"), GOOD)
def test_a_rule_lets_pass_what_it_allows(rule: Rule, path: str, text: str) -> None:
    assert rule(Source(path, text)) == []


def test_every_rule_has_been_seen_to_fail_and_to_pass() -> None:
    rules = {*ROOM_RULES, *PYTHON_RULES, *TEXT_RULES}
    assert rules == {rule for rule, _, _ in BAD} == {rule for rule, _, _ in GOOD}


def test_long_functions_show_in_median_and_percentile() -> None:
    assert typical_functions([5]) == []
    assert typical_functions([10] * 9 + [40]) == []
    assert "median" in typical_functions([11] * 10)[0]
    assert "one in ten" in typical_functions([5] * 8 + [60] * 2)[0]
