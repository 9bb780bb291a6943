"""What is kept for how long, and how it goes: never anything of a run that has not ended."""
