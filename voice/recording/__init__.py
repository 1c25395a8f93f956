"""From a sound file of any kind to clean mono audio and the figures of what it was."""
