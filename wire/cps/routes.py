# ruff: noqa: E501
"""The routes of the Payter Cloud Payment Service as a table (cps.md section 2).

One row per operation: verb, path, query parameters, status codes, what answers, and how
well each is known. Everything else in this package reads the rows: the parser, the
builder, the generated documents and the tests. E12 is one address with three verbs, so
its rows are ``E12`` (read), ``E12-set`` and ``E12-delete``; only the first is evidenced.

Grades are those of cps.md section 0. What is graded ASSUMPTION is our own choice, and a
controller must never be told that Payter requires it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Grade(StrEnum):
    """How a fact about CPS is known, best first."""

    #: A page of Payter's documentation says it.
    DOC = "DOC"
    #: Payter's OpenAPI document says it.
    OAS = "OAS"
    #: Public third-party code does it.
    CODE = "CODE"
    #: Follows from the others, stated nowhere.
    INFER = "INFER"
    #: Our choice.
    ASSUMPTION = "ASSUMPTION"


class ParamType(StrEnum):
    """How the text of a query parameter is read."""

    INTEGER = "integer"
    STRING = "string"
    BOOLEAN = "boolean"
    URL = "url"


#: Amounts are unsigned 32 bit, as on the terminal's own protocol (ASSUMPTION, 1.4).
MAX_AMOUNT_MINOR: Final = 0xFFFF_FFFF
MAX_SECONDS: Final = 0x7FFF_FFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """A query parameter; ``minimum`` and ``maximum`` bound an integer."""

    name: str
    type: ParamType
    grade: Grade
    required: bool = False
    repeatable: bool = False
    minimum: int = 0
    maximum: int = MAX_SECONDS
    about: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """A status code that a route may answer with.

    ``switch`` names the policy that chooses another code for the same situation.
    """

    code: int
    grade: Grade
    about: str
    switch: str = ""


class Answer(StrEnum):
    """What the body of a successful answer holds."""

    NOTHING = "nothing"
    TERMINAL = "Terminal"
    TERMINALS = "Terminal[]"
    CARD = "Card"
    SESSION = "Session"
    SESSIONS = "Session[]"
    WEBHOOK = "Webhook"
    API_KEY = "ApiKey"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation of the API."""

    id: str
    verb: str
    path: str
    about: str
    grade: Grade
    answer: Answer
    params: tuple[Param, ...] = ()
    statuses: tuple[Status, ...] = ()
    #: Whether a JSON body is required; all other routes take their arguments as query.
    body: bool = False

    def param(self, name: str) -> Param | None:
        """The row of a query parameter; None when this route does not know it."""
        return next((row for row in self.params if row.name == name), None)


_G = Grade
_T = ParamType

# fmt: off
_MESSAGE = Param(name="uiMessage", type=_T.STRING, grade=_G.CODE, about="text for the driver")
_TITLE = Param(name="uiMessageTitle", type=_T.STRING, grade=_G.CODE, about="its title")
_TIMEOUT = Param(name="uiMessageTimeout", type=_T.INTEGER, grade=_G.CODE, about="seconds it stays")
_RECEIPT = Param(name="receiptLine", type=_T.STRING, grade=_G.CODE, repeatable=True, about="line for the receipt")
_CALLBACK = Param(name="callbackUrl", type=_T.URL, grade=_G.CODE, about="where the event is posted")

_KEY = Status(401, _G.ASSUMPTION, "key missing, wrong or replaced", "bad_key")
_SERIAL = Status(404, _G.ASSUMPTION, "terminal unknown to this key", "foreign_terminal")
_SESSION = Status(404, _G.CODE, "session unknown")
_PARAM = Status(400, _G.ASSUMPTION, "parameter missing or wrong", "bad_parameter")
_OFFLINE = Status(503, _G.ASSUMPTION, "terminal offline", "offline_status")
_OFFLINE_CLOSE = Status(503, _G.ASSUMPTION, "terminal offline", "offline_close_status")
_CLOSED = Status(409, _G.CODE, "session already committed or cancelled")
_FAULT = Status(500, _G.CODE, "general error")
_EMPTY = Status(204, _G.CODE, "accepted, empty")
_EMPTY_200 = Status(200, _G.CODE, "accepted, empty")

