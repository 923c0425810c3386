"""The databases that the tests of the store run on."""

from tests.databases import database, emptied, reused, server

__all__ = ["database", "emptied", "reused", "server"]
