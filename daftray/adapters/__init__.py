"""The outside world: each folder is the only home of its library, whose errors stop there."""
