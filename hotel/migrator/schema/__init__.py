"""Models, migrations and the live schema, compared and mended."""
