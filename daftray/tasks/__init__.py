"""Saved runs: what they are, what starts them, and how they are started by hand."""
