"""What the migrator keeps in the database: journal, archive, and how far batches have come."""
