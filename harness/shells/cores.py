"""What this machine has for more than one process."""

import multiprocessing
import os


def can_fork() -> bool:
    """Whether a process of this machine can become two."""
    return "fork" in multiprocessing.get_all_start_methods()


def cores() -> int:
    """How many processes can work at once."""
    return os.cpu_count() or 1
