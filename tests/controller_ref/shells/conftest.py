from collections.abc import Iterator

import pytest

from tests.controller_ref.shells.ear import Listening


@pytest.fixture
def listening() -> Iterator[Listening]:
    """A loop in real time, with an ear."""
    made = Listening()
    yield made
    made.loop.close()
