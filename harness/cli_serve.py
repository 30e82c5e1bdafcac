# ruff: noqa: E501 - a table of flags
"""``nohold serve``: the flags of the bench, checked, and its life."""

import secrets
import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import ssl

    from harness.serve.settings import Readings, Settings
    from harness.shells.serve import Options
    from wire.psp import Family

#: A seed that a person can type again.
_SEEDS = 1_000_000
_MAX_PORT = 65_535
_MAX_TEXT = 200


def _port(about: str) -> Any:
    return typer.Option(min=0, max=_MAX_PORT, help=f"{about}; 0: any free")


# fmt: off
Host = Annotated[str, typer.Option(help="listen here; 0.0.0.0 is for other machines too")]
Pty = Annotated[bool, typer.Option("--pty", help="terminal on a pseudo-terminal, not TCP")]
Serial = Annotated[str, typer.Option(help="terminal on this serial device, not TCP")]
Baud = Annotated[int, typer.Option(min=1, help="rate of the serial device or pseudo-terminal")]
TlsCert = Annotated[Path | None, typer.Option(help="TLS on the terminal's TCP port: certificate, PEM")]
TlsKey = Annotated[Path | None, typer.Option(help="its private key, PEM; may be in the same file")]
ApiKey = Annotated[str, typer.Option(help="key for the payment cloud; printed if not given")]
Hosts = Annotated[list[str] | None, typer.Option(help="callbacks may go there too (may be repeated)")]
Terminal = Annotated[str, typer.Option(help="apollo | p6x")]
Connectors = Annotated[int, typer.Option(min=1, max=32)]
Number = Annotated[str, typer.Option(help="of the terminal, as the payment cloud names it")]
Seed = Annotated[int | None, typer.Option(help="ids and delays follow it; printed if not given")]
Profile = Annotated[Path | None, typer.Option(help="readings of ambiguous clauses, a TOML file")]
TraceFile = Annotated[Path | None, typer.Option(help="append the trace to this file, as JSON Lines")]
# fmt: on


def serve(  # noqa: PLR0913, PLR0917 - one parameter per flag
    host: Host = "127.0.0.1",
    port: Annotated[int, _port("control interface")] = 8200,
    psp_port: Annotated[int, _port("terminal, PSP over TCP")] = 3201,
    cps_port: Annotated[int, _port("payment cloud, CPS over HTTP")] = 8201,
    bay_port: Annotated[int, _port("charger, bay link")] = 8202,
    pty: Pty = False,
    serial: Serial = "",
    baud: Baud = 57_600,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    api_key: ApiKey = "",
    callback_host: Hosts = None,
    terminal: Terminal = "apollo",
    connectors: Connectors = 2,
    serial_number: Number = "",
    seed: Seed = None,
    profile: Profile = None,
    trace: TraceFile = None,
) -> None:
    """Start the virtual forecourt in real time and keep it running.

    A controller connects to its ports, a person or a script acts on it over HTTP
    (openapi.json on the control interface lists the calls). Ctrl-C ends it.
    """
    from harness.declaration import SetupError
    from harness.serve.settings import Settings
    from harness.shells.serve import Options, Ports

    try:
        if pty and serial:
            raise SetupError("--pty, --serial: found both, allowed one of them")
        settings = Settings(
            terminal=_family(terminal),
            connectors=connectors,
            serial_number=_plain("--serial-number", serial_number),
            seed=secrets.randbelow(_SEEDS) if seed is None else seed,
            api_key=_plain("--api-key", api_key),
            readings=_readings(profile),
            link="serial" if pty or serial else "tcp",
            callback_hosts=(*Settings().callback_hosts, *(callback_host or ())),
            started_at=datetime.now(UTC),
        )
        ports = Ports(
            host=host,
            psp=psp_port,
            cps=cps_port,
            bay=bay_port,
            control=port,
            pty=pty,
            serial=serial,
            baud=baud,
            tls=_tls(tls_cert, tls_key),
        )
        _serve(Options(settings=settings, ports=ports, trace=trace))
    except SetupError as error:
        sys.stderr.write(f"nohold: {' '.join(str(error).split())}\n")
        raise typer.Exit(2) from None


def _serve(options: "Options") -> None:
    """Open the ports, say where they are, and serve until told to stop."""
    from harness.shells.serve import Server
    from harness.shells.teller import Teller

    teller = Teller(sys.stdout.fileno())
    try:
        server = Server(options, say=teller.say)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: server.stop())
        try:
            for line in _beginning(options.settings, server.addresses):
                teller.say(line)
            server.run()
        finally:
            server.close()
        teller.say("closed")
    finally:
        teller.close()


def _beginning(settings: "Settings", addresses: Mapping[str, str]) -> list[str]:
    """What a person, or a script that chose port 0, has to know."""
    said = {
        **addresses,
        "api-key": settings.key,
        "terminal": f"{settings.terminal.value} {settings.serial}",
        "connectors": str(settings.connectors),
        "seed": str(settings.seed),
    }
    return [f"{name:<10}  {value}" for name, value in said.items()]


def _tls(cert: Path | None, key: Path | None) -> "ssl.SSLContext | None":
    """What the terminal shows to whoever connects; None: no TLS. Raises SetupError."""
    import ssl

    from harness.declaration import SetupError

    if cert is None:
        if key is not None:
            raise SetupError("--tls-key: found without --tls-cert, allowed with it")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        raise SetupError(
            f"--tls-cert {cert}: {error.strerror or error}; allowed is a certificate "
            "with its private key, PEM"
        ) from None
    return context


# --- Values -------------------------------------------------------------------------


def _family(name: str) -> "Family":
    from harness.declaration import SetupError
    from wire.psp import Family

    if name not in (allowed := [one.value for one in Family]):
        raise SetupError(f"--terminal: found {name!r}, allowed {' or '.join(allowed)}")
    return Family(name)


def _plain(flag: str, text: str) -> str:
    """Text that fits into a header and into a path."""
    from harness.declaration import SetupError

    if len(text) > _MAX_TEXT or any(not _is_plain(char) for char in text):
        raise SetupError(
            f"{flag}: found {text!r}, allowed at most {_MAX_TEXT} letters, digits, "
            "'-', '_' and '.'"
        )
    return text


def _is_plain(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char in "-_.")


def _readings(path: Path | None) -> "Readings":
    from harness.declaration import SetupError
    from harness.serve.settings import Readings, readings_from

    if path is None:
        return Readings()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not text in UTF-8"
        raise SetupError(f"--profile {path}: {why}") from None
    return readings_from(text, source=f"--profile {path}")
