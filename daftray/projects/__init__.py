"""Projects and their secrets: the settings that a run draws on."""
