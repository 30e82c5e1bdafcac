"""The command line; ``nohold serve`` has a module of its own."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli_serve import serve
from harness.places import FEATURES, REFERENCE

if TYPE_CHECKING:
    from harness.declaration import Declaration
    from harness.shells.ahead import Made

app = typer.Typer(
    name="nohold",
    help="Examines EV charger controllers that take card payments: did the controller "
    "behave, and was every payment session closed once, in time, for the right amount.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


Host = Annotated[
    str, typer.Option(help="where ports listen; a box cannot reach loopback")
]
Words = Annotated[
    str, typer.Option("-k", help="only scenarios whose title, tags or file have them")
]
Readings = Annotated[
    str,
    typer.Option(
        help="all: also under every other reading of an ambiguous clause that counts; "
        "each: those one by one; name=value[,name=value]: that one only"
    ),
]
Coverage = Annotated[
    bool, typer.Option("--coverage", help="what happened on the wire, and what never")
]


def _fail(text: str) -> typer.Exit:
    typer.echo(f"nohold: {text}", err=True)
    return typer.Exit(2)


def _declared(path: Path | None) -> "Declaration":
    """What is examined; exit status 3 when the declaration is wrong."""
    from harness.declaration import SetupError, load

    try:
        declaration = load(path or REFERENCE)
    except SetupError as error:
        typer.echo(f"nohold: set-up error: {error}", err=True)
        raise typer.Exit(3) from None
    return declaration


def _name_of(declaration: "Declaration") -> str:
    keys = ("vendor", "name", "version")
    return " ".join(declaration.text("controller", key) for key in keys)


def _time_scale_of(declaration: "Declaration") -> int:
    """How fast a program is examined; 0 for a controller in virtual time."""
    if declaration.text("reach", "mode") == "in_process":
        return 0
    return declaration.number("reach", "time_scale")


def _one_of(name: str, found: str | None, allowed: tuple[str, ...]) -> None:
    if found is not None and found not in allowed:
        raise _fail(f"{name}: found {found!r}, allowed {' or '.join(allowed)}")


def _all_features(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_file() and path.suffix != ".feature":
            raise _fail(f"{path}: allowed are folders and files that end in .feature")


def _all_there(paths: Iterable[Path]) -> None:
    for path in paths:
        if not path.exists():
            raise _fail(f"{path}: no such file or folder")


def _writable(**wanted: Path | None) -> None:
    """Whatever is to be written can be: nobody plays for an hour to learn that late."""
    for name, path in wanted.items():
        if path is None:
            continue
        try:
            if name == "trace_dir":
                path.mkdir(parents=True, exist_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.open("a", encoding="utf-8").close()
        except OSError as error:
            flag = f"--{name.replace('_', '-')}"
            raise _fail(f"{flag}: {path}: {error.strerror}") from None


def _all_known(requirements: Iterable[str]) -> None:
    from reports.register import load_register

    known = load_register().requirements
    for one in requirements:
        if one not in known:
            raise _fail(
                f"--requirement: found {one!r}, allowed are ids such as R-NOS-01"
            )


def _is_reading(words: str) -> None:
    from harness.readings import NoSuchReading, parse

    try:
        parse(words)
    except NoSuchReading as error:
        raise _fail(str(error)) from None


def _jobs_for(declaration: "Declaration", asked: int) -> int:
    """Real-time cases mostly wait, so there may be more of them than cores.

    Of a box there is one.
    """
    from harness.shells.cores import can_fork, cores

    mode = declaration.text("reach", "mode")
    if mode == "endpoint" and asked > 1:
        raise _fail(f"-j: found {asked}, allowed is 1: an endpoint is one box")
    if mode == "endpoint" or not can_fork():
        return 1
    return asked or (8 if mode == "process" else min(cores(), 8))


def _made_ahead(paths: Sequence[Path]) -> "Callable[[], Made]":
    """Use a core that waits while this one imports, which is most of a start."""
    from harness.shells.ahead import NOTHING, Ahead
    from harness.shells.cores import can_fork, cores

    return Ahead(paths).made if can_fork() and cores() > 1 else lambda: NOTHING


@app.command()
def run(  # noqa: PLR0913, PLR0917 - one parameter per flag
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="feature files or folders; the whole suite when absent"),
    ] = None,
    declaration: Annotated[
        Path | None,
        typer.Option("-d", "--declaration", help="the controller's declaration.toml"),
    ] = None,
    interface: Annotated[str | None, typer.Option(help="psp | cps")] = None,
    terminal: Annotated[str | None, typer.Option(help="p6x | apollo")] = None,
    seed: Annotated[int, typer.Option(help="people, ids and delays follow it")] = 1,
    requirement: Annotated[
        list[str] | None, typer.Option(help="only scenarios that test it")
    ] = None,
    words: Words = "",
    junit: Annotated[Path | None, typer.Option(help="write JUnit XML here")] = None,
    json: Annotated[Path | None, typer.Option(help="write the results here")] = None,
    trace_dir: Annotated[
        Path | None, typer.Option(help="keep each case's trace here, as JSON Lines")
    ] = None,
    jobs: Annotated[
        int, typer.Option("-j", "--jobs", min=0, max=64, help="processes; 0: by need")
    ] = 0,
    long: Annotated[
        bool, typer.Option("--long", help="also what takes a wall clock long")
    ] = False,
    host: Host = "127.0.0.1",
    readings: Readings = "",
    coverage: Coverage = False,
) -> None:
    """Play scenarios against a controller and judge them.

    Exit status: 0 conformant, 1 not conformant, 2 wrong use, 3 set-up error or nothing
    decided, 4 the examiner itself failed.
    """
    _one_of("--interface", interface, ("psp", "cps"))
    _one_of("--terminal", terminal, ("p6x", "apollo"))
    _all_there([*(paths or ()), *filter(None, (declaration,))])
    _all_features(paths or ())
    _writable(junit=junit, json=json, trace_dir=trace_dir)
    made = _made_ahead(paths or (FEATURES,))
    from harness.answers import questions_of
    from harness.run import RunOptions, examine

    _all_known(requirement or ())
    _is_reading(readings)
    declared = _declared(declaration)
    options = RunOptions(
        controller=_name_of(declared),
        time_scale=_time_scale_of(declared),
        long=long,
        paths=tuple(paths or ()),
        declaration=declaration,
        interface=interface,
        terminal=terminal,
        seed=seed,
        requirements=tuple(requirement or ()),
        words=words,
        junit=junit,
        json=json,
        trace_dir=trace_dir,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        jobs=_jobs_for(declared, jobs),
        host=host,
        readings=readings,
        coverage=coverage,
    )
    options = replace(options, questions=questions_of(options, declared))
    raise typer.Exit(examine(options, made()))


@app.command()
def check(
    declaration: Annotated[
        Path,
        typer.Option("-d", "--declaration", help="the controller's declaration.toml"),
    ],
    host: Host = "127.0.0.1",
    seed: Annotated[int, typer.Option(help="the API key follows it")] = 1,
) -> None:
    """Look whether a controller can be examined: ports, key, restart, state.

    Answers READY (exit status 0) or SETUP ERROR (3), never a verdict.
    """
    from rich.console import Console

    from harness.check import check as look

    console = Console(highlight=False)
    raise typer.Exit(look(declaration, console, host=host, seed=seed))


@app.command()
def steps(
    words: Annotated[
        list[str] | None, typer.Argument(help="only phrases with these words")
    ] = None,
) -> None:
    """Show the scenario vocabulary: every phrase with an example."""
    from harness.run import show_vocabulary

    raise typer.Exit(show_vocabulary(" ".join(words or ())))


@app.command()
def requirements(
    words: Annotated[
        list[str] | None, typer.Argument(help="only requirements with these words")
    ] = None,
) -> None:
    """Show each requirement: the scenarios that cover it, or why none does."""
    from harness.requirements import show_requirements

    raise typer.Exit(show_requirements(" ".join(words or ())))


@app.command()
def questions() -> None:
    """Print what Payter's pages leave open: docs/questions-to-payter.md."""
    from harness.questions import questions as written

    typer.echo(written(), nl=False)


app.command()(serve)

#: What typer raises for words that it does not understand.
_NOT_UNDERSTOOD: type[BaseException] = typer.BadParameter.__bases__[0]


def main() -> None:
    """Entry point of the ``nohold`` command: wrong use is one line and status 2."""
    try:
        status = app(standalone_mode=False)
    except typer.Abort:
        sys.exit(130)
    except _NOT_UNDERSTOOD as error:
        told = getattr(error, "format_message", error.__str__)()
        is_help = len(sys.argv) == 1
        line = told if is_help else f"nohold: {' '.join(told.split())}"
        typer.echo(line, err=True)
        sys.exit(2)
    sys.exit(status)
