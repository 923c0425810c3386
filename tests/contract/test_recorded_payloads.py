"""Our reading of the wire against what the real exchange sent: nothing modelled is lost, changed or made up.

Every record is read by the adapter's own shapes, written again and compared field by field, numbers by their text.
What the shapes leave out is written down here, field by field: a field that is dropped without a word is noticed.
Each check also runs over the samples of the present wire, which need no records.
"""

import gzip
import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.binance import samples

from jumar.exchange.binance import events, frames, translate, wire
from jumar.model.order import Channel, Fill, OrderReport
from jumar.ports.exchange import BalanceEvent, OrderEvent, PositionEvent, VenueEvent

type Json = dict[str, Any]

LEFT_OUT: dict[str, frozenset[str]] = {
    "ORDER_TRADE_UPDATE": frozenset(
        {
            *("e", "E"),  # the event's name chose the shape; the transaction's time is kept
            *("o.a", "o.b"),  # notional of open orders
            *("o.AP", "o.cr"),  # trailing stops
            *("o.ot", "o.ps"),  # type before a trigger, side of hedge mode
            *("o.V", "o.gtd"),  # self-trade prevention and good-till date, which are not used
        }
    ),
    "ALGO_UPDATE": frozenset(
        {
            *("e", "E"),
            *("o.act", "o.tt"),  # type and time of the child: the order itself tells both
            *("o.ps", "o.V", "o.pm", "o.gtd"),
        }
    ),
    "ACCOUNT_UPDATE": frozenset(
        {
            *("e", "E"),
            *("a.B[].cw", "a.B[].bc"),  # crossed wallet, change apart from profit
            *("a.P[].cr", "a.P[].up", "a.P[].mt", "a.P[].iw"),  # read by REST where needed
        }
    ),
    "exchangeInfo": frozenset(
        {
            *("timezone", "serverTime", "futuresType", "exchangeFilters", "assets"),
            *("symbols[].pair", "symbols[].contractType"),
            "symbols[].onboardDate",
            *("symbols[].maintMarginPercent", "symbols[].requiredMarginPercent"),
            *("symbols[].baseAsset", "symbols[].marginAsset"),
            # decimals are not the tick: read by mistake they would be used by mistake
            *("symbols[].pricePrecision", "symbols[].quantityPrecision"),
            *("symbols[].baseAssetPrecision", "symbols[].quotePrecision"),
            *("symbols[].underlyingType", "symbols[].underlyingSubType"),
            *("symbols[].settlePlan", "symbols[].permissionSets"),
            *("symbols[].triggerProtect", "symbols[].liquidationFee"),
            *("symbols[].marketTakeBound", "symbols[].maxMoveOrderLimit"),
            *("symbols[].orderTypes", "symbols[].timeInForce"),
            *("symbols[].filters[].limit", "symbols[].filters[].positionControlSide"),
            "symbols[].filters[].multiplierDecimal",
        }
    ),
    "leverageBracket": frozenset({"notionalCoef"}),
    "order": frozenset(
        {
            *("cumQty", "cumQuote", "time", "origType", "positionSide"),
            *("priceMatch", "selfTradePreventionMode", "goodTillDate"),
        }
    ),
    "algoOrder": frozenset(
        {
            *("algoType", "positionSide", "icebergQuantity", "selfTradePreventionMode"),
            *("priceMatch", "activatePrice", "callbackRate", "createTime", "triggerTime"),
            *("goodTillDate", "actualType", "tpOrderType"),
        }
    ),
    "userTrades": frozenset({"buyer", "quoteQty", "positionSide"}),
}
SHAPES: dict[str, type[msgspec.Struct]] = {
    "ORDER_TRADE_UPDATE": frames.OrderTradeUpdate,
    "ALGO_UPDATE": frames.AlgoOrderUpdate,
    "ACCOUNT_UPDATE": frames.AccountUpdate,
    "exchangeInfo": wire.ExchangeInfo,
    "leverageBracket": wire.SymbolBrackets,
    "order": wire.Order,
    "algoOrder": wire.AlgoOrder,
    "userTrades": wire.UserTrade,
}
PRESENT: dict[str, tuple[Json, ...]] = {
    "ORDER_TRADE_UPDATE": (samples.ORDER_TRADE_UPDATE,),
    "ALGO_UPDATE": (samples.ALGO_UPDATE,),
    "ACCOUNT_UPDATE": (samples.ACCOUNT_UPDATE,),
    "exchangeInfo": ({"symbols": [samples.SYMBOL_INFO]},),
    "leverageBracket": (samples.BRACKETS,),
    "order": (samples.ORDER_ANSWER, samples.ORDER_READ),
    "algoOrder": (samples.ALGO_PLACED, samples.ALGO_READ),
    "userTrades": (samples.USER_TRADE,),
}


