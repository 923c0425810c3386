"""Answers about positions, balances and settings, in the spellings of their versions.

`unRealizedProfit` in position rows, `unrealizedProfit` in account rows: so spells the real exchange.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jumar.exchange.simulated.core.account import ASSET, BNB
from jumar.exchange.simulated.core.instruments import Instrument
from jumar.exchange.simulated.core.position import Position
from jumar.exchange.simulated.core.text import ZERO, text

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionView:
    """A position with everything computed that an answer shows (USDT)."""

    position: Position
    mark: Decimal
    liquidation: Decimal
    initial: Decimal
    maintenance: Decimal
    order_margin: Decimal
    bids: Decimal
    asks: Decimal
    max_notional: int

    @property
    def notional(self) -> Decimal:
        """Signed notional at mark."""
        return self.position.quantity * self.mark

    @property
    def profit(self) -> Decimal:
        """Unrealized profit at mark."""
        return self.position.unrealized(self.mark)

    @property
    def adl(self) -> int:
        """How soon auto-deleveraging would take it: 0 flat, 1 without profit, up to 4 by profit over margin."""
        if not self.position.quantity:
            return 0
        steps = (ZERO, self.initial / 4, self.initial)
        return 1 + sum(self.profit > step for step in steps)

    @property
    def isolated_margin(self) -> Decimal:
        """The isolated wallet with its unrealized profit."""
        return self.position.isolated_wallet + self.profit if self.position.isolated else ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceView:
    """The account's sums (USDT); `bnb` is the other wallet, None where there never was one."""

    wallet: Decimal
    cross_wallet: Decimal
    profit: Decimal
    cross_profit: Decimal
    initial: Decimal
    order_margin: Decimal
    maintenance: Decimal
    available: Decimal
    updated_ms: int
    multi_assets: bool
    fee_burn: bool
    bnb: Decimal | None


def position_v3(view: PositionView) -> Json:
    """A row of positionRisk, version 3."""
    return {
        "symbol": view.position.symbol,
        "positionSide": view.position.side.value,
        "positionAmt": text(view.position.quantity),
        "entryPrice": text(view.position.entry_price),
        "breakEvenPrice": text(view.position.break_even),
        "markPrice": text(view.mark),
        "unRealizedProfit": text(view.profit),
        "liquidationPrice": text(view.liquidation),
        "isolatedMargin": text(view.isolated_margin),
        "notional": text(view.notional),
        "marginAsset": ASSET,
        "isolatedWallet": text(view.position.isolated_wallet),
        "initialMargin": text(view.initial + view.order_margin),
        "maintMargin": text(view.maintenance),
        "positionInitialMargin": text(view.initial),
        "openOrderInitialMargin": text(view.order_margin),
        "adl": view.adl,
        "bidNotional": text(view.bids),
        "askNotional": text(view.asks),
        "updateTime": view.position.updated_ms,
    }


def position_v2(view: PositionView) -> Json:
    """A row of positionRisk, version 2."""
    return {
        "symbol": view.position.symbol,
        "positionAmt": text(view.position.quantity),
        "entryPrice": text(view.position.entry_price),
        "breakEvenPrice": text(view.position.break_even),
        "markPrice": text(view.mark),
        "unRealizedProfit": text(view.profit),
        "liquidationPrice": text(view.liquidation),
        "leverage": str(view.position.leverage),
        "maxNotionalValue": str(view.max_notional),
        "marginType": "isolated" if view.position.isolated else "cross",
        "isolatedMargin": text(view.isolated_margin),
        "isAutoAddMargin": "false",
        "positionSide": view.position.side.value,
        "notional": text(view.notional),
        "isolatedWallet": text(view.position.isolated_wallet),
        "updateTime": view.position.updated_ms,
    }


def account_position(view: PositionView, version: int) -> Json:
    """A row of the `positions` of the account answer."""
    row: Json = {
        "symbol": view.position.symbol,
        "positionSide": view.position.side.value,
        "positionAmt": text(view.position.quantity),
        "unrealizedProfit": text(view.profit),
        "isolatedMargin": text(view.isolated_margin),
        "notional": text(view.notional),
        "isolatedWallet": text(view.position.isolated_wallet),
        "initialMargin": text(view.initial + view.order_margin),
        "maintMargin": text(view.maintenance),
        "updateTime": view.position.updated_ms,
    }
    if version == 2:
        row |= {
            "positionInitialMargin": text(view.initial),
            "openOrderInitialMargin": text(view.order_margin),
            "leverage": str(view.position.leverage),
            "isolated": view.position.isolated,
            "entryPrice": text(view.position.entry_price),
            "breakEvenPrice": text(view.position.break_even),
            "maxNotional": str(view.max_notional),
            "bidNotional": text(view.bids),
            "askNotional": text(view.asks),
        }
    return row


