"""The reference controller: how to drive a Payter terminal and leave no session open.

Read it in this order: ``transitions`` (the life of a session), ``closing`` (how one
ends), ``ledger`` (what survives), ``charging`` and ``reception`` (what happens at the
charger and at the terminal), ``recovery`` (what a restart does), then the three sides
that translate to the wire, and ``core``, which puts them together.
"""
