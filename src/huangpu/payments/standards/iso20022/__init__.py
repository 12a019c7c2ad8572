"""ISO 20022: the messages between a company and its bank, between banks, and back."""
