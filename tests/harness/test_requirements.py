"""``nohold requirements``: every requirement has scenarios, or a reason for none."""

import pytest

from harness.requirements import played_scenarios, show_requirements
from reports.register import load_register


def test_every_requirement_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert show_requirements("") == 0
    said = capsys.readouterr().out
    known = load_register().requirements
    assert said.splitlines()[-1].startswith(f"{len(known)} requirements, ")
    for one in known:
        assert one in said


def test_words_select_by_id_and_title(capsys: pytest.CaptureFixture[str]) -> None:
    assert show_requirements("r-nos-01") == 0
    said = capsys.readouterr().out
    assert "S-B01" in said
    assert "1 requirements, 1 covered by a scenario" in said


def test_a_search_without_result_is_wrong_use(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert show_requirements("zebra") == 2
    assert "0 requirements" in capsys.readouterr().out


def test_what_is_played_is_what_the_features_hold() -> None:
    played = played_scenarios()
    assert len(played) > 90
    assert all(one.ids("S-") for one in played)
