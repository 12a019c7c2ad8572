"""The point of sale: the listener that terminals connect to, a terminal that stands in for a real one, and its page."""
