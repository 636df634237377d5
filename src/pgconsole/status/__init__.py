"""Is everything as the schedule promises, and if not, why: `status` and `doctor`."""
