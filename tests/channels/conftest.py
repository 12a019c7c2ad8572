"""The world that the matrices of pages and of operations share."""

from tests.whole_world import world_of_everything

__all__ = ["world_of_everything"]
