"""A picture gets its look: boxes, lines, words and legend become forms with places and colours."""
