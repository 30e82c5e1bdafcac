"""Mistakes in what is asked of the terminal about money."""

from dataclasses import replace

from tests.harness.mistakes.boundary import Memory, Mistaken, Said, unchanged
from wire.machine import Controller, Place


def _forget_voids(said: Said, memory: Memory) -> Said | None:
    return None if said.what == "void" else said


def _drop_instead_of_void(said: Said, memory: Memory) -> Said:
    return Said(what="drop") if said.what == "void" else said


def _commit_the_reserve(said: Said, memory: Memory) -> Said:
    if said.what != "commit":
        return said
    return replace(said, amount_minor=memory.reserve_minor)


def _commit_nothing(said: Said, memory: Memory) -> Said:
    return replace(said, what="commit") if said.what == "void" else said


def _authorise_every_card(said: Said, memory: Memory) -> Said:
    if said.what == "drop" and memory.has_card:
        memory.has_card = False
        return Said(what="authorise")
    return said


def _commit_another(said: Said, memory: Memory) -> Said:
    others = [one for one in memory.approved if one != said.session_id]
    others = [one for one in others if one not in memory.committed]
    if said.what != "commit" or not others:
        return said
    return replace(said, session_id=others[0])


def _add_a_cent(said: Said, memory: Memory) -> Said:
    if said.what != "commit" or said.session_id not in memory.committed:
        return said
    return replace(said, amount_minor=memory.committed[said.session_id] + 1)


def _void_after_a_commit(said: Said, memory: Memory) -> Said:
    if said.what != "commit" or said.session_id not in memory.committed:
        return said
    return Said(what="void", session_id=said.session_id)


def _drop_after_a_commit(said: Said, memory: Memory) -> Said:
    if said.what != "commit" or said.session_id not in memory.committed:
        return said
    return Said(what="drop")


# --- Factories ----------------------------------------------------------------------


def makes_no_mistake(place: Place) -> Controller:
    """The control: everything goes through the same code, and nothing is altered."""
    return Mistaken(place, unchanged)


def never_cancels(place: Place) -> Controller:
    """M1"""
    return Mistaken(place, _forget_voids)


def drops_instead_of_voiding(place: Place) -> Controller:
    """M2"""
    return Mistaken(place, _drop_instead_of_void)


def commits_the_reserve(place: Place) -> Controller:
    """M5"""
    return Mistaken(place, _commit_the_reserve)


def moves_on_after_a_failed_commit(place: Place) -> Controller:
    """M6"""
    return Mistaken(place, _drop_after_a_commit)


def commits_nothing(place: Place) -> Controller:
    """M8"""
    return Mistaken(place, _commit_nothing)


def commits_another_session(place: Place) -> Controller:
    """M9"""
    return Mistaken(place, _commit_another)


def retries_with_a_new_amount(place: Place) -> Controller:
    """M10"""
    return Mistaken(place, _add_a_cent)


def voids_after_a_commit(place: Place) -> Controller:
    """M11"""
    return Mistaken(place, _void_after_a_commit)


def authorises_every_card(place: Place) -> Controller:
    """M13"""
    return Mistaken(place, _authorise_every_card)
