# ruff: noqa: E501 - a table
"""The known mistakes: what each does, and the scenario that turns red.

``tests/harness/test_known_mistakes.py`` plays every row in every column that it names;
``docs/known-mistakes.md`` is the same table for people, and a test holds both together.
"""

from dataclasses import dataclass
from typing import Final

EVERY: Final = ("p6x", "apollo", "cps")
PSP: Final = ("p6x", "apollo")
CPS: Final = ("cps",)
APOLLO: Final = ("apollo",)


@dataclass(frozen=True, kw_only=True)
class Caught:
    """One scenario that must turn red, where, and what the examiner must say."""

    feature: str
    title: str
    settlement: str
    requirement: str
    columns: tuple[str, ...] = EVERY


@dataclass(frozen=True, kw_only=True)
class Known:
    """One mistake. ``number``: M1 to M15 of requirements.md, section 2; then ours."""

    number: int
    factory: str
    what: str
    caught: tuple[Caught, ...]


@dataclass(frozen=True)
class Place:
    """A scenario of features/, by file and title."""

    file: str
    title: str


def _by(
    place: Place,
    settlement: str,
    requirement: str,
    columns: tuple[str, ...] = EVERY,
) -> Caught:
    return Caught(
        feature=f"{place.file}.feature",
        title=place.title,
        settlement=settlement,
        requirement=requirement,
        columns=columns,
    )


NO_START: Final = Place(
    "charge_never_starts", "The driver walks away without plugging in"
)
CHARGE: Final = Place("paying_for_a_charge", "Tap, plug in, charge, unplug")
STOP_TAP: Final = Place("paying_for_a_charge", "The driver taps the same card to stop")
POWER_CUT: Final = Place("charger_fails", "The site has no power for ten minutes")
TWO: Final = Place("several_drivers", "Two drivers start and stop interleaved")
REFUSED: Final = Place("issuer_answers", "The next two commits are refused")
PIN: Final = Place("driver_changes_plan", "The driver needs three minutes for the PIN")
FAILED_STATE: Final = Place(
    "misleading_answers", "The commit is answered with a failed session"
)
NOT_FOUND: Final = Place("misleading_answers", "The cloud does not know the session")
EARLIER_LIFE: Final = Place(
    "audits", "Sessions of an earlier life are found when the controller starts"
)
IN_1970: Final = Place(
    "controller_clock", "The clock begins in 1970 while a session waits for a vehicle"
)
OLD: Final = Place(
    "controller_dies", "The terminal holds more old sessions than one answer can list"
)
DIES: Final = Place(
    "lines_fail", "The controller dies during the charge, and the charge goes on"
)
UNSAID: Final = Place(
    "misleading_answers", "The authorisation is done and answered with an error"
)
RIGHT_CARD: Final = Place("whose_card_stops", "The right card is not authorised again")
BREAKS: Final = Place(
    "terminal_line_fails", "Five commits in a row break the connection"
)
SLOW: Final = Place(
    "issuer_answers", "The terminal answers a commit just before its limit"
)
OVERTAKEN: Final = Place(
    "late_and_doubled_news", "The news of a card is overtaken by that of the next"
)
ONE_PIECE: Final = Place(
    "damaged_blocks", "A card and the answer to a commit arrive in one piece"
)
SLOW_STATUS: Final = Place("terminal_line_fails", "A slow status is no dead connection")

