"""Choice data in files: Parquet of any size into columns that are mapped, not read."""
