"""Memory: what must survive a crash, in one SQL database.

Promises that records are durable when `write` returns, that a second intent of one client id and a looser stop
are refused by the database itself, and that everything is restored as it was. Knows nothing of venues or plans.
Begin with `journal.py`; `schema.py` says what is kept, `queries.py` reads it for people.
"""