@dataclass
class Comparison:
    """What two readings of messages have in common, by path."""

    left_out: set[str] = field(default_factory=set)
    wrong: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    def add(self, theirs: Any, ours: Any, path: str = "") -> None:
        """Compare one value; the first difference of each path is kept."""
        if isinstance(theirs, dict) and isinstance(ours, dict):
            self._objects(theirs, ours, path)
        elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
            for one, other in zip(theirs, ours, strict=True):
                self.add(one, other, f"{path}[]")
        elif _told(theirs) != _told(ours):
            self.wrong.setdefault(path, (theirs, ours))

    def _objects(self, theirs: Json, ours: Json, path: str) -> None:
        for name, value in theirs.items():
            deeper = f"{path}.{name}" if path else name
            if name in ours:
                self.add(value, ours[name], deeper)
            else:
                self.left_out.add(deeper)
        for name in ours.keys() - theirs.keys():
            # What the message does not say stands as "not said".
            if ours[name] is not None:
                self.wrong.setdefault(f"{path}.{name}", ("not said", ours[name]))


def _told(value: Any) -> Any:
    """Numbers by their text, so that 0.10 is not 0.1; everything else as it is."""
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


def compare(name: str, payloads: list[bytes]) -> Comparison:
    """Read each payload by the adapter's shape, write it again and compare."""
    found = Comparison()
    for payload in payloads:
        theirs = json.loads(payload, parse_float=Decimal)
        found.add(theirs, msgspec.to_builtins(wire.decode(payload, SHAPES[name])))
    return found


def _lines(folder: Path, event: str) -> list[bytes]:
    files = sorted((folder / "user_stream").glob("seq-*.jsonl"))
    lines = [line for path in files for line in path.read_bytes().splitlines()]
    return [line for line in lines if json.loads(line)["e"] == event]


def _conditional(folder: Path) -> list[bytes]:
    paths = sorted((folder / "algo_update").glob("*.json"))
    return [json.dumps(json.loads(path.read_text())["data"]).encode() for path in paths]


def _exchange_info(folder: Path) -> list[bytes]:
    paths = sorted((folder / "exchange_info").glob("*.json.gz"))
    return [gzip.decompress(path.read_bytes()) for path in paths]


def _brackets(folder: Path) -> list[bytes]:
    packed = (folder / "binance_leverage_tiers_20241024.json.gz").read_bytes()
    tiers: dict[str, list[Json]] = json.loads(gzip.decompress(packed), parse_float=str)
    return [
        json.dumps({"symbol": symbol, "brackets": [row["info"] for row in rows]}).encode()
        for symbol, rows in tiers.items()
    ]


RECORDS: dict[str, tuple[Callable[[Path], list[bytes]], int]] = {
    "ORDER_TRADE_UPDATE": (lambda folder: _lines(folder, "ORDER_TRADE_UPDATE"), 27),
    "ALGO_UPDATE": (_conditional, 3),
    "ACCOUNT_UPDATE": (lambda folder: _lines(folder, "ACCOUNT_UPDATE"), 19),
    "exchangeInfo": (_exchange_info, 2),
    "leverageBracket": (_brackets, 349),
}


def _present(name: str) -> list[bytes]:
    return [json.dumps(sample).encode() for sample in PRESENT[name]]


@pytest.mark.rule("D-1")
@pytest.mark.parametrize("name", RECORDS)
def test_records_are_read_without_a_loss(recorded_payloads: Path, name: str) -> None:
    """Every modelled field of every record has its exact text; what is left out is what is written down."""
    read, count = RECORDS[name]
    payloads = read(recorded_payloads)
    assert len(payloads) == count
    found = compare(name, payloads)
    assert found.wrong == {}
    assert sorted(found.left_out - LEFT_OUT[name]) == []
    seen = found.left_out | compare(name, _present(name)).left_out
    assert sorted(LEFT_OUT[name] - seen) == [], "written down as left out, but no message has it"


@pytest.mark.rule("D-1")
@pytest.mark.parametrize("name", PRESENT)
def test_samples_are_read_without_a_loss(name: str) -> None:
    """The same for the samples of the present wire."""
    found = compare(name, _present(name))
    assert found.wrong == {}
    assert sorted(found.left_out - LEFT_OUT[name]) == []


