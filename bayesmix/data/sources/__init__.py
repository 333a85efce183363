"""Readers of data files, a module a format, found through `registry`: files in, frames out."""
