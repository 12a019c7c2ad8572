"""Banks and wallets behind one shape: what is asked of them, what they answer, and simulated ones."""
