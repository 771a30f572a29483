"""What the names of folders and files say: splits, classes, and which pictures are label maps."""
