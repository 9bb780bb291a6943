"""Ray's job REST API, over httpx."""
