"""The pieces of one optimizer step: rules for parameter groups, rates, clipping, and the LARS family."""
