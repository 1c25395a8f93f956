"""Which words of a transcript are said in which segment, and when: from text and the frames of an acoustic model."""
