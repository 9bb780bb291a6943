"""From what runs report to their metrics."""
