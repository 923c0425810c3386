"""Protocols: what the core asks of the world. Begin with `exchange.py`."""
