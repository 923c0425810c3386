"""Band, price and quantity: the arithmetic of P-3, to the tick."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import BTC, POLICY, D, decision, levels, quote, short_decision

from jumar.model.decision import Levels
from jumar.model.order import Side
from jumar.model.policy import MinStopPolicy
from jumar.planner.band import Band, EmptyBand, Sizing, compute_band, entry_price, size


def band_of(some: Levels, side: Side = Side.BUY, **policy: object) -> Band | EmptyBand:
    """The band under the default policy with some limits changed."""
    return compute_band(some, side, BTC, replace(POLICY, **policy))  # type: ignore[arg-type]  # test helper


@pytest.mark.rule("E-1", "P-3")
def test_the_specifications_example_has_its_band() -> None:
    """[90700, 90786.6]: the zone's middle 90800 is not enterable."""
    band = band_of(levels())
    assert isinstance(band, Band)
    assert (band.low, band.high) == (D(90700), D("90786.6"))


@pytest.mark.rule("E-1")
def test_a_short_is_the_mirror() -> None:
    """The mirrored decision has the mirrored band: stop distance above, reward below."""
    some = short_decision().levels
    assert some is not None
    band = band_of(some, Side.SELL)
    assert isinstance(band, Band)
    assert band.high == D("90900")
    assert band.low == D("90813.4")
    assert band.worst == band.low


@pytest.mark.rule("E-1", "G-3")
def test_a_first_target_too_near_names_the_one_that_would_pass() -> None:
    """With tp1 91000 the band is empty for reward; the message names a passing tp1, and that one passes."""
    empty = band_of(levels(tp1=D(91000)))
    assert isinstance(empty, EmptyBand)
    assert empty.code == "rr_below_min"
    assert "tp1 91340 would pass" in empty.message
    assert isinstance(band_of(levels(tp1=D(91340))), Band)
    assert isinstance(band_of(levels(tp1=D("91339.9"))), EmptyBand)


@pytest.mark.rule("E-1", "G-3")
def test_a_stop_too_close_names_the_one_that_would_pass() -> None:
    """A stop 0.2 % away is refused for distance alone, with the stop that would pass, and that one does."""
    empty = band_of(levels(stop=D(90690), tp1=D(91900)))
    assert isinstance(empty, EmptyBand)
    assert empty.code == "stop_too_close"
    assert "sl 90581.8 would pass" in empty.message
    assert isinstance(band_of(levels(stop=D("90581.8"), tp1=D(91900))), Band)


@pytest.mark.rule("E-1", "G-3")
def test_a_stop_too_close_whose_fix_needs_a_further_target_names_both() -> None:
    """Widening alone would break the reward: the message names the tp1 that goes with it, and that passes."""
    empty = band_of(levels(stop=D(90690), tp1=D(91300)))
    assert isinstance(empty, EmptyBand)
    assert empty.code == "stop_too_close"
    assert "sl 90581.8 with tp1 91536.4 would pass" in empty.message
    assert isinstance(band_of(levels(stop=D("90581.8"), tp1=D("91536.4"))), Band)


@pytest.mark.rule("E-1")
def test_widen_and_shrink_moves_the_stop_and_keeps_the_loss() -> None:
    """The option widens to 0.35 % from the far edge, and the quantity shrinks to the decision's own loss."""
    some = levels(stop=D(90690), tp1=D(91900))
    band = band_of(some, min_stop_policy=MinStopPolicy.WIDEN_AND_SHRINK)
    assert isinstance(band, Band)
    assert band.levels.stop == D("90581.8")
    assert band.widened_from == D(90690)
    sizing = size(
        band,
        notional=D(1200),
        leverage=3,
        equity=D(10000),
        available=D(10000),
        instrument=BTC,
        policy=POLICY,
    )
    decided_loss = D(1200) / band.worst * (band.worst - D(90690))
    assert sizing.binding == "widen_and_shrink"
    assert sizing.quantity * (band.worst - band.levels.stop) <= decided_loss


@pytest.mark.rule("S-10", "D-4")
def test_levels_off_the_tick_are_rounded_to_the_safe_side() -> None:
    """Zone inwards, targets toward the entry, stop away from it; for a short the other way round."""
    some = Levels(
        zone_min=D("90700.01"), zone_max=D("90899.99"), stop=D("90380.07"),
        tp1=D("91600.09"), tp2=D("92900.09"),
    )  # fmt: skip
    band = band_of(some)
    assert isinstance(band, Band)
    assert band.levels == Levels(
        zone_min=D("90700.1"), zone_max=D("90899.9"), stop=D("90380.0"),
        tp1=D("91600.0"), tp2=D("92900.0"),
    )  # fmt: skip
    other = Levels(
        zone_min=D("90700.01"), zone_max=D("90899.99"), stop=D("91220.01"),
        tp1=D("89999.91"), tp2=None,
    )  # fmt: skip
    short = band_of(other, Side.SELL)
    assert isinstance(short, Band)
    assert (short.levels.stop, short.levels.tp1) == (D("91220.1"), D("90000.0"))


