"""Money from wallet to wallet, purely."""

from __future__ import annotations

from datetime import timedelta

STATES = ("waiting", "accepted", "declined", "withdrawn", "expired")
ENDS = STATES[1:]
KEPT = timedelta(hours=24)  # so long the receiver may accept it

# CNY, fen, a day and a year, by how far the holder is verified. After the classes I to III of a natural person's payment
# account in 非银行支付机构网络支付业务管理办法 (PBoC 2015 no. 43), article 11: 1,000 (there in all, here a year),
# 100,000 and 200,000 yuan; the days are those of article 24, which there follow the factors that were used. Level 3 is a
# company's, verified in every way.
STANDARD: dict[int, tuple[int, int]] = {
    0: (100_000, 100_000),
    1: (100_000, 10_000_000),
    2: (500_000, 20_000_000),
    3: (500_000_000, 50_000_000_000),
}
