"""Requests, responses and the JSON inside them; no connection anywhere.

A request is what reaches the cloud, a response what leaves it: verb, target, headers
and a body as bytes. JSON is written one way only (keys in the order built, no spaces,
plain ASCII), so that the same answer is the same bytes. Authentication is one header,
``Authorization: CPS apikey="<key>"`` with the quotes, cps.md 1.2 (DOC).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from wire.cps.errors import LocalProtocolError

#: Longest request target and body taken, in bytes; ours, CPS names no limit.
MAX_TARGET_BYTES: Final = 1 << 14
MAX_BODY_BYTES: Final = 1 << 20

JSON_TYPE: Final = ("Content-Type", "application/json")

_KEY: Final = re.compile(r'CPS apikey="([\x21\x23-\x7e]{1,256})"')
_TOKEN: Final = re.compile(r'CPS token="([\x21\x23-\x7e]{1,256})"')


@dataclass(frozen=True, slots=True)
class Request:
    """One call of the API; ``target`` is path and query as on the wire."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """One answer of the API."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


def authorization(api_key: str) -> tuple[str, str]:
    """The header that carries the API key (cps.md 1.2, DOC)."""
    return _credential("apikey", api_key, _KEY)


def token_authorization(token: str) -> tuple[str, str]:
    """The header that buys an API key with a token (E13, ASSUMPTION)."""
    return _credential("token", token, _TOKEN)


# Whoever polls sends the same few headers over and over.
@lru_cache(maxsize=256)
def _credential(name: str, secret: str, form: re.Pattern[str]) -> tuple[str, str]:
    value = f'CPS {name}="{secret}"'
    if not form.fullmatch(value):
        raise LocalProtocolError(
            f"{name}: found {len(secret)} characters that do not fit the header, "
            "allowed 1 to 256 printable ASCII characters without space and quote"
        )
    return ("Authorization", value)


def key_of(request: Request) -> str | None:
    """The API key of a request; None when its header is missing, twice or malformed."""
    return _secret(request.headers, _KEY)


def token_of(request: Request) -> str | None:
    """The token of an API key request (E13); None as in ``key_of``."""
    return _secret(request.headers, _TOKEN)


@lru_cache(maxsize=256)
def _secret(headers: tuple[tuple[str, str], ...], form: re.Pattern[str]) -> str | None:
    values = [v for name, v in headers if name.lower() == "authorization"]
    if len(values) != 1:
        return None
    match = form.fullmatch(values[0])
    return match.group(1) if match else None


def _no_constant(name: str) -> object:
    raise ValueError(f"found {name}, allowed JSON numbers")


# Built once: ``json.dumps`` and ``loads`` with options build theirs at every call.
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_DECODER: Final = json.JSONDecoder(parse_constant=_no_constant)


def to_json(value: object) -> bytes:
    """JSON in the one form used here; raises LocalProtocolError when not JSON."""
    try:
        text = _ENCODER.encode(value)
    except (TypeError, ValueError) as error:
        raise LocalProtocolError(f"found no JSON value: {error}") from error
    return text.encode("ascii")


def parse_json(body: bytes) -> object | None:
    """The JSON value of a body; None when it is empty, null or not JSON."""
    if not body:
        return None
    try:
        value: object = _DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value


def json_response(status: int, value: object) -> Response:
    """An answer with a JSON body."""
    return Response(status, to_json(value), (JSON_TYPE,))


def error_response(status: int, message: str, *, timestamp: str) -> Response:
    """``GlobalExceptionResult`` (cps.md 1.5, CODE); ``timestamp`` is ISO 8601, UTC."""
    body: Mapping[str, object] = {
        "timestamp": timestamp,
        "status": status,
        "error": _phrase(status),
        "message": message,
    }
    return json_response(status, body)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"
