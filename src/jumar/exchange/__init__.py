"""Venues behind the exchange port. They never import each other."""
