"""Password hashing, over argon2-cffi."""
