"""A source from which nothing comes: for an engine that must only come home."""

from jumar.ports.decisions import Answer, Received


class NoDecisions:
    """See `jumar.ports.decisions.DecisionSource`."""

    def poll(self) -> tuple[Received, ...]:
        """Nothing is new."""
        return ()

    def answer(self, answer: Answer) -> None:
        """Nobody waits for an answer."""
