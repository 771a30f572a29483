"""What a picture says and with which words, forms and colours."""
