"""From a request to a call and back (cps.md 1.3 and section 2).

``parse_call`` is the server's side: it finds the route and reads path, query and body
by its row, or says which status and text to refuse with. ``build`` is the client:
it writes the request of a row, and raises when asked for something that no row allows.
Neither looks at keys, sessions or policies. Arguments travel in the query with an empty
body; only the screen call (E11) has one. Parameters that no row knows are ignored and
reported (ASSUMPTION), a body where none is expected is ignored, whatever its type.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, assert_never
from urllib.parse import parse_qsl, quote, unquote, urlencode

from wire.cps.errors import LocalProtocolError, Refusal
from wire.cps.http import (
    JSON_TYPE,
    MAX_BODY_BYTES,
    MAX_TARGET_BYTES,
    Request,
    authorization,
    parse_json,
    to_json,
    token_authorization,
)
from wire.cps.routes import ROUTES, Param, ParamType, Route

Value = str | int | bool | tuple[str, ...]

#: Most query parameters read from one request.
MAX_PARAMS: Final = 100

_PORT: Final = (
    "(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}"
    "|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
)
#: An absolute http or https URL: host, perhaps a port, and what follows it. Written so
#: that it means the same to Python and to readers of the OpenAPI document.
CALLBACK_URL: Final = (
    r"[Hh][Tt][Tt][Pp][Ss]?://(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])"
    rf"(?::{_PORT})?(?:[/?#][^\u0000-\u0020\u007f]*)?"
)
_CALLBACK_URL: Final = re.compile(CALLBACK_URL)
_INTEGER: Final = re.compile(r"-?[0-9]{1,19}")
_BOOLEANS: Final[Mapping[str, bool]] = {"true": True, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that fits a route; ``unknown`` are the parameters that it ignores."""

    route: str
    serial_number: str = ""
    session_id: str = ""
    params: Mapping[str, Value] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    unknown: tuple[str, ...] = ()

    def number(self, name: str) -> int:
        """An integer parameter that is there; 0 when it is absent."""
        value = self.params.get(name, 0)
        return value if isinstance(value, int) else 0

    def text(self, name: str) -> str:
        """A text parameter; empty when it is absent."""
        value = self.params.get(name, "")
        return value if isinstance(value, str) else ""

    def lines(self, name: str) -> tuple[str, ...]:
        """A repeatable parameter; empty when it is absent."""
        value = self.params.get(name, ())
        return value if isinstance(value, tuple) else ()


class _BadParameter(Exception):
    """A parameter that does not fit its row; ends in a Refusal or a raise."""


# --- Server side ----------------------------------------------------------------


def parse_call(request: Request) -> Call | Refusal:
    """Read a request by its row; Refusal 404, 405 or 400 when none fits.

    The key is not checked here. A text that refuses names what was found and what is
    allowed.
    """
    if len(request.target) > MAX_TARGET_BYTES:
        return Refusal(400, f"target: found over {MAX_TARGET_BYTES} bytes")
    found = _read_target(request.method, request.target)
    if isinstance(found, Refusal) or not ROUTES[found.route].body:
        return found
    try:
        return replace(found, body=_read_body(request.body))
    except _BadParameter as error:
        return Refusal(400, str(error), (found.route,))


# A controller that polls sends the same few targets over and over, and each is read
# twice: by the line that records it and by the cloud.
@lru_cache(maxsize=256)
def _read_target(method: str, target: str) -> Call | Refusal:
    path, _, query = target.partition("?")
    found = _find(method, path)
    if isinstance(found, Refusal):
        return found
    route, places = found
    try:
        params, unknown = _read_query(route, query)
    except _BadParameter as error:
        return Refusal(400, str(error), (route.id,))
    return Call(
        route=route.id,
        serial_number=places.get("serialNumber", ""),
        session_id=places.get("sessionId", ""),
        params=params,
        unknown=unknown,
    )


@dataclass(frozen=True, slots=True)
class _Template:
    """A route's path, taken apart once: what must stand where, and what is a place."""

    route: Route
    fixed: tuple[tuple[int, str], ...]
    places: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, route: Route) -> "_Template":
        parts = tuple(enumerate(route.path.split("/")))
        return cls(
            route,
            tuple((at, part) for at, part in parts if not part.startswith("{")),
            tuple((at, part[1:-1]) for at, part in parts if part.startswith("{")),
        )

    def match(self, given: Sequence[str]) -> Mapping[str, str] | None:
        """The places of a path with as many parts; None when it does not fit."""
        for at, part in self.fixed:
            if given[at] != part:
                return None
        found = {name: unquote(given[at], errors="replace") for at, name in self.places}
        return found if all(found.values()) else None


def _by_length() -> Mapping[int, tuple[_Template, ...]]:
    found: dict[int, tuple[_Template, ...]] = {}
    for route in ROUTES.values():
        length = route.path.count("/") + 1
        found[length] = (*found.get(length, ()), _Template.of(route))
    return found


_TEMPLATES: Final = _by_length()


def _find(method: str, path: str) -> tuple[Route, Mapping[str, str]] | Refusal:
    given = path.split("/")
    fitting = [
        (template.route, places)
        for template in _TEMPLATES.get(len(given), ())
        if (places := template.match(given)) is not None
    ]
    if not fitting:
        return Refusal(404, f"No such address: {path[:200]}")
    for route, places in fitting:
        if route.verb == method:
            return route, places
    allowed = ", ".join(route.verb for route, _ in fitting)
    return Refusal(
        405,
        f"Found method {method[:20]}, allowed {allowed}",
        tuple(route.id for route, _ in fitting),
    )


