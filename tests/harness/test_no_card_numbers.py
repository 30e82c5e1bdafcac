"""No full card number is written anywhere, whatever is examined and however.

The search below shares nothing with the code that masks. Numbers that pass the check
are put together here, so that none stands in this file.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import harness.world
from harness.cli import app

MISTAKES = "tests.harness.mistakes"
ROOT = Path(__file__).resolve().parents[2]
FEATURES = ROOT / "features"
#: Payment cards, RFID, wallets, declines, receipts: whatever shows a card.
# fmt: off
SHOWN = (
    ("paying_for_a_charge.feature", "RFID"),
    ("paying_for_a_charge.feature", "A receipt after a charge"),
    ("whose_card_stops.feature", "same account on the phone"),
    ("issuer_answers.feature", "insufficient funds"),
    ("several_drivers.feature", "Two drivers start and stop"),
)
# fmt: on

RUN = re.compile(r"\d{13,}")
GROUPS = re.compile(r"\d+(?:[ -]\d+)+")
SHAPES = ((4, 4, 4, 1), (4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 6, 5), (4, 4, 5), (6, 4, 5))


def passes(digits: str) -> bool:
    """The check digit of card numbers, by the book: from the right, double, add."""
    doubled = "0246813579"
    total = sum(
        int(doubled[int(c)]) if i % 2 else int(c) for i, c in enumerate(digits[::-1])
    )
    return total % 10 == 0 and set(digits) != {"0"}


def card_numbers(text: str) -> Iterator[str]:
    """Whatever could be a full card number in ``text``."""
    in_hex = re.findall(r"(?:3\d ){12,}3\d", text, re.ASCII)
    spelt = ["".join(pair[1] for pair in pairs.split()) for pairs in in_hex]
    for run in [*RUN.findall(text), *spelt]:
        if len(run) <= 19 and passes(run):
            yield run
    for match in GROUPS.finditer(text):
        yield from grouped(re.split("[ -]", match.group()))


def grouped(parts: list[str]) -> Iterator[str]:
    """Card numbers in the groups in which people write them."""
    for start in range(len(parts)):
        for shape in SHAPES:
            chosen = parts[start : start + len(shape)]
            if tuple(map(len, chosen)) == shape and passes("".join(chosen)):
                yield " ".join(chosen)


SECRET = "4" + "1" * 15
AMEX = ("3782", "822463", "10005")
KNOWN = [
    SECRET,
    f"card {SECRET}.",
    f"a{SECRET}b",
    "5" * 12 + "4" * 4,
    " ".join((SECRET[:4], *["1" * 4] * 3)),
    "-".join(AMEX),
    "".join(AMEX),
    SECRET.encode().hex(" "),
]


@pytest.mark.parametrize("text", KNOWN)
def test_the_search_finds_card_numbers(text: str) -> None:
    assert list(card_numbers(text))


@pytest.mark.parametrize(
    "text",
    [
        SECRET[:6] + "******" + SECRET[-4:],
        SECRET[:-1] + "2",
        "0" * 16,
        "5e551000-0000-4000-8000-000000000001",
        "CC 02 31 00 32 33 34 35 36 37 38 39 30 31 00 32 33",
    ],
)
def test_the_search_finds_nothing_else(text: str) -> None:
    assert list(card_numbers(text)) == []


@pytest.mark.parametrize(("feature", "words"), SHOWN, ids=lambda v: v[:12])
def test_a_run_writes_and_prints_no_card_number(
    feature: str, words: str, tmp_path: Path
) -> None:
    said = CliRunner().invoke(
        app,
        [
            *("run", str(FEATURES / feature), "-k", words),
            *("--trace-dir", str(tmp_path / "traces")),
            *(
                "--junit",
                str(tmp_path / "junit.xml"),
                "--json",
                str(tmp_path / "j.json"),
            ),
        ],
    )
    assert said.exit_code == 0, said.output
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in written} == {".jsonl", ".xml", ".json"}
    assert "card_id" in "".join(path.read_text("utf-8") for path in written)
    assert list(card_numbers(said.output)) == []
    for path in written:
        assert list(card_numbers(path.read_text("utf-8"))) == [], path.name


def test_no_tracked_file_has_a_card_number() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False
    )
    names = [name for name in listed.stdout.decode().split("\0") if name]
    files = [ROOT / name for name in names] or list((ROOT / "tests").rglob("*.toml"))
    assert len(files) > 5
    for path in filter(Path.is_file, files):
        text = path.read_bytes().decode("utf-8", "replace")
        assert list(card_numbers(text)) == [], path.name


# --- A controller that shows one -------------------------------------------------


def declared(folder: Path, factory: str, interface: str, terminal: str) -> Path:
    text = (ROOT / "controller_ref" / "declaration.toml").read_text(encoding="utf-8")
    text = text.replace('interface = "psp"', f'interface = "{interface}"')
    text = text.replace('terminal = "apollo"', f'terminal = "{terminal}"')
    text = text.replace("controller_ref.core:build", f"{MISTAKES}:{factory}")
    path = folder / "declaration.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("factory", "interface", "terminal"),
    [
        ("shows_the_card_on_its_screen", "psp", "p6x"),
        ("shows_the_card_in_groups", "psp", "apollo"),
        ("writes_the_card_into_the_context", "psp", "apollo"),
        ("shows_the_card_on_the_terminal", "cps", "apollo"),
    ],
)
def test_a_controller_that_shows_a_card_number_is_red(
    factory: str,
    interface: str,
    terminal: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(harness.world, "RETRY_PLAN_MS", 3_600_000)
    said = CliRunner().invoke(
        app,
        [
            *("run", str(FEATURES / "charge_never_starts.feature")),
            *("-k", "walks away without plugging in"),
            *("-d", str(declared(tmp_path, factory, interface, terminal))),
            *(
                "--trace-dir",
                str(tmp_path / "traces"),
                "--json",
                str(tmp_path / "j.json"),
            ),
        ],
    )
    assert said.exit_code == 1, said.output
    report = json.loads((tmp_path / "j.json").read_text("utf-8"))
    findings = [one["requirement"] for one in report["run"]["cases"][0]["findings"]]
    assert findings.count("R-UI-07") == 1, said.output
    (trace,) = (tmp_path / "traces").iterdir()
    text = trace.read_text("ascii")
    assert '"requirement":"R-UI-07"' in text
    assert re.search(r"4111 ?11\*\*", text), "masked, not removed"
    for shown in (text, said.output, json.dumps(report)):
        assert list(card_numbers(shown)) == []
