"""Wall time of the whole suite as a user starts it; the median of three runs."""

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from benchmarks.stories import measured

ROOT = Path(__file__).parent.parent
RUNS = 3


def run_once() -> float:
    """Seconds of ``nohold run``; raises CalledProcessError when it is not green."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with measured() as wall_s:
        subprocess.run(
            [sys.executable, "-m", "harness", "run"],
            cwd=ROOT,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return wall_s()


def main() -> None:
    times = [run_once() for _ in range(RUNS)]
    shown = ", ".join(f"{one:.1f}" for one in sorted(times))
    print(f"nohold run: median {median(times):.1f} s of {shown}")


if __name__ == "__main__":
    main()
