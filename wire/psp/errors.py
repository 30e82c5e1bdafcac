"""Whose fault is it? The first thing an error of this protocol says.

``LocalProtocolError``: we were asked to put something illegal on the wire, a mistake of
ours. ``RemoteProtocolError``: bytes from the other side break the protocol, a finding.
Both say what was found and what is allowed.
"""


class ProtocolError(Exception):
    """Root of both kinds; never raised itself."""


class LocalProtocolError(ProtocolError):
    """Our own code asked for something the protocol cannot say."""


class RemoteProtocolError(ProtocolError):
    """What the other side sent does not fit the protocol."""