@pytest.mark.rule("E-2")
def test_the_middle_is_clamped_into_the_band() -> None:
    """The entry price of the example is the band's edge."""
    band = band_of(levels())
    assert isinstance(band, Band)
    assert entry_price(band, quote("90820", "90820.1").value, BTC) == D("90786.6")


@pytest.mark.rule("E-2")
def test_a_better_market_is_joined_at_the_touch_inside_the_band() -> None:
    """With the ask below the price the order joins the best bid; below the band nothing rests."""
    band = band_of(levels())
    assert isinstance(band, Band)
    assert entry_price(band, quote("90750", "90750.1").value, BTC) == D("90750")
    assert entry_price(band, quote("90699.9", "90700.0").value, BTC) is None


@pytest.mark.rule("E-3")
def test_the_quantity_is_size_over_the_worst_price() -> None:
    """1200 at the band's top 90786.6 is 0.013, floored to the step."""
    assert _size().quantity == D("0.013")
    assert _size().binding == "decision"


@pytest.mark.rule("E-3")
@pytest.mark.parametrize(
    ("changes", "binding"),
    [
        ({"notional": D(9000)}, "max_notional_usdt"),
        ({"equity": D(100)}, "max_risk_pct"),
        ({"available": D(50)}, "margin"),
        ({"notional": D(1_000_000), "max_notional": D(2_000_000), "leverage": 110,
          "equity": D(10_000_000), "available": D(10_000_000)}, "bracket"),
    ],
)  # fmt: skip
def test_every_cap_cuts_and_says_so(changes: dict[str, Decimal | int], binding: str) -> None:
    """Each cap can decide the quantity, never exceeds itself, and is named in the cuts."""
    sizing = _size(**changes)
    assert sizing.binding == binding
    assert any(cut.startswith(binding) for cut in sizing.cuts)
    assert sizing.quantity % BTC.step_size == 0


def _size(**changes: Decimal | int) -> Sizing:
    given_ = {
        "notional": D(1200), "leverage": 3, "equity": D(10000), "available": D(10000),
        "max_notional": POLICY.max_notional_usdt, **changes,
    }  # fmt: skip
    band = band_of(levels())
    assert isinstance(band, Band)
    policy = replace(POLICY, max_notional_usdt=D(given_.pop("max_notional")))
    return size(band, instrument=BTC, policy=policy, **given_)  # type: ignore[arg-type]  # test helper


prices = st.decimals(min_value="1000", max_value="200000", places=2)


@pytest.mark.rule("P-3", "E-1", "E-2")
@given(
    prices,
    st.decimals(min_value="0.0001", max_value="0.02", places=6),
    st.decimals(min_value="0", max_value="0.01", places=6),
    st.decimals(min_value="0.0005", max_value="0.08", places=6),
    st.booleans(),
    st.decimals(min_value="-0.01", max_value="0.01", places=6),
)
def test_every_price_ever_asked_keeps_distance_and_reward(  # noqa: PLR0917 - hypothesis fills them by position
    edge: Decimal, risk: Decimal, width: Decimal, reward: Decimal, long: bool, drift: Decimal
) -> None:
    """Whatever the decision and the market: an entry price has 0.35 % to the stop and 2 R to TP1."""
    side = Side.BUY if long else Side.SELL
    if long:
        some = Levels(
            zone_min=edge, zone_max=edge * (1 + width), stop=edge * (1 - risk),
            tp1=edge * (1 + width) * (1 + reward), tp2=None,
        )  # fmt: skip
    else:
        some = Levels(
            zone_min=edge * (1 - width), zone_max=edge, stop=edge * (1 + risk),
            tp1=edge * (1 - width) * (1 - reward), tp2=None,
        )  # fmt: skip
    band = band_of(some, side)
    if isinstance(band, EmptyBand):
        return
    bid = (edge * (1 + drift)).quantize(D("0.1"))
    price = entry_price(band, quote(str(bid), str(bid + D("0.1"))).value, BTC)
    if price is None:
        return
    sign = 1 if long else -1
    distance = (price - band.levels.stop) * sign
    assert price % BTC.tick_size == 0
    assert band.low <= price <= band.high
    assert distance / price >= D("0.0035")
    assert (band.levels.tp1 - price) * sign >= 2 * distance
    assert (price < bid + D("0.1")) if long else (price > bid)


@pytest.mark.rule("D-4")
def test_the_example_decision_is_as_the_specification_writes_it() -> None:
    """The builder's example is the specification's: the tests above stand on it."""
    assert decision().levels == Levels(
        zone_min=D(90700), zone_max=D(90900), stop=D(90380), tp1=D(91600), tp2=D(92900)
    )
