"""The artefact: names, manifest, the indexed .sql.gz, integrity."""
