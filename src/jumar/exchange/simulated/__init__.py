"""A Binance USDⓈ-M futures exchange on this machine: it speaks the wire and shares no code with the adapter.

`core/` is pure (matching, conditional orders, account, ledger, dialect), `market/` makes the path of prices,
`server/` puts both on real sockets, `judge/` reads the ledger and says which promises were kept.
Begin with `core/exchange.py`.
"""