def test_a_loss_is_noticed() -> None:
    """A changed text, a field that is dropped and one that is made up are all found."""
    found = Comparison()
    found.add(
        {"kept": "0.10", "changed": "0.10", "dropped": 1, "list": [{"a": Decimal("1.0")}]},
        {"kept": "0.10", "changed": "0.1", "list": [{"a": "1"}], "made_up": "0", "unsaid": None},
    )
    assert found.left_out == {"dropped"}
    assert found.wrong.keys() == {"changed", "list[].a", ".made_up"}


def _or_zero(value: Decimal | None) -> Decimal:
    """The number that the venue writes for "none"."""
    return Decimal(0) if value is None else value


def _events(payload: bytes) -> tuple[VenueEvent, ...]:
    message = frames.decode_frame(payload)
    assert message is not None
    return events.events_of(message, "USDT")


def _check_order(payload: bytes) -> None:
    frame = json.loads(payload)
    (event,) = _events(payload)
    assert isinstance(event, OrderEvent)
    row, report = frame["o"], event.report
    assert event.at_ms == frame["T"]
    assert report.updated_ms == row.get("T", frame["T"])
    names = (report.symbol, report.client_id, report.venue_id, report.side.value, report.type)
    assert names == (row["s"], row["c"], str(row["i"]), row["S"], row["o"])
    assert report.channel is Channel.REGULAR
    assert report.status.value == row["X"]
    assert str(report.quantity) == row["q"]
    assert str(report.filled_quantity) == row["z"]
    prices = (report.price, report.average_price, report.trigger_price)
    assert [_or_zero(price) for price in prices] == [Decimal(row[key]) for key in ("p", "ap", "sp")]
    assert (report.reduce_only, report.close_position) == (row["R"], row["cp"])
    assert (event.fill is not None) is (row["x"] == "TRADE")
    if event.fill is not None:
        _check_fill(event.fill, row, report)


def _check_fill(fill: Fill, row: Json, report: OrderReport) -> None:
    assert (fill.trade_id, fill.client_id) == (row["t"], row["c"])
    assert (fill.venue_order_id, fill.time_ms) == (report.venue_id, report.updated_ms)
    assert (str(fill.quantity), str(fill.price)) == (row["l"], row["L"])
    assert (str(fill.fee), fill.fee_asset) == (row.get("n", "0"), row.get("N", ""))
    assert (str(fill.realized_pnl), fill.maker) == (row["rp"], row["m"])


def _check_conditional(payload: bytes) -> None:
    frame = json.loads(payload)
    (event,) = _events(payload)
    assert isinstance(event, OrderEvent)
    row, report = frame["o"], event.report
    assert event.at_ms == report.updated_ms == frame["T"]
    names = (report.symbol, report.client_id, report.venue_id, report.side.value, report.type)
    assert names == (row["s"], row["caid"], str(row["aid"]), row["S"], row["o"])
    assert report.channel is Channel.CONDITIONAL
    assert report.status.value == row["X"]
    assert (str(report.quantity), str(report.trigger_price)) == (row["q"], row["tp"])
    assert report.child_venue_id == (row["ai"] or None)
    assert report.filled_quantity == Decimal(row.get("aq", 0))
    assert _or_zero(report.average_price) == Decimal(row.get("ap", 0))
    assert (report.working_type, report.reduce_only) == (row["wt"], row["R"])


def _check_account(payload: bytes) -> None:
    frame = json.loads(payload)
    found = _events(payload)
    assert {event.at_ms for event in found if not isinstance(event, OrderEvent)} == {frame["T"]}
    wallets = [str(event.wallet) for event in found if isinstance(event, BalanceEvent)]
    assert wallets == [row["wb"] for row in frame["a"]["B"] if row["a"] == "USDT"]
    reports = [event.report for event in found if isinstance(event, PositionEvent)]
    told = [(one.symbol, str(one.quantity), str(one.entry_price)) for one in reports]
    assert told == [(row["s"], row["pa"], row["ep"]) for row in frame["a"]["P"]]


CHECKS = {
    "ORDER_TRADE_UPDATE": _check_order,
    "ALGO_UPDATE": _check_conditional,
    "ACCOUNT_UPDATE": _check_account,
}


@pytest.mark.parametrize("name", CHECKS)
def test_events_agree_with_the_records(recorded_payloads: Path, name: str) -> None:
    """What the model says of every recorded event is what its text says."""
    for payload in RECORDS[name][0](recorded_payloads):
        CHECKS[name](payload)


@pytest.mark.parametrize("name", CHECKS)
def test_events_agree_with_the_samples(name: str) -> None:
    """The same for the samples of the present wire."""
    for payload in _present(name):
        CHECKS[name](payload)


def _stories(folder: Path) -> Iterator[list[VenueEvent]]:
    for path in sorted((folder / "user_stream").glob("seq-*.jsonl")):
        yield [event for line in path.read_bytes().splitlines() for event in _events(line)]


