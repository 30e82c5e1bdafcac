"""The control interface as an OpenAPI 3.1 document, made from the table of routes.

Statuses that any call may answer, whatever it is (413, 405), are part of HTTP and stand
in the description once.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from harness.bench import VERSION
from harness.serve.fields import Field
from harness.serve.routes import Route
from harness.serve.shapes import SCHEMAS, ref

_ABOUT: Final = (
    "Acts on the virtual forecourt of `nohold serve` and shows it. Bad input is "
    "answered with 422, the field and what is allowed; an unknown connector, card or "
    "fault with 404; what is not possible now with 409 and the reason. Amounts are in "
    "minor units, times in milliseconds since the bench was started. A call that the "
    "path does not have is answered with 405, a body over 64 KiB with 413."
)
_STATUSES: Final[Mapping[int, str]] = {
    404: "unknown connector, card or fault",
    409: "not possible now, and why",
    422: "bad input: which field, and what is allowed",
    503: "too many listeners",
}


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "nohold bench", "version": VERSION, "description": _ABOUT},
        "paths": paths,
        "components": {"schemas": dict(SCHEMAS)},
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.about,
        "responses": {
            "200": {
                "description": "done",
                "content": {route.media: {"schema": route.answer}},
            },
            **{str(status): _refusal(status) for status in route.statuses},
        },
    }
    parameters = [
        *(_parameter(name, field, "query") for name, field in route.query.items()),
        *(_parameter(name, _TEXT, "path") for name in _in_path(route.path)),
    ]
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        content = {"application/json": {"schema": route.body.schema()}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


_TEXT: Final = Field(about="as it was answered when it was made")


def _in_path(path: str) -> list[str]:
    return [part.strip("{}") for part in path.split("/") if part.startswith("{")]


def _parameter(name: str, field: Field, where: str) -> dict[str, Any]:
    schema = field.schema()
    about = schema.pop("description")
    return {
        "name": name,
        "in": where,
        "required": where == "path" or field.is_required,
        "description": about,
        "schema": schema,
    }


def _refusal(status: int) -> dict[str, Any]:
    return {
        "description": _STATUSES[status],
        "content": {"application/json": {"schema": ref("Refusal")}},
    }
