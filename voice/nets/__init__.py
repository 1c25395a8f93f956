"""The networks, one idea per file."""
