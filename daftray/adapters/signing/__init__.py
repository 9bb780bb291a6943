"""Claims that are signed."""
