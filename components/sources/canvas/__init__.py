"""What embedded images are drawn with."""
