"""Where files lie: folders, buckets and web servers, zip files; and what of them is not read."""
