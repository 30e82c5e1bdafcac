"""Payter's production hosts: nothing that a declaration says may lead there.

Cardholders' money is real behind them, and an examiner breaks things on purpose. Known
as not production are the test and development clouds (cps.md 1.1, 9.2); whatever else
lies in Payter's domains counts as production, because a name that nobody has told us
is the worst one to try. The numbers are those of Payter's maintenance page (1.1).
"""

import re
from typing import Final

DOMAINS: Final = ("mypayter.com", "payter.com")
NOT_PRODUCTION: Final = (
    "cps-test.mypayter.com",
    "cps.dev.mypayter.com",
    "cps-dev.mypayter.com",
)
ADDRESSES: Final = ("34.107.204.82", "34.120.69.194")

#: What looks like a host name or an address, anywhere in a text.
_HOST: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+", re.ASCII)


def production_host(text: str) -> str:
    """The first production host that ``text`` names, in lower case; empty for none."""
    hosts = _HOST.findall(text.lower())
    return next((host for host in hosts if is_production(host)), "")


def is_production(host: str) -> bool:
    """Whether ``host``, in lower case, is a production host of Payter."""
    if host in ADDRESSES:
        return True
    is_payters = any(_is_within(host, domain) for domain in DOMAINS)
    return is_payters and not any(_is_within(host, known) for known in NOT_PRODUCTION)


def _is_within(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")
