"""Huangpu (黄浦): a platform on which a city, a region or an industry trades. Five flows, one river."""

__version__ = "0.1.0"
