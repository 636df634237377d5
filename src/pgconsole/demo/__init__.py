"""An embedded PostgreSQL and S3 server to try everything on."""
