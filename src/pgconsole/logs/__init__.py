"""All logs as one: the journals of many jobs and the scheduler's log, in the order of time."""
