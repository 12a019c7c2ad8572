"""The open standards at the tender's door."""
