"""The Payter Cloud Payment Service as data: routes, objects, policies, retries.

Both sides read it: the virtual cloud and the controllers that call it. Nothing here
opens a connection or keeps a session. Reference: cps.md; what is not known there is a
switch in ``policy.py``.
"""

from wire.cps.codec import Call, Value, build, is_callback_url, parse_call
from wire.cps.errors import (
    ErrorText,
    LocalProtocolError,
    Refusal,
    RemoteProtocolError,
)
from wire.cps.http import (
    Request,
    Response,
    authorization,
    error_response,
    json_response,
    key_of,
    parse_json,
    to_json,
    token_authorization,
    token_of,
)
from wire.cps.moments import (
    commit_time,
    emv_date,
    emv_time,
    error_time,
    transaction_time,
)
from wire.cps.objects import (
    SCREENS,
    Card,
    Session,
    SessionNotification,
    SessionState,
    TerminalInfo,
    TerminalState,
    UiNotification,
    parse_list,
    parse_state,
)
from wire.cps.openapi import DOCUMENT_PATH, openapi
from wire.cps.policy import POLICY_SWITCHES, Policy, Switch, WatchedPolicy
from wire.cps.retries import (
    CLOSE_RETRIES,
    DEFINITIVE_STATUSES,
    LONGEST_RETRY_MS,
    RETRY_QUESTIONS,
    RETRY_READINGS,
    RetryPhase,
    RetryQuestion,
    RetryReading,
    close_delay_ms,
)
from wire.cps.routes import ROUTES, Grade, Param, ParamType, Route, Status

__all__ = [
    "CLOSE_RETRIES",
    "DEFINITIVE_STATUSES",
    "DOCUMENT_PATH",
    "LONGEST_RETRY_MS",
    "POLICY_SWITCHES",
    "RETRY_QUESTIONS",
    "RETRY_READINGS",
    "ROUTES",
    "SCREENS",
    "Call",
    "Card",
    "ErrorText",
    "Grade",
    "LocalProtocolError",
    "Param",
    "ParamType",
    "Policy",
    "Refusal",
    "RemoteProtocolError",
    "Request",
    "Response",
    "RetryPhase",
    "RetryQuestion",
    "RetryReading",
    "Route",
    "Session",
    "SessionNotification",
    "SessionState",
    "Status",
    "Switch",
    "TerminalInfo",
    "TerminalState",
    "UiNotification",
    "Value",
    "WatchedPolicy",
    "authorization",
    "build",
    "close_delay_ms",
    "commit_time",
    "emv_date",
    "emv_time",
    "error_response",
    "error_time",
    "is_callback_url",
    "json_response",
    "key_of",
    "openapi",
    "parse_call",
    "parse_json",
    "parse_list",
    "parse_state",
    "to_json",
    "token_authorization",
    "token_of",
    "transaction_time",
]
