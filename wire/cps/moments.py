"""How the cloud writes calendar time (cps.md 1.5, 4.1): several forms of one number.

``wall_ms`` is milliseconds since 1970, UTC. Whether the time without a zone is UTC or
local is not documented; it is UTC here (ASSUMPTION).
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


# One answer writes the same instant in several forms, and is asked for again.
@lru_cache(maxsize=1024)
def _bare(wall_ms: int) -> str:
    """``2026-07-02T11:52:22.000``; the zone that follows is left out."""
    moment = _EPOCH + timedelta(milliseconds=wall_ms)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds")


def error_time(wall_ms: int) -> str:
    """``timestamp`` of the error object, ``2026-07-02T11:52:22.000Z``."""
    return _bare(wall_ms) + "Z"


def transaction_time(wall_ms: int) -> str:
    """``transactionTime`` of a session, ``2026-07-02T11:52:22.000``."""
    return _bare(wall_ms)


def commit_time(wall_ms: int) -> str:
    """``commitTime`` of a session, ``2026-07-02T12:40:01.000+0000``."""
    return _bare(wall_ms) + "+0000"


def emv_date(wall_ms: int) -> str:
    """``emvDate`` of a session, YYMMDD."""
    return _bare(wall_ms)[2:10].replace("-", "")


def emv_time(wall_ms: int) -> str:
    """``emvTime`` of a session, HHMMSS."""
    return _bare(wall_ms)[11:19].replace(":", "")