def account(sums: BalanceView, positions: list[PositionView], version: int) -> Json:
    """The account answer, version 2 or 3."""
    asset = _asset(sums)
    totals = {
        "totalInitialMargin": asset["initialMargin"],
        "totalMaintMargin": asset["maintMargin"],
        "totalWalletBalance": asset["walletBalance"],
        "totalUnrealizedProfit": asset["unrealizedProfit"],
        "totalMarginBalance": asset["marginBalance"],
        "totalPositionInitialMargin": asset["positionInitialMargin"],
        "totalOpenOrderInitialMargin": asset["openOrderInitialMargin"],
        "totalCrossWalletBalance": asset["crossWalletBalance"],
        "totalCrossUnPnl": asset["crossUnPnl"],
        "availableBalance": asset["availableBalance"],
        "maxWithdrawAmount": asset["maxWithdrawAmount"],
    }
    rows = [account_position(view, version) for view in positions]
    assets = [asset] if sums.bnb is None else [asset, _asset(_bnb(sums, sums.bnb), BNB)]
    if version == 2:
        assets = [{**row, "marginAvailable": row["asset"] == ASSET} for row in assets]
    shown = {**totals, "assets": assets, "positions": rows}
    return {**_permissions(sums), **shown} if version == 2 else shown


def balance(sums: BalanceView, alias: str) -> list[Json]:
    """The balance answer: USDT, and BNB where the account has had some."""
    rows = [_balance(sums, ASSET, alias)]
    return rows if sums.bnb is None else [*rows, _balance(_bnb(sums, sums.bnb), BNB, alias)]


def adl_quantile(views: list[PositionView]) -> Json:
    """A row of adlQuantile for a symbol's positions: under BOTH in one-way mode, else under the sides.

    Both sides in a cross wallet have one quantile, and HEDGE stands instead of BOTH.
    """
    quantiles = {"LONG": 0, "SHORT": 0, "BOTH": 0}
    quantiles |= {view.position.side.value: view.adl for view in views}
    if len(views) > 1 and all(view.adl and not view.position.isolated for view in views):
        highest = max(view.adl for view in views)
        quantiles = {"LONG": highest, "SHORT": highest, "HEDGE": 0}
    return {"symbol": views[0].position.symbol, "adlQuantile": quantiles}


def brackets(instrument: Instrument) -> Json:
    """The leverage brackets of one symbol; unquoted numbers, as the real exchange sends them."""
    rows = [
        {
            "bracket": row.number,
            "initialLeverage": row.leverage,
            "notionalCap": row.cap,
            "notionalFloor": row.floor,
            "maintMarginRatio": float(row.ratio),
            "cum": float(row.cum),
        }
        for row in instrument.brackets
    ]
    return {"symbol": instrument.symbol, "notionalCoef": 1.0, "brackets": rows}


def _bnb(sums: BalanceView, wallet: Decimal) -> BalanceView:
    """The BNB wallet as sums of its own: it carries no position."""
    return BalanceView(
        wallet=wallet,
        cross_wallet=wallet,
        profit=ZERO,
        cross_profit=ZERO,
        initial=ZERO,
        order_margin=ZERO,
        maintenance=ZERO,
        available=wallet,
        updated_ms=sums.updated_ms,
        multi_assets=sums.multi_assets,
        fee_burn=sums.fee_burn,
        bnb=None,
    )


def _balance(sums: BalanceView, asset: str, alias: str) -> Json:
    return {
        "accountAlias": alias,
        "asset": asset,
        "balance": text(sums.wallet),
        "crossWalletBalance": text(sums.cross_wallet),
        "crossUnPnl": text(sums.cross_profit),
        "availableBalance": text(sums.available),
        "maxWithdrawAmount": text(sums.available),
        "marginAvailable": asset == ASSET,
        "updateTime": sums.updated_ms,
    }


def _asset(sums: BalanceView, asset: str = ASSET) -> Json:
    return {
        "asset": asset,
        "walletBalance": text(sums.wallet),
        "unrealizedProfit": text(sums.profit),
        "marginBalance": text(sums.wallet + sums.profit),
        "maintMargin": text(sums.maintenance),
        "initialMargin": text(sums.initial + sums.order_margin),
        "positionInitialMargin": text(sums.initial),
        "openOrderInitialMargin": text(sums.order_margin),
        "crossWalletBalance": text(sums.cross_wallet),
        "crossUnPnl": text(sums.cross_profit),
        "availableBalance": text(sums.available),
        "maxWithdrawAmount": text(sums.available),
        "updateTime": sums.updated_ms,
    }


def _permissions(sums: BalanceView) -> Json:
    return {
        "feeTier": 0,
        "feeBurn": sums.fee_burn,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "multiAssetsMargin": sums.multi_assets,
        "tradeGroupId": -1,
        "updateTime": 0,
    }
