"""Writes down what SQLite asks of the file system: each write, sync and deletion.

A virtual file system (VFS) of SQLite's own kind, registered as the default one in the
library that the ``sqlite3`` module uses, so that the code under test opens its files as
it always does. Everything is passed on to the VFS that was the default before; what
changes a file is noted on the way. The memory that connections share (``-shm``) is not
noted: it is no part of what survives a power cut.

Needs a ``sqlite3`` module whose library can be reached (``NoLibrary`` otherwise).
"""

import ctypes
import importlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_int64, c_void_p
from pathlib import Path
from typing import Any, Final

from tests.controller_ref.disk import Create, Delete, Operation, Sync, Truncate, Write

_OK: Final = 0
_OPEN_CREATE: Final = 0x04

_Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_DeleteCall = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
_WriteCall = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TruncateCall = CFUNCTYPE(c_int, c_void_p, c_int64)
_SyncCall = CFUNCTYPE(c_int, c_void_p, c_int)


class _Methods(ctypes.Structure):
    """``sqlite3_io_methods``, version 3; what is passed on is just a pointer."""

    _fields_ = (
        ("version", c_int),
        *((name, c_void_p) for name in ("close", "read")),
        ("write", _WriteCall),
        ("truncate", _TruncateCall),
        ("sync", _SyncCall),
        *((f"other_{number}", c_void_p) for number in range(13)),
    )


class _Vfs(ctypes.Structure):
    """``sqlite3_vfs``, version 3."""

    _fields_ = (
        ("version", c_int),
        ("file_bytes", c_int),
        ("longest_path", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", _Open),
        ("delete", _DeleteCall),
        *((f"other_{number}", c_void_p) for number in range(14)),
    )


class NoLibrary(Exception):
    """The library under the ``sqlite3`` module cannot be reached from outside."""


class Recorder:
    """``note`` is given every change of a file in ``folder``, after it was made."""

    def __init__(self, folder: Path, note: Callable[[Operation], None]) -> None:
        self._folder = folder.resolve()
        self._note = note
        self._names: dict[int, str] = {}
        self._methods: dict[int, _Methods] = {}
        self._library = _library()
        self._usual = self._library.sqlite3_vfs_find(None)
        self._vfs = _Vfs.from_buffer_copy(self._usual.contents)
        self._vfs.name = b"recorder"
        self._vfs.next = None
        self._vfs.open = _Open(self._open)
        self._vfs.delete = _DeleteCall(self._delete)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Every connection opened inside must also be closed inside."""
        self._library.sqlite3_vfs_register(ctypes.byref(self._vfs), 1)
        try:
            yield
        finally:
            self._library.sqlite3_vfs_unregister(ctypes.byref(self._vfs))
            self._library.sqlite3_vfs_register(self._usual, 1)

    def _name(self, path: bytes | None) -> str:
        """The name of a file in the folder; empty for all others."""
        found = Path(path.decode()) if path else Path("/")
        return found.name if found.parent == self._folder else ""

    # --- What SQLite calls --------------------------------------------------------

    def _open(self, vfs: int, path: int, file: int, flags: int, out: int) -> int:
        # The path is handed on as the pointer that it is: SQLite hides settings behind
        # its end.
        name = self._name(ctypes.cast(path, c_char_p).value) if path else ""
        is_new = name != "" and not (self._folder / name).exists()
        status: int = self._usual.contents.open(vfs, path, file, flags, out)
        if status == _OK and name:
            self._names[file] = name
            methods = ctypes.cast(file, POINTER(c_void_p))
            methods[0] = ctypes.addressof(self._recording(methods[0]))
            if is_new and flags & _OPEN_CREATE:
                self._note(Create(name))
        return status

    def _delete(self, vfs: int, path: bytes, sync: int) -> int:
        status: int = self._usual.contents.delete(vfs, path, sync)
        if status == _OK and (name := self._name(path)):
            self._note(Delete(name, is_synced=bool(sync)))
        return status

    def _recording(self, address: Any) -> _Methods:
        """The methods at ``address``, with those that change a file replaced."""
        if address not in self._methods:
            usual = _Methods.from_address(address)
            methods = _Methods.from_buffer_copy(usual)
            methods.write = _WriteCall(self._writer(usual))
            methods.truncate = _TruncateCall(self._truncater(usual))
            methods.sync = _SyncCall(self._syncer(usual))
            self._methods[address] = methods
        return self._methods[address]

    def _writer(self, usual: _Methods) -> Callable[[int, int, int, int], int]:
        def write(file: int, data: int, size: int, offset: int) -> int:
            status: int = usual.write(file, data, size, offset)
            written = ctypes.string_at(data, size)
            return self._done(status, Write(self._names[file], offset, written))

        return write

    def _truncater(self, usual: _Methods) -> Callable[[int, int], int]:
        def truncate(file: int, size: int) -> int:
            status: int = usual.truncate(file, size)
            return self._done(status, Truncate(self._names[file], size))

        return truncate

    def _syncer(self, usual: _Methods) -> Callable[[int, int], int]:
        def sync(file: int, flags: int) -> int:
            status: int = usual.sync(file, flags)
            return self._done(status, Sync(self._names[file]))

        return sync

    def _done(self, status: int, operation: Operation) -> int:
        if status == _OK:
            self._note(operation)
        return status


def _library() -> Any:
    """SQLite as the ``sqlite3`` module has it, not just any in this process."""
    # None where the module is part of the interpreter itself.
    module = getattr(importlib.import_module("_sqlite3"), "__file__", None)
    library = ctypes.CDLL(module)
    try:
        library.sqlite3_vfs_find.restype = POINTER(_Vfs)
        library.sqlite3_vfs_find.argtypes = (c_char_p,)
        library.sqlite3_libversion.restype = c_char_p
        found = library.sqlite3_libversion().decode()
    except AttributeError as missing:
        raise NoLibrary(f"the sqlite3 module hides its library: {missing}") from None
    if found != sqlite3.sqlite_version:
        raise NoLibrary(f"found SQLite {found}, not {sqlite3.sqlite_version}")
    return library
