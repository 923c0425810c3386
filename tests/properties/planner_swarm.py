"""One seeded life of the planner before a faulty exchange: weather, faults, calm, and the way home.

The planner is the real one, observations are folded by the real `fold`; the loop around them is the smallest
shell that plans, journals, sends and reads. After the faults end the trade must settle, and once nothing is wanted
any more it must come home. `swarm_venue` is the truth, `swarm_faults` the bad luck, `swarm_oracles` the judge.
"""

from collections import Counter, deque
from dataclasses import dataclass, replace
from decimal import Decimal

from tests.properties.swarm_faults import PARTS, Delivery, Dice, Faults, dice
from tests.properties.swarm_oracles import Judge, PromiseBroken
from tests.properties.swarm_venue import Venue, VenueOrder, half, rests
from tests.worlds import NOW, POLICY, D, decision, short_decision, world

from jumar.model import fold
from jumar.model.command import CancelOrder, Command, PlaceOrder
from jumar.model.decision import Action, Decision
from jumar.model.order import STOP_ROLES, Channel, OrderStatus, OwnOrder, Role, Side
from jumar.model.policy import MinStopPolicy, OnFlat
from jumar.model.trade import CloseReason, Trade
from jumar.model.units import ZERO
from jumar.model.world import DecisionState, Observed, Quote, Source
from jumar.planner import invariants
from jumar.planner.plan import plan
