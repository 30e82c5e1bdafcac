"""Where the reference controller touches the world: sockets, ports, clock and files.

Thin on purpose. Nothing here decides: facts are carried in, actions are carried out,
and whatever could be got wrong about money is in the cores beside this package.
"""
