"""How each fault of the catalogue is put in: its name -> a function."""

from collections.abc import Mapping
from typing import Final

from harness.faults import cable, charger, cloud, controller, issuer, terminal
from harness.faults.life import Put

TABLE: Final[Mapping[str, Put]] = {
    **cable.ROWS,
    **cloud.ROWS,
    **terminal.ROWS,
    **issuer.ROWS,
    **charger.ROWS,
    **controller.ROWS,
}
