"""EMVCo QR codes for payment, purely: what a merchant presents (`merchant`), what a payer presents (`consumer`), a payer's
one-time pay code (`paycode`), and the picture of any of them (`drawing`)."""
