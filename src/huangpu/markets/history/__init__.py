"""Procurement history that others published: kept to be read and learnt from, never a commitment of this house."""
