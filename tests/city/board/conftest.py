"""Keys of a test live and go with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from huangpu.markets.tender import acts, sealing


@pytest.fixture(autouse=True)
def _keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = sealing.FolderKeyStore(tmp_path / "keys")
    for module in (sealing, acts.bidding, acts.drafting):
        monkeypatch.setattr(module, "keys", lambda: store)
