"""Orchestration: plan, rebuild, narrate, audit, command line. Nothing here computes audio.

Importing the package sets the environment's defaults, because Prefect reads its settings once, at its import.
"""

from pipeline.settings import set_defaults

set_defaults()
