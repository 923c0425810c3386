"""The probe: asks the demo exchange what its documents leave open, with the smallest orders it takes, and writes it down.

Promises that it never speaks to a production host, that it begins only on a symbol without position and orders, that it
changes no setting of the account, and that it takes back what it did after every question, whatever happened; what it
cannot take back it names. It decides nothing for the engine.

Read `probe.py` first, then one module of `questions/`; `bench.py` is what questions work with, `cleaning.py` takes back,
`entry.py` refuses, `report.py` writes.
"""

from jumar.exchange.binance.probe.catalogue import QUESTIONS, cap_of, chosen
from jumar.exchange.binance.probe.finding import Question
from jumar.exchange.binance.probe.probe import Outcome, Plan, Probe

__all__ = ["QUESTIONS", "Outcome", "Plan", "Probe", "Question", "cap_of", "chosen"]
