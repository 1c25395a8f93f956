"""Figures of a recording, measured while it streams by: memory grows with a few numbers a frame, not with samples."""
