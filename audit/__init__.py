"""Looks at what pgconsole is made of: `make audit`."""
