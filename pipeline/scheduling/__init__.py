"""Narrations at their times: quiet hours, the slot of a machine, the inbox, and the process that serves them.

`pipeline.schedule` is the file schedules.yaml; here is what happens when a time has come.
"""
