"""Tests mirror voice/, stages/ and pipeline/."""
