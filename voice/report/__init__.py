"""The page and the pictures that show what was measured."""
