"""Controllers that make one known mistake each, around the reference controller.

``table.py`` says what each does and which scenario catches it. The factories here are
named in declarations: ``controller = "tests.harness.mistakes:never_cancels"``.
"""

from tests.harness.mistakes.answers import (
    gives_up_early,
    knows_the_card_already,
    takes_failure_for_success,
    wipes_at_boot,
)
from tests.harness.mistakes.charger import (
    bounds_energy_only,
    charges_a_fee_for_nothing,
    forgets_the_bound,
    forgets_the_card,
    has_one_plug_in_window,
    notes_the_last_card,
    takes_nothing_for_the_same,
    waits_anew_for_the_charger,
)
from tests.harness.mistakes.memory import (
    begins_its_retries_anew,
    begins_its_windows_anew,
    believes_it_is_early,
    believes_it_overslept,
    counts_in_32_bits,
    forgets_its_ledger,
    keeps_time_by_the_calendar,
    subtracts_without_sign,
)
from tests.harness.mistakes.money import (
    authorises_every_card,
    commits_another_session,
    commits_nothing,
    commits_the_reserve,
    drops_instead_of_voiding,
    makes_no_mistake,
    moves_on_after_a_failed_commit,
    never_cancels,
    retries_with_a_new_amount,
    voids_after_a_commit,
)
from tests.harness.mistakes.own import bills_the_calendar
from tests.harness.mistakes.talk import (
    closes_on_each_connection,
    gives_closes_ten_seconds,
    gives_statuses_two_seconds,
    leaves_cards_to_themselves,
    reads_one_block_at_a_time,
    takes_nothing_for_no,
    takes_old_news,
)
from tests.harness.mistakes.words import (
    renames_a_log_line,
    shows_the_card_in_groups,
    shows_the_card_on_its_screen,
    shows_the_card_on_the_terminal,
    writes_the_card_into_the_context,
)
from tests.harness.mute import Mute
from wire.machine import Controller, Place


def never_ready(place: Place) -> Controller:
    """Says nothing at all."""
    return Mute()


__all__ = [
    "authorises_every_card",
    "begins_its_retries_anew",
    "begins_its_windows_anew",
    "believes_it_is_early",
    "believes_it_overslept",
    "bills_the_calendar",
    "bounds_energy_only",
    "charges_a_fee_for_nothing",
    "closes_on_each_connection",
    "commits_another_session",
    "commits_nothing",
    "commits_the_reserve",
    "counts_in_32_bits",
    "drops_instead_of_voiding",
    "forgets_its_ledger",
    "forgets_the_bound",
    "forgets_the_card",
    "gives_closes_ten_seconds",
    "gives_statuses_two_seconds",
    "gives_up_early",
    "has_one_plug_in_window",
    "keeps_time_by_the_calendar",
    "knows_the_card_already",
    "leaves_cards_to_themselves",
    "makes_no_mistake",
    "moves_on_after_a_failed_commit",
    "never_cancels",
    "never_ready",
    "notes_the_last_card",
    "reads_one_block_at_a_time",
    "renames_a_log_line",
    "retries_with_a_new_amount",
    "shows_the_card_in_groups",
    "shows_the_card_on_its_screen",
    "shows_the_card_on_the_terminal",
    "subtracts_without_sign",
    "takes_failure_for_success",
    "takes_nothing_for_no",
    "takes_nothing_for_the_same",
    "takes_old_news",
    "voids_after_a_commit",
    "waits_anew_for_the_charger",
    "wipes_at_boot",
    "writes_the_card_into_the_context",
]