def _read_query(
    route: Route, query: str
) -> tuple[Mapping[str, Value], tuple[str, ...]]:
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMS
        )
    except ValueError as error:
        raise _BadParameter(
            f"query: found what is no UTF-8 query of at most {MAX_PARAMS} parameters"
        ) from error
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    params = {
        row.name: _read(row, values[row.name])
        for row in route.params
        if _is_given(row, values)
    }
    return params, tuple(name for name in values if route.param(name) is None)


def _is_given(row: Param, values: Mapping[str, object]) -> bool:
    if row.required and row.name not in values:
        raise _BadParameter(f"{row.name}: found nothing, allowed {_allowed(row)}")
    return row.name in values


def _read(row: Param, texts: list[str]) -> Value:
    if row.repeatable:
        return tuple(texts)
    if len(texts) > 1:
        raise _BadParameter(f"{row.name}: found {len(texts)} values, allowed one")
    text = texts[0]
    value: Value | None = text
    if row.type is ParamType.INTEGER:
        value = int(text) if _INTEGER.fullmatch(text) else None
    elif row.type is ParamType.BOOLEAN:
        value = _BOOLEANS.get(text.lower())
    if value is None or not _fits(row, value):
        raise _BadParameter(f"{row.name}: found {text[:80]!r}, allowed {_allowed(row)}")
    return value


def _fits(row: Param, value: Value) -> bool:
    """Whether a value in its Python type is one that the row allows."""
    if row.repeatable:
        return isinstance(value, tuple)
    match row.type:
        case ParamType.INTEGER:
            return type(value) is int and row.minimum <= value <= row.maximum
        case ParamType.BOOLEAN:
            return isinstance(value, bool)
        case ParamType.URL:
            return isinstance(value, str) and is_callback_url(value)
        case ParamType.STRING:
            return isinstance(value, str)
        case _:
            assert_never(row.type)


def _allowed(row: Param) -> str:
    match row.type:
        case ParamType.INTEGER:
            return f"integer {row.minimum} to {row.maximum}"
        case ParamType.BOOLEAN:
            return "true or false"
        case ParamType.URL:
            return "absolute http or https URL"
        case ParamType.STRING:
            return "texts" if row.repeatable else "text"
        case _:
            assert_never(row.type)


def is_callback_url(text: str) -> bool:
    """Whether ``text`` is an absolute http(s) URL that a callback can be posted to."""
    return _CALLBACK_URL.fullmatch(text) is not None


def _read_body(body: bytes) -> Mapping[str, object]:
    """The body of the screen call: ``id``, ``type`` and ``properties`` (E11, DOC)."""
    value = parse_json(body) if len(body) <= MAX_BODY_BYTES else None
    if not isinstance(value, dict):
        raise _BadParameter(
            "body: found no JSON object, allowed {id, type, properties}"
        )
    for name, wanted, word in _SCREEN_FIELDS:
        if not isinstance(value.get(name, wanted()), wanted):
            raise _BadParameter(f"body: {name}: found no {word}, allowed {word}")
    if not value.get("type"):
        raise _BadParameter("body: type: found nothing, allowed the name of a screen")
    return value


_SCREEN_FIELDS: Final = (
    ("id", str, "text"),
    ("type", str, "text"),
    ("properties", dict, "object"),
)

# --- Client side ----------------------------------------------------------------


def build(
    route: str,
    *,
    api_key: str,
    serial_number: str = "",
    session_id: str = "",
    params: Mapping[str, Value] | None = None,
    body: Mapping[str, object] | None = None,
) -> Request:
    """Write the request of a row; ``api_key`` is the token for E13.

    Raises LocalProtocolError when the row does not allow what is asked for.
    """
    row = ROUTES.get(route)
    if row is None:
        raise LocalProtocolError(f"found route {route!r}, allowed {', '.join(ROUTES)}")
    given = params or {}
    _check(row, given)
    path = _fill(row.path, serial_number, session_id)
    query = _write_query(given)
    if (body is not None) != row.body:
        wanted = "a JSON body" if row.body else "no body"
        raise LocalProtocolError(f"{route}: allowed {wanted}")
    identify = token_authorization if row.id == "E13" else authorization
    headers = [identify(api_key), ("Accept", "application/json")]
    if body is not None:
        headers.append(JSON_TYPE)
    return Request(
        row.verb,
        f"{path}?{query}" if query else path,
        tuple(headers),
        b"" if body is None else to_json(body),
    )


def _check(row: Route, params: Mapping[str, Value]) -> None:
    for name, value in params.items():
        known = row.param(name)
        if known is None:
            names = ", ".join(param.name for param in row.params) or "none"
            raise LocalProtocolError(f"found parameter {name!r}, allowed {names}")
        if not _fits(known, value):
            raise LocalProtocolError(
                f"{name}: found {value!r}, allowed {_allowed(known)}"
            )
    for known in row.params:
        if known.required and known.name not in params:
            raise LocalProtocolError(
                f"{known.name}: found nothing, allowed {_allowed(known)}"
            )


# A controller has one terminal and few sessions.
@lru_cache(maxsize=256)
def _fill(template: str, serial_number: str, session_id: str) -> str:
    path = template
    places = {"serialNumber": serial_number, "sessionId": session_id}
    for name, value in places.items():
        if f"{{{name}}}" in path:
            if not value:
                raise LocalProtocolError(f"{name}: found nothing, allowed text")
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return path


def _write_query(params: Mapping[str, Value]) -> str:
    if not params:
        return ""
    return _encoded(
        tuple((name, text) for name, value in params.items() for text in _texts(value))
    )


@lru_cache(maxsize=256)
def _encoded(pairs: tuple[tuple[str, str], ...]) -> str:
    return urlencode(pairs, quote_via=quote, safe="")


def _texts(value: Value) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return value
    if isinstance(value, bool):
        return ("true" if value else "false",)
    return (str(value),)
