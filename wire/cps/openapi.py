"""The OpenAPI document of the virtual cloud, written from the tables (cps.md 1, 2).

Paths, parameters and statuses come from ``ROUTES``, the readings of open points from a
``Policy``, fields of a session from ``SESSION_FIELDS``. Version 3.0.1, as Payter's own
document says. Every operation, parameter and answer has its grade of evidence as
``x-grade``: a client that is generated from this document knows what it relies on.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from wire.cps.codec import CALLBACK_URL
from wire.cps.objects import SCREENS, SESSION_FIELDS
from wire.cps.policy import Policy
from wire.cps.routes import ROUTES, Answer, Grade, Param, ParamType, Route, Status

#: Where the document is served, without a key (cps.md 1.1).
DOCUMENT_PATH: Final = "/v3/api-docs"

_ABOUT: Final = (
    "The payment cloud as nohold plays it. What Payter's public pages do not show is "
    "our own choice: x-grade tells how each fact is known (DOC, OAS, CODE, INFER, "
    "ASSUMPTION), x-policy which readings this server has chosen."
)
Json = dict[str, object]

_JSON: Final = "application/json"
_ERROR: Final = {"$ref": "#/components/schemas/GlobalExceptionResult"}
_TAGS: Final[Mapping[str, tuple[str, ...]]] = {
    "Terminal": ("E1", "E2"),
    "Card": ("E3", "E4", "E5", "E6"),
    "UI": ("E11",),
    "Session": ("E7", "E8", "E9", "E10", "E14"),
    "Web Hook": ("E12", "E12-set", "E12-delete"),
    "ApiKey": ("E13",),
}
#: What can be done with a session that an answer names.
_FOLLOWS: Final = ("E8", "E9", "E10")
#: Where answers name one: itself, or the first of a list.
_SESSION_AT: Final[Mapping[Answer, str]] = {
    Answer.SESSION: "/sessionId",
    Answer.SESSIONS: "/0/sessionId",
}


def openapi(policy: Policy | None = None) -> Json:
    """The document of a cloud with this policy; plain values, ready for JSON."""
    chosen = policy or Policy()
    return {
        "openapi": "3.0.1",
        "info": {
            "title": "Payter Cloud Payments Service, played by nohold",
            "version": "1.0",
            "description": _ABOUT,
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in _TAGS],
        "security": [{"key": []}],
        "paths": _paths(chosen),
        "components": {"schemas": _schemas(chosen), "securitySchemes": _SECURITY},
        "x-policy": chosen.differences(),
    }


_SECURITY: Final = {
    name: {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": f'CPS {word}="VALUE", with the quotes',
        "x-grade": grade.value,
    }
    for name, word, grade in (
        ("key", "apikey", Grade.DOC),
        ("token", "token", Grade.ASSUMPTION),
    )
}

# --- Paths ----------------------------------------------------------------------


def _paths(policy: Policy) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for route in ROUTES.values():
        if policy.offers(route.id):
            here = found.setdefault(route.path, {})
            here[route.verb.lower()] = _operation(route, policy)
    return found


def _operation(route: Route, policy: Policy) -> Json:
    places = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    written: dict[str, object] = {
        "operationId": route.id,
        "summary": route.about,
        "tags": [name for name, routes in _TAGS.items() if route.id in routes],
        "x-grade": route.grade.value,
        "parameters": [_place(name) for name in places]
        + [_parameter(row) for row in route.params],
        "responses": _responses(route, policy),
    }
    if route.body:
        content = {_JSON: {"schema": {"$ref": "#/components/schemas/Screen"}}}
        written["requestBody"] = {"required": True, "content": content}
    if route.answer is Answer.API_KEY:
        written["security"] = [{"token": []}]
    return written


def _place(name: str) -> Json:
    schema = {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _parameter(row: Param) -> Json:
    schema = _schema_of(row)
    return {
        "name": row.name,
        "in": "query",
        "required": row.required,
        "description": row.about,
        "schema": {"type": "array", "items": schema} if row.repeatable else schema,
        "x-grade": row.grade.value,
    }


def _schema_of(row: Param) -> Json:
    match row.type:
        case ParamType.INTEGER:
            bounds = {"minimum": row.minimum, "maximum": row.maximum}
            return {"type": "integer", "format": "int64", **bounds}
        case ParamType.URL:
            return {"type": "string", "pattern": f"^{CALLBACK_URL}$"}
        case _:
            return {"type": row.type.value}


# --- Answers --------------------------------------------------------------------


def _responses(route: Route, policy: Policy) -> Json:
    rows = [*route.statuses]
    if policy.unknown_parameter == "refuse":
        rows.append(Status(400, Grade.ASSUMPTION, "parameter unknown", "bad_parameter"))
    found: dict[int, list[Status]] = {}
    for row in rows:
        code = getattr(policy, row.switch) if row.switch else row.code
        found.setdefault(code, []).append(row)
    return {str(code): _response(code, found[code], route) for code in sorted(found)}


def _response(code: int, rows: Iterable[Status], route: Route) -> Json:
    known = list(rows)
    written: dict[str, object] = {
        "description": ", or ".join(row.about for row in known),
        "x-grade": best(row.grade for row in known).value,
    }
    if code >= 400:
        written["content"] = {_JSON: {"schema": _ERROR}}
    elif code == 200 and route.answer is not Answer.NOTHING:
        written["content"] = {_JSON: {"schema": _answer(route.answer)}}
    if code == 200 and route.answer in _SESSION_AT:
        at = _SESSION_AT[route.answer]
        written["links"] = {one: _link(one, at) for one in _FOLLOWS}
    return written


def best(grades: Iterable[Grade]) -> Grade:
    """The best of some grades."""
    order = list(Grade)
    return min(grades, key=order.index)


def _answer(answer: Answer) -> Json:
    name = answer.value.removesuffix("[]")
    one: dict[str, object] = {"$ref": f"#/components/schemas/{name}"}
    if name == answer.value:
        return one
    wrapped = {"type": "object", "additionalProperties": {"type": "array"}}
    return {"oneOf": [{"type": "array", "items": one}, wrapped]}


def _link(route: str, session_at: str) -> Json:
    return {
        "operationId": route,
        "parameters": {
            "serialNumber": "$request.path.serialNumber",
            "sessionId": f"$response.body#{session_at}",
        },
    }


# --- Objects --------------------------------------------------------------------

_TEXT: Final = {"type": "string"}
_WHOLE: Final = {"type": "integer", "format": "int64"}
_FLAG: Final = {"type": "boolean"}
#: What is not a text in a session.
_OTHERS: Final[Mapping[str, object]] = {
    "authorizedAmount": _WHOLE,
    "finalAmount": _WHOLE,
    "terminalTxnId": _WHOLE,
    "receiptInfo": {"type": "array", "items": _TEXT},
}


def _schemas(policy: Policy) -> Json:
    session = {name: _OTHERS.get(name, _TEXT) for _, name, _ in SESSION_FIELDS}
    return {
        "Terminal": _object(
            {"serialNumber": _TEXT, "online": _FLAG, "state": _TEXT},
            required=("serialNumber", "online", "state"),
        ),
        "Card": _object(
            {
                **dict.fromkeys(
                    ("serialNumber", "ifd", "aid", "cardId", "maskedPan"), _TEXT
                ),
                "sessions": {
                    "type": "array",
                    "items": {"$ref": "#/components/schemas/Session"},
                },
            },
            required=("serialNumber", "ifd", "cardId"),
        ),
        "Session": _object(session, required=("state",)),
        "Webhook": _object({"callbackUrl": _TEXT}, required=("callbackUrl",)),
        "ApiKey": _object({"apikey": _TEXT}, required=("apikey",)),
        "Screen": _screen(policy),
        "GlobalExceptionResult": _object(
            {
                "timestamp": _TEXT,
                "status": {"type": "integer"},
                "error": _TEXT,
                "message": _TEXT,
            },
            required=("timestamp", "status", "error", "message"),
        ),
    }


def _screen(policy: Policy) -> Json:
    kind: dict[str, object] = {"type": "string", "minLength": 1}
    if policy.unknown_screen == "refuse":
        kind["enum"] = [
            name
            for name, screen in SCREENS.items()
            if screen.is_documented or policy.undocumented_screen == "accept"
        ]
    fields = {"id": _TEXT, "type": kind, "properties": {"type": "object"}}
    return _object(fields, required=("type",))


def _object(fields: Mapping[str, object], *, required: tuple[str, ...]) -> Json:
    return {"type": "object", "properties": dict(fields), "required": list(required)}
