"""Screens that a host describes: UI Request on PSP, E11 on CPS (one Apollo catalogue).

The text a driver reads is put together from the properties that carry words; an element
``buttons.NAME`` or ``items.NAME`` with an empty value adds something that can be
pressed, unless ``NAME.disabled`` is true (cps.md 6.2, psp.md 4.5).
"""

from collections.abc import Mapping
from typing import Final

from simulator.terminal.display import Screen
from simulator.terminal.sessions import Face
from wire.cps import SCREENS

_WORDS: Final = ("title", "subtitle", "message", "advice", "amount", "currency", "qr")
#: The types that both the documents of PSP and of CPS name.
PSP_TYPES: Final = frozenset(
    {"info", "notification", "dialog", "selection", "spinner", "carousel"}
)


def described(
    kind: str, properties: Mapping[str, str], *, face: Face, screen_id: str = ""
) -> Screen:
    """The screen that ``kind`` and ``properties`` describe."""
    known = SCREENS.get(kind)
    prefix = f"{known.elements}." if known and known.elements else ""
    elements = _elements(prefix, properties) if prefix else ()
    words = [properties[name] for name in _WORDS if properties.get(name)]
    labels = [properties.get(f"{prefix}{one}.label", one) for one in elements]
    return Screen(
        screen=kind,
        text=" | ".join(words + [f"[{label}]" for label in labels]),
        buttons=tuple(
            one
            for one in elements
            if properties.get(f"{prefix}{one}.disabled", "false") != "true"
        ),
        screen_id=screen_id,
        face=face,
    )


def _elements(prefix: str, properties: Mapping[str, str]) -> tuple[str, ...]:
    names = (key[len(prefix) :] for key in properties if key.startswith(prefix))
    return tuple(name for name in names if name and "." not in name)
