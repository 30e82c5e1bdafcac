"""What the tests of the virtual forecourt start from."""

import pytest

from tests.simulator.issuer_desk import Desk
from tests.simulator.station_rig import Rig


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture
def desk() -> Desk:
    return Desk()
