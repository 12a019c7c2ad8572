"""Open Contracting: tenders as release and record packages, from the event log."""
