"""Composition root: the only package, beside `simulation`, that names concrete venues, stores and sources.

Promises that what it builds is complete or is refused with a `ConfigError`. Decides nothing about trading. One module a
purpose: `engine`, `serving`, `probing`, `fetching`, `checking`; each is imported by the command that needs it.
"""
