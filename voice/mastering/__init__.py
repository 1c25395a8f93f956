"""From finished lines to a book: pauses and joins, loudness, sound files of five kinds, subtitles, labels.

`encode` writes wav by its own few lines (`riff`), and flac, opus, mp3 and m4b by FFmpeg's libraries through PyAV
(encoders flac, libopus, libmp3lame, aac). PyAV's wheels carry these libraries, so nothing else is to be installed.
All work is done block by block: memory does not grow with the length of a book, but for a few numbers a second.
"""
