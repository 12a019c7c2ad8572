"""The payment platform over the ledger (E3, S10): operations, gateway, channels, clearing, reconciliation."""
