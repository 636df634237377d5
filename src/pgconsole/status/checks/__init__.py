"""What `pgconsole doctor` looks at, one small function each."""
