"""What of a commit can be run, read from its text alone: nothing is imported, nothing executed."""