# fmt: off
KNOWN: Final = (
    Known(number=1, factory="never_cancels", what="never releases a session whose charge does not start", caught=(
        _by(NO_START, "LEFT OPEN", "R-NOS-01"),
    )),
    Known(number=2, factory="drops_instead_of_voiding", what="dismisses the card (Cancel Session, stop) where the session has to be released (Void Session, cancel)", caught=(
        _by(NO_START, "LEFT OPEN", "R-SES-10"),
    )),
    Known(number=3, factory="forgets_its_ledger", what="forgets at a restart which sessions are open", caught=(
        _by(POWER_CUT, "LEFT OPEN", "R-RTY-03", ("apollo", "cps")),
        # A P6X tells which sessions are open, but not what they owe.
        _by(POWER_CUT, "WRONG AMOUNT", "R-SES-06", ("p6x",)),
    )),
    Known(number=4, factory="gives_up_early", what="gives an authorisation up after 30 s on an Apollo, and ignores the approval that comes later", caught=(
        _by(PIN, "LEFT OPEN", "R-RTY-06", ("apollo",)),
    )),
    Known(number=5, factory="commits_the_reserve", what="commits what was reserved instead of what was delivered", caught=(
        _by(CHARGE, "WRONG AMOUNT", "R-SES-12"),
    )),
    Known(number=6, factory="moves_on_after_a_failed_commit", what="dismisses the card after a commit has failed, and moves on", caught=(
        _by(REFUSED, "LEFT OPEN", "R-SES-06"),
    )),
    Known(number=7, factory="takes_failure_for_success", what="takes a 200 with a failed session, or a 404, for a close", caught=(
        _by(FAILED_STATE, "LEFT OPEN", "R-CPS-05", CPS),
        _by(NOT_FOUND, "LEFT OPEN", "R-CPS-08", CPS),
    )),
    Known(number=8, factory="commits_nothing", what="commits 0 where the session has to be released", caught=(
        _by(NO_START, "CLOSED", "R-AMT-05"),
    )),
    Known(number=9, factory="commits_another_session", what="commits the session of another connector", caught=(
        _by(TWO, "LEFT OPEN", "R-SES-08"),
    )),
    Known(number=10, factory="retries_with_a_new_amount", what="tries a refused commit again with another amount", caught=(
        # PSP refuses without effect; after a 500 of the cloud nobody knows (R-RTY-09).
        _by(REFUSED, "WRONG AMOUNT", "R-SES-12", PSP),
        _by(REFUSED, "TWICE", "R-RTY-09", CPS),
    )),
    Known(number=11, factory="voids_after_a_commit", what="releases a session after a commit whose outcome is unknown", caught=(
        _by(REFUSED, "WRONG AMOUNT", "R-SES-12", PSP),
        _by(REFUSED, "TWICE", "R-RTY-09", CPS),
    )),
    Known(number=12, factory="keeps_time_by_the_calendar", what="measures windows by the calendar clock, which jumps", caught=(
        _by(IN_1970, "LATE", "R-RTY-08"),
    )),
    Known(number=13, factory="authorises_every_card", what="authorises the card that was tapped to stop", caught=(
        _by(STOP_TAP, "CLOSED", "R-NOS-09"),
    )),
    Known(number=14, factory="knows_the_card_already", what="takes the second real tap of a card for a repeated callback", caught=(
        _by(STOP_TAP, "CLOSED", "R-STP-03", CPS),
    )),
    Known(number=15, factory="wipes_at_boot", what="sends Remove Sessions at start instead of closing what is open", caught=(
        _by(EARLIER_LIFE, "LEFT OPEN", "R-PER-04", ("p6x",)),
        _by(OLD, "LEFT OPEN", "R-PER-04", ("p6x",)),
        _by(DIES, "CLOSED", "R-PER-04", PSP),
    )),
    Known(number=16, factory="takes_nothing_for_no", what="takes an authorisation that was answered with an error, or with nothing, for a decline", caught=(
        _by(UNSAID, "LEFT OPEN", "R-RTY-07", CPS),
    )),
    Known(number=17, factory="leaves_cards_to_themselves", what="does not let a card go that it will not charge, and waits until the terminal drops it", caught=(
        _by(RIGHT_CARD, "CLOSED", "R-CPS-03", CPS),
    )),
    Known(number=18, factory="closes_on_each_connection", what="sends a close on each new connection, although it is the close that breaks them", caught=(
        _by(BREAKS, "CLOSED", "R-RTY-04", APOLLO),
    )),
    Known(number=19, factory="gives_closes_ten_seconds", what="waits for the answer to a close no longer than for any other, and sends it again", caught=(
        _by(SLOW, "CLOSED", "R-RTY-06", PSP),
    )),
    Known(number=20, factory="takes_old_news", what="takes news of an earlier card for a new tap", caught=(
        _by(OVERTAKEN, "CLOSED", "R-CPS-02", CPS),
    )),
    Known(number=21, factory="reads_one_block_at_a_time", what="reads only the first block of what arrives in one piece", caught=(
        _by(ONE_PIECE, "TWICE", "R-PSP-01", APOLLO),
    )),
    Known(number=22, factory="gives_statuses_two_seconds", what="takes a line for dead when a status takes longer than 2 s", caught=(
        _by(SLOW_STATUS, "CLOSED", "R-RTY-06", APOLLO),
    )),
)
# fmt: on
