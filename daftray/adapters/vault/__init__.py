"""Encryption at rest, over cryptography."""
