"""What befalls the account without being asked: funding at its times, liquidation, auto-deleveraging.

Funding is due at 00:00, 08:00 and 16:00 UTC of the exchange's clock, for positions held then, at the mark price of that
moment. A position is liquidated when its margin (isolated wallet, or cross wallet, with unrealized profit) is no more
than its maintenance margin: its resting orders expire (`er` 5), then an order of the exchange's own takes what the book
gives, step by step. What is left of the margin pays the clearance fee, what is missing the insurance fund, so that an
isolated position never costs more than its wallet and a cross wallet never falls below zero by it. Costs a step nothing
while nothing is held. Knows no wire and no request.
"""

from decimal import Decimal

from jumar.exchange.simulated.core.account import IncomeKind
from jumar.exchange.simulated.core.engine import Engine
from jumar.exchange.simulated.core.funding import Funded
from jumar.exchange.simulated.core.margin import maintenance_margin
from jumar.exchange.simulated.core.margin_calls import MarginCalls, Needy
from jumar.exchange.simulated.core.market import MarketStep
from jumar.exchange.simulated.core.matching import opposite
from jumar.exchange.simulated.core.orders import (
    Cause,
    Expiry,
    Forced,
    Order,
    OrderStatus,
    OrderType,
    PositionSide,
    Side,
    TimeInForce,
)
from jumar.exchange.simulated.core.position import Position, money
from jumar.exchange.simulated.core.text import ZERO

FUNDING_MS = 8 * 3_600_000
BNB_MARKET = "BNBUSDT"
_CLIENT_IDS = {Forced.LIQUIDATION: "autoclose-{number}", Forced.ADL: "adl_autoclose"}


