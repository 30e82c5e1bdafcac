"""``nohold requirements``: every requirement has scenarios, or a reason for none."""

import pytest

from harness.requirements import played_scenarios, show_requirements
from reports.register import load_register


def test_every_requirement_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert show_requirements("") == 0
    said = capsys.readouterr().out
    known = load_register().requirements
    assert f"{len(known)} of {len(known)} requirements have an answer" in said
    assert "MUSTs that are not documentary: " in said
    for one in known:
        assert one in said
    assert max(map(len, said.splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "found", "ids"),
    [
        ("r-nos-01", "covered by S-", ["R-NOS-01"]),
        ("S-R07", "documentary: question S-R07", ["R-TRM-10", "R-EXT-07"]),
        ("must S-R07", "question", ["R-EXT-07"]),
        ("implicit", "implicit: A rule for every case", ["R-TRM-11"]),
        ("untestable must", "OCPP 2.1", ["R-EXT-09", "R-EXT-10"]),
        ("empty bay", "covered", ["R-SES-14"]),
    ],
)
def test_words_select_by_whatever_is_shown(
    words: str, found: str, ids: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert show_requirements(words) == 0
    said = capsys.readouterr().out
    assert found in said
    assert [line.split()[0] for line in said.splitlines() if line[:2] == "R-"] == ids
    assert f"{len(ids)} of {len(ids)} requirements have an answer" in said


def test_a_search_without_result_is_wrong_use(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert show_requirements("zebra") == 2
    assert capsys.readouterr().out == "no requirement has the words 'zebra'\n"


def test_what_is_played_is_what_the_features_hold() -> None:
    played = played_scenarios()
    assert len(played) > 90
    assert all(one.ids("S-") for one in played)
