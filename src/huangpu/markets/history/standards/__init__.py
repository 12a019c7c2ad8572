"""The open standards at this door."""
