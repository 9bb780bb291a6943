"""What else the project brings along."""
