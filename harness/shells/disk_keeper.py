"""Keeps a small disk: a tmpfs in a mount namespace of its own, nobody else's business.

A program of its own, ``disk_keeper.py FOLDER BYTES``, because a namespace lives as long
as a process in it. With the right to mount (root) it separates only its mounts; else
it makes a user namespace of one user, which most kernels allow to anybody. Then it
obeys one word a line: ``full``, ``read_only``, ``heal``. Each is answered with ``done``
or with what the kernel said. It ends with its standard input, and the disk with it and
with the last program that was started on it.
"""

import ctypes
import os
import sys
from pathlib import Path
from typing import Final

_NEWNS: Final = 0x0002_0000
_NEWUSER: Final = 0x1000_0000
_RDONLY, _NOSUID, _NODEV, _REMOUNT = 1, 2, 4, 32
_PRIVATE: Final = (1 << 14) | (1 << 18)  # recursive
_PAGE: Final = 4096

_LIBC: Final = ctypes.CDLL(None, use_errno=True)


def _separate() -> str:
    """Leave the mounts of everybody else; ``mount`` or ``user`` tells how."""
    if _LIBC.unshare(_NEWNS) == 0:
        return "mount"
    user, group = os.getuid(), os.getgid()
    _checked(_LIBC.unshare(_NEWNS | _NEWUSER))
    own = Path("/proc/self")
    (own / "setgroups").write_text("deny", "ascii")
    (own / "uid_map").write_text(f"{user} {user} 1", "ascii")
    (own / "gid_map").write_text(f"{group} {group} 1", "ascii")
    return "user"


def _mount(target: str, kind: bytes | None, flags: int, options: str = "") -> None:
    words = (b"nohold", target.encode(), kind, flags, options.encode())
    _checked(_LIBC.mount(*words))


def _checked(status: int) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _obey(word: str, folder: str, size: int) -> None:
    flags = _REMOUNT | _NOSUID | _NODEV
    match word:
        case "full":
            disk = os.statvfs(folder)
            used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize
            _mount(folder, None, flags, f"size={max(used, _PAGE)}")
        case "read_only":
            _mount(folder, None, flags | _RDONLY, f"size={size}")
        case "heal":
            _mount(folder, None, flags, f"size={size}")
        case _:
            raise OSError(f"found {word!r}, allowed full, read_only, heal")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(folder: str, size: int) -> None:
    try:
        how = _separate()
        _mount("/", None, _PRIVATE)
        _mount(folder, b"tmpfs", _NOSUID | _NODEV, f"size={size},mode=0700")
    except OSError as error:
        _say(f"impossible {error.strerror}")
        return
    _say(f"ready {how}")
    for line in sys.stdin:
        try:
            _obey(line.strip(), folder, size)
            _say("done")
        except OSError as error:
            _say(str(error.strerror or error))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
