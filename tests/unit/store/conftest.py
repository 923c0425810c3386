"""The databases that the tests of the store run on."""

from tests.databases import database, server

__all__ = ["database", "server"]
