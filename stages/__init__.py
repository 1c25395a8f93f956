"""One file is one DVC stage: read, call voice, check the contract, write."""

import os

# OpenMP threads that wait by spinning starve other stages; torch reads this when it is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
