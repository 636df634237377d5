"""What pgconsole asks of PostgreSQL: its client tools and its server."""
