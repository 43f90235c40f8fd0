"""Connections that can be cut while somebody waits for what comes through them."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from requests.adapters import HTTPAdapter


class Sockets:
    """Sockets that are open, to be cut all at once."""

    def __init__(self) -> None:
        """None is open yet."""
        self._lock = threading.Lock()
        self._open: WeakSet[socket.socket] = WeakSet()
        self._over = False

    def add(self, opened: socket.socket) -> None:
        """Remember one; it is cut at once if all others were."""
        with self._lock:
            self._open.add(opened)
            over = self._over
        if over:
            _cut(opened)

    def cut(self) -> None:
        """Cut every one, and those to come: whoever waits for an answer stops waiting."""
        with self._lock:
            self._over = True
            found = list(self._open)
        for opened in found:
            _cut(opened)


def _cut(opened: socket.socket) -> None:
    with suppress(OSError):
        # Not TLS's own farewell: another thread is reading through it.
        socket.socket.shutdown(opened, socket.SHUT_RDWR)


class CutAdapter(HTTPAdapter):
    """Connections whose sockets are remembered."""

    def __init__(self, sockets: Sockets, **said: Any) -> None:
        """Open no connection yet."""
        self._sockets = sockets
        super().__init__(**said)

    def init_poolmanager(self, *args: Any, **said: Any) -> None:
        """Make the pools of hosts that are asked straight."""
        super().init_poolmanager(*args, **said)
        self._remember(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **said: Any) -> Any:
        """The pools of hosts that are asked through a proxy."""
        manager = super().proxy_manager_for(*args, **said)
        self._remember(manager)
        return manager

    def _remember(self, manager: Any) -> None:
        manager.pool_classes_by_scheme = {
            scheme: _pool(pool, self._sockets)
            for scheme, pool in manager.pool_classes_by_scheme.items()
        }


def _pool(kind: Any, remembered: Sockets) -> Any:
    if hasattr(kind.ConnectionCls, "sockets"):
        return kind

    class Connection(kind.ConnectionCls):  # type: ignore[misc]
        sockets = remembered

        def connect(self) -> None:
            super().connect()
            self.sockets.add(self.sock)

    # Errors say it.
    Connection.__name__ = kind.ConnectionCls.__name__
    return type(kind.__name__, (kind,), {"ConnectionCls": Connection})
