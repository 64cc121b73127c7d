"""Copies on disk or in an object store: layout, manifests, verification. Imports obstore only to open a bucket.

Imported module by module: all that the start needs is `plugin`.
"""