class Treasury:
    """Moves money and positions on the exchange's own account."""

    def __init__(self, engine: Engine, now_ms: int) -> None:
        self._engine = engine
        self._account = engine.account
        self._funding_due_ms = _next_funding(now_ms)
        self._rates: dict[str, Decimal] = {}
        self._calls = MarginCalls(self._account, engine.chronicle)

    def watch(self, step: MarketStep, now_ms: int) -> None:
        """After a step of a symbol's market: pay what is due, take what has no margin left."""
        if now_ms >= self._funding_due_ms:
            self._fund(now_ms)
        # that of the next funding: noted once the last one is paid
        if step.funding_rate is not None:
            self._rates[step.symbol] = step.funding_rate
        elif self._rates:
            self._rates.pop(step.symbol, None)
        if step.symbol == BNB_MARKET:
            self._account.bnb_price = step.mark
        for position in self._account.positions[step.symbol]:
            if position.quantity and self._account.terms.liquidation:
                self._check(position, step, now_ms)

    def deleverage(
        self, symbol: str, quantity: Decimal | None, now_ms: int, side: PositionSide
    ) -> Decimal:
        """Take a position, or `quantity` of it, without regard to its margin; what was taken."""
        positions, step = self._account.positions.get(symbol, ()), self._engine.markets.get(symbol)
        position = next((p for p in positions if p.side is side), None)
        if position is None or step is None or not position.quantity:
            return ZERO
        held, smallest = abs(position.quantity), self._engine.instruments[symbol].step_size
        wanted = min(held, quantity or held)
        wanted -= wanted % smallest
        return self._take(position, wanted, Forced.ADL, step, now_ms).filled if wanted else ZERO

    def liquidate(self, symbol: str, now_ms: int) -> bool:
        """Liquidate what is held of a symbol, whatever its margin; says whether anything was."""
        step = self._engine.markets.get(symbol)
        if step is None:
            return False
        held = [p for p in self._account.sides(symbol) if p.quantity]
        for position in held:
            self._liquidate(position, step, now_ms)
        return bool(held)

    def transfer(self, amount: Decimal, now_ms: int) -> None:
        """Move USDT into the account (above zero) or out of it, as its owner does; in no market's name."""
        self._account.change("", IncomeKind.TRANSFER, amount, now_ms)
        self._engine.chronicle.transferred(amount, now_ms)

    def _fund(self, now_ms: int) -> None:
        due_ms, self._funding_due_ms = self._funding_due_ms, _next_funding(now_ms)
        usual = self._account.terms.funding_rate
        for symbol, market in self._engine.markets.items():
            rate = self._rates.get(symbol, usual)
            self._engine.fundings.append(Funded(symbol, due_ms, rate, market.mark))
        for position in self._account.every():
            step = self._engine.markets.get(position.symbol)
            if step is None or not position.quantity:
                continue
            rate = self._rates.get(position.symbol, usual)
            fee = money(-position.quantity * step.mark * rate)
            if not fee:
                continue
            self._account.change(position.symbol, IncomeKind.FUNDING_FEE, fee, now_ms)
            if position.isolated:
                position.isolated_wallet += fee
            self._engine.chronicle.money(position, IncomeKind.FUNDING_FEE, fee, step.mark, now_ms)

    def _check(self, position: Position, step: MarketStep, now_ms: int) -> None:
        if position.isolated:
            needed = maintenance_margin(position, self._engine.instruments[step.symbol], step.mark)
            margin = position.isolated_wallet + position.unrealized(step.mark)
            self._calls.isolated((position, step.mark, needed), margin, now_ms)
            if margin <= needed:
                self._liquidate(position, step, now_ms)
        else:
            held, margin = self._cross_margin()
            self._calls.crossed(held, margin, now_ms)
            if margin <= sum((needed for _, _, needed in held), ZERO):
                self._liquidate_cross(now_ms)

    def _cross_exhausted(self) -> bool:
        """Whether the cross positions together have no more margin than they must have."""
        held, margin = self._cross_margin()
        return margin <= sum((needed for _, _, needed in held), ZERO)

    def _cross_margin(self) -> tuple[list[Needy], Decimal]:
        """The cross positions with what each must have, and what they have together."""
        margin, held = self._account.cross_wallet, list[Needy]()
        for position, step in self._crossed():
            margin += position.unrealized(step.mark)
            instrument = self._engine.instruments[position.symbol]
            needed = maintenance_margin(position, instrument, step.mark)
            held.append((position, step.mark, needed))
        return held, margin

    def _crossed(self) -> list[tuple[Position, MarketStep]]:
        return [
            (position, self._engine.markets[position.symbol])
            for position in self._account.every()
            if position.quantity and not position.isolated
        ]

    def _liquidate_cross(self, now_ms: int) -> None:
        """The position with the largest loss first, until what is left has its margin."""
        for position, _ in self._crossed():
            self._expire_orders(position, now_ms)
        by_loss = sorted(self._crossed(), key=lambda pair: pair[0].unrealized(pair[1].mark))
        for position, step in by_loss:
            if not self._cross_exhausted():
                return
            self._liquidate(position, step, now_ms)

    def _liquidate(self, position: Position, step: MarketStep, now_ms: int) -> None:
        self._expire_orders(position, now_ms)
        account, instrument = self._account, self._engine.instruments[position.symbol]
        before, own = account.wallet, position.isolated_wallet
        order = self._take(position, abs(position.quantity), Forced.LIQUIDATION, step, now_ms)
        if position.isolated:
            # The margin that belonged to what was taken, less what taking it cost.
            left = own - position.isolated_wallet + account.wallet - before
        else:
            left = account.cross_wallet + self._other_side(position, step)
        fee = money(order.paid * instrument.liquidation_fee)
        clearance = -min(left, fee)  # below zero the fund pays what is missing
        account.change(position.symbol, IncomeKind.INSURANCE_CLEAR, clearance, now_ms)
        if clearance:
            self._engine.chronicle.money(
                position, IncomeKind.INSURANCE_CLEAR, clearance, step.mark, now_ms
            )

    def _other_side(self, position: Position, step: MarketStep) -> Decimal:
        """What the opposite position of the symbol has earned: in a cross wallet it still pays for this one's loss."""
        sides = self._account.sides(position.symbol)
        return sum((other.unrealized(step.mark) for other in sides if other is not position), ZERO)

    def _expire_orders(self, position: Position, now_ms: int) -> None:
        """All orders of a symbol whose margin is shared, those of the one side where it is isolated."""
        for order in self._engine.orders.open(position.symbol):
            if position.isolated and order.position_side is not position.side:
                continue
            self._engine.end(order, OrderStatus.EXPIRED, Cause.EXCHANGE, now_ms, Expiry.LIQUIDATION)

    def _take(
        self, position: Position, quantity: Decimal, why: Forced, step: MarketStep, now_ms: int
    ) -> Order:
        side = Side.SELL if position.quantity > 0 else Side.BUY
        number = self._engine.orders.next_id()
        order = Order(
            order_id=number,
            client_id=_CLIENT_IDS[why].format(number=number),
            symbol=position.symbol,
            side=side,
            type=OrderType.LIMIT,
            time_in_force=TimeInForce.IOC,
            price=opposite(side, step)[-1].price,
            quantity=quantity,
            reduce_only=True,
            created_ms=now_ms,
            updated_ms=now_ms,
            position_side=position.side,
            forced=why,
            expiry=Expiry.LIQUIDATION if why is Forced.LIQUIDATION else Expiry.NONE,
        )
        self._engine.accept(order, Cause.EXCHANGE, now_ms)
        self._engine.execute(order, now_ms)
        self._engine.sweep(position.symbol, now_ms)
        return order


def _next_funding(now_ms: int) -> int:
    return (now_ms // FUNDING_MS + 1) * FUNDING_MS
