"""Content credentials (C2PA) for sounds of the project: signed copies, and what the credentials of a file are worth.

Manifests hold random numbers and the time at which they were signed, so that they are an export and no part of a
narration, whose bytes are the same each time.

- `library`: c2pa-python, offline; `certificates`: a chain and its key, checked; `local`: those of the project itself
- `claim`: what is said, from the ledger; `sign`: a copy that says it; `read`: what a file says, and whether it holds
- `copies`: the sound that a signed copy was made of
"""
