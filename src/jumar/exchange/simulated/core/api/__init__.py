"""Requests, one module per family: parameters in, the dialect's JSON out, or a `Refusal`."""
