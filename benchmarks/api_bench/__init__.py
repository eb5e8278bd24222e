"""The API beside PostGraphile: six named queries over the same tables, on the same machine, in the same run."""
