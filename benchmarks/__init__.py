"""pgconsole against the guide's shell pipeline, side by side in one run."""
