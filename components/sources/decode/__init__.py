"""From the bytes of an image file to a picture of eight bits a channel."""
