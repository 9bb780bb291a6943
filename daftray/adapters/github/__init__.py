"""GitHub's REST API, as far as an App's installations open repositories."""
