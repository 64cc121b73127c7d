"""Downloads: the queue, resumable parts on disk, and what the user interface sees of them.

Imported module by module: the first screen needs `snapshot` alone.
"""
