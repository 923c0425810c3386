"""Who hears which market stream: an index, so that what nobody hears costs nothing. Holds no sockets."""

from collections.abc import Callable
from typing import Protocol


class Listener(Protocol):
    """Somebody to whom messages can be delivered."""

    def deliver(self, stream: str, payload: str) -> None:
        """Send an event of a stream, spelt as JSON."""
        ...


class Listeners[L: Listener]:
    """The listeners of each stream."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[L]] = {}
        self.watchers: list[Callable[[str], None]] = []

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams that somebody hears."""
        return tuple(self._listeners)

    def add(self, stream: str, listener: L) -> None:
        """Let a listener hear a stream; of one that nobody heard before the watchers are told."""
        if stream not in self._listeners:
            for watcher in self.watchers:
                watcher(stream)
        self._listeners.setdefault(stream, set()).add(listener)

    def remove(self, stream: str, listener: L) -> None:
        """Let a listener hear a stream no more."""
        listeners = self._listeners.get(stream, set())
        listeners.discard(listener)
        if not listeners:
            self._listeners.pop(stream, None)

    def of(self, stream: str) -> tuple[L, ...]:
        """Who hears a stream."""
        return tuple(self._listeners.get(stream, ()))
