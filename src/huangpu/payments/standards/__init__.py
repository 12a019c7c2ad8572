"""The open standards of payment, purely: ISO 20022, ISO 8583, EMVCo QR, SWIFT MT. No database, no network."""
