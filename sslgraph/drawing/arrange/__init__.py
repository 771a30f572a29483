"""Where each box stands on paper and along which points each line runs."""
