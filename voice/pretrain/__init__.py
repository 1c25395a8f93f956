"""Training of the mini base, from a corpus folder to `models/base/mini/`."""
