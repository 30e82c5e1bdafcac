"""The bench as a person plays with it: ``nohold serve`` without its ports.

A forecourt in real time with no controller of ours (``play``), and the counter at which
people, scripts and the web page act on it and look at it (``desk``): a call goes in as
method, path, query and body, an answer comes out as status and JSON. What can be asked
is the table in ``routes``, from which the OpenAPI document is made too. Nothing here
knows a socket or a thread; ``harness.shells.serve`` opens the ports.
"""
