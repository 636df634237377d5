"""Placeholder until the first version of this module lands in this same change."""
