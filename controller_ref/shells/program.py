"""The reference controller put together: ledger, links, callbacks, loop.

``serve`` runs it in the calling thread until it is told to stop. Whatever it took hold
of is let go of again, however it ends.
"""

from collections.abc import Callable
from contextlib import ExitStack

from controller_ref.core import Core, assemble
from controller_ref.ledger import Ledger
from controller_ref.shells.callbacks import CallbackListener
from controller_ref.shells.http import HttpCaller
from controller_ref.shells.journal import Journal
from controller_ref.shells.link import LinkPort
from controller_ref.shells.loop import Clock, Loop
from controller_ref.shells.options import Cloud, Options
from controller_ref.shells.serial import SerialDevice
from controller_ref.shells.storage import InUse, NoImage, StateDirectory
from wire.machine import Link, Place, Started


class CannotStart(Exception):
    """The declaration cannot be followed, or something that is needed is not there."""


def serve(
    options: Options,
    *,
    say: Callable[[str], None],
    on_loop: Callable[[Loop], None],
) -> None:
    """``on_loop`` is given the loop before it runs: whoever has it can stop it.

    Raises CannotStart before anything has happened.
    """
    with ExitStack() as held:
        try:
            loop, core, boot = _set_up(options, say, held)
        except (InUse, OSError, ValueError) as error:
            raise CannotStart(str(error)) from error
        on_loop(loop)
        # Said last: whoever reads it may already want to stop us.
        say(f"boot {boot}")
        loop.run(core)


def _set_up(
    options: Options, say: Callable[[str], None], held: ExitStack
) -> tuple[Loop, Core, int]:
    """All parts, with the first fact waiting, and which boot it is.

    ``held`` is what to let go of in the end.
    """
    directory = StateDirectory(options.state_dir)
    held.callback(directory.close)
    ledger = directory.ledger()
    held.callback(ledger.close)
    loop = Loop(Clock(options.time_scale))
    held.callback(loop.close)
    core = _assemble(options, ledger, loop, held)
    journal = Journal(core, ledger, say)
    loop.sent, loop.turned = journal.sent, journal.look
    boot = directory.boot(options.time_scale)
    loop.tell(Started(boot=boot.number, wall_ms=boot.wall_ms))
    return loop, core, boot.number


def _assemble(options: Options, ledger: Ledger, loop: Loop, held: ExitStack) -> Core:
    links = {Link.BAY: LinkPort(Link.BAY, dialler=options.bay, loop=loop)}
    if options.psp is not None:
        links[Link.PSP] = LinkPort(Link.PSP, dialler=options.psp, loop=loop)
    loop.links = links
    url = _open_cloud(options.cloud, loop, held) if options.cloud else ""
    return assemble(_place(options, url), ledger)


def _open_cloud(cloud: Cloud, loop: Loop, held: ExitStack) -> str:
    """Ready both ways to the cloud; the address for its callbacks."""
    listener = CallbackListener(loop)
    listener.start()
    held.callback(listener.close)
    loop.listener = listener
    loop.caller = HttpCaller(cloud.url, loop=loop)
    return listener.url


def _place(options: Options, callback_url: str) -> Place:
    cloud = options.cloud
    return Place(
        declaration=options.declaration,
        psp_link="serial" if isinstance(options.psp, SerialDevice) else "tcp",
        store=NoImage(),
        cps_url=cloud.url if cloud else "",
        cps_api_key=cloud.api_key if cloud else "",
        terminal_serial=cloud.terminal_serial if cloud else "",
        callback_url=callback_url,
    )