_TERMINAL = "/terminals/{serialNumber}"
_SESSION_PATH = "/terminals/{serialNumber}/sessions/{sessionId}"

_ROWS: Final[tuple[Route, ...]] = (
    Route(id="E1", verb="GET", path="/terminals", grade=_G.CODE, answer=Answer.TERMINALS,
          about="terminals of the API user",
          statuses=(Status(200, _G.CODE, "array or wrapper unknown"), _KEY)),
    Route(id="E2", verb="GET", path=_TERMINAL, grade=_G.CODE, answer=Answer.TERMINAL,
          about="one terminal: online and state",
          statuses=(Status(200, _G.CODE, "also while offline"), _KEY, _SERIAL)),
    Route(id="E3", verb="POST", path=_TERMINAL + "/start", grade=_G.CODE, answer=Answer.NOTHING,
          about="start reading cards",
          params=(
              Param(name="authorizedAmount", type=_T.INTEGER, grade=_G.CODE, required=True, maximum=MAX_AMOUNT_MINOR, about="minor units to authorise; 0 reads without paying"),
              _CALLBACK, _MESSAGE, _TITLE,
              Param(name="supportedPaymentMethods", type=_T.STRING, grade=_G.CODE, repeatable=True, about="QR_CODE is evidenced, EMV and PROPRIETARY are guessed"),
              Param(name="language", type=_T.STRING, grade=_G.CODE, about="en, fr, es seen"),
              Param(name="hideAmount", type=_T.BOOLEAN, grade=_G.CODE, about="do not show the amount"),
              Param(name="qr", type=_T.STRING, grade=_G.CODE, about="QR code on the payment screen"),
              Param(name="customIdleScreen", type=_T.STRING, grade=_G.CODE, about="exists, meaning unknown"),
          ),
          statuses=(_EMPTY, _EMPTY_200, _PARAM, _KEY, _SERIAL, Status(409, _G.ASSUMPTION, "already reading"), _OFFLINE)),
    Route(id="E4", verb="GET", path=_TERMINAL + "/card", grade=_G.CODE, answer=Answer.CARD,
          about="the active card, with long poll",
          params=(Param(name="waitTime", type=_T.INTEGER, grade=_G.OAS, about="seconds to wait for a card; maximum unknown"),),
          statuses=(Status(200, _G.CODE, "card"), Status(204, _G.ASSUMPTION, "no card in time", "no_card"), _PARAM, _KEY, _SERIAL)),
    Route(id="E5", verb="POST", path=_TERMINAL + "/stop", grade=_G.OAS, answer=Answer.NOTHING,
          about="stop reading, drop the card; leaves sessions alone",
          params=(_MESSAGE, _TIMEOUT),
          statuses=(_EMPTY, _EMPTY_200, Status(204, _G.ASSUMPTION, "was idle already", "stop_idle"), _PARAM, _KEY, _SERIAL, _OFFLINE)),
    Route(id="E6", verb="POST", path=_TERMINAL + "/authorize", grade=_G.CODE, answer=Answer.SESSION,
          about="authorise the active card",
          params=(_MESSAGE, _TIMEOUT, _RECEIPT),
          statuses=(Status(200, _G.CODE, "session: AUTHORIZED, DECLINED or FAILED"), _PARAM, _KEY, _SERIAL,
                    Status(409, _G.ASSUMPTION, "no card", "authorize_without_card"), Status(409, _G.ASSUMPTION, "no payment card", "not_authorisable"),
                    Status(409, _G.ASSUMPTION, "card in use"), _OFFLINE)),
    Route(id="E7", verb="GET", path=_TERMINAL + "/sessions", grade=_G.CODE, answer=Answer.SESSIONS,
          about="sessions of a terminal",
          statuses=(Status(200, _G.CODE, "array or wrapper unknown"), _KEY, _SERIAL)),
    Route(id="E8", verb="GET", path=_SESSION_PATH, grade=_G.CODE, answer=Answer.SESSION,
          about="one session",
          statuses=(Status(200, _G.CODE, "session"), _KEY, _SESSION)),
    Route(id="E9", verb="POST", path=_SESSION_PATH + "/commit", grade=_G.OAS, answer=Answer.SESSION,
          about="capture the final amount",
          params=(
              Param(name="commitAmount", type=_T.INTEGER, grade=_G.OAS, required=True, maximum=MAX_AMOUNT_MINOR, about="minor units, may be lower than authorised"),
              _MESSAGE, _TIMEOUT, _RECEIPT,
              Param(name="sessionId", type=_T.STRING, grade=_G.CODE, about="sent again by one client, harmless"),
          ),
          statuses=(Status(200, _G.CODE, "session: COMMITED, or FAILED"), _PARAM, Status(400, _G.ASSUMPTION, "amount refused"), _KEY, _SESSION, _CLOSED, _FAULT, _OFFLINE_CLOSE)),
    Route(id="E10", verb="POST", path=_SESSION_PATH + "/cancel", grade=_G.CODE, answer=Answer.SESSION,
          about="release the authorisation",
          params=(_MESSAGE, _TIMEOUT, _RECEIPT),
          statuses=(Status(200, _G.CODE, "session: CANCELLED"), _PARAM, _KEY, _SESSION, Status(409, _G.INFER, "session already closed"), _FAULT, _OFFLINE_CLOSE)),
    Route(id="E11", verb="POST", path=_TERMINAL + "/ui", grade=_G.DOC, answer=Answer.NOTHING, body=True,
          about="show a screen (Apollo)",
          params=(_CALLBACK,),
          statuses=(_EMPTY_200, _EMPTY, _PARAM, _KEY, _SERIAL, Status(409, _G.ASSUMPTION, "reading"), Status(501, _G.ASSUMPTION, "terminal without screens", "ui_without_screens"), _OFFLINE)),
    Route(id="E12", verb="GET", path="/webhook", grade=_G.OAS, answer=Answer.WEBHOOK,
          about="the account's state webhook",
          statuses=(Status(200, _G.OAS, "webhook"), _KEY, Status(404, _G.ASSUMPTION, "none set", "webhook_absent"))),
    Route(id="E12-set", verb="POST", path="/webhook", grade=_G.ASSUMPTION, answer=Answer.NOTHING,
          about="set the state webhook, for all terminals of the account",
          params=(Param(name="callbackUrl", type=_T.URL, grade=_G.ASSUMPTION, required=True, about="where states are posted"),),
          statuses=(Status(204, _G.ASSUMPTION, "set"), _PARAM, _KEY)),
    Route(id="E12-delete", verb="DELETE", path="/webhook", grade=_G.ASSUMPTION, answer=Answer.NOTHING,
          about="remove the state webhook",
          statuses=(Status(204, _G.ASSUMPTION, "removed"), _KEY)),
    Route(id="E13", verb="POST", path="/apikey", grade=_G.ASSUMPTION, answer=Answer.API_KEY,
          about="a new API key for a token; the old key dies at once",
          statuses=(Status(200, _G.ASSUMPTION, "key"), Status(401, _G.ASSUMPTION, "token wrong"))),
    Route(id="E14", verb="POST", path=_SESSION_PATH + "/update", grade=_G.ASSUMPTION, answer=Answer.SESSION,
          about="raise or lower an open authorisation; no CPS evidence, off by default",
          params=(Param(name="authorizedAmount", type=_T.INTEGER, grade=_G.ASSUMPTION, required=True, maximum=MAX_AMOUNT_MINOR, about="the new total in minor units"),),
          statuses=(Status(200, _G.ASSUMPTION, "session"), _PARAM, _KEY, _SESSION, _CLOSED, Status(503, _G.ASSUMPTION, "terminal offline"))),
)
# fmt: on

ROUTES: Final[Mapping[str, Route]] = {row.id: row for row in _ROWS}
