"""Whose fault is it? The first thing that a protocol error says.

Two roots for every protocol in this room. A *local* error is a mistake of our own side:
it asked for something that the protocol does not allow. A *remote* error is a breach by
the peer, and therefore a finding. Losing the line is neither and has no class here.
"""


class LocalProtocolError(ValueError):
    """Our side asked for something the protocol forbids; names found and allowed."""


class RemoteProtocolError(ValueError):
    """The peer sent something the protocol forbids; names found and allowed."""
