"""From a recording to segments of speech that begin and end in silence."""
