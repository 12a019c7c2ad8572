"""What may be done with goods: `moving` for the acts of trades, `keeping` for those who keep a warehouse."""

from .keeping import adjust, edit_place, open_place, relocate, take_in, write_off
from .moving import despatch, move, refused, written

__all__ = [
    "adjust", "despatch", "edit_place", "move", "open_place", "refused", "relocate", "take_in", "write_off", "written",
]  # fmt: skip
