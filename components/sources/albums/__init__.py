"""What a source of pictures is: decoded when asked for, encoded in files, or drawn by the program."""
