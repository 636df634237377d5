"""Where backups lie: a local directory and an S3 bucket."""
