"""What each kind of picture file is made of, read without decoding a pixel."""
