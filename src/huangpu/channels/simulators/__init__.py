"""Banks and a wallet that stand in for the real ones: a small server of its own, with a book of its own."""
