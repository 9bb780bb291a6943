"""The database, over SQLAlchemy."""
