"""Tests of the artefact."""
