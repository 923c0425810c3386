"""The judge keeps up with a long run."""

from timeit import timeit

from tests.unit.simulated.judge_ledger import Story

RECORDS = 100_000
LIMIT_S = (
    6.0  # about one second on the machine it was written on; the limit leaves room for a busy one
)


def long_run() -> Story:
    """Trade after trade with a market record before every change."""
    story = Story()
    number = 0
    while len(story.records) < RECORDS:
        number += 1
        _trade(story, f"jm-{number:010d}")
    return story


def _trade(story: Story, group: str) -> None:
    stop = story.stop(f"{group}-S1", "SELL", "10", "49000")
    entry = story.order(f"{group}-E1", "BUY", "10")
    for _ in range(5):
        _market(story)
        story.fill(entry, "2")
    backstop = story.stop(f"{group}-B1", "SELL", None, "49000")
    _market(story)
    story.execute(stop)
    story.cancel(backstop, "exchange", "EXPIRED")


def _market(story: Story) -> None:
    story.wait(100).write("market", symbol=story.symbol, bid="1", ask="2", last="1", mark="1")


def test_a_hundred_thousand_records_are_judged_in_about_a_second() -> None:
    """Time grows with the ledger, not with its square."""
    story = long_run()
    verdict = story.verdict()
    assert all(verdict["promises"].values())
    assert verdict["trades"] > 2000
    assert timeit(story.verdict, number=1) < LIMIT_S
