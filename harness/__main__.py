"""``python -m harness`` and the ``nohold`` command: where the process begins.

What a run imports, and the cases that it collects, stay until its end, and a trace
lives until its case is judged: looking through all of it again and again finds nothing,
and costs a tenth of the run and a quarter of its start. So garbage is looked for less
often, from before the first import on.
"""

import gc
from typing import Final

#: New objects, of those that could be part of a cycle, until garbage is looked for.
_NEW_OBJECTS: Final = 500_000


def main() -> None:
    """Entry point of the ``nohold`` command."""
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
    # Late: most of a start is importing.
    from harness.cli import main as command

    command()


if __name__ == "__main__":
    main()
