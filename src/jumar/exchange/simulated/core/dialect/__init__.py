"""How the exchange spells things: JSON shapes of answers and events, numbers as strings. Pure functions."""
