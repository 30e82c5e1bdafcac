"""Faults in force on a bench: put in, seen to hit, healed before the world must settle.

The catalogue ``simulator.faults`` says what can go wrong; ``TABLE`` (``table.py``) says
how each row is put in, and ``Faults`` (``engine.py``) keeps the life of each: planned,
hit, healed. One module for each group of seams has the functions of the table.
"""

from harness.faults.engine import Faults
from harness.faults.life import InForce
from harness.faults.table import TABLE

__all__ = ["TABLE", "Faults", "InForce"]
