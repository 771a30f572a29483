"""From source images to the views of a method: each view's steps, its random numbers, then its pixels."""
