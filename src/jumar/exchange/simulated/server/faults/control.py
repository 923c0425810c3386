"""The control surface's face of faults on order: set rules, look at them, take them away."""

from typing import Any

import msgspec
from aiohttp import web

from jumar.exchange.simulated.server.faults.faults import Faults
from jumar.exchange.simulated.server.faults.rule import RuleError, decoded, rules_from
from jumar.exchange.simulated.server.rest import body_of


class FaultControl:
    """Handles `/sim/faults`."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    async def add(self, request: web.Request) -> web.Response:
        """POST /sim/faults: set one rule or a list of them; all or none."""
        try:
            body = await body_of(request)
            rules = rules_from(decoded((body or b"").decode(errors="replace")))
            self._faults.check(rules)
        except RuleError as error:
            return _json({"error": str(error)}, 400)
        return _json({"rules": self._faults.add(rules)})

    async def show(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp's signature
        """GET /sim/faults: the rules, with how often each was tried and struck."""
        return _json({"rules": self._faults.rows})

    async def remove(self, request: web.Request) -> web.Response:
        """DELETE /sim/faults: all rules, or the one that `?id=` names."""
        wanted = request.query.get("id")
        if wanted is not None and not (wanted.isdecimal() and len(wanted) < 10):
            return _json({"error": f"id: {wanted!r} is not the number of a rule"}, 400)
        removed = self._faults.remove(None if wanted is None else int(wanted))
        if wanted is not None and not removed:
            return _json({"error": f"id: there is no rule {wanted}"}, 404)
        return _json({"removed": removed})


def _json(body: Any, status: int = 200) -> web.Response:
    content = msgspec.json.Encoder(decimal_format="number").encode(body)
    return web.Response(body=content, status=status, content_type="application/json")
