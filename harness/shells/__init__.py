"""Where the examiner touches the world: ports, processes, the wall clock's loop."""