@dataclass
class Account:
    """What the events of one story say at each moment."""

    wallets: dict[int, Decimal] = field(default_factory=dict)
    sizes: dict[int, Decimal] = field(default_factory=dict)
    fills: dict[int, list[Fill]] = field(default_factory=lambda: defaultdict(list))

    def add(self, event: VenueEvent) -> None:
        """Take one event in; all parts of one execution carry the same transaction time."""
        if isinstance(event, BalanceEvent):
            self.wallets[event.at_ms] = event.wallet
        elif isinstance(event, PositionEvent):
            self.sizes[event.at_ms] = event.report.quantity
        elif isinstance(event, OrderEvent) and event.fill is not None:
            self.fills[event.at_ms].append(event.fill)


@pytest.mark.rule("X-6")
def test_fills_explain_wallet_and_position_to_the_last_digit(recorded_payloads: Path) -> None:
    """Between two recorded balances the wallet moves by profit less commission, the position by the fills."""
    explained = incomplete = 0
    for story in _stories(recorded_payloads):
        account = Account()
        for event in story:
            account.add(event)
        for before, after in itertools.pairwise(account.wallets):
            fills = account.fills.get(after)
            if fills is None or before not in account.sizes:
                continue
            moved = sum(fill.signed_quantity for fill in fills)
            assert account.sizes[after] - account.sizes[before] == moved
            if any(fill.fee_asset == "" for fill in fills):
                incomplete += 1
                continue
            gained = sum(fill.realized_pnl - fill.fee for fill in fills)
            assert account.wallets[after] - account.wallets[before] == gained
            explained += 1
    # One recorded execution lost its commission and its own time before it was stored.
    assert (explained, incomplete) == (7, 1)


def _info(payload: bytes) -> dict[str, wire.SymbolInfo]:
    return {row.symbol: row for row in wire.decode(payload, wire.ExchangeInfo).symbols}


def test_filters_of_every_recorded_symbol_are_translated(recorded_payloads: Path) -> None:
    """Tick, step, bounds and least notional are the texts of the filters; a symbol without a tick is refused."""
    brackets = wire.decode(json.dumps(samples.BRACKETS), wire.SymbolBrackets)
    fees = wire.decode(json.dumps(samples.COMMISSION), wire.CommissionRate)
    finer = 0
    for payload in _exchange_info(recorded_payloads):
        rows = {row["symbol"]: row for row in json.loads(payload)["symbols"]}
        for symbol, info in _info(payload).items():
            filters = {row["filterType"]: row for row in rows[symbol]["filters"]}
            if filters["PRICE_FILTER"]["tickSize"] == "0":
                assert info.status == "PENDING_TRADING"
                with pytest.raises(wire.WireError, match="tickSize"):
                    translate.instrument(info, brackets, fees)
                continue
            made = translate.instrument(info, brackets, fees)
            price, lot, market = (
                filters[name] for name in ("PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE")
            )
            assert f"{made.tick_size:f}" == price["tickSize"]
            assert made.step_size == max(Decimal(lot["stepSize"]), Decimal(market["stepSize"]))
            assert str(made.min_quantity) == lot["minQty"]
            assert str(made.market_max_quantity) == market["maxQty"]
            assert str(made.min_notional) == filters["MIN_NOTIONAL"]["notional"]
            assert str(made.multiplier_up) == filters["PERCENT_PRICE"]["multiplierUp"]
            assert made.status == rows[symbol]["status"]
            finer += made.tick_size != Decimal(1).scaleb(-rows[symbol]["pricePrecision"])
    assert finer > 100, "records in which the tick is not the number of decimals"


def test_brackets_of_every_recorded_symbol_are_translated(recorded_payloads: Path) -> None:
    """Each leverage table comes out in order, without a gap, with the recorded rates and sums."""
    info = wire.decode(json.dumps(samples.SYMBOL_INFO), wire.SymbolInfo)
    fees = wire.decode(json.dumps(samples.COMMISSION), wire.CommissionRate)
    for payload in _brackets(recorded_payloads):
        rows = json.loads(payload)["brackets"]
        table = translate.instrument(info, wire.decode(payload, wire.SymbolBrackets), fees).brackets
        assert [row.bracket for row in table] == list(range(1, len(rows) + 1))
        for made, row in zip(table, rows, strict=True):
            assert (str(made.maintenance_margin_rate), str(made.cumulative)) == (
                row["maintMarginRatio"],
                row["cum"],
            )
            assert (str(made.notional_floor), str(made.notional_cap)) == (
                row["notionalFloor"],
                row["notionalCap"],
            )
            assert str(made.max_leverage) == row["initialLeverage"]
