"""What the feature rules read: the files under features/ and the two registers."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from reports.coverage import Played, parse_reasons
from reports.feature_file import FeatureFile, parse_feature
from reports.register import Catalogue, Register, load_catalogue, load_register

FEATURES = Path(__file__).resolve().parents[2] / "features"


@pytest.fixture(scope="session")
def features() -> tuple[FeatureFile, ...]:
    """Every feature file, parsed; empty as long as there are none."""
    return tuple(
        parse_feature(
            path.read_text(encoding="utf-8"), path.relative_to(FEATURES).as_posix()
        )
        for path in sorted(FEATURES.rglob("*.feature"))
    )


@pytest.fixture(scope="session")
def played(features: tuple[FeatureFile, ...]) -> tuple[Played, ...]:
    return tuple(one for feature in features for one in feature.played())


@pytest.fixture(scope="session")
def reasons() -> Mapping[str, str]:
    return parse_reasons((FEATURES / "not_automated.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def register() -> Register:
    return load_register()


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()
